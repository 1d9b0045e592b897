/** Text that is drawn over itself on a terminal; elsewhere lines, each told once. */
import type { Output } from './env.js';

const ERASE_DOWN = '\u001b[J';
const up = (lines: number): string => (lines === 0 ? '\r' : `\r\u001b[${lines}A`);

export interface LiveView {
  /** `text` on a terminal, `line` elsewhere, and there only where it differs from the last. */
  show(text: string, line: string): void;
  /** Removes what is drawn, before anything else is printed. */
  clear(): void;
}

/** Makes one. */
export function liveView(output: Output): LiveView {
  let drawn = 0;
  let last = '';
  const erase = (): string => (drawn === 0 ? '' : `${up(drawn)}${ERASE_DOWN}`);
  return {
    show: (text, line) => {
      if (output.isTTY) {
        output.write(`${erase()}${text}\n`);
        drawn = text.split('\n').length;
      } else if (line !== last) {
        output.write(`${line}\n`);
      }
      last = line;
    },
    clear: () => {
      if (drawn > 0) output.write(erase());
      drawn = 0;
    },
  };
}
