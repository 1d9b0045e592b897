/** Lowered code as text with the policy's lines between (`--emit asm`). */
import type { SourcePosition } from '../ir/types.js';
import { printCode } from './asm/index.js';
import type { LoweredFunction } from './lowered-function.js';

/** Prints one function. */
export function printLowered(func: LoweredFunction, positions: readonly SourcePosition[]): string {
  let last: number | null = null;
  const text = printCode(func.code, (index) => {
    const loc = func.locs[index] ?? null;
    if (loc === null || loc === last) return null;
    last = loc;
    const position = positions[loc];
    if (position === undefined) return null;
    return `${position.text.trim()} @ ${position.file}:${position.line}:${position.column}`;
  });
  const path = func.worstPath === null ? 'has loops' : `at most ${func.worstPath} executed`;
  return `${func.name}: ${func.instructions} instructions, ${path}, ${func.stack} bytes of stack\n${text}`;
}
