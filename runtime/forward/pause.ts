/** Waiting for what nobody announces: asked at once, then ever less often. */
import { setTimeout as wait } from 'node:timers/promises';

const FIRST_MS = 1;
const LONGEST_MS = 32;

/** Asks until the answer is true; `isOver` ends it early: then false. */
export async function until(ask: () => boolean, isOver: () => boolean): Promise<boolean> {
  for (let pause = FIRST_MS; !ask(); pause = Math.min(pause * 2, LONGEST_MS)) {
    if (isOver()) return false;
    await wait(pause);
  }
  return true;
}
