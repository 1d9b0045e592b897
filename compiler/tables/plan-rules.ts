/**
 * Rule lists as one image: boxes in buckets, which probes find (rule-probes.ts). A probe's key is the sum of what
 * it hashes, each part times an odd number of its own; a perfect hash of all keys gives a slot. Keys that are equal
 * by chance share a bucket, and so does no harm what nobody wrote: each box is compared whole. Image:
 *
 *   slots           u32 low half of the key, u32 first entry << BUCKET_COUNT_BITS | entries; no entries where it is unused
 *   displacements   a bucket's of the hash (perfect-hash.ts)
 *   masks           only where an address column is wide: u64 high, u64 low, u64 1 where IPv4 is outside, by form
 *   entries         `stride` bytes: u32 value, u32 rank, then the columns that any rule needs (RuleColumns)
 */
import type { SideName } from '../abi/index.js';
import type { RulesDeclaration } from '../frontend/types.js';
import { MAX_RULE_BOXES } from './limits.js';
import {
  displacementsBytes,
  type HashShape,
  mix,
  placeKeys,
  putDisplacements,
} from './perfect-hash.js';
import { type Box, boxesOf, type IdField } from './rule-boxes.js';
import { chooseProbes, type Probe } from './rule-probes.js';

/**
 * Offsets within an entry; null for what no rule says. A narrow address is IPv4: a u32, and in the byte `form` by
 * how much its difference is shifted; a wide one has u64 high and low halves, and in the byte the row of its mask.
 */
export interface AddressColumn {
  readonly kind: 'narrow' | 'wide';
  readonly at: number;
  readonly formAt: number;
}
export interface RuleColumns {
  readonly source: AddressColumn | null;
  readonly destination: AddressColumn | null;
  /** u16 first port, u16 how many more. */
  readonly ports: number | null;
  /** u32 each. */
  readonly ids: readonly number[];
}
/** A probe as it is compiled. */
export interface PlacedProbe extends Probe {
  /** Tells its keys from those of other probes. */
  readonly seed: bigint;
  /** Most entries that a bucket of it has. */
  readonly most: number;
}
export interface RulesPlan extends HashShape {
  readonly fields: readonly IdField[];
  readonly probes: readonly PlacedProbe[];
  readonly columns: RuleColumns;
  readonly displacementsAt: number;
  readonly masksAt: number;
  readonly entriesAt: number;
  readonly entries: number;
  readonly stride: number;
  readonly bytes: Uint8Array;
}

export const SLOT_BYTES = 8;
export const BUCKET_COUNT_BITS = 6;
export const MASK_BYTES = 24;
const MAPPED_BITS = 96;
/** A difference of 33 bits is nothing, shifted by so much. */
const SHIFT_ALL = 63;
/** Forms of wide addresses: none said, then IPv6 prefixes by length, then IPv4 ones. */
const FORM_V6 = 1;
const FORM_V4 = FORM_V6 + 129;
export const FORMS: number = FORM_V4 + 33;
const LINE = 64;
const WORD = 0xffffffffffffffffn;

/** Numbers of what is multiplied in a key: halves of the addresses, the port, then the fields. */
const FACTOR = { source: 0, destination: 2, port: 4, fields: 5 } as const;
/** Behind the fields, of which a list has fewer. */
const FIRST_SEED = 64;
const GOLDEN = 0x9e3779b97f4a7c15n;

/** Odd numbers of 64 bits without a relation to each other. */
function scattered(number: number): bigint {
  return mix(BigInt(number + 1), { multiplier: GOLDEN, width: 64 }) | 1n;
}

/** By what a part's number is multiplied in a key. */
export function factorOf(part: SideName | 'port' | number, half: 0 | 1 = 0): bigint {
  const number = typeof part === 'number' ? FACTOR.fields + part : FACTOR[part];
  return scattered(number + half);
}

/** Plans a list; null for one without rules, the limit's name where it comes to more than it may. */
export function planRules(
  { rules }: Pick<RulesDeclaration, 'rules'>,
  symbolOf: (text: string) => number,
): RulesPlan | null | 'boxes' | 'probes' {
  if (rules.length === 0) return null;
  const made = boxesOf(rules, { symbolOf, most: MAX_RULE_BOXES });
  if (made === null) return 'boxes';
  const { boxes, fields } = made;
  const chosen = chooseProbes(boxes);
  if (chosen === null) return 'probes';
  const { columns, stride } = columnsOf(boxes, fields.length);
  const probes = chosen.probes.map((probe, i) => ({ ...probe, seed: scattered(FIRST_SEED + i) }));
  const buckets = bucketsOf(boxes, columns, (box) => probes[chosen.probeOf[box] ?? 0]);
  const keys = [...buckets.keys()].map((key) => ({ key }));
  const placed = placeKeys(keys);
  const { slotOf, width, multiplier, slotBits, bucketBits, displacementBytes } = placed;

  const displacementsAt = SLOT_BYTES << slotBits;
  const isWide = columns.source?.kind === 'wide' || columns.destination?.kind === 'wide';
  const masksAt = align(displacementsAt + displacementsBytes(placed), 8);
  const entriesAt = align(masksAt + (isWide ? FORMS * MASK_BYTES : 0), LINE);
  const bytes = new Uint8Array(entriesAt + boxes.length * stride);
  const view = new DataView(bytes.buffer);
  putDisplacements(view, displacementsAt, placed);
  if (isWide) putMasks(view, masksAt);
  const most = new Array<number>(probes.length).fill(0);
  let first = 0;
  [...buckets].forEach(([key, members], i) => {
    const slot = (slotOf[i] ?? 0) * SLOT_BYTES;
    view.setUint32(slot, Number(BigInt.asUintN(32, key)), true);
    view.setUint32(slot + 4, first * 2 ** BUCKET_COUNT_BITS + members.length, true);
    for (const [place, member] of members.entries()) {
      const box = boxes[member];
      if (box !== undefined) putBox(view, entriesAt + (first + place) * stride, { box, columns });
      const probe = chosen.probeOf[member] ?? 0;
      most[probe] = Math.max(most[probe] ?? 0, members.length);
    }
    first += members.length;
  });
  return {
    fields,
    probes: probes.map((probe, i) => ({ ...probe, most: most[i] ?? 0 })),
    columns,
    ...{ width, multiplier, slotBits, bucketBits, displacementBytes, displacementsAt },
    ...{ masksAt, entriesAt, entries: boxes.length, stride, bytes },
  };
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** Boxes by their keys, in the order of their ranks. */
function bucketsOf(
  boxes: readonly Box[],
  columns: RuleColumns,
  probeOf: (box: number) => (Probe & { readonly seed: bigint }) | undefined,
): ReadonlyMap<bigint, readonly number[]> {
  const buckets = new Map<bigint, number[]>();
  for (const [i, box] of boxes.entries()) {
    const probe = probeOf(i);
    if (probe === undefined) continue;
    const key = keyOf(box, probe, columns);
    const members = buckets.get(key);
    if (members === undefined) buckets.set(key, [i]);
    else members.push(i);
  }
  return buckets;
}

/** The key of a box by its probe; the compiled form is in compiler/passes/rules-function.ts. */
function keyOf(box: Box, probe: Probe & { readonly seed: bigint }, columns: RuleColumns): bigint {
  let key = probe.seed;
  for (const side of ['source', 'destination'] as const) {
    const prefix = box[side];
    const bits = probe[side];
    const column = columns[side];
    if (prefix === null || column === null) continue;
    const [high, low] = halvesOf(prefix.bytes);
    if (column.kind === 'narrow') {
      if (bits > MAPPED_BITS) key += ((low & 0xffffffffn) >> BigInt(128 - bits)) * factorOf(side);
      continue;
    }
    key +=
      (high & maskOf(bits)) * factorOf(side, 0) + (low & maskOf(bits - 64)) * factorOf(side, 1);
  }
  if ((probe.exact & 1) !== 0) key += BigInt(box.port?.first ?? 0) * factorOf('port');
  box.ids.forEach((id, i) => {
    if (isHashed(probe, i)) key += BigInt(id) * factorOf(i);
  });
  return BigInt.asUintN(64, key);
}

/** True where a probe hashes the field with a number. */
export function isHashed({ exact }: Pick<Probe, 'exact'>, field: number): boolean {
  return ((exact >>> field) & 2) !== 0;
}

/** The mask of the first bits of 64, of which there may be none or more. */
export function maskOf(bits: number): bigint {
  if (bits <= 0) return 0n;
  return bits >= 64 ? WORD : WORD ^ (WORD >> BigInt(bits));
}

function halvesOf(bytes: Uint8Array): readonly [bigint, bigint] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getBigUint64(0), view.getBigUint64(8)];
}

/** Only what some rule says has a column; wide ones first, so that they are aligned. */
function columnsOf(
  boxes: readonly Box[],
  ids: number,
): { readonly columns: RuleColumns; readonly stride: number } {
  let at = 8;
  const take = (size: number): number => {
    at += size;
    return at - size;
  };
  const kindOf = (side: SideName): AddressColumn['kind'] | null => {
    if (boxes.every((box) => box[side] === null)) return null;
    return boxes.some((box) => box[side]?.family === 6) ? 'wide' : 'narrow';
  };
  const kinds = { source: kindOf('source'), destination: kindOf('destination') };
  const places = new Map<SideName, number>();
  for (const kind of ['wide', 'narrow'] as const) {
    for (const side of ['source', 'destination'] as const) {
      if (kinds[side] === kind) places.set(side, take(kind === 'wide' ? 16 : 4));
    }
  }
  const ports = boxes.some(({ port }) => port !== null) ? take(4) : null;
  const fields = Array.from({ length: ids }, () => take(4));
  const forms = { source: 0, destination: 0 };
  for (const side of places.keys()) forms[side] = take(1);
  const column = (side: SideName): AddressColumn | null => {
    const [kind, place] = [kinds[side], places.get(side)];
    return kind === null || place === undefined ? null : { kind, at: place, formAt: forms[side] };
  };
  return {
    columns: { source: column('source'), destination: column('destination'), ports, ids: fields },
    stride: align(at, 8),
  };
}

function putBox(
  view: DataView,
  at: number,
  { box, columns }: { readonly box: Box; readonly columns: RuleColumns },
): void {
  view.setUint32(at, box.value, true);
  view.setUint32(at + 4, box.rank, true);
  for (const side of ['source', 'destination'] as const) {
    const [prefix, column] = [box[side], columns[side]];
    if (column !== null) putAddress(view, at, { prefix, column });
  }
  if (columns.ports !== null) {
    const { first, last } = box.port ?? { first: 0, last: 0xffff };
    view.setUint16(at + columns.ports, first, true);
    view.setUint16(at + columns.ports + 2, last - first, true);
  }
  columns.ids.forEach((place, i) => {
    view.setUint32(at + place, box.ids[i] ?? 0, true);
  });
}

function putAddress(
  view: DataView,
  at: number,
  { prefix, column }: { readonly prefix: Box['source']; readonly column: AddressColumn },
): void {
  const [high, low] = prefix === null ? [0n, 0n] : halvesOf(prefix.bytes);
  if (column.kind === 'narrow') {
    view.setUint32(at + column.at, Number(low & 0xffffffffn), true);
    view.setUint8(at + column.formAt, prefix === null ? SHIFT_ALL : 32 - prefix.length);
    return;
  }
  view.setBigUint64(at + column.at, high, true);
  view.setBigUint64(at + column.at + 8, low, true);
  const first = prefix?.family === 4 ? FORM_V4 : FORM_V6;
  view.setUint8(at + column.formAt, prefix === null ? 0 : first + prefix.length);
}

/** What of an address counts, by form: nothing, then that of IPv6 prefixes, then that of mapped IPv4 ones. */
function putMasks(view: DataView, at: number): void {
  for (let form = FORM_V6; form < FORMS; form++) {
    const isV6 = form < FORM_V4;
    const bits = isV6 ? form - FORM_V6 : form - FORM_V4 + MAPPED_BITS;
    view.setBigUint64(at + form * MASK_BYTES, maskOf(bits), true);
    view.setBigUint64(at + form * MASK_BYTES + 8, maskOf(bits - 64), true);
    view.setBigUint64(at + form * MASK_BYTES + 16, isV6 ? 1n : 0n, true);
  }
}
