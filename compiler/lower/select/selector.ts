/**
 * What instruction selection works with: the function being read, the code being made, and the
 * questions both sides ask (type and constant of a value, its register, a new block).
 */
import { BugError } from '../../diagnostic/index.js';
import type { BlockId, Func, Instr, Loc, Param, TrapKind, Type, ValueId } from '../../ir/types.js';
import {
  FIRST_VIRTUAL,
  type Insn,
  type Label,
  lddw,
  mov,
  mov32,
  type Operand,
  R0,
  type Reg,
} from '../asm/index.js';
import { type Exit, freshReg, type LirBlock, type LirFunc, regOfValue } from '../lir.js';
import { contextWords } from './context.js';
import { countUses } from './count-uses.js';
import { countedValues } from './counted-values.js';
import { type Conditions, findConditions } from './fused-conditions.js';

/** A place in the code that is being made. */
interface Place {
  readonly block: LirBlock;
  readonly steps: number;
}
/** So many instructions may stand between two uses of a register that is never spilled. */
const CLOSE = 3;

export interface SelectOptions {
  readonly mayGoto: boolean;
  /** See LirFunc.trustsCopies; true unless told. */
  readonly trustCopies?: boolean;
}

export class Selector {
  readonly func: Func;
  readonly lir: LirFunc;
  readonly withMayGoto: boolean;
  readonly mayTrustCopies: boolean;
  readonly uses: ReadonlyMap<ValueId, number>;
  readonly conditions: Conditions;
  /** See counted-values.ts; of code for kernels before 6.9. */
  readonly counted: ReadonlySet<ValueId>;
  /** The register that holds `zero` of the connection behind a pointer parameter. */
  readonly zeros: Map<ValueId, Reg> = new Map();
  /** The last load from a head whose bound was tested, with the register of its address. */
  lastHead: {
    readonly request: ValueId;
    readonly index: ValueId;
    readonly limit: number;
    readonly base: Reg;
    readonly at: Place;
  } | null = null;
  /** Position of what is being lowered. */
  loc: Loc = null;
  readonly #defs = new Map<ValueId, Instr>();
  readonly #types = new Map<ValueId, Type>();
  readonly #params = new Map<BlockId, readonly Param[]>();
  readonly #traps = new Map<TrapKind, Label>();
  #current: LirBlock;

  constructor(func: Func, options: SelectOptions) {
    this.func = func;
    this.withMayGoto = options.mayGoto;
    this.mayTrustCopies = options.trustCopies ?? true;
    this.lir = {
      name: func.name,
      blocks: [],
      nextReg: func.nextValue + FIRST_VIRTUAL,
      unspillable: new Set(),
      trustsCopies: false,
      contextWords: contextWords(func),
    };
    for (const param of func.params) this.#types.set(param.id, param.type);
    for (const block of func.blocks) {
      this.#params.set(block.id, block.params);
      for (const param of block.params) this.#types.set(param.id, param.type);
      for (const instr of block.instrs) {
        this.#types.set(instr.id, instr.type);
        this.#defs.set(instr.id, instr);
      }
    }
    this.uses = countUses(func);
    this.conditions = findConditions(func, this.uses);
    this.counted = options.mayGoto ? new Set() : countedValues(func);
    this.#current = this.block(this.newBlock());
  }

  /** A new block, for now without an end. */
  newBlock(): Label {
    this.lir.blocks.push({ steps: [], exit: { op: 'exit', loc: null } });
    return (this.lir.blocks.length - 1) as Label;
  }
  block(label: Label): LirBlock {
    const block = this.lir.blocks[label];
    if (block === undefined) throw new BugError(`no block ${label}`);
    return block;
  }
  /** Further code goes into this block. */
  enter(label: Label): void {
    this.#current = this.block(label);
  }
  emit(insn: Insn): void {
    this.#current.steps.push({ insn, loc: this.loc });
  }
  /** Where the next instruction goes. */
  place(): Place {
    return { block: this.#current, steps: this.#current.steps.length };
  }
  /** True where little code, and no call, was made since. */
  isJustBehind({ block, steps }: Place): boolean {
    const since = this.#current.steps.slice(steps);
    return (
      block === this.#current && since.length <= CLOSE && since.every((s) => s.insn.op !== 'call')
    );
  }
  end(exit: Exit): void {
    this.#current.exit = exit;
  }

  def(value: ValueId): Instr | null {
    return this.#defs.get(value) ?? null;
  }
  typeOf(value: ValueId): Type {
    const type = this.#types.get(value);
    if (type === undefined) throw new BugError(`value v${value} is defined nowhere`);
    return type;
  }
  paramsOf(block: BlockId): readonly Param[] {
    return this.#params.get(block) ?? [];
  }
  usesOf(value: ValueId): number {
    return this.uses.get(value) ?? 0;
  }
  /** The constant that a value is; null where it is none. */
  constant(value: ValueId): bigint | null {
    const instr = this.def(value);
    return instr?.op === 'const' ? instr.value : null;
  }

  /** A register that lives only within one lowered instruction. */
  scratch(): Reg {
    const reg = freshReg(this.lir);
    this.lir.unspillable.add(reg);
    return reg;
  }
  /** `dst = value`; constants are made anew at each use and so never need a register for long. */
  moveTo(dst: Reg, value: ValueId): void {
    const constant = this.constant(value);
    if (constant === null) this.emit(mov.reg(dst, regOfValue(value)));
    else this.loadConstant(dst, constant);
  }
  loadConstant(dst: Reg, value: bigint): void {
    if (fitsImmediate(value)) this.emit(mov.imm(dst, Number(BigInt.asIntN(64, value))));
    else if (value <= 0xffffffffn) this.emit(mov32.imm(dst, Number(BigInt.asIntN(32, value))));
    else this.emit(lddw(dst, value));
  }
  /** A register with the value. */
  reg(value: ValueId): Reg {
    const constant = this.constant(value);
    if (constant === null) return regOfValue(value);
    const dst = this.scratch();
    this.loadConstant(dst, constant);
    return dst;
  }
  /** The value as second operand of an operation of that width. */
  operand(value: ValueId, width: 32 | 64): Operand {
    const constant = this.constant(value);
    if (constant === null) return { reg: regOfValue(value) };
    if (width === 32) return { imm: Number(BigInt.asIntN(32, constant)) };
    if (fitsImmediate(constant)) return { imm: Number(BigInt.asIntN(64, constant)) };
    return { reg: this.reg(value) };
  }

  /** The block that ends the function for a trap of that kind; exists only where it is asked for. */
  trap(kind: TrapKind): Label {
    const known = this.#traps.get(kind);
    if (known !== undefined) return known;
    const label = this.newBlock();
    const [current, loc] = [this.#current, this.loc];
    this.enter(label);
    this.loc = null;
    this.loadConstant(R0, this.func.stopped[kind]);
    this.loc = loc;
    this.#current = current;
    this.#traps.set(kind, label);
    return label;
  }
}

/** True where a 64-bit number is the sign extension of its low 32 bits. */
export function fitsImmediate(value: bigint): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(32, value)) === BigInt.asUintN(64, value);
}
