/** Codes of what `weft lint` finds in policies that compile. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  F101: { title: 'rule that nothing can meet', help: 'correct its condition, or take it out' },
  F102: {
    title: 'rule behind others that decide all of it',
    help: 'move it before them, or take it out',
  },
  F103: {
    title: 'rule that no known workload meets',
    help: 'correct the name, or add the workload to the world',
  },
  F104: {
    title: 'allow that a deny always beats',
    help: 'a deny of any policy counts before each allow: take one of the two out',
  },
  F105: { title: 'table that nothing looks into', help: 'ask it, or take it out' },
  F106: {
    title: 'part of a policy that is not looked into',
    help: 'rules behind it are not judged; docs/howto/prove-a-claim.md lists what is',
  },
  F191: {
    title: 'suppression without a reason',
    help: 'write `weft-lint-ignore CODE: why it is right`',
  },
  F192: { title: 'suppression of nothing', help: 'take it out' },
};
