/**
 * The source map of a policy's final module (source map v3, ECMA-426): one line, whose columns are byte
 * offsets of the module. What `sourceLocator` reads back gives the same position for each instruction.
 */
import { encode } from '@jridgewell/sourcemap-codec';
import type { Position } from '../diagnostic/index.js';
import type { WasmBody } from './wasm/index.js';

type Segment = [number] | [number, number, number, number];

/** Writes the map of the instructions of some functions. Code without a source is mapped to nothing. */
export function writeSourceMap(
  bodies: readonly WasmBody[],
  locate: (offset: number) => Position | null,
): string {
  const sources: string[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (file: string): number => {
    const known = numbers.get(file);
    if (known !== undefined) return known;
    numbers.set(file, sources.length);
    return sources.push(file) - 1;
  };
  const segments: Segment[] = [];
  let last = '';
  for (const { pos } of bodies.flatMap((body) => body.instrs)) {
    const at = locate(pos);
    const where = at === null ? [] : [numberOf(at.file), at.line - 1, at.column - 1];
    if (where.join() === last) continue;
    last = where.join();
    segments.push([pos, ...where] as Segment);
  }
  return JSON.stringify({ version: 3, sources, names: [], mappings: encode([segments]) });
}
