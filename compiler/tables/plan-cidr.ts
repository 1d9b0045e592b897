/**
 * Chooses how an address set is looked up, family by family: a chain of masked compares for a few
 * prefixes, a multibit trie for more, sorted spans where the trie would be large. Only membership is asked, so a prefix inside another one is
 * dropped, and what is left never overlaps.
 */
import type { CidrDeclaration } from '../frontend/types.js';
import { buildSpans, type SpansPlan } from './cidr-spans.js';
import { buildTrie, type TriePlan } from './cidr-trie.js';
import { CHAIN_PREFIXES, SMALL_TRIE } from './limits.js';

export type Family = 4 | 6;
/** `bytes` are 16, `length` counts from the start of those 16 bytes (IPv4: 96 to 128). */
export interface CidrPrefix {
  readonly bytes: Uint8Array;
  readonly length: number;
}
export interface CidrChain {
  readonly kind: 'chain';
  readonly prefixes: readonly CidrPrefix[];
}
export type FamilyPlan = CidrChain | TriePlan | SpansPlan;
export interface CidrPlan {
  readonly v4: FamilyPlan;
  readonly v6: FamilyPlan;
}

export const MAPPED_BITS = 96;

/** Plans a set; null where an image would be larger than `maxBytes`. */
export function planCidr(
  set: Pick<CidrDeclaration, 'prefixes'>,
  maxBytes: number,
): CidrPlan | null {
  const v4 = planFamily(set, 4, maxBytes);
  const v6 = planFamily(set, 6, maxBytes);
  return v4 === null || v6 === null ? null : { v4, v6 };
}

function planFamily(
  set: Pick<CidrDeclaration, 'prefixes'>,
  family: Family,
  maxBytes: number,
): FamilyPlan | null {
  const shift = family === 4 ? MAPPED_BITS : 0;
  const prefixes = disjoint(
    set.prefixes
      .filter((p) => p.family === family)
      .map((p) => clearHostBits({ bytes: p.bytes, length: p.length + shift })),
  );
  if (prefixes.length <= CHAIN_PREFIXES) return { kind: 'chain', prefixes };
  const trie = buildTrie(prefixes, { start: shift, maxBytes });
  if (trie !== null && trie.bytes.length <= SMALL_TRIE) return trie;
  const limit = trie === null ? maxBytes : trie.bytes.length - 1;
  return buildSpans(prefixes, { family, maxBytes: limit }) ?? trie;
}

function clearHostBits({ bytes, length }: CidrPrefix): CidrPrefix {
  return { bytes: bytes.map((byte, i) => byte & maskByte(length, i)), length };
}

/** Byte `index` of the mask of a prefix length. */
export function maskByte(length: number, index: number): number {
  const kept = Math.max(0, Math.min(8, length - 8 * index));
  return (0xff00 >> kept) & 0xff;
}

/** Sorted by address, without prefixes that lie in another one. */
function disjoint(prefixes: readonly CidrPrefix[]): CidrPrefix[] {
  const sorted = [...prefixes].sort((a, b) => order(a.bytes, b.bytes) || a.length - b.length);
  const kept: CidrPrefix[] = [];
  for (const prefix of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !covers(last, prefix)) kept.push(prefix);
  }
  return kept;
}

function order(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 16; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function covers(outer: CidrPrefix, inner: CidrPrefix): boolean {
  if (outer.length > inner.length) return false;
  return outer.bytes.every(
    (byte, i) => byte === ((inner.bytes[i] ?? 0) & maskByte(outer.length, i)),
  );
}
