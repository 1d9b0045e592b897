/**
 * Makes random IR functions that every kernel's verifier should accept: arithmetic, compares,
 * condition trees, selects, branches, loops with constant bounds, loads (some out of bounds, which
 * trap), calls of subprograms. Shifts, divisors and offsets are as a front end would leave them.
 */
import { CONNECTION } from '../../compiler/abi/index.js';
import type {
  BinaryOp,
  Block,
  BlockId,
  CompareOp,
  Func,
  Image,
  Instr,
  IntType,
  LoadSize,
  Param,
  Terminator,
  UnaryOp,
  ValueId,
} from '../../compiler/ir/types.js';
import type { Prng } from '../support/prng.js';

const BINARY: readonly [BinaryOp, ...BinaryOp[]] = [
  ...(['add', 'sub', 'mul', 'and', 'or', 'xor', 'shl', 'shr_u', 'shr_s'] as const),
  ...(['div_u', 'rem_u'] as const),
];
const COMPARE: readonly [CompareOp, ...CompareOp[]] = [
  ...(['eq', 'ne', 'lt_u', 'lt_s', 'gt_u', 'gt_s', 'le_u', 'le_s', 'ge_u', 'ge_s'] as const),
];
const CONSTANTS: readonly [bigint, ...bigint[]] = [
  ...([0n, 1n, 2n, 7n, 31n, 32n, 63n, 64n, 255n, 0x7fffffffn, 0x80000000n, 0xffffffffn] as const),
  ...([0xfffffffen, 0x100000000n, 0x7fffffffffffffffn, 0x8000000000000000n] as const),
  ...([0xffffffffffffffffn, 0xffffffff80000000n, 0xffffffff7fffffffn] as const),
];

type Body = Instr extends infer I ? (I extends Instr ? Omit<I, 'id' | 'loc'> : never) : never;

export interface Subprogram {
  readonly name: string;
  readonly params: readonly IntType[];
}
export interface Shape {
  readonly name: string;
  readonly kind: 'entry' | 'internal';
  readonly params: readonly IntType[];
  readonly images: readonly Image[];
  readonly callees: readonly Subprogram[];
  /** How deep branches and loops nest. */
  readonly depth: number;
}

class Generator {
  readonly #random: Prng;
  readonly #shape: Shape;
  readonly blocks: Block[] = [];
  readonly pointer: ValueId = 0 as ValueId;
  nextValue = 1;
  #current: Block;
  #values: Record<IntType, ValueId[]> = { i32: [], i64: [] };
  #loops = 0;

  constructor(random: Prng, shape: Shape) {
    this.#random = random;
    this.#shape = shape;
    this.#current = this.#block([]);
  }

  run(): Func {
    const params: Param[] = [{ id: this.pointer, type: 'ptr' }];
    for (const type of this.#shape.params) {
      const id = this.#fresh();
      params.push({ id, type });
      this.#values[type].push(id);
    }
    for (let i = 0; i < 3; i++) this.#load(i === 0 ? 'i64' : 'i32');
    this.#statements(this.#shape.depth);
    const internal = this.#shape.kind === 'internal';
    const value = this.#mix(internal ? 'i64' : 'i32');
    this.#current.term = { op: 'return', loc: 0, value };
    return {
      name: this.#shape.name,
      kind: this.#shape.kind,
      params,
      result: internal ? 'i64' : 'i32',
      stopped: { trap: 0xf0n, fuel: 0xf1n },
      blocks: this.blocks,
      nextValue: this.nextValue,
      nextBlock: this.blocks.length,
    };
  }

  #fresh(): ValueId {
    return this.nextValue++ as ValueId;
  }
  #block(params: Param[]): Block {
    const id = this.blocks.length as BlockId;
    const term: Terminator = { op: 'trap', loc: null, kind: 'trap' };
    const block: Block = { id, params, instrs: [], term };
    this.blocks.push(block);
    return block;
  }
  #add(body: Body): ValueId {
    const id = this.#fresh();
    this.#current.instrs.push({ ...body, id, loc: this.#random.below(4) } as Instr);
    if (body.op !== 'const' && body.type !== 'ptr') this.#values[body.type].push(id);
    return id;
  }
  #constant(type: IntType, value: bigint): ValueId {
    return this.#add({ op: 'const', type, value: BigInt.asUintN(type === 'i32' ? 32 : 64, value) });
  }
  /** Some value: mostly a recent one, now and then a constant. */
  #value(type: IntType): ValueId {
    const r = this.#random;
    const known = this.#values[type];
    if (known.length === 0 || r.chance(20)) return this.#constant(type, this.#number());
    const recent = r.chance(60) ? known.slice(-4) : known;
    return recent[r.below(recent.length)] ?? (0 as ValueId);
  }
  #number(): bigint {
    const r = this.#random;
    return r.chance(50) ? r.pick(CONSTANTS) : BigInt(r.below(300));
  }
  #type(): IntType {
    return this.#random.chance(60) ? 'i32' : 'i64';
  }

  #load(type: IntType): ValueId {
    const size = this.#random.pick<LoadSize>(type === 'i64' ? [8] : [1, 2, 4]);
    // Not `zero`, which is always 0 where the code runs.
    const slots = CONNECTION.zero / size;
    const offset = this.#random.below(slots) * size;
    return this.#add({ op: 'load.pointer', type, size, offset, args: [this.pointer] });
  }

  #statements(depth: number): void {
    const count = 2 + this.#random.below(5);
    for (let i = 0; i < count; i++) {
      const dice = this.#random.below(100);
      if (depth > 0 && dice < 18) this.#branch(depth - 1);
      else if (depth > 0 && dice < 26 && this.#loops < 2) this.#loop(depth - 1);
      else if (dice < 30) this.#stop();
      else if (dice < 34) this.#call();
      else if (dice < 44) this.#image();
      else if (dice < 52) this.#load(this.#type());
      else if (dice < 60) this.#select();
      else if (dice < 66) this.#condition(2);
      else if (dice < 74) this.#convert();
      else this.#binary();
    }
  }

  #binary(): void {
    const type = this.#type();
    const kind = this.#random.pick(BINARY);
    const left = this.#value(type);
    let right = this.#value(type);
    // A division by zero is a trap that the builder tests for; here it never happens.
    if (kind === 'div_u' || kind === 'rem_u') {
      right = this.#add({
        op: 'binary',
        type,
        kind: 'or',
        args: [right, this.#constant(type, 1n)],
      });
    }
    this.#add({ op: 'binary', type, kind, args: [left, right] });
  }

  #convert(): void {
    const r = this.#random;
    const unary = r.pick<UnaryOp>(['extend8_s', 'extend16_s', 'bswap16', 'bswap32']);
    const wide = r.pick<UnaryOp>([unary, 'extend32_s', 'bswap64']);
    switch (r.below(6)) {
      case 0:
        this.#add({ op: 'extend_u', type: 'i64', args: [this.#value('i32')] });
        return;
      case 1:
        this.#add({ op: 'extend_s', type: 'i64', args: [this.#value('i32')] });
        return;
      case 2:
        this.#add({ op: 'wrap', type: 'i32', args: [this.#value('i64')] });
        return;
      case 3:
        this.#add({ op: 'unary', type: 'i32', kind: unary, args: [this.#value('i32')] });
        return;
      case 4: {
        const type = this.#type();
        this.#add({ op: 'launder', type, args: [this.#value(type), this.pointer] });
        return;
      }
      default:
        this.#add({ op: 'unary', type: 'i64', kind: wide, args: [this.#value('i64')] });
    }
  }

  #compare(): ValueId {
    const type = this.#type();
    const kind = this.#random.pick(COMPARE);
    return this.#add({
      op: 'compare',
      type: 'i32',
      kind,
      args: [this.#value(type), this.#value(type)],
    });
  }
  /** A compare, a tree of them, its negation, a bit test, or any value. */
  #condition(depth: number): ValueId {
    const r = this.#random;
    const dice = r.below(depth > 0 ? 10 : 4);
    if (dice < 3) return this.#compare();
    if (dice === 3) return this.#value('i32');
    if (dice < 8) {
      const args = [this.#condition(depth - 1), this.#condition(depth - 1)] as const;
      return this.#add({ op: 'binary', type: 'i32', kind: r.pick(['and', 'or']), args });
    }
    const zero = this.#constant('i32', 0n);
    const kind = r.pick<CompareOp>(['eq', 'ne']);
    const inner =
      dice === 8
        ? this.#condition(depth - 1)
        : this.#add({
            op: 'binary',
            type: 'i32',
            kind: 'and',
            args: [this.#value('i32'), this.#value('i32')],
          });
    return this.#add({ op: 'compare', type: 'i32', kind, args: [inner, zero] });
  }

  #select(): void {
    const type = this.#type();
    const args = [this.#condition(2), this.#value(type), this.#value(type)] as const;
    this.#add({ op: 'select', type, args });
  }

  #image(): void {
    const r = this.#random;
    const [first, ...rest] = this.#shape.images;
    if (first === undefined) return;
    const image = r.pick([first, ...rest]);
    const type = this.#type();
    const size = r.pick<LoadSize>(type === 'i64' ? [1, 2, 4, 8] : [1, 2, 4]);
    const offset = r.below(8);
    const limit = image.bytes.length - size - offset;
    let index = this.#value('i32');
    if (r.chance(80)) {
      const mask = this.#constant('i32', BigInt(r.pick([7, 31, 63])));
      index = this.#add({ op: 'binary', type: 'i32', kind: 'and', args: [index, mask] });
    }
    if (this.#isConstant(index)) return;
    this.#add({ op: 'load.image', type, size, image: image.name, offset, limit, args: [index] });
  }
  #isConstant(value: ValueId): boolean {
    return this.blocks.some((b) => b.instrs.some((i) => i.id === value && i.op === 'const'));
  }

  #call(): void {
    const [first, ...rest] = this.#shape.callees;
    if (first === undefined) return;
    const callee = this.#random.pick([first, ...rest]);
    const args = [this.pointer, ...callee.params.map((type) => this.#value(type))];
    this.#add({ op: 'call', type: 'i64', callee: callee.name, args });
  }

  #stop(): void {
    const stop = this.#block([]);
    if (this.#random.chance(50)) {
      const kind = this.#random.pick(['trap', 'fuel'] as const);
      stop.term = { op: 'trap', loc: null, kind };
    } else {
      const here = this.#current;
      const saved = this.#save();
      this.#current = stop;
      const value = this.#mix(this.#shape.kind === 'internal' ? 'i64' : 'i32');
      stop.term = { op: 'return', loc: 1, value };
      this.#values = saved;
      this.#current = here;
    }
    const condition = this.#condition(2);
    const next = this.#block([]);
    const targets = [
      { block: stop.id, args: [] },
      { block: next.id, args: [] },
    ] as const;
    this.#fork(condition, targets[0], targets[1]);
    this.#current = next;
  }

  #fork(
    condition: ValueId,
    yes: { block: BlockId; args: readonly ValueId[] },
    no: { block: BlockId; args: readonly ValueId[] },
  ): void {
    this.#current.term = { op: 'br_if', loc: 2, condition, then: yes, else: no };
  }

  #save(): Record<IntType, ValueId[]> {
    return { i32: [...this.#values.i32], i64: [...this.#values.i64] };
  }

  #params(): Param[] {
    const count = this.#random.below(4);
    return Array.from({ length: count }, () => ({ id: this.#fresh(), type: this.#type() }));
  }
  #argsFor(params: readonly Param[]): ValueId[] {
    return params.map(({ type }) => this.#value(type === 'ptr' ? 'i32' : type));
  }
  #enter(block: Block, saved: Record<IntType, ValueId[]>): void {
    this.#values = saved;
    for (const { id, type } of block.params) if (type !== 'ptr') this.#values[type].push(id);
    this.#current = block;
  }

  #branch(depth: number): void {
    const condition = this.#condition(2);
    const join = this.#block(this.#params());
    const yes = this.#block([]);
    const saved = this.#save();
    if (this.#random.chance(40)) {
      // One armed: the edge to the join is critical and carries arguments.
      const args = this.#argsFor(join.params);
      this.#fork(condition, { block: yes.id, args: [] }, { block: join.id, args });
    } else {
      const no = this.#block([]);
      this.#fork(condition, { block: yes.id, args: [] }, { block: no.id, args: [] });
      this.#arm(no, join, depth, saved);
    }
    this.#arm(yes, join, depth, saved);
    this.#enter(join, saved);
  }
  #arm(arm: Block, join: Block, depth: number, saved: Record<IntType, ValueId[]>): void {
    this.#enter(arm, { i32: [...saved.i32], i64: [...saved.i64] });
    this.#statements(depth);
    const args = this.#argsFor(join.params);
    this.#current.term = { op: 'br', loc: 3, to: { block: join.id, args } };
  }

  /** for (i = 0; i < bound; i++), with some carried values, which may be permuted. */
  #loop(depth: number): void {
    this.#loops++;
    const counter: Param = { id: this.#fresh(), type: 'i32' };
    const carried = this.#params();
    const header = this.#block([counter, ...carried]);
    const start = [this.#constant('i32', 0n), ...this.#argsFor(carried)];
    this.#current.term = { op: 'br', loc: 0, to: { block: header.id, args: start } };
    this.#enter(header, this.#save());
    this.#add({ op: 'may_goto', type: 'i32' });
    this.#values.i32.pop();
    const bound = this.#constant('i32', BigInt(1 + this.#random.below(4)));
    const more = this.#add({
      op: 'compare',
      type: 'i32',
      kind: 'lt_u',
      args: [counter.id, bound],
    });
    const body = this.#block([]);
    const after = this.#block([]);
    this.#fork(more, { block: body.id, args: [] }, { block: after.id, args: [] });
    const saved = this.#save();
    this.#enter(body, { i32: [...saved.i32], i64: [...saved.i64] });
    this.#statements(depth);
    const one = this.#constant('i32', 1n);
    const args = [counter.id, one] as const;
    const next = this.#add({ op: 'binary', type: 'i32', kind: 'add', args });
    const again = carried.map(({ type }) => {
      const same = carried.filter((param) => param.type === type);
      const other = same[this.#random.below(same.length)];
      if (other !== undefined && this.#random.chance(40)) return other.id;
      return this.#value(type === 'ptr' ? 'i32' : type);
    });
    this.#current.term = { op: 'br', loc: 0, to: { block: header.id, args: [next, ...again] } };
    this.#enter(after, saved);
    this.#loops--;
  }

  /** Everything that is live folded into one value, so that no mistake goes unseen. */
  #mix(type: IntType): ValueId {
    let sum = this.#value('i64');
    for (const value of this.#values.i64.slice(-6)) {
      sum = this.#add({ op: 'binary', type: 'i64', kind: 'add', args: [sum, value] });
    }
    for (const value of this.#values.i32.slice(-6)) {
      const wide = this.#add({ op: 'extend_u', type: 'i64', args: [value] });
      sum = this.#add({ op: 'binary', type: 'i64', kind: 'xor', args: [sum, wide] });
    }
    if (type === 'i64') return sum;
    const half = this.#constant('i64', 32n);
    const high = this.#add({ op: 'binary', type: 'i64', kind: 'shr_u', args: [sum, half] });
    const both = this.#add({ op: 'binary', type: 'i64', kind: 'xor', args: [sum, high] });
    return this.#add({ op: 'wrap', type: 'i32', args: [both] });
  }
}

/** Makes one function; the same source and shape give the same function. */
export function randomFunction(random: Prng, shape: Shape): Func {
  return new Generator(random, shape).run();
}
