/** Copies that happen all at once (block arguments, call arguments), put in an order that is right. */
import type { Reg } from '../asm/index.js';

export interface Copy {
  readonly dst: Reg;
  readonly src: Reg;
}

/** Orders copies so that no source is overwritten before it is read; `fresh` breaks cycles. */
export function sequence(copies: readonly Copy[], fresh: () => Reg): Copy[] {
  const pending = copies.filter((copy) => copy.dst !== copy.src);
  const ordered: Copy[] = [];
  while (pending.length > 0) {
    const free = pending.findIndex((a) => pending.every((b) => b === a || b.src !== a.dst));
    const [copy] = pending.splice(Math.max(free, 0), 1);
    if (copy === undefined) break;
    if (free < 0) {
      // All that is left are cycles: save what this copy overwrites, and read it from there.
      const saved = fresh();
      ordered.push({ dst: saved, src: copy.dst });
      for (const [i, other] of pending.entries()) {
        if (other.src === copy.dst) pending[i] = { dst: other.dst, src: saved };
      }
    }
    ordered.push(copy);
  }
  return ordered;
}
