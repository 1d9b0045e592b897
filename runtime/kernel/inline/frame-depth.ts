/**
 * How deep a function writes or reads below its frame pointer: a bound that holds on every path, or null where there
 * is none that these rules can say. Registers that may hold an address of the frame are followed with their
 * lowest distance from its top; what the rules do not follow (an address that is stored, moved by a variable or given to
 * another function) has no bound. Helpers take memory from its address upwards (bpf_func_proto of kernel/bpf).
 */
import type { Flow } from './flow.js';
import {
  CLASS,
  CODE,
  classOf,
  FRAME_POINTER,
  hasSourceRegister,
  type Instruction,
  isCallOfFunction,
  isFetch,
  isJump,
  isOrdered,
  OP,
  operation,
} from './instruction.js';

/** MAX_BPF_STACK of include/linux/filter.h */
export const MAX_STACK = 512;

/** For each register the lowest distance from the frame's top where it may be an address of it. */
type Registers = (number | null)[];

const OPERATION = { add: 0x00, sub: 0x10, move: 0xb0 } as const;
const TAIL_CALL = 12;

/** Bytes, a multiple of eight; `flow` is the body's (flow.ts). */
export function frameDepth(body: readonly Instruction[], flow: Flow): number | null {
  // What is known where jumps arrive. Between those places one way leads on, whose registers are `now`.
  const known = new Map<number, Registers>();
  const arrivals = new Set(flow.flatMap((next, at) => next.filter((to) => to !== at + 1)));
  let depth = 0;
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    let now: Registers | null = new Array<null>(FRAME_POINTER).fill(null);
    for (const [at, each] of body.entries()) {
      const arrived = known.get(at);
      if (arrived !== undefined) now = now === null ? [...arrived] : meet(arrived, now);
      if (now === null) continue;
      if (arrivals.has(at)) known.set(at, [...now]);
      const low = step(each, now);
      if (low === null || low < -MAX_STACK || now.some(isTooLow)) return null;
      depth = Math.max(depth, -low);
      const next = flow[at] as readonly number[];
      for (const to of next.filter((one) => one !== at + 1)) {
        const before = known.get(to);
        const merged = before === undefined ? [...now] : meet(before, now);
        if (before !== undefined && merged.every((each, index) => each === before[index])) continue;
        known.set(to, merged);
        if (to <= at) isChanged = true;
      }
      if (!next.includes(at + 1)) now = null;
    }
  }
  return Math.ceil(depth / 8) * 8;
}

function isTooLow(low: number | null): boolean {
  return low !== null && low < -MAX_STACK;
}

function meet(some: Registers, others: Registers): Registers {
  return some.map((low, index) => {
    const other = others[index] as number | null;
    return low === null ? other : other === null ? low : Math.min(low, other);
  });
}

/** Changes the registers; the lowest byte that the instruction itself touches (0 where none), null for no bound. */
function step(each: Instruction, registers: Registers): number | null {
  const of = (register: number): number | null =>
    register === FRAME_POINTER ? 0 : (registers[register] as number | null);
  const { target, source, offset } = each;
  switch (classOf(each)) {
    case CLASS.alu64: {
      const from = hasSourceRegister(each) ? of(source) : null;
      const to = of(target);
      if (operation(each) === OPERATION.move) registers[target] = offset === 0 ? from : null;
      else if (from !== null) return null;
      else if (to === null) return 0;
      else if (hasSourceRegister(each)) return null;
      else if (operation(each) === OPERATION.add) registers[target] = to + each.immediate;
      else if (operation(each) === OPERATION.sub) registers[target] = to - each.immediate;
      else return null;
      return 0;
    }
    case CLASS.alu:
      registers[target] = null;
      return 0;
    case CLASS.ld:
      if (each.callee !== null) return null;
      if (each.code === CODE.loadImm64) registers[target] = null;
      else registers.fill(null, 0, 6);
      return 0;
    case CLASS.ldx: {
      const base = of(source);
      registers[target] = null;
      return base === null ? 0 : base + offset;
    }
    case CLASS.st:
    case CLASS.stx: {
      const base = of(target);
      if (classOf(each) === CLASS.stx) {
        if (of(source) !== null || isOrdered(each)) return null;
        if (isFetch(each)) {
          registers[source] = null;
          registers[0] = null;
        }
      }
      return base === null ? 0 : base + offset;
    }
    default:
      if (isJump(each) && operation(each) === OP.call) {
        const isGiven = registers.slice(1, 6).some((low) => low !== null);
        if (isCallOfFunction(each) && isGiven) return null;
        if (each.source === 0 && each.immediate === TAIL_CALL) return null;
        registers.fill(null, 0, 6);
      }
      return 0;
  }
}
