/** Where weft.json names a file. */
import type { Position } from '../../compiler/diagnostic/index.js';

/** Place of a path in the text of weft.json; null where it is not written there. */
export function placeOfText(text: string, path: string): Position | null {
  const at = text.indexOf(JSON.stringify(path));
  if (at < 0) return null;
  const before = text.slice(0, at).split('\n');
  const [line, column] = [before.length, (before.at(-1)?.length ?? 0) + 1];
  const endColumn = column + JSON.stringify(path).length;
  return { file: 'weft.json', line, column, endLine: line, endColumn };
}
