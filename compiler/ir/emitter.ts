/**
 * Appends typed instructions to a list. The passes that expand ABI calls and the dispatcher write
 * their code through it, so that each fresh value gets its number and type in one place.
 */
import type {
  BinaryOp,
  BlockId,
  CompareOp,
  Func,
  Instr,
  IntType,
  LoadSize,
  Loc,
  Type,
  UnaryOp,
  ValueId,
} from './types.js';

/** An instruction without its number and position. Distributes over the union of `Instr`. */
type Body = Instr extends infer I ? (I extends Instr ? Omit<I, 'id' | 'loc'> : never) : never;

export class Emitter {
  readonly instrs: Instr[] = [];
  readonly #func: Func;
  readonly #loc: Loc;

  constructor(func: Func, loc: Loc) {
    this.#func = func;
    this.#loc = loc;
  }

  fresh(): ValueId {
    return this.#func.nextValue++ as ValueId;
  }

  freshBlock(): BlockId {
    return this.#func.nextBlock++ as BlockId;
  }

  /** Appends an instruction; `id` names its result where others already use that number. */
  emit(body: Body, id: ValueId = this.fresh()): ValueId {
    this.instrs.push({ ...body, id, loc: this.#loc } as Instr);
    return id;
  }

  constant(type: IntType, value: bigint | number, id?: ValueId): ValueId {
    const bits = type === 'i32' ? 32 : 64;
    return this.emit({ op: 'const', type, value: BigInt.asUintN(bits, BigInt(value)) }, id);
  }

  binary(type: IntType, kind: BinaryOp, a: ValueId, b: ValueId, id?: ValueId): ValueId {
    return this.emit({ op: 'binary', type, kind, args: [a, b] }, id);
  }

  /** Binary operation with a constant on the right. */
  with(type: IntType, kind: BinaryOp, a: ValueId, b: bigint | number, id?: ValueId): ValueId {
    return this.binary(type, kind, a, this.constant(type, b), id);
  }

  unary(type: IntType, kind: UnaryOp, a: ValueId, id?: ValueId): ValueId {
    return this.emit({ op: 'unary', type, kind, args: [a] }, id);
  }

  compare(kind: CompareOp, a: ValueId, b: ValueId, id?: ValueId): ValueId {
    return this.emit({ op: 'compare', type: 'i32', kind, args: [a, b] }, id);
  }

  /** Comparison with a constant of the operand's type on the right. */
  compareWith(
    type: IntType,
    kind: CompareOp,
    a: ValueId,
    b: bigint | number,
    id?: ValueId,
  ): ValueId {
    return this.compare(kind, a, this.constant(type, b), id);
  }

  select(type: Type, condition: ValueId, yes: ValueId, no: ValueId, id?: ValueId): ValueId {
    return this.emit({ op: 'select', type, args: [condition, yes, no] }, id);
  }

  wrap(a: ValueId, id?: ValueId): ValueId {
    return this.emit({ op: 'wrap', type: 'i32', args: [a] }, id);
  }

  extend(a: ValueId, id?: ValueId): ValueId {
    return this.emit({ op: 'extend_u', type: 'i64', args: [a] }, id);
  }

  loadPointer(pointer: ValueId, offset: number, size: LoadSize, id?: ValueId): ValueId {
    const type = size === 8 ? 'i64' : 'i32';
    return this.emit({ op: 'load.pointer', type, size, offset, args: [pointer] }, id);
  }

  storePointer(pointer: ValueId, offset: number, size: LoadSize, value: ValueId): void {
    this.emit({ op: 'store.pointer', type: 'i32', size, offset, args: [pointer, value] });
  }

  /** `limit` is the largest index that is inside; the caller has bounded the index by it. */
  loadImage(
    image: string,
    index: ValueId,
    at: { readonly offset: number; readonly limit: number; readonly size: LoadSize },
    id?: ValueId,
  ): ValueId {
    const type = at.size === 8 ? 'i64' : 'i32';
    return this.emit({ op: 'load.image', type, image, ...at, args: [index] }, id);
  }

  /** `limit` is the largest index that is inside. */
  loadHead(
    request: ValueId,
    index: ValueId,
    at: { readonly offset: number; readonly limit: number; readonly size: LoadSize },
    id?: ValueId,
  ): ValueId {
    const type = at.size === 8 ? 'i64' : 'i32';
    return this.emit({ op: 'load.head', type, ...at, args: [request, index] }, id);
  }

  call(callee: string, type: IntType, args: readonly ValueId[], id?: ValueId): ValueId {
    return this.emit({ op: 'call', type, callee, args }, id);
  }
}
