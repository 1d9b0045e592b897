/**
 * What looks into a rule list: a function of the list's own, from a connection and a kind to the rank of the first
 * rule that holds, above its value; the plan is that of compiler/tables/plan-rules. Each probe finds a bucket or
 * none, and of its boxes, the first that holds counts. What is wrong with a box is joined into one number, so that
 * there is one branch a box; the least rank wins.
 */
import { CONNECTION, PARTY, type SideName } from '../abi/index.js';
import type { Emitter } from '../ir/emitter.js';
import type { BlockId, Func, Target, ValueId } from '../ir/types.js';
import {
  type AddressColumn,
  BUCKET_COUNT_BITS,
  FORMS,
  factorOf,
  type IdField,
  isHashed,
  MASK_BYTES,
  maskOf,
  PLUS_ONE,
  type PlacedProbe,
  type RulesPlan,
  SLOT_BYTES,
} from '../tables/index.js';
import { emitSlot } from './expand-tables-exact.js';
import { FunctionWriter } from './function-writer.js';

const CONNECTION_PARAM = 0 as ValueId;
const KIND_PARAM = 1 as ValueId;
/** No rule has this rank. */
const NO_RANK = 0xffffffff;
const NONE: bigint = BigInt(NO_RANK) << 32n;
const MAPPED_BITS = 96;
const MAPPED_WORD = 0xffff;

export interface RulesLookup {
  /** Null for a list without rules. */
  readonly plan: RulesPlan | null;
  readonly callee: string;
  readonly connection: ValueId;
  readonly kind: ValueId;
  /** The fallback of `get`; null asks `has`. */
  readonly fallback: ValueId | null;
  readonly id: ValueId;
}

/** Emits a look-up: the value or the fallback, or 0|1 for `has`. */
export function emitRules(emit: Emitter, lookup: RulesLookup): void {
  const { plan, callee, connection, kind, fallback, id } = lookup;
  if (plan === null) {
    emit.with('i32', 'or', fallback ?? emit.constant('i32', 0), 0, id);
    return;
  }
  const found = emit.call(callee, 'i64', [connection, kind]);
  const rank = emit.with('i64', 'shr_u', found, 32);
  if (fallback === null) {
    emit.compareWith('i64', 'ne', rank, NO_RANK, id);
    return;
  }
  const isFound = emit.compareWith('i64', 'ne', rank, NO_RANK);
  emit.select('i32', isFound, emit.wrap(found), fallback, id);
}

/** Where an attribute of a party lies. */
export type AttributeOffset = (field: Extract<IdField, { readonly from: 'attribute' }>) => number;

/** Writes the function of a plan, whose image has the given name. */
export function rulesFunction(
  name: string,
  plan: RulesPlan,
  at: { readonly image: string; readonly offsetOf: AttributeOffset },
): Func {
  return new RulesWriter(name, plan, at).write();
}

/** An address of the connection: IPv4 with a bit above it where it is none, or both halves. */
type Address =
  | { readonly kind: 'narrow'; readonly word: ValueId }
  | {
      readonly kind: 'wide';
      readonly high: ValueId;
      readonly low: ValueId;
      readonly isV4: ValueId;
    };
/** The parts of the connection, each i64; those that no rule asks about are missing. */
interface Parts {
  readonly source: Address | null;
  readonly destination: Address | null;
  readonly port: ValueId | null;
  readonly ids: readonly ValueId[];
}

class RulesWriter {
  readonly #writer: FunctionWriter;
  readonly #plan: RulesPlan;
  readonly #image: string;
  readonly #offsetOf: AttributeOffset;

  constructor(
    name: string,
    plan: RulesPlan,
    { image, offsetOf }: { readonly image: string; readonly offsetOf: AttributeOffset },
  ) {
    this.#writer = new FunctionWriter(name, ['ptr', 'i32'], 'i64');
    this.#plan = plan;
    this.#image = image;
    this.#offsetOf = offsetOf;
  }

  write(): Func {
    const writer = this.#writer;
    const entry = writer.emitter();
    const parts = this.#parts(entry);
    const blocks = this.#plan.probes.map(() => writer.block());
    const end = writer.block();
    const after = (i: number, best: ValueId): Target => ({ block: blocks[i] ?? end, args: [best] });
    // The entry is the first block; it goes to the first probe.
    const start = { op: 'br', to: after(0, entry.constant('i64', NONE)), loc: null } as const;
    writer.func.blocks.push({ id: writer.block(), params: [], instrs: entry.instrs, term: start });
    for (const [i, probe] of this.#plan.probes.entries()) {
      const id = blocks[i];
      if (id !== undefined) this.#probe(id, { probe, parts, next: (best) => after(i + 1, best) });
    }
    const best = writer.param('i64');
    writer.seal(end, [best], writer.emitter(), { op: 'return', value: best.id, loc: null });
    return writer.func;
  }

  #parts(emit: Emitter): Parts {
    const { columns, fields } = this.#plan;
    const load = (offset: number, size: 1 | 2 | 4): ValueId =>
      emit.extend(emit.loadPointer(CONNECTION_PARAM, offset, size));
    const isPort =
      columns.ports !== null || this.#plan.probes.some(({ exact }) => (exact & 1) !== 0);
    return {
      source: this.#address(emit, 'source'),
      destination: this.#address(emit, 'destination'),
      port: isPort ? load(CONNECTION.destinationPort, 2) : null,
      ids: fields.map((field) => {
        if (field.from === 'attribute') return load(this.#offsetOf(field), 4);
        const number =
          field.from === 'kind'
            ? KIND_PARAM
            : emit.loadPointer(CONNECTION_PARAM, CONNECTION.protocol, 1);
        return emit.extend(PLUS_ONE.has(field.from) ? emit.with('i32', 'add', number, 1) : number);
      }),
    };
  }

  #address(emit: Emitter, side: SideName): Address | null {
    const column = this.#plan.columns[side];
    if (column === null) return null;
    const base = CONNECTION[side] + PARTY.address;
    const half = (offset: number): ValueId =>
      emit.unary('i64', 'bswap64', emit.loadPointer(CONNECTION_PARAM, base + offset, 8));
    const [high, low] = [half(0), half(8)];
    const middle = emit.with('i64', 'xor', emit.with('i64', 'shr_u', low, 32), MAPPED_WORD);
    const unlike = emit.binary('i64', 'or', high, middle);
    if (column.kind === 'wide') {
      return {
        kind: 'wide',
        high,
        low,
        isV4: emit.extend(emit.compareWith('i64', 'eq', unlike, 0)),
      };
    }
    const isV6 = emit.extend(emit.compareWith('i64', 'ne', unlike, 0));
    const word = emit.with('i64', 'and', low, 0xffffffff);
    const above = emit.with('i64', 'shl', isV6, 32);
    return { kind: 'narrow', word: emit.binary('i64', 'or', word, above) };
  }

  /** The key of a connection by a probe; its twin is in compiler/tables/plan-rules. */
  #key(emit: Emitter, probe: PlacedProbe, parts: Parts): ValueId {
    let key = emit.constant('i64', probe.seed);
    const add = (part: ValueId, factor: bigint): void => {
      key = emit.binary('i64', 'add', key, emit.with('i64', 'mul', part, factor));
    };
    for (const side of ['source', 'destination'] as const) {
      const [address, bits] = [parts[side], probe[side]];
      if (address === null) continue;
      if (address.kind === 'narrow') {
        if (bits > MAPPED_BITS) {
          add(emit.with('i64', 'shr_u', address.word, 128 - bits), factorOf(side));
        }
        continue;
      }
      if (bits > 0) add(emit.with('i64', 'and', address.high, maskOf(bits)), factorOf(side, 0));
      if (bits > 64)
        add(emit.with('i64', 'and', address.low, maskOf(bits - 64)), factorOf(side, 1));
    }
    if ((probe.exact & 1) !== 0 && parts.port !== null) add(parts.port, factorOf('port'));
    parts.ids.forEach((id, i) => {
      if (isHashed(probe, i)) add(id, factorOf(i));
    });
    return key;
  }

  /** One probe: to the boxes of its bucket, and from there or at once to what comes next. */
  #probe(
    id: BlockId,
    at: {
      readonly probe: PlacedProbe;
      readonly parts: Parts;
      readonly next: (best: ValueId) => Target;
    },
  ): void {
    const writer = this.#writer;
    const { probe, parts, next } = at;
    const best = writer.param('i64');
    const find = writer.emitter();
    const key = this.#key(find, probe, parts);
    const image = this.#image;
    const slot = emitSlot(find, { ...this.#plan, image }, key);
    const limit = (2 ** this.#plan.slotBits - 1) * SLOT_BYTES;
    const place = find.with('i64', 'shl', slot, 3);
    const word = find.loadImage(image, place, { offset: 0, limit, size: 8 });
    const isSame = find.compare('eq', find.wrap(word), find.wrap(key));
    const found = writer.block();
    const then: Target = { block: found, args: [] };
    writer.branch(id, [best], find, { condition: isSame, then, else: next(best.id) });

    const start = writer.emitter();
    const bucket = start.with('i64', 'shr_u', word, 32);
    const count = start.with('i64', 'and', bucket, 2 ** BUCKET_COUNT_BITS - 1);
    const first = start.with('i64', 'shr_u', bucket, BUCKET_COUNT_BITS);
    const from = start.with('i64', 'mul', first, this.#plan.stride);
    const head = writer.block();
    const zero = start.constant('i64', 0);
    writer.seal(found, [], start, { op: 'br', to: { block: head, args: [zero, from] }, loc: null });
    this.#boxes(head, { probe, parts, count, best: best.id, next });
  }

  /** The boxes of a bucket, until one holds; no more turns than the probe's fullest bucket has boxes. */
  #boxes(
    head: BlockId,
    at: {
      readonly probe: PlacedProbe;
      readonly parts: Parts;
      readonly count: ValueId;
      readonly best: ValueId;
      readonly next: (best: ValueId) => Target;
    },
  ): void {
    const writer = this.#writer;
    const { probe, parts, count, best, next } = at;
    const [turn, entry] = [writer.param('i64'), writer.param('i64')];
    const [more, body, hit, onward] = [
      writer.block(),
      writer.block(),
      writer.block(),
      writer.block(),
    ];
    const bounded = writer.emitter();
    const isTurn = bounded.compareWith('i64', 'lt_u', turn.id, probe.most);
    const inBounds = { condition: isTurn, then: { block: more, args: [] }, else: next(best) };
    writer.branch(head, [turn, entry], bounded, inBounds);
    const left = writer.emitter();
    const isLeft = left.compare('lt_u', turn.id, count);
    const toBody = { condition: isLeft, then: { block: body, args: [] }, else: next(best) };
    writer.branch(more, [], left, toBody);

    const compare = writer.emitter();
    const wrong = this.#wrong(compare, parts, entry.id);
    const holds = compare.compareWith('i64', 'eq', wrong, 0);
    const ways = { then: { block: hit, args: [] }, else: { block: onward, args: [] } };
    writer.branch(body, [], compare, { condition: holds, ...ways });

    const take = writer.emitter();
    const found = this.#load(take, entry.id, 0, 8);
    const isLess = take.compare('lt_u', found, best);
    const least = take.select('i64', isLess, found, best);
    writer.seal(hit, [], take, { op: 'br', to: next(least), loc: null });

    const go = writer.emitter();
    const args = [
      go.with('i64', 'add', turn.id, 1),
      go.with('i64', 'add', entry.id, this.#plan.stride),
    ];
    writer.seal(onward, [], go, { op: 'br', to: { block: head, args }, loc: null });
  }

  #load(emit: Emitter, entry: ValueId, offset: number, size: 1 | 4 | 8): ValueId {
    const { entriesAt, entries, stride } = this.#plan;
    const limit = (entries - 1) * stride;
    const value = emit.loadImage(this.#image, entry, { offset: entriesAt + offset, limit, size });
    return size === 8 ? value : emit.extend(value);
  }

  /** 0 where a connection lies in the box of an entry. */
  #wrong(emit: Emitter, parts: Parts, entry: ValueId): ValueId {
    const { columns } = this.#plan;
    let wrong: ValueId | null = null;
    // Joined at once: kept until the end, each would have a place on the stack.
    const join = (one: ValueId): void => {
      wrong = wrong === null ? one : emit.binary('i64', 'or', wrong, one);
    };
    for (const side of ['source', 'destination'] as const) {
      const [address, column] = [parts[side], columns[side]];
      if (address !== null && column !== null) {
        join(this.#outside(emit, { address, column, entry }));
      }
    }
    if (columns.ports !== null && parts.port !== null) {
      const range = this.#load(emit, entry, columns.ports, 4);
      const first = emit.with('i64', 'and', range, 0xffff);
      const beyond = emit.binary('i64', 'sub', parts.port, first);
      const left = emit.binary('i64', 'sub', emit.with('i64', 'shr_u', range, 16), beyond);
      join(emit.with('i64', 'shr_u', emit.binary('i64', 'or', beyond, left), 63));
    }
    parts.ids.forEach((id, i) => {
      const said = this.#load(emit, entry, columns.ids[i] ?? 0, 4);
      // A product of numbers below 2^32 is 0 only where one of them is: nothing is said, or they are equal.
      join(emit.binary('i64', 'mul', emit.binary('i64', 'xor', said, id), said));
    });
    return wrong ?? emit.constant('i64', 0);
  }

  /** 0 where an address lies in the prefix of an entry. */
  #outside(
    emit: Emitter,
    at: {
      readonly address: Address;
      readonly column: AddressColumn;
      readonly entry: ValueId;
    },
  ): ValueId {
    const { address, column, entry } = at;
    const form = this.#load(emit, entry, column.formAt, 1);
    if (address.kind === 'narrow') {
      const said = this.#load(emit, entry, column.at, 4);
      return emit.binary('i64', 'shr_u', emit.binary('i64', 'xor', said, address.word), form);
    }
    const row = emit.with('i64', 'mul', form, MASK_BYTES);
    const mask = (n: number): ValueId => {
      const offset = this.#plan.masksAt + 8 * n;
      const limit = (FORMS - 1) * MASK_BYTES;
      return emit.loadImage(this.#image, row, { offset, limit, size: 8 });
    };
    const half = (of: ValueId, n: 0 | 1): ValueId => {
      const said = this.#load(emit, entry, column.at + 8 * n, 8);
      return emit.binary('i64', 'and', emit.binary('i64', 'xor', said, of), mask(n));
    };
    const halves = emit.binary('i64', 'or', half(address.high, 0), half(address.low, 1));
    return emit.binary('i64', 'or', halves, emit.binary('i64', 'and', address.isV4, mask(2)));
  }
}
