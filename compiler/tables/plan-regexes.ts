/**
 * Plans a table of regular expressions: the image of their automaton. A row is a state; entries are row
 * starts, `width` bytes each:
 *
 *   classes   the class of each byte; that of NO_BYTE, which no head holds, is the one for what lies behind the text
 *   rows      an entry a class; then one for no byte, which is the row itself; then the answer where the text ends
 *   answers   u32 values; number 0 is none
 *
 * Rows that lead only to themselves come last: there nothing is decided any more.
 */
import { parseRegex } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import type { PatternsDeclaration } from '../frontend/types.js';
import { Answers } from './answers.js';
import { MAX_REGEX_ENTRIES, MAX_REGEX_PLACES, MAX_REGEX_STATES } from './limits.js';
import { buildRegexAutomaton, type RegexAutomaton, type RegexExcess } from './regex-automaton.js';

export interface RegexPlan {
  readonly kind: 'regex';
  readonly states: number;
  /** Entries of a row. */
  readonly row: number;
  readonly width: 2 | 4;
  readonly rowsAt: number;
  /** Entry of the row to begin with, and of the first that is settled. */
  readonly start: number;
  readonly settled: number;
  readonly answersAt: number;
  readonly answers: number;
  readonly bytes: Uint8Array;
}

export const CLASS_BYTES = 256;
/** Words of a text are filled up with it. The parser of heads lets no NUL through. */
export const NO_BYTE = 0;

/** Plans a table; else says of what there is too much. */
export function planRegexes({
  entries,
}: Pick<PatternsDeclaration, 'entries'>): RegexPlan | RegexExcess | 'entries' {
  const answers = new Answers();
  // The first to match counts, so a later one of the same text never does; its value replaced that one's.
  const values = new Map(entries.map(({ text, value }) => [text, value]));
  const rules = [...values].map(([text, value]) => {
    const parsed = parseRegex(text);
    if (!parsed.ok) throw new BugError(`\`${text}\` is no regular expression`);
    return { node: parsed.node, answer: answers.of(value) };
  });
  const automaton = buildRegexAutomaton(rules, {
    places: MAX_REGEX_PLACES,
    states: MAX_REGEX_STATES,
  });
  if (typeof automaton === 'string') return automaton;
  const row = automaton.classes + 2;
  if (automaton.next.length * row > MAX_REGEX_ENTRIES) return 'entries';
  return layOut(automaton, answers.values, row);
}

function layOut(automaton: RegexAutomaton, answers: readonly number[], row: number): RegexPlan {
  const { next, end, classOf, classes } = automaton;
  const isSettled = (state: number): boolean => next[state]?.every((to) => to === state) ?? false;
  const order = [...next.keys()].sort((a, b) => Number(isSettled(a)) - Number(isSettled(b)));
  const rowOf: number[] = [];
  order.forEach((state, i) => {
    rowOf[state] = i * row;
  });
  const entries = next.length * row;
  const width = entries <= 0x10000 ? 2 : 4;
  const rowsAt = CLASS_BYTES;
  const answersAt = Math.ceil((rowsAt + entries * width) / 4) * 4;
  const bytes = new Uint8Array(answersAt + 4 * answers.length);
  bytes.set(classOf);
  bytes[NO_BYTE] = classes;
  const view = new DataView(bytes.buffer);
  const put = (entry: number, value: number): void => {
    if (width === 2) view.setUint16(rowsAt + 2 * entry, value, true);
    else view.setUint32(rowsAt + 4 * entry, value, true);
  };
  next.forEach((targets, state) => {
    const from = rowOf[state] ?? 0;
    targets.forEach((to, byClass) => {
      put(from + byClass, rowOf[to] ?? 0);
    });
    put(from + classes, from);
    put(from + classes + 1, end[state] ?? 0);
  });
  answers.forEach((value, i) => {
    view.setUint32(answersAt + 4 * i, value, true);
  });
  const settled = order.findIndex(isSettled);
  return {
    kind: 'regex',
    states: next.length,
    row,
    width,
    rowsAt,
    start: rowOf[automaton.start] ?? 0,
    settled: settled < 0 ? entries : settled * row,
    answersAt,
    answers: answers.length,
    bytes,
  };
}
