/** Chooses how an exact table is looked up, and makes its image. */
import { BugError } from '../diagnostic/index.js';
import type { TableDeclaration } from '../frontend/types.js';
import { CHAIN_ENTRIES, DENSE_FACTOR } from './limits.js';
import { buildPerfectHash, type HashPlan } from './perfect-hash.js';

export interface ExactEntry {
  readonly key: bigint;
  readonly value: number;
}
/** Compared one by one. */
export interface ChainPlan {
  readonly kind: 'chain';
  readonly entries: readonly ExactEntry[];
}
/**
 * An array indexed by `key - first`: records of 8 bytes, value u32 and presence u32. The record
 * behind the last one is absent; keys outside of the span are sent there.
 */
export interface DensePlan {
  readonly kind: 'dense';
  readonly first: bigint;
  readonly count: number;
  readonly bytes: Uint8Array;
}
export type ExactPlan = ChainPlan | DensePlan | HashPlan;

export const DENSE_BYTES = 8;
export const DENSE_SHIFT = 3n;

/** Entries of a table with keys as numbers, the last value of each key, sorted by key. */
export function exactEntries(
  table: TableDeclaration,
  symbolOf: (text: string) => number,
): ExactEntry[] {
  const values = new Map<bigint, number>();
  for (const { key, value } of table.entries) {
    values.set(
      key.kind === 'text' ? BigInt(symbolOf(key.value)) : BigInt.asUintN(64, key.value),
      value,
    );
  }
  return [...values]
    .map(([key, value]) => ({ key, value: value >>> 0 }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Plans a table from sorted entries without duplicates. */
export function planExact(entries: readonly ExactEntry[]): ExactPlan {
  if (entries.length <= CHAIN_ENTRIES) return { kind: 'chain', entries };
  const first = entries[0]?.key;
  const last = entries.at(-1)?.key;
  if (first === undefined || last === undefined) throw new BugError('plan of no entries');
  const span = last - first + 1n;
  if (span <= BigInt(entries.length * DENSE_FACTOR)) return planDense(entries, first, Number(span));
  return buildPerfectHash(entries);
}

function planDense(entries: readonly ExactEntry[], first: bigint, count: number): DensePlan {
  const bytes = new Uint8Array((count + 1) * DENSE_BYTES);
  const view = new DataView(bytes.buffer);
  for (const { key, value } of entries) {
    const at = Number(key - first) * DENSE_BYTES;
    view.setUint32(at, value, true);
    view.setUint32(at + 4, 1, true);
  }
  return { kind: 'dense', first, count, bytes };
}
