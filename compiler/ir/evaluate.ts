/**
 * Runs IR directly: the engine that tests compare with V8 and with eBPF. Slow, obvious, and with no
 * knowledge of passes. Fuel is in the IR itself (a constant of the entry), so no budget is given.
 */
import { REQUEST } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import { bitsOf, foldBinary, foldCompare, foldUnary, maskOf, readBytes } from './arithmetic.js';
import type {
  Block,
  BlockId,
  Func,
  Image,
  Instr,
  Module,
  Target,
  TrapKind,
  Type,
  ValueId,
} from './types.js';

/** A value of a run and how it came about. Parameters of functions that are evaluated have none. */
export interface Term {
  readonly func: Func;
  readonly instr: Instr;
  readonly value: bigint;
  /** Of the operands of `instr`, in order; of a call of a function the one that it returned. */
  readonly args: readonly (Term | null)[];
}
/** Hears of a run as it goes. */
export interface Watch {
  /** A value was computed; the answer is the value to go on with. */
  readonly term: (term: Term) => bigint;
  /** A block ended in a choice: the value that it was made by, and whether br_if went to `then`, or the case of a switch. */
  readonly branch: (func: Func, block: Block, by: Term | null, taken: number) => void;
}

export interface EvaluateHost {
  /** Costs time and memory; absent unless somebody wants to know. */
  readonly watch?: Watch;
  /** Answers an ABI call; only for modules before expand-abi. */
  readonly abi?: (name: string, args: readonly bigint[]) => bigint;
  /** Bytes behind the pointer parameters of the evaluated function, in order; stores write into them. */
  readonly pointers?: readonly Uint8Array[];
  /** Integer parameters behind the pointers. */
  readonly args?: readonly bigint[];
  /** Functions that are called and not in the module. */
  readonly call?: (callee: string, args: readonly bigint[]) => bigint;
  /** Most instructions to run before a BugError; 10 million unless told. */
  readonly steps?: number;
}
export interface Evaluated {
  /** Null where it returned; else how it stopped. */
  readonly stop: TrapKind | null;
  /** What the caller sees: the result, or the function's `stopped` code. */
  readonly value: bigint;
}

class Stop {
  readonly kind: TrapKind;
  constructor(kind: TrapKind) {
    this.kind = kind;
  }
}

interface Frame {
  readonly func: Func;
  readonly blocks: ReadonlyMap<BlockId, Block>;
  readonly values: bigint[];
  /** By value; stays empty without a watch. */
  readonly terms: (Term | null)[];
  /** Words; of a `turn` those of the function that has the loop. */
  readonly context: bigint[];
}

const MEMORY = 'memory';
const MAX_DEPTH = 64;

/** What is looked up again and again in a module that stays as it is. */
class Index {
  readonly images: ReadonlyMap<string, Image>;
  readonly functions: ReadonlyMap<string, Func>;
  private readonly blocks = new Map<Func, ReadonlyMap<BlockId, Block>>();
  private readonly types = new Map<Func, ReadonlyMap<ValueId, Type>>();
  constructor(module: Module) {
    this.images = new Map(module.images.map((image) => [image.name, image]));
    this.functions = new Map(module.functions.map((func) => [func.name, func]));
  }

  blocksOf(func: Func): ReadonlyMap<BlockId, Block> {
    const found = this.blocks.get(func) ?? new Map(func.blocks.map((block) => [block.id, block]));
    this.blocks.set(func, found);
    return found;
  }

  typeOf(func: Func, id: ValueId): Type {
    let types = this.types.get(func);
    if (types === undefined) {
      const items = func.blocks.flatMap((block) => [...block.params, ...block.instrs]);
      types = new Map([...func.params, ...items].map((item) => [item.id, item.type]));
      this.types.set(func, types);
    }
    return types.get(id) ?? 'i64';
  }
}

class Machine {
  private steps: number;
  /** Linear memory as this decision sees it: its own copy from the first store on. */
  private memory: Uint8Array;
  /** Words of frames, by their byte. */
  private readonly frames = new Map<number, bigint>();
  /** Of the function that returned last. */
  private returned: Term | null = null;
  private readonly module: Module;
  private readonly host: EvaluateHost;
  private readonly index: Index;
  constructor(module: Module, index: Index, host: EvaluateHost) {
    this.module = module;
    this.host = host;
    this.steps = host.steps ?? 10_000_000;
    this.index = index;
    this.memory = index.images.get(MEMORY)?.bytes ?? new Uint8Array();
  }

  /** Runs one function to its end. */
  call(
    name: string,
    args: readonly bigint[],
    depth: number,
    argTerms: readonly (Term | null)[] = [],
    context: bigint[] = [],
  ): Evaluated {
    const func = this.index.functions.get(name);
    if (func === undefined || depth > MAX_DEPTH) {
      throw new BugError(`evaluate: cannot call \`${name}\` in ${this.module.name}`);
    }
    const values: bigint[] = [];
    const terms: (Term | null)[] = [];
    func.params.forEach((param, i) => {
      values[param.id] = BigInt.asUintN(bitsOf(param.type), args[i] ?? 0n);
      terms[param.id] = argTerms[i] ?? null;
    });
    const blocks = this.index.blocksOf(func);
    try {
      return { stop: null, value: this.run({ func, blocks, values, terms, context }, depth) };
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return { stop: error.kind, value: func.stopped[error.kind] };
    }
  }

  private run(frame: Frame, depth: number): bigint {
    let block = frame.func.blocks[0];
    const { values, terms } = frame;
    const watch = this.host.watch;
    const go = (target: Target): Block | undefined => {
      const next = frame.blocks.get(target.block);
      const args = target.args.map((arg) => values[arg] ?? 0n);
      const argTerms = watch === undefined ? [] : target.args.map((arg) => terms[arg] ?? null);
      next?.params.forEach((param, i) => {
        values[param.id] = args[i] ?? 0n;
        terms[param.id] = argTerms[i] ?? null;
      });
      return next;
    };
    while (block !== undefined) {
      this.steps -= block.instrs.length + 1;
      if (this.steps < 0) throw new BugError('evaluate: too many steps');
      for (const instr of block.instrs) {
        const value = this.step(instr, frame, depth);
        values[instr.id] = watch === undefined ? value : this.note(instr, value, frame, watch);
      }
      const term = block.term;
      switch (term.op) {
        case 'br':
          block = go(term.to);
          break;
        case 'br_if':
          watch?.branch(
            frame.func,
            block,
            terms[term.condition] ?? null,
            values[term.condition] === 0n ? 0 : 1,
          );
          block = go(values[term.condition] !== 0n ? term.then : term.else);
          break;
        case 'switch':
          watch?.branch(
            frame.func,
            block,
            terms[term.value] ?? null,
            Math.min(Number(values[term.value] ?? 0n), term.cases.length),
          );
          block = go(term.cases[Number(values[term.value] ?? 0n)] ?? term.default);
          break;
        case 'return':
          this.returned = term.value === null ? null : (terms[term.value] ?? null);
          return term.value === null ? 0n : (values[term.value] ?? 0n);
        case 'trap':
          throw new Stop(term.kind);
      }
    }
    throw new BugError('evaluate: no such block');
  }

  private note(instr: Instr, value: bigint, { func, terms }: Frame, watch: Watch): bigint {
    const operands: readonly ValueId[] = 'args' in instr ? instr.args : [];
    const args = instr.op === 'call' ? [this.returned] : operands.map((arg) => terms[arg] ?? null);
    const told = watch.term({ func, instr, value, args });
    terms[instr.id] = { func, instr, value: told, args };
    return told;
  }

  private step(instr: Instr, frame: Frame, depth: number): bigint {
    const value = (id: ValueId): bigint => {
      const found = frame.values[id];
      if (found === undefined) throw new BugError(`evaluate: v${id} has no value`);
      return found;
    };
    switch (instr.op) {
      case 'const':
        return instr.value;
      case 'binary': {
        const result = foldBinary(
          instr.kind,
          intType(instr.type),
          value(instr.args[0]),
          value(instr.args[1]),
        );
        if (result === null) throw new BugError(`evaluate: v${instr.id} divides without a check`);
        return result;
      }
      case 'unary':
        return foldUnary(instr.kind, intType(instr.type), value(instr.args[0]));
      case 'compare': {
        const [a, b] = [value(instr.args[0]), value(instr.args[1])];
        const type = this.index.typeOf(frame.func, instr.args[0]);
        return foldCompare(instr.kind, type, a, b) ? 1n : 0n;
      }
      case 'select':
        return value(instr.args[0]) !== 0n ? value(instr.args[1]) : value(instr.args[2]);
      case 'extend_u':
        return value(instr.args[0]);
      case 'extend_s':
        return foldUnary('extend32_s', 'i64', value(instr.args[0]));
      case 'wrap':
        return value(instr.args[0]) & maskOf('i32');
      case 'load.memory': {
        const at = Number(value(instr.args[0])) + instr.offset;
        if (at + instr.size > this.memory.length) throw new Stop('trap');
        return readBytes(this.memory, at, instr.size, instr.signed, instr.type);
      }
      case 'store.memory': {
        const at = Number(value(instr.args[0])) + instr.offset;
        if (at + instr.size > this.memory.length) throw new Stop('trap');
        if (this.memory === this.index.images.get(MEMORY)?.bytes) this.memory = this.memory.slice();
        writeBytes(this.memory, at, instr.size, value(instr.args[1]));
        return 0n;
      }
      case 'load.image': {
        const bytes = this.index.images.get(instr.image)?.bytes;
        const index = value(instr.args[0]);
        if (bytes === undefined) throw new BugError(`evaluate: no image \`${instr.image}\``);
        if (index > BigInt(instr.limit)) throw new Stop('trap');
        return readBytes(bytes, instr.offset + Number(index), instr.size, false, instr.type);
      }
      case 'load.head': {
        const bytes = this.pointer(value(instr.args[0]));
        const index = value(instr.args[1]);
        if (index > BigInt(instr.limit)) throw new Stop('trap');
        const at = REQUEST.bytes + instr.offset + Number(index);
        return readBytes(bytes, at, instr.size, false, instr.type);
      }
      case 'load.pointer': {
        const bytes = this.pointer(value(instr.args[0]));
        return readBytes(bytes, instr.offset, instr.size, false, instr.type);
      }
      case 'store.pointer': {
        const bytes = this.pointer(value(instr.args[0]));
        writeBytes(bytes, instr.offset, instr.size, value(instr.args[1]));
        return 0n;
      }
      case 'frame': {
        // One decision at a time is run: its slot is the only one, and free.
        const word = Number(
          instr.kind === 'take' ? 0n : value(instr.args[1] ?? instr.args[0] ?? instr.id),
        );
        if (instr.kind === 'store')
          this.frames.set(word + instr.offset, value(instr.args[2] ?? instr.id));
        return instr.kind === 'load' ? (this.frames.get(word + instr.offset) ?? 0n) : 0n;
      }
      case 'context':
        if (instr.kind === 'load') return frame.context[instr.word] ?? 0n;
        frame.context[instr.word] = value(instr.args[0] ?? instr.id);
        return 0n;
      case 'loop':
        for (let turn = 0; turn < instr.rounds; turn++) {
          const args = [BigInt(turn)];
          const { value: ends } = this.call(instr.callee, args, depth + 1, [], frame.context);
          if (ends !== 0n) break;
        }
        return 0n;
      case 'call': {
        const args = instr.args.map(value);
        const terms = instr.args.map((arg) => frame.terms[arg] ?? null);
        if (this.index.functions.has(instr.callee)) {
          return this.call(instr.callee, args, depth + 1, terms).value;
        }
        if (this.host.call !== undefined) return this.host.call(instr.callee, args);
        throw new BugError(`evaluate: no function \`${instr.callee}\``);
      }
      case 'abi': {
        if (this.host.abi === undefined)
          throw new BugError(`evaluate: no host for \`${instr.name}\``);
        return BigInt.asUintN(bitsOf(instr.type), this.host.abi(instr.name, instr.args.map(value)));
      }
      case 'launder':
        return value(instr.args[0]);
      case 'may_goto':
        return 0n;
    }
  }

  private pointer(handle: bigint): Uint8Array {
    return this.host.pointers?.[Number(handle)] ?? new Uint8Array();
  }
}

function writeBytes(bytes: Uint8Array, at: number, size: number, value: bigint): void {
  for (let i = 0; i < size; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
}

function intType(type: Type): 'i32' | 'i64' {
  if (type === 'ptr') throw new BugError('evaluate: arithmetic on a pointer');
  return type;
}

/** Runs functions of a module that stays as it is; throws BugError where the IR is broken or does not end. */
export function evaluator(module: Module): (name: string, host: EvaluateHost) => Evaluated {
  const index = new Index(module);
  return (name, host) => {
    const func = index.functions.get(name);
    if (func === undefined) throw new BugError(`evaluate: no function \`${name}\``);
    const integers = [...(host.args ?? [])];
    let pointers = 0n;
    const args = func.params.map((param) =>
      param.type === 'ptr' ? pointers++ : (integers.shift() ?? 0n),
    );
    return new Machine(module, index, host).call(name, args, 0);
  };
}

/** The same, once. */
export function evaluate(module: Module, name: string, host: EvaluateHost): Evaluated {
  return evaluator(module)(name, host);
}
