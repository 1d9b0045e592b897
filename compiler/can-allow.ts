/**
 * Whether a policy's code can answer Allow or Audit, from the values that its function returns after
 * optimisation. Errs towards yes: what is not known may be Allow, and then an Allow is asked for.
 */
import { VERDICT, VERDICT_BITS, VERDICT_MASK } from './abi/index.js';
import { definitions, type Func, type Module, type ValueId } from './ir/index.js';
import { incomingValues } from './passes/expand-abi-incoming.js';

/** True where the named function may return a verdict with the code of Allow. */
export function canAllow(module: Module, name: string): boolean {
  return canAnswer(module, name, VERDICT.allow);
}

/** True where the named function may return a verdict with the code of Audit. */
export function canAudit(module: Module, name: string): boolean {
  return canAnswer(module, name, VERDICT.audit);
}

function canAnswer(module: Module, name: string, code: number): boolean {
  const func = module.functions.find((f) => f.name === name);
  return func !== undefined && new ReturnedCodes(module).mayReturn(func, code);
}

class ReturnedCodes {
  readonly #module: Module;
  readonly #open = new Set<string>();

  constructor(module: Module) {
    this.#module = module;
  }

  /** True where the low byte of a returned value may be `code`. */
  mayReturn(func: Func, code: number): boolean {
    if (this.#open.has(func.name)) return true;
    this.#open.add(func.name);
    const trace = this.#tracer(func, code);
    const found = func.blocks.some(({ term }) => {
      if (term.op === 'return') return term.value !== null && trace(term.value);
      return false;
    });
    this.#open.delete(func.name);
    return found;
  }

  #tracer(func: Func, code: number): (value: ValueId) => boolean {
    const defs = definitions(func);
    const incoming = incomingValues(func);
    const seen = new Set<ValueId>();
    const trace = (value: ValueId): boolean => {
      // A value met again adds nothing that its first visit does not.
      if (seen.has(value)) return false;
      seen.add(value);
      const from = incoming.get(value);
      if (from !== undefined) return from.some(trace);
      const def = defs.get(value);
      switch (def?.op) {
        case 'const':
          return Number(def.value & BigInt(VERDICT_MASK)) === code;
        case 'select':
          return trace(def.args[1]) || trace(def.args[2]);
        case 'wrap':
        case 'extend_u':
        case 'extend_s':
        case 'launder':
          return trace(def.args[0]);
        case 'compare':
          return code === 0 || code === 1;
        case 'call': {
          const callee = this.#module.functions.find((f) => f.name === def.callee);
          return callee === undefined || this.mayReturn(callee, code);
        }
        case 'binary': {
          // `x << 8 | y` has the low byte of y: how subprograms carry fuel above their result.
          const [a, b] = def.args;
          const high = (side: ValueId): boolean => isHigh(defs, side);
          if (def.kind !== 'or' && def.kind !== 'add') return true;
          if (high(a)) return trace(b);
          return high(b) ? trace(a) : true;
        }
        default:
          return true;
      }
    };
    return trace;
  }
}

function isHigh(defs: ReturnType<typeof definitions>, value: ValueId): boolean {
  const def = defs.get(value);
  if (def?.op === 'const') return (def.value & BigInt(VERDICT_MASK)) === 0n;
  if (def?.op !== 'binary' || def.kind !== 'shl') return false;
  const shift = defs.get(def.args[1]);
  return shift?.op === 'const' && shift.value >= BigInt(VERDICT_BITS);
}
