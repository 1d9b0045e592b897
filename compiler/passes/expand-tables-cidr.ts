/**
 * Look-ups in address sets. Sets of a few prefixes are straight code; a trie ends as soon as the
 * answer is known, so it brings blocks of its own. Addresses are read as they lie, in network order.
 */
import { PARTY } from '../abi/index.js';
import { Emitter } from '../ir/emitter.js';
import type { Block, BlockId, Func, Loc, Target, Terminator, ValueId } from '../ir/index.js';
import {
  type CidrChain,
  type CidrPlan,
  type CidrPrefix,
  type FamilyPlan,
  MAPPED_BITS,
  maskByte,
  NO,
  type SpansPlan,
  type TriePlan,
} from '../tables/index.js';
import { emitInside, emitMore, emitSpans } from './expand-tables-spans.js';

export interface CidrLookup {
  readonly plan: CidrPlan;
  readonly images: { readonly v4: string; readonly v6: string };
  readonly connection: ValueId;
  /** Offset of the side in the connection. */
  readonly party: number;
  readonly id: ValueId;
  readonly loc: Loc;
}

/** Word 2 of an IPv4-mapped address as a little-endian load sees it; the words before are 0: ::ffff:0:0/96. */
const MAPPED_WORD = 0xffff0000;

/** True where the look-up needs no blocks of its own. */
export function isStraight({ v4, v6 }: CidrPlan): boolean {
  return v4.kind === 'chain' && v6.kind === 'chain';
}

/** The parts of an address that compares are made of. */
interface Address {
  readonly low: ValueId; // bytes 0..7
  readonly isV4: ValueId;
  readonly lookup: CidrLookup;
}

function readAddress(emit: Emitter, lookup: CidrLookup): Address {
  const base = lookup.party + PARTY.address;
  const low = emit.loadPointer(lookup.connection, base, 8);
  const word = emit.loadPointer(lookup.connection, base + 8, 4);
  // One test for both parts: what is unlike a mapped address in either is not 0.
  const unlike = emit.extend(emit.with('i32', 'xor', word, MAPPED_WORD));
  const isV4 = emit.compareWith('i64', 'eq', emit.binary('i64', 'or', low, unlike), 0);
  return { low, isV4, lookup };
}

/** Emits the look-up of a straight plan. */
export function emitStraight(emit: Emitter, lookup: CidrLookup): void {
  const { v4, v6 } = lookup.plan;
  if (v4.kind !== 'chain' || v6.kind !== 'chain') return;
  const address = readAddress(emit, lookup);
  const in4 = emit.binary('i32', 'and', address.isV4, anyOf(emit, v4, address));
  const isV6 = emit.compareWith('i32', 'eq', address.isV4, 0);
  const in6 = emit.binary('i32', 'and', isV6, anyOf(emit, v6, address));
  emit.binary('i32', 'or', in4, in6, lookup.id);
}

function anyOf(emit: Emitter, chain: CidrChain, address: Address): ValueId {
  let result: ValueId | null = null;
  for (const prefix of chain.prefixes) {
    const hit = matches(emit, prefix, address);
    result = result === null ? hit : emit.binary('i32', 'or', result, hit);
  }
  return result ?? emit.constant('i32', 0);
}

/** Compares the bits of a prefix; IPv4 is known to be mapped, so its first 96 bits are not. */
function matches(emit: Emitter, prefix: CidrPrefix, { low, lookup }: Address): ValueId {
  const { connection, party } = lookup;
  const base = party + PARTY.address;
  const start = isMapped(prefix) ? 12 : 0;
  let result: ValueId | null = null;
  for (const [at, size] of start === 12
    ? ([[12, 4]] as const)
    : ([
        [0, 8],
        [8, 8],
      ] as const)) {
    const type = size === 8 ? 'i64' : 'i32';
    const mask = littleEndian(size, (i) => maskByte(prefix.length, at + i));
    if (mask === 0n) continue;
    const value = littleEndian(size, (i) => prefix.bytes[at + i] ?? 0);
    const word = at === 0 ? low : emit.loadPointer(connection, base + at, size);
    const all = BigInt.asUintN(size * 8, -1n);
    const masked = mask === all ? word : emit.with(type, 'and', word, mask);
    const hit = emit.compareWith(type, 'eq', masked, value);
    result = result === null ? hit : emit.binary('i32', 'and', result, hit);
  }
  return result ?? emit.constant('i32', 1);
}

function isMapped({ bytes, length }: CidrPrefix): boolean {
  if (length < MAPPED_BITS) return false;
  return bytes.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
}

function littleEndian(size: number, byteAt: (index: number) => number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(byteAt(i));
  return value;
}

/**
 * Splits a block at a look-up: returns the head, which ends in the look-up, the look-up's own
 * blocks, and the tail, whose parameter is the answer.
 */
export function splitAtLookup(
  func: Func,
  block: Block,
  at: { readonly index: number; readonly lookup: CidrLookup },
): { readonly head: Block; readonly inner: readonly Block[]; readonly tail: Block } {
  const { lookup } = at;
  const builder = new LookupBuilder(func, lookup.loc);
  const tail: Block = {
    id: builder.block(),
    params: [{ id: lookup.id, type: 'i32' }],
    instrs: block.instrs.slice(at.index + 1),
    term: block.term,
  };
  const emit = new Emitter(func, lookup.loc);
  const address = readAddress(emit, lookup);
  const [then, other] = [
    builder.family('v4', address, tail.id),
    builder.family('v6', address, tail.id),
  ];
  const head: Block = {
    ...block,
    instrs: [...block.instrs.slice(0, at.index), ...emit.instrs],
    term: {
      op: 'br_if',
      loc: lookup.loc,
      condition: address.isV4,
      then: { block: then, args: [] },
      else: { block: other, args: [] },
    },
  };
  return { head, inner: builder.blocks, tail };
}

class LookupBuilder {
  readonly blocks: Block[] = [];
  readonly #func: Func;
  readonly #loc: Loc;

  constructor(func: Func, loc: Loc) {
    this.#func = func;
    this.#loc = loc;
  }

  block(): BlockId {
    return this.#func.nextBlock++ as BlockId;
  }

  /** The block that answers for one family. */
  family(which: 'v4' | 'v6', address: Address, tail: BlockId): BlockId {
    const plan: FamilyPlan = address.lookup.plan[which];
    if (plan.kind === 'spans') return this.#spans(plan, { which, address, tail });
    if (plan.kind === 'trie') return this.#trie(plan, { which, address, tail });
    const id = this.block();
    const emit = this.#emitter();
    const answer = anyOf(emit, plan, address);
    this.#seal(id, emit, { op: 'br', loc: this.#loc, to: { block: tail, args: [answer] } });
    return id;
  }

  #spans(
    plan: SpansPlan,
    at: { readonly which: 'v4' | 'v6'; readonly address: Address; readonly tail: BlockId },
  ): BlockId {
    const { lookup, low } = at.address;
    const id = this.block();
    const emit = this.#emitter();
    const offset = lookup.party + PARTY.address + 12;
    const address =
      at.which === 'v4'
        ? emit.extend(emit.unary('i32', 'bswap32', emit.loadPointer(lookup.connection, offset, 4)))
        : emit.unary('i64', 'bswap64', low);
    const spans = { plan, image: lookup.images[at.which], address };
    const found = emitSpans(emit, spans);
    const done: Target = { block: at.tail, args: [emitInside(emit, found.outside)] };
    if (found.hasMore === null) {
      this.#seal(id, emit, { op: 'br', loc: this.#loc, to: done });
      return id;
    }
    const rest = this.block();
    const more: Target = { block: rest, args: [] };
    this.#branch(id, emit, { condition: found.hasMore, then: more, else: done });
    const compare = this.#emitter();
    const answer = emitInside(compare, emitMore(compare, spans, found));
    const to = { block: at.tail, args: [answer] };
    this.#seal(rest, compare, { op: 'br', loc: this.#loc, to });
    return id;
  }

  #emitter(): Emitter {
    return new Emitter(this.#func, this.#loc);
  }

  #seal(id: BlockId, emit: Emitter, term: Terminator, params: Block['params'] = []): void {
    this.blocks.push({ id, params, instrs: emit.instrs, term });
  }

  #branch(
    id: BlockId,
    emit: Emitter,
    on: { condition: ValueId; then: Target; else: Target },
  ): void {
    this.#seal(id, emit, { op: 'br_if', loc: this.#loc, ...on });
  }

  #trie(
    plan: TriePlan,
    at: { readonly which: 'v4' | 'v6'; readonly address: Address; readonly tail: BlockId },
  ): BlockId {
    const { which, address, tail } = at;
    const image = address.lookup.images[which];
    const entry = this.block();
    const exit = this.block();
    let id = entry;
    let emit = this.#emitter();
    if (plan.skip > (which === 'v4' ? MAPPED_BITS : 0)) {
      const root = this.block();
      const common = { bytes: plan.common, length: plan.skip };
      const condition = matches(emit, common, address);
      const no = emit.constant('i32', 0);
      this.#branch(id, emit, {
        condition,
        then: { block: root, args: [] },
        else: { block: tail, args: [no] },
      });
      id = root;
      emit = this.#emitter();
    }
    const words = new Map<number, ValueId>();
    let node: ValueId | null = null;
    let bit = plan.skip;
    for (const [level, stride] of plan.strides.entries()) {
      const index = this.#index(emit, { address, bit, stride, words });
      const at = node === null ? index : emit.binary('i32', 'add', node, index);
      const limit = plan.nodesEnd - 4;
      const found = emit.loadImage(image, at, { offset: 0, limit, size: 4 });
      if (level === plan.strides.length - 1) {
        const to = { block: exit, args: [found] };
        this.#seal(id, emit, { op: 'br', loc: this.#loc, to });
        break;
      }
      const next = this.block();
      this.#branch(id, emit, {
        condition: emit.compareWith('i32', 'lt_u', found, plan.nodesEnd),
        then: { block: next, args: [] },
        else: { block: exit, args: [found] },
      });
      id = next;
      emit = this.#emitter();
      node = found;
      bit += stride;
    }
    this.#exit(exit, plan, { image, which, address, tail });
    return entry;
  }

  /** Byte offset of the entry that the next bits of the address pick in their node. */
  #index(
    emit: Emitter,
    at: {
      readonly address: Address;
      readonly bit: number;
      readonly stride: number;
      readonly words: Map<number, ValueId>;
    },
  ): ValueId {
    const { lookup } = at.address;
    const number = at.bit >> 5;
    let word = at.words.get(number);
    if (word === undefined) {
      const offset = lookup.party + PARTY.address + 4 * number;
      word = emit.unary('i32', 'bswap32', emit.loadPointer(lookup.connection, offset, 4));
      at.words.set(number, word);
    }
    const shift = 32 - (at.bit & 31) - at.stride - 2;
    const placed =
      shift >= 0 ? emit.with('i32', 'shr_u', word, shift) : emit.with('i32', 'shl', word, -shift);
    return emit.with('i32', 'and', placed, (2 ** at.stride - 1) * 4);
  }

  /** From the last entry to the answer: itself, or one whole prefix to compare. */
  #exit(
    id: BlockId,
    plan: TriePlan,
    at: { image: string; which: 'v4' | 'v6'; address: Address; tail: BlockId },
  ): void {
    const entry = this.#func.nextValue++ as ValueId;
    const params = [{ id: entry, type: 'i32' as const }];
    const emit = this.#emitter();
    const answer = emit.with('i32', 'and', entry, 1);
    const done: Target = { block: at.tail, args: [answer] };
    if (plan.records === 0) {
      this.#seal(id, emit, { op: 'br', loc: this.#loc, to: done }, params);
      return;
    }
    const record = this.block();
    const condition = emit.compareWith('i32', 'ge_u', entry, NO);
    const term: Terminator = {
      op: 'br_if',
      loc: this.#loc,
      condition,
      then: done,
      else: { block: record, args: [] },
    };
    this.#seal(id, emit, term, params);

    const { lookup, low } = at.address;
    const compare = this.#emitter();
    const [from, size, half] = at.which === 'v4' ? ([12, 4, 4] as const) : ([0, 8, 16] as const);
    const limit = plan.bytes.length - 2 * half;
    let result: ValueId | null = null;
    for (let part = 0; part < half; part += size) {
      const offset = lookup.party + PARTY.address + from + part;
      const word = from + part === 0 ? low : compare.loadPointer(lookup.connection, offset, size);
      const mask = compare.loadImage(at.image, entry, { offset: part, limit, size });
      const value = compare.loadImage(at.image, entry, { offset: half + part, limit, size });
      const type = size === 8 ? 'i64' : 'i32';
      const hit = compare.compare('eq', compare.binary(type, 'and', word, mask), value);
      result = result === null ? hit : compare.binary('i32', 'and', result, hit);
    }
    const to = { block: at.tail, args: [result ?? compare.constant('i32', 0)] };
    this.#seal(record, compare, { op: 'br', loc: this.#loc, to });
  }
}
