/** Code offsets of asc's module -> policy source, by asc's source map. */
import { decodedMappings, TraceMap } from '@jridgewell/trace-mapping';
import type { Position } from '../diagnostic/index.js';

interface Segment {
  readonly offset: number;
  /** Null for code of the SDK, of the standard library, or of asc's own making. */
  readonly at: Position | null;
}
export interface CodeRange {
  readonly pos: number;
  readonly end: number;
}

function isPolicy(file: string | null | undefined): file is string {
  return typeof file === 'string' && !file.startsWith('~lib/') && !file.startsWith('.weft-entry');
}

/** A WASM source map has one line; its columns are byte offsets of the module. */
function readSegments(sourceMap: string): Segment[] {
  const map = new TraceMap(sourceMap);
  return (decodedMappings(map)[0] ?? []).map((segment) => {
    const [offset, source, line, column] = segment;
    const file = source === undefined ? null : map.sources[source];
    if (!isPolicy(file) || line === undefined || column === undefined) return { offset, at: null };
    return { offset, at: { file, line: line + 1, column: column + 1 } };
  });
}

/** Index of the last item at or before an offset, or -1. */
function lastAtMost<T>(items: readonly T[], key: (item: T) => number, offset: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && key(item) <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Position of the code at an offset. WASM is written operands first, so code that was inlined from
 * the SDK belongs to the policy expression that comes next in the same function.
 */
export function sourceLocator(
  sourceMap: string,
  functions: readonly CodeRange[],
): (offset: number) => Position | null {
  const segments = readSegments(sourceMap);
  return (offset) => {
    const body = functions[lastAtMost(functions, (f) => f.pos, offset)];
    if (body === undefined || offset >= body.end) return null;
    const here = lastAtMost(segments, (s) => s.offset, offset);
    for (let i = here; (segments[i]?.offset ?? body.end) < body.end; i++) {
      const at = segments[i]?.at;
      if (at != null) return at;
    }
    for (let i = here; (segments[i]?.offset ?? 0) >= body.pos; i--) {
      const at = segments[i]?.at;
      if (at != null) return at;
    }
    return null;
  };
}
