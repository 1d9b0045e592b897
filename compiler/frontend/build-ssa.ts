/**
 * Values and blocks of one function under construction: emitting with constants folded on the way,
 * traps, the operand stack, and the numeric and memory operations, which know nothing of control.
 */
import { BugError } from '../diagnostic/index.js';
import {
  type BinaryOp,
  type Block,
  type CompareOp,
  type Func,
  foldInstr,
  type Instr,
  type IntType,
  type LoadSize,
  newBlock,
  newValue,
  type Target,
  type TrapKind,
  type Type,
  type UnaryOp,
  type ValueId,
} from '../ir/index.js';
import type { BuildContext } from './build-context.js';
import { LOADS, NUMERIC, STORE_SIZES, STORES } from './build-ops.js';
import type { WasmInstr } from './wasm/index.js';

type Unplaced = Instr extends infer I ? (I extends Instr ? Omit<I, 'id' | 'loc'> : never) : never;

/** Bytes that memory.fill and memory.copy may have as stores. */
const MAX_BULK = 256;

interface Piece {
  readonly at: number;
  readonly size: LoadSize;
}

/** So many bytes as accesses, the widest first. */
function piecesOf(bytes: number): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const size of [8, 4, 2, 1] as const) {
    for (; bytes - at >= size; at += size) pieces.push({ at, size });
  }
  return pieces;
}

/** The part of a function's construction that is the same in straight-line code. */
export class SsaBuilder {
  protected readonly context: BuildContext;
  protected readonly func: Func;
  protected readonly stack: ValueId[] = [];
  protected readonly constants: Map<ValueId, bigint> = new Map();
  protected readonly reached: Set<Block> = new Set();
  private readonly types: Map<ValueId, Type> = new Map();
  /** Arguments of each edge so far to blocks whose edges are not all known. */
  private readonly edges: Map<Block, (readonly ValueId[])[]> = new Map();
  protected block: Block | null = null;
  protected loc: number | null = null;
  protected pos = 0;
  /** Instructions emitted so far. */
  protected count = 0;

  constructor(context: BuildContext, func: Func) {
    this.context = context;
    this.func = func;
    for (const param of func.params) this.types.set(param.id, param.type);
    this.block = this.newBlock([]);
    this.reached.add(this.block);
  }

  protected newBlock(types: readonly Type[]): Block {
    const params = types.map((type) => {
      const id = newValue(this.func);
      this.types.set(id, type);
      return { id, type };
    });
    const block: Block = {
      id: newBlock(this.func),
      params,
      instrs: [],
      term: { op: 'trap', kind: 'trap', loc: null },
    };
    this.func.blocks.push(block);
    return block;
  }

  protected typeOf(value: ValueId): Type {
    return this.types.get(value) ?? 'i32';
  }

  protected emit(rest: Unplaced): ValueId {
    const id = newValue(this.func);
    let instr = { ...rest, id, loc: this.loc } as Instr;
    const value = foldInstr(
      instr,
      (arg) => this.constants.get(arg) ?? null,
      (arg) => this.typeOf(arg),
      this.context.constantMemory,
    );
    if (value !== null) {
      instr = { op: 'const', type: instr.type, value, id, loc: this.loc };
      this.constants.set(id, value);
    }
    this.types.set(id, instr.type);
    this.count += 1;
    this.block?.instrs.push(instr);
    return id;
  }

  protected constant(type: IntType, value: bigint): ValueId {
    return this.emit({ op: 'const', type, value });
  }
  protected binary(kind: BinaryOp, type: Type, a: ValueId, b: ValueId): ValueId {
    return this.emit({ op: 'binary', kind, type, args: [a, b] });
  }
  protected compare(kind: CompareOp, a: ValueId, b: ValueId): ValueId {
    return this.emit({ op: 'compare', kind, type: 'i32', args: [a, b] });
  }
  protected pop(): ValueId {
    const value = this.stack.pop();
    if (value === undefined) throw new BugError(`build: stack is empty at ${this.pos}`);
    return value;
  }
  protected popMany(count: number): ValueId[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  /** Ends the current block; code up to the next label is dead. */
  protected end(term: Block['term']): void {
    if (this.block !== null) this.block.term = term;
    this.block = null;
  }
  protected target(block: Block, args: readonly ValueId[]): Target {
    this.reached.add(block);
    const edges = this.edges.get(block);
    if (edges === undefined) this.edges.set(block, [args]);
    else edges.push(args);
    return { block: block.id, args };
  }
  /**
   * The values at the begin of a block to which no further edge comes: what all edges pass is known by its
   * own name, so that constants stay constants (lengths and slots have to be).
   */
  protected close(block: Block): ValueId[] {
    const edges = this.edges.get(block) ?? [];
    this.edges.delete(block);
    return block.params.map(({ id }, i) => {
      const first = edges[0]?.[i];
      return first !== undefined && edges.every((args) => args[i] === first) ? first : id;
    });
  }
  protected trap(kind: TrapKind): void {
    this.end({ op: 'trap', kind, loc: this.loc });
  }

  /** Goes on in a new block unless the condition holds. */
  protected stopIf(condition: ValueId, kind: TrapKind): void {
    const stop = this.newBlock([]);
    stop.term = { op: 'trap', kind, loc: this.loc };
    const next = this.newBlock([]);
    this.branch(condition, stop, next);
    this.goOn(next);
  }
  /** Goes on in a block; what follows is dead where no edge leads to it. */
  protected goOn(block: Block): void {
    this.block = this.reached.has(block) ? block : null;
  }
  /** Goes one of two ways, or the only one that a constant leaves. */
  protected branch(condition: ValueId, yes: Block, no: Block): void {
    const known = this.constants.get(condition);
    if (known !== undefined) {
      this.end({ op: 'br', to: this.target(known === 0n ? no : yes, []), loc: this.loc });
      return;
    }
    const then = this.target(yes, []);
    const otherwise = this.target(no, []);
    this.end({ op: 'br_if', condition, then, else: otherwise, loc: this.loc });
  }

  protected numeric(op: string): boolean {
    const numeric = NUMERIC.get(op);
    if (numeric === undefined) return false;
    const { type } = numeric;
    switch (numeric.shape) {
      case 'binary': {
        const [a, b] = this.popMany(2) as [ValueId, ValueId];
        if (/^(div|rem)/.test(numeric.kind))
          this.checkDivision(numeric.kind as BinaryOp, type, a, b);
        if (this.block !== null) this.stack.push(this.binary(numeric.kind as BinaryOp, type, a, b));
        return true;
      }
      case 'compare': {
        const [a, b] = this.popMany(2) as [ValueId, ValueId];
        this.stack.push(this.compare(numeric.kind as CompareOp, a, b));
        return true;
      }
      case 'eqz': {
        const value = this.pop();
        this.stack.push(this.compare('eq', value, this.constant(type, 0n)));
        return true;
      }
      case 'unary': {
        const args = [this.pop()] as const;
        this.stack.push(this.emit({ op: 'unary', kind: numeric.kind as UnaryOp, type, args }));
        return true;
      }
      case 'convert': {
        const op = numeric.kind as 'wrap' | 'extend_u' | 'extend_s';
        this.stack.push(this.emit({ op, type, args: [this.pop()] }));
        return true;
      }
    }
  }

  /** Traps on a zero divisor and, for div_s, where the quotient overflows. */
  protected checkDivision(kind: BinaryOp, type: IntType, a: ValueId, b: ValueId): void {
    const divisor = this.constants.get(b);
    if (divisor === undefined || divisor === 0n) {
      this.stopIf(this.compare('eq', b, this.constant(type, 0n)), 'trap');
    }
    const [least, minusOne] =
      type === 'i32' ? [1n << 31n, (1n << 32n) - 1n] : [1n << 63n, (1n << 64n) - 1n];
    if (kind !== 'div_s' || (divisor !== undefined && divisor !== minusOne)) return;
    if (divisor === minusOne) {
      this.stopIf(this.compare('eq', a, this.constant(type, least)), 'trap');
      return;
    }
    const check = this.newBlock([]);
    const next = this.newBlock([]);
    this.branch(this.compare('eq', b, this.constant(type, minusOne)), check, next);
    this.block = check;
    this.stopIf(this.compare('eq', a, this.constant(type, least)), 'trap');
    if (this.block !== null) this.end({ op: 'br', to: this.target(next, []), loc: this.loc });
    this.block = next;
  }

  protected memoryAccess(instr: WasmInstr): boolean {
    if (instr.op === 'memory.size') {
      this.stack.push(this.constant('i32', BigInt((this.context.memory?.length ?? 0) >>> 16)));
      return true;
    }
    if (instr.op === 'memory.grow') {
      this.pop();
      this.stack.push(this.refuse('I103', 'memory is allocated in the decide phase', 'i32'));
      return true;
    }
    const operands = STORES.get(instr.op);
    if (operands !== undefined) {
      const args = this.popMany(operands);
      if (!this.writeMemory(instr, args)) {
        this.refuse('I102', 'memory is written in the decide phase', 'i32');
      }
      return true;
    }
    const load = LOADS.get(instr.op);
    if (load === undefined) return false;
    const { type, size, signed } = load;
    const args = [this.pop()] as const;
    this.stack.push(
      this.emit({ op: 'load.memory', type, size, signed, offset: instr.second, args }),
    );
    return true;
  }

  /** A store, or a fill or copy of known length as stores; false where it is neither. */
  private writeMemory(instr: WasmInstr, args: readonly ValueId[]): boolean {
    const [to, from, count] = args as [ValueId, ValueId, ValueId];
    const size = STORE_SIZES.get(instr.op);
    if (this.context.scratch === null) return false;
    // Where the frontend finds a refusal, that of a store in the library is at the policy's own line.
    this.loc = this.context.ownPosition(instr.pos, this.func.name);
    if (size !== undefined) {
      this.emit({ op: 'store.memory', type: 'i32', size, offset: instr.second, args: [to, from] });
      return true;
    }
    const length = this.constants.get(count);
    if (length === undefined || length > BigInt(MAX_BULK) || instr.op === 'memory.init')
      return false;
    const bytes = Number(length);
    this.inBounds(to, bytes);
    const pieces = piecesOf(bytes);
    if (instr.op === 'memory.copy') this.inBounds(from, bytes);
    const fill = (): ValueId => {
      const byte = this.binary('and', 'i32', from, this.constant('i32', 255n));
      const wide = this.emit({ op: 'extend_u', type: 'i64', args: [byte] });
      return this.binary('mul', 'i64', wide, this.constant('i64', 0x0101010101010101n));
    };
    const pattern = instr.op === 'memory.fill' ? fill() : null;
    // All is read before anything is written, since the two may overlap.
    const values = pieces.map(({ at, size: piece }) => {
      if (pattern !== null) return pattern;
      const load = { op: 'load.memory', type: 'i64', size: piece, signed: false } as const;
      return this.emit({ ...load, offset: at, args: [from] });
    });
    pieces.forEach(({ at, size: piece }, i) => {
      const value = values[i] ?? from;
      this.emit({ op: 'store.memory', type: 'i32', size: piece, offset: at, args: [to, value] });
    });
    return true;
  }
  /** Traps where an access of so many bytes would leave the memory. */
  private inBounds(at: ValueId, bytes: number): void {
    const limit = BigInt((this.context.memory?.length ?? 0) - bytes);
    this.stopIf(this.compare('gt_u', at, this.constant('i32', limit)), 'trap');
  }

  protected refuse(code: string, message: string, type: IntType): ValueId {
    const name = this.context.refuse(code, message, this.pos, this.func.name);
    return this.emit({ op: 'abi', type, name, args: [] });
  }
  protected refuseAndStop(code: string, message: string): void {
    this.refuse(code, message, 'i32');
    this.trap('trap');
  }
}
