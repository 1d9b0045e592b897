/** Offsets in a text -> lines and columns, both from 1. */
import type { Position } from '../diagnostic/index.js';

export class LineIndex {
  readonly #starts: number[] = [0];
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) {
      this.#starts.push(i + 1);
    }
  }

  at(offset: number): { readonly line: number; readonly column: number } {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return { line: low, column: offset - (this.#starts[low - 1] ?? 0) + 1 };
  }

  range(file: string, start: number, end: number): Position {
    const from = this.at(start);
    const to = this.at(end);
    return { file, ...from, endLine: to.line, endColumn: to.column };
  }

  /** A line without its end, from 1; empty where the text has no such line. */
  line(line: number): string {
    const start = this.#starts[line - 1];
    if (start === undefined) return '';
    const next = this.#starts[line];
    return this.#text.slice(start, next).replace(/\r?\n$/, '');
  }
}
