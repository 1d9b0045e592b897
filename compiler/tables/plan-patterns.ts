/**
 * Plans a table of patterns: paths as an automaton over elements, hosts as their names and ends. The
 * texts of both are one perfect hash (text-hash.ts); the image goes on behind it with
 *
 *   states    paths only, STATE_BYTES each: u32 target of any other element, u32 target of the empty
 *             one, u32 answer at the end of the path. Only states of which one of these is not none
 *             have a row; all others share the last one
 *   answers   u32 values; number 0 is none
 *
 * A target is a state; or `states + answer`, which nothing can change; or `states + answers + answer`,
 * where the path ends here, and else none.
 */
import { parseElements, parseHostPattern } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import type { PatternsDeclaration } from '../frontend/types.js';
import { Answers } from './answers.js';
import { MAX_TRANSITIONS } from './limits.js';
import { buildAutomaton, type PathState, type PathTarget } from './path-automaton.js';
import type { RegexPlan } from './plan-regexes.js';
import { buildTextHash, type TextEntry, type TextHashPlan } from './text-hash.js';

interface PatternImage {
  readonly texts: TextHashPlan | null;
  readonly answersAt: number;
  /** Answers with the one that stands for none. */
  readonly answers: number;
  readonly bytes: Uint8Array;
}
export interface PathPlan extends PatternImage {
  readonly kind: 'path';
  readonly statesAt: number;
  readonly states: number;
  /** States with a row of their own: the first ones. */
  readonly rows: number;
  readonly root: number;
  /** The answer for an empty view. */
  readonly nothing: number;
  readonly depth: number;
}
export interface HostPlan extends PatternImage {
  readonly kind: 'host';
  /** Bytes of the longest end, its dot included; 0 where there is none. */
  readonly longestEnd: number;
  /** Lengths that there are of each: bit n - 1 for n bytes. Others are not looked up. */
  readonly lengths: Readonly<Record<keyof typeof HOST_STATE, bigint>>;
  /** The answer of `*`, or 0. */
  readonly any: number;
}
export type PatternPlan = PathPlan | HostPlan | RegexPlan;

export const STATE_BYTES = 12;
/** States of the texts of hosts: an end is no name. */
export const HOST_STATE = { name: 0, suffix: 1 } as const;

/** Plans a table of paths or hosts; null where its automaton would have more than MAX_TRANSITIONS. */
export function planPatterns(table: PatternsDeclaration): PathPlan | HostPlan | null {
  return table.kind === 'host' ? planHosts(table) : planPaths(table);
}

function planPaths({ entries }: PatternsDeclaration): PathPlan | null {
  const answers = new Answers();
  const rules = entries.map(({ text, value }) => {
    const parsed = parseElements(text);
    if (parsed === null) throw new BugError(`\`${text}\` is no pattern`);
    return { ...parsed, answer: answers.of(value) };
  });
  const automaton = buildAutomaton(rules, MAX_TRANSITIONS);
  if (automaton === null) return null;
  const { numberOf, states, rows } = numberStates(automaton.states);
  const count = answers.values.length;
  const targetOf = (target: PathTarget): number => {
    if (target.kind === 'answer') return states.length + target.answer;
    const leaf = automaton.states[target.state];
    if (leaf !== undefined && isLeaf(leaf)) return states.length + count + leaf.end;
    return numberOf[target.state] ?? 0;
  };
  const encoder = new TextEncoder();
  const texts = buildTextHash(
    states.flatMap(({ byText }, state) =>
      [...byText].map(
        ([text, target]): TextEntry => ({
          state,
          bytes: encoder.encode(text),
          next: targetOf(target),
        }),
      ),
    ),
  );
  const none = states.length;
  const words = states
    .slice(0, rows)
    .flatMap(({ other, empty, end }) => [targetOf(other), targetOf(empty), end]);
  words.push(none, none, 0);
  return {
    kind: 'path',
    ...imageOf(texts, [...words, ...answers.values]),
    answersAt: (texts?.bytes.length ?? 0) + words.length * 4,
    answers: count,
    statesAt: texts?.bytes.length ?? 0,
    states: states.length,
    rows,
    root: numberOf[automaton.root] ?? 0,
    nothing: automaton.states[automaton.root]?.end ?? 0,
    depth: automaton.depth,
  };
}

const NONE = (target: PathTarget): boolean => target.kind === 'answer' && target.answer === 0;

/** Where only the end of the path has an answer. */
function isLeaf({ byText, other, empty, end }: PathState): boolean {
  return byText.size === 0 && NONE(other) && NONE(empty) && end !== 0;
}

/** States without leaves, those that need a row first; the root is one in any case. */
function numberStates(all: readonly PathState[]): {
  readonly numberOf: readonly number[];
  readonly states: readonly PathState[];
  readonly rows: number;
} {
  const order = [...all.keys()].filter((i) => {
    const state = all[i];
    return state !== undefined && !isLeaf(state);
  });
  const needsRow = (i: number): boolean => {
    const state = all[i];
    return state !== undefined && !(NONE(state.other) && NONE(state.empty) && state.end === 0);
  };
  const sorted = [...order.filter(needsRow), ...order.filter((i) => !needsRow(i))];
  const numberOf: number[] = [];
  sorted.forEach((i, number) => {
    numberOf[i] = number;
  });
  const states = sorted.flatMap((i) => all[i] ?? []);
  return { numberOf, states, rows: order.filter(needsRow).length };
}

function planHosts({ entries: declared }: PatternsDeclaration): HostPlan {
  const answers = new Answers();
  const texts = { name: new Map<string, number>(), suffix: new Map<string, number>() };
  let any = 0;
  let longestEnd = 0;
  for (const { text, value } of declared) {
    const pattern = parseHostPattern(text);
    if (pattern === null) throw new BugError(`\`${text}\` is no pattern of a host`);
    const answer = answers.of(value);
    if (pattern.kind === 'any') any = answer;
    else texts[pattern.kind].set(pattern.text, answer);
    if (pattern.kind === 'suffix') longestEnd = Math.max(longestEnd, pattern.text.length);
  }
  const encoder = new TextEncoder();
  const entries = (kind: keyof typeof HOST_STATE): TextEntry[] =>
    [...texts[kind]].map(([text, next]) => ({
      state: HOST_STATE[kind],
      bytes: encoder.encode(text),
      next,
    }));
  const hash = buildTextHash([...entries('name'), ...entries('suffix')]);
  return {
    kind: 'host',
    ...imageOf(hash, answers.values),
    answersAt: hash?.bytes.length ?? 0,
    answers: answers.values.length,
    longestEnd,
    lengths: { name: lengthsOf(texts.name.keys()), suffix: lengthsOf(texts.suffix.keys()) },
    any,
  };
}

/** Hosts have ASCII letters only. */
function lengthsOf(texts: Iterable<string>): bigint {
  let lengths = 0n;
  for (const { length } of texts) lengths |= 1n << BigInt(length - 1);
  return lengths;
}

/** The image: texts, then words. */
function imageOf(
  texts: TextHashPlan | null,
  words: readonly number[],
): Pick<PatternImage, 'texts' | 'bytes'> {
  const from = texts?.bytes.length ?? 0;
  const bytes = new Uint8Array(from + 4 * words.length);
  if (texts !== null) bytes.set(texts.bytes);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setUint32(from + 4 * i, word, true);
  });
  return { texts, bytes };
}
