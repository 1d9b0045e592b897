/**
 * Indexes that cannot be above a limit by how they are computed, so that no bound need be tested. Only
 * forms that every supported verifier follows by itself: bytes, masks, shifts by constants, and a choice
 * between a value that was compared and a constant (kernel/bpf/verifier.c, adjust_scalar_min_max_vals).
 */
import type { CompareOp, ValueId } from '../../ir/types.js';
import { isJumped } from './conditions.js';
import type { Selector } from './selector.js';

/** Chains of operations are followed so far. */
const MAX_DEPTH = 6;

/** True where a value is at most `limit`, and the verifier sees it too. */
export function isProven(
  s: Selector,
  value: ValueId,
  limit: number,
  depth: number = MAX_DEPTH,
): boolean {
  const constant = s.constant(value);
  if (constant !== null) return constant <= BigInt(limit);
  const instr = s.def(value);
  if (instr === null || depth === 0 || limit < 0) return false;
  if (instr.op.startsWith('load.') && 'size' in instr && instr.size <= 2)
    return 256 ** instr.size - 1 <= limit;
  if (instr.op === 'extend_u') return isProven(s, instr.args[0], limit, depth - 1);
  if (instr.op === 'select') {
    const [condition, yes, no] = instr.args;
    if (!isProven(s, no, limit, depth - 1)) return false;
    return isProven(s, yes, limit, depth - 1) || isCompared(s, condition, yes, limit);
  }
  if (instr.op !== 'binary') return false;
  const [a, b] = instr.args;
  const by = s.constant(b);
  if (by === null) return false;
  switch (instr.kind) {
    case 'and':
      return by <= BigInt(limit);
    case 'shl':
      // Nothing is shifted out: the operand is far below 2^31.
      return by < 31n && isProven(s, a, limit >>> Number(by), depth - 1);
    case 'shr_u':
      return instr.type === 'i64' && by > 32n && by < 64n && 2 ** (64 - Number(by)) - 1 <= limit;
    default:
      return false;
  }
}

const LESS: ReadonlySet<CompareOp> = new Set(['lt_u', 'le_u']);

/**
 * True where the branch of a select says that its value is at most `limit`. Verifiers before 6.8 lose what a
 * comparison said of a copy where both went by the stack: the function must not spill then.
 */
function isCompared(s: Selector, condition: ValueId, value: ValueId, limit: number): boolean {
  const compare = s.def(condition);
  if (compare?.op !== 'compare' || !LESS.has(compare.kind) || compare.args[0] !== value)
    return false;
  const bound = s.constant(compare.args[1]);
  if (bound === null || !s.mayTrustCopies || !isJumped(s, condition)) return false;
  const isBelow = (compare.kind === 'lt_u' ? bound - 1n : bound) <= BigInt(limit);
  s.lir.trustsCopies ||= isBelow;
  return isBelow;
}
