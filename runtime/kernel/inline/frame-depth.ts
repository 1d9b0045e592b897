/**
 * How deep a function writes or reads below its frame pointer: a bound that holds on every path, or null where there
 * is none that these rules can say. Registers that may hold an address of the frame are followed with their
 * lowest distance from its top; what the rules do not follow (an address that is stored, moved by a variable or given to
 * another function) has no bound. Helpers take memory from its address upwards (bpf_func_proto of kernel/bpf).
 */
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
import { successors } from './successors.js';

/** MAX_BPF_STACK of include/linux/filter.h */
export const MAX_STACK = 512;

/** For each register the lowest distance from the frame's top where it may be an address of it. */
type Registers = (number | null)[];

const OPERATION = { add: 0x00, sub: 0x10, move: 0xb0 } as const;
const TAIL_CALL = 12;

/** Bytes, a multiple of eight. */
export function frameDepth(body: readonly Instruction[]): number | null {
  const next = successors(body);
  const before: (Registers | undefined)[] = [];
  before[0] = new Array<null>(FRAME_POINTER).fill(null);
  const waiting = [0];
  let depth = 0;
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const registers = [...(before[at] as Registers)];
    const low = step(body[at] as Instruction, registers);
    if (low === null || low < -MAX_STACK) return null;
    depth = Math.max(depth, -low);
    for (const follower of next[at] as readonly number[]) {
      const known = before[follower];
      const merged = known === undefined ? registers : meet(known, registers);
      if (known !== undefined && merged.every((low, index) => low === known[index])) continue;
      if (merged.some((low) => low !== null && low < -MAX_STACK)) return null;
      before[follower] = [...merged];
      waiting.push(follower);
    }
  }
  return Math.ceil(depth / 8) * 8;
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
