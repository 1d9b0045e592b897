/**
 * The constant that an instruction computes, where its operands are constants: shared by the builder
 * (which needs constant addresses and callees early) and the pass fold-constants.
 */
import { foldBinary, foldCompare, foldUnary, maskOf, readBytes } from './arithmetic.js';
import type { Instr, Type, ValueId } from './types.js';

/** Name of the image that holds linear memory as the snapshot left it; its length is memory.size. */
export const MEMORY_IMAGE = 'memory';

/** The value, or null where it is not constant or the instruction would trap. */
export function foldInstr(
  instr: Instr,
  constant: (value: ValueId) => bigint | null,
  typeOf: (value: ValueId) => Type,
  memory: Uint8Array | null,
): bigint | null {
  if (instr.op === 'const') return instr.value;
  if (instr.type === 'ptr' || !('args' in instr)) return null;
  const found = instr.args.map(constant);
  const [a, b, c] = found;
  if (instr.op === 'select' && a !== null && a !== undefined) return (a !== 0n ? b : c) ?? null;
  if (a === null || a === undefined || found.includes(null)) return null;
  switch (instr.op) {
    case 'binary':
      return foldBinary(instr.kind, instr.type, a, b ?? 0n);
    case 'unary':
      return foldUnary(instr.kind, instr.type, a);
    case 'compare':
      return foldCompare(instr.kind, typeOf(instr.args[0]), a, b ?? 0n) ? 1n : 0n;
    case 'extend_u':
      return a;
    case 'extend_s':
      return foldUnary('extend32_s', 'i64', a);
    case 'wrap':
      return a & maskOf('i32');
    case 'load.memory': {
      const at = Number(a) + instr.offset;
      if (memory === null || at + instr.size > memory.length) return null;
      return readBytes(memory, at, instr.size, instr.signed, instr.type);
    }
    case 'load.image': {
      const at = Number(a) + instr.offset;
      if (memory === null || instr.image !== MEMORY_IMAGE) return null;
      if (a > BigInt(instr.limit) || at + instr.size > memory.length) return null;
      return readBytes(memory, at, instr.size, false, instr.type);
    }
    default:
      return null;
  }
}
