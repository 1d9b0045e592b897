/**
 * A multibit trie over disjoint prefixes, in one image. A node is an array of 2^stride entries u32,
 * indexed by the next bits of the address; strides are fixed by depth. Entries:
 *
 *   < nodesEnd   byte offset of the child node
 *   NO, YES      the answer
 *   else         byte offset of a record: below here lies one prefix only, which is compared whole
 *                (mask, then value, in network order: 4 + 4 bytes for IPv4, 16 + 16 for IPv6)
 *
 * Nodes come first, the root at 0. Bits that all prefixes share are not stored but compared once.
 */
import type { CidrPrefix } from './plan-cidr.js';

export const NO = 0xfffffffe;
export const YES = 0xffffffff;

export interface TriePlan {
  readonly kind: 'trie';
  /** First bit (of 128) that the root looks at; those from `start` up to it equal `common`'s. */
  readonly skip: number;
  /** What the skipped bits are; zero behind them. */
  readonly common: Uint8Array;
  readonly strides: readonly number[];
  readonly nodesEnd: number;
  readonly records: number;
  readonly bytes: Uint8Array;
}
export interface TrieOptions {
  /** First bit of the family's part of the 128: 96 for IPv4. */
  readonly start: number;
  readonly maxBytes: number;
}

const ADDRESS_BITS = 128;
/** Strides 16, 8 and 4 starting at a multiple of 16 never cross one, nor a 32-bit word. */
const ALIGN = 16;
/** A plan with wide strides is taken while its image is below this. */
const WIDE_BYTES = 64 << 10;
const WIDE_BYTES_A_PREFIX = 128;

/** Builds the fastest trie that is not wasteful, else the smallest; null where none fits. */
export function buildTrie(
  prefixes: readonly CidrPrefix[],
  { start, maxBytes }: TrieOptions,
): TriePlan | null {
  const skip = Math.max(start, Math.floor(commonBits(prefixes) / ALIGN) * ALIGN);
  const bits = ADDRESS_BITS - skip;
  const enough = WIDE_BYTES + WIDE_BYTES_A_PREFIX * prefixes.length;
  let best: TriePlan | null = null;
  for (const strides of candidates(bits)) {
    const limit = Math.min(maxBytes, (best?.bytes.length ?? maxBytes + 1) - 1);
    const plan = new TrieBuilder(prefixes, { start, skip, strides, limit }).build();
    if (plan === null) continue;
    best = plan;
    if (plan.bytes.length <= enough) break;
  }
  return best;
}

function candidates(bits: number): number[][] {
  const fill = (first: number, rest: number): number[] => [
    first,
    ...new Array<number>((bits - first) / rest).fill(rest),
  ];
  return [fill(16, 8), fill(16, 4), fill(8, 8), fill(8, 4), fill(4, 4)];
}

function commonBits(prefixes: readonly CidrPrefix[]): number {
  // Sorted and disjoint: what the first and the last share, all share.
  const [first, last] = [prefixes[0], prefixes.at(-1)];
  if (first === undefined || last === undefined) return 0;
  let bits = 0;
  const most = Math.min(first.length, last.length);
  while (bits < most && bitAt(first.bytes, bits) === bitAt(last.bytes, bits)) bits += 1;
  return Math.min(bits, ADDRESS_BITS - ALIGN);
}

function bitAt(bytes: Uint8Array, bit: number): number {
  return ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
}

/** Bits [bit, bit + count) of an address; they lie in one aligned 16-bit word. */
export function bitsAt(bytes: Uint8Array, bit: number, count: number): number {
  const at = (bit >> 4) << 1;
  const word = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return (word >> (16 - (bit & 15) - count)) & ((1 << count) - 1);
}

interface BuildOptions {
  readonly start: number;
  readonly skip: number;
  readonly strides: readonly number[];
  readonly limit: number;
}
/** Entries while building: >= 0 a node; the rest below. */
const BUILD_NO = -1;
const BUILD_YES = -2;
const FIRST_RECORD = -3;

class TrieBuilder {
  readonly #prefixes: readonly CidrPrefix[];
  readonly #options: BuildOptions;
  readonly #nodes: Int32Array[] = [];
  readonly #records: CidrPrefix[] = [];
  readonly #recordBytes: number;
  #size = 0;
  #depth = 0;

  constructor(prefixes: readonly CidrPrefix[], options: BuildOptions) {
    this.#prefixes = prefixes;
    this.#options = options;
    this.#recordBytes = options.start === 0 ? 32 : 8;
  }

  build(): TriePlan | null {
    this.#node(0, this.#prefixes.length, 0, this.#options.skip);
    if (this.#size > this.#options.limit) return null;
    const { skip, strides } = this.#options;
    const nodesEnd = this.#nodes.reduce((sum, node) => sum + node.length * 4, 0);
    return {
      kind: 'trie',
      skip,
      common: (this.#prefixes[0]?.bytes ?? new Uint8Array(16)).map((byte, i) =>
        8 * i < skip ? byte : 0,
      ),
      strides: strides.slice(0, this.#depth),
      nodesEnd,
      records: this.#records.length,
      bytes: this.#write(nodesEnd),
    };
  }

  /** Adds the node for prefixes [low, high), which agree on all bits before `bit`. */
  #node(low: number, high: number, level: number, bit: number): number {
    const stride = this.#options.strides[level] ?? 0;
    const number = this.#nodes.length;
    const entries = new Int32Array(1 << stride).fill(BUILD_NO);
    this.#nodes.push(entries);
    this.#size += entries.length * 4;
    this.#depth = Math.max(this.#depth, level + 1);
    for (let i = low; i < high && this.#size <= this.#options.limit; ) {
      const prefix = this.#prefixes[i];
      if (prefix === undefined) break;
      const index = bitsAt(prefix.bytes, bit, stride);
      const free = bit + stride - prefix.length;
      if (free >= 0) {
        entries.fill(BUILD_YES, index, index + 2 ** free);
        i += 1;
        continue;
      }
      let end = i + 1;
      while (
        end < high &&
        bitsAt(this.#prefixes[end]?.bytes ?? prefix.bytes, bit, stride) === index
      ) {
        end += 1;
      }
      entries[index] =
        end - i === 1 ? this.#record(prefix) : this.#node(i, end, level + 1, bit + stride);
      i = end;
    }
    return number;
  }

  #record(prefix: CidrPrefix): number {
    this.#size += this.#recordBytes;
    return FIRST_RECORD - (this.#records.push(prefix) - 1);
  }

  #write(nodesEnd: number): Uint8Array {
    const bytes = new Uint8Array(nodesEnd + this.#records.length * this.#recordBytes);
    const view = new DataView(bytes.buffer);
    const offsets: number[] = [];
    let at = 0;
    for (const node of this.#nodes) {
      offsets.push(at);
      at += node.length * 4;
    }
    at = 0;
    for (const node of this.#nodes) {
      for (const entry of node) {
        view.setUint32(at, this.#encode(entry, offsets, nodesEnd), true);
        at += 4;
      }
    }
    const half = this.#recordBytes / 2;
    const from = 16 - half;
    for (const { bytes: value, length } of this.#records) {
      for (let i = 0; i < half; i++) {
        const kept = Math.max(0, Math.min(8, length - 8 * (from + i)));
        bytes[at + i] = (0xff00 >> kept) & 0xff;
        bytes[at + half + i] = value[from + i] ?? 0;
      }
      at += this.#recordBytes;
    }
    return bytes;
  }

  #encode(entry: number, offsets: readonly number[], nodesEnd: number): number {
    if (entry >= 0) return offsets[entry] ?? 0;
    if (entry === BUILD_NO) return NO;
    if (entry === BUILD_YES) return YES;
    return nodesEnd + (FIRST_RECORD - entry) * this.#recordBytes;
  }
}
