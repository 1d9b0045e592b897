/** Code offsets of asc's module -> policy source, by asc's source map. */
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import type { Position } from '../diagnostic/index.js';

/** A WASM source map has one line; its columns are byte offsets of the module. */
const LINE = 1;

function isPolicy(file: string): boolean {
  return !file.startsWith('~lib/') && !file.startsWith('.weft-entry');
}

/**
 * Position of the code at an offset. Code that was inlined from the SDK or the standard library
 * belongs to the policy line before it in the same function, since that is what the reader knows.
 */
export function sourceLocator(
  sourceMap: string,
  functionStart: (offset: number) => number,
): (offset: number) => Position | null {
  const raw = JSON.parse(sourceMap) as { sourceRoot?: string };
  const map = new TraceMap({ ...raw, sourceRoot: '' } as never);
  return (offset) => {
    const start = functionStart(offset);
    for (let at = offset; at >= start; at--) {
      const found = originalPositionFor(map, { line: LINE, column: at });
      if (found.source === null) return null;
      if (isPolicy(found.source)) {
        return { file: found.source, line: found.line, column: found.column + 1 };
      }
    }
    return null;
  };
}
