/**
 * Policies as the joined functions test for them: by the word of struct weft_policy_set that has their bits, and where
 * there are many in groups, of which one test leads past all where none is attached: most targets have few policies.
 */
import { CONNECTION } from '../abi/index.js';
import type { PolicyEntry } from '../bundle/manifest.js';
import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/types.js';

/** One policy or several. */
export type Policies = readonly [PolicyEntry, ...PolicyEntry[]];

/** Policies that are asked one after the other. */
export interface PolicyGroup {
  readonly policies: Policies;
  /** Whether a test leads past all of them. */
  readonly isTested: boolean;
}

const WORD_BITS = 64;
/** So many policies are tested one by one. */
const MANY = 16;
/** Policies of a group: about the root of how many are in a word. */
const GROUP = 8;

/** The word of a set that a policy's bit is in. */
export function wordOf({ index }: Pick<PolicyEntry, 'index'>): number {
  return Math.floor(index / WORD_BITS);
}

/** A policy's bit within its word. */
export function bitOf({ index }: Pick<PolicyEntry, 'index'>): bigint {
  return 1n << BigInt(index % WORD_BITS);
}

/** Policies in order, cut where the word changes and where there are so many. */
export function byWord(
  policies: readonly PolicyEntry[],
  most: number = WORD_BITS,
): readonly Policies[] {
  const cut: [PolicyEntry, ...PolicyEntry[]][] = [];
  for (const policy of policies) {
    const last = cut.at(-1);
    const fits = last !== undefined && last.length < most && wordOf(last[0]) === wordOf(policy);
    if (fits) last.push(policy);
    else cut.push([policy]);
  }
  return cut;
}

/** The groups that a joined function asks. */
export function groupPolicies(policies: readonly PolicyEntry[]): readonly PolicyGroup[] {
  const isTested = policies.length > MANY;
  const groups = byWord(policies, isTested ? GROUP : WORD_BITS);
  return groups.map((group) => ({ policies: group, isTested }));
}

/** The attached policies, a word at a time: each is read where the first of its policies is tested for. */
export class AttachedWords {
  readonly #connection: ValueId;
  #word: { readonly number: number; readonly value: ValueId } | null = null;

  constructor(connection: ValueId) {
    this.#connection = connection;
  }

  /** The word of a policy; policies are asked for on one way, from each to the next. */
  #of(policy: PolicyEntry, emit: Emitter): ValueId {
    const number = wordOf(policy);
    if (this.#word?.number !== number) this.#word = { number, value: this.#read(number, emit) };
    return this.#word.value;
  }

  /** Those of some policies of a word that are attached: not 0 where any is. */
  bits(policies: Policies, emit: Emitter): ValueId {
    const bits = policies.reduce((all, policy) => all | bitOf(policy), 0n);
    return emit.with('i64', 'and', this.#of(policies[0], emit), bits);
  }

  /** True where any of some policies of a word is attached. */
  has(policies: Policies, emit: Emitter): ValueId {
    return emit.compareWith('i64', 'ne', this.bits(policies, emit), 0);
  }

  #read(number: number, emit: Emitter): ValueId {
    return emit.loadPointer(this.#connection, CONNECTION.policies + 8 * number, 8);
  }
}
