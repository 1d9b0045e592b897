/** Diagnostics of the room `tables`. */
import type { CodeTable } from '../diagnostic/index.js';

export const CODES: CodeTable = {
  T101: {
    title: 'table has too many entries',
    help: 'split the table, or key it by something with fewer values',
  },
  T102: {
    title: 'address set has too many prefixes',
    help: 'join neighbouring prefixes, or split the set',
  },
  T103: {
    title: 'address set takes too much memory',
    help: 'prefixes that share no leading bits cost most; join them, or raise `budget.tableBytes` and split the set',
  },
  T104: {
    title: 'table has too many patterns',
    help: 'split the table, or leave more of its work to exact tables',
  },
  T105: {
    title: 'patterns multiply each other',
    help: 'patterns with `{name}` before elements that differ need a state for each combination; write fewer of them, or split the table',
  },
  T106: {
    title: 'regular expressions multiply each other',
    help: 'expressions that begin with `.*`, or count what `.` may match too, need a state for each combination; split the table, or say it with a `PathTable`',
  },
  T107: {
    title: 'too many tables of regular expressions',
    help: 'set the expressions of several tables in one, with values that tell them apart',
  },
  T108: {
    title: 'rule list is too long',
    help: 'a rule that lets several parts be one of several counts once for each combination; split the list, or say less of it that way',
  },
  T109: {
    title: 'rules cannot be told apart quickly',
    help: 'too many rules say the same but for ranges of ports, or lengths of blocks that lie in each other; say more of exact parts, or split the list by one of them',
  },
};
