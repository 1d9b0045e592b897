/**
 * Pass:    expand-abi-swap (a step of expand-abi)
 * Reads:   `bswap32(x) == c`, `(bswap32(x) & m) == c` and the same with `!=`
 * Writes:  `x == swapped c`, `(x & swapped m) == swapped c`: addresses lie in network order, so the
 *          constant is swapped once here rather than each address at run time
 * Refuses: nothing
 * Keeps:   the swap itself, which later passes drop where nobody reads it
 */

import { Emitter } from '../ir/emitter.js';
import type { Func, Instr, ValueId } from '../ir/types.js';

type Defs = ReadonlyMap<ValueId, Instr>;

/** Rewrites the comparisons of a function, in place. */
export function foldSwappedCompare(func: Func): void {
  const defs: Defs = new Map(func.blocks.flatMap((b) => b.instrs.map((i) => [i.id, i] as const)));
  for (const block of func.blocks) {
    block.instrs = block.instrs.flatMap((instr) => rewrite(func, defs, instr) ?? [instr]);
  }
}

function rewrite(func: Func, defs: Defs, instr: Instr): Instr[] | null {
  if (instr.op !== 'compare' || (instr.kind !== 'eq' && instr.kind !== 'ne')) return null;
  const wanted = splitConstant(defs, instr.args);
  if (wanted === null) return null;
  const emit = new Emitter(func, instr.loc);
  const left = unswapped(emit, defs, wanted.other);
  if (left === null) return null;
  emit.compareWith('i32', instr.kind, left, swap32(wanted.value), instr.id);
  return emit.instrs;
}

function unswapped(emit: Emitter, defs: Defs, value: ValueId): ValueId | null {
  const def = defs.get(value);
  if (def?.op === 'unary' && def.kind === 'bswap32') return def.args[0];
  if (def?.op !== 'binary' || def.kind !== 'and') return null;
  const mask = splitConstant(defs, def.args);
  const inner = mask === null ? undefined : defs.get(mask.other);
  if (mask === null || inner?.op !== 'unary' || inner.kind !== 'bswap32') return null;
  return emit.with('i32', 'and', inner.args[0], swap32(mask.value));
}

function splitConstant(
  defs: Defs,
  [a, b]: readonly [ValueId, ValueId],
): { readonly value: bigint; readonly other: ValueId } | null {
  const [first, second] = [defs.get(a), defs.get(b)];
  if (second?.op === 'const') return { value: second.value, other: a };
  if (first?.op === 'const') return { value: first.value, other: b };
  return null;
}

/** Reverses the bytes of a 32-bit number. */
export function swap32(value: bigint): bigint {
  const v = Number(value);
  return BigInt(
    (((v & 0xff) << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | ((v >>> 24) & 0xff)) >>> 0,
  );
}
