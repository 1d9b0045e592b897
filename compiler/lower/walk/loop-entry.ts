/**
 * Which state a loop was entered by: a verifier does not trust a state of a loop that is still being walked
 * (kernel/bpf/verifier.c, get_loop_entry and update_loop_entry).
 */
import type { Checkpoint, Way } from './state.js';

/** Did the way come through this state? */
export function isAncestor(state: Checkpoint, { parent }: Way): boolean {
  for (let above = parent; above !== null; above = above.parent) if (above === state) return true;
  return false;
}

/** The entry of the entry, as far as it goes. */
export function outermost(entry: Checkpoint | null): Checkpoint | null {
  let found = entry;
  while (found?.entry && found.entry !== found) found = found.entry;
  return found;
}

/** Of two entries the one that was met first. */
export function outer(old: Checkpoint | null, state: Checkpoint): Checkpoint {
  return old !== null && old.depth <= state.depth ? old : state;
}

/** update_loop_entry: the outermost open state that ways came back to. */
export function noteEntry(state: Checkpoint, entry: Checkpoint): void {
  const [mine, other] = [state.entry ?? state, entry.entry ?? entry];
  if (other.open > 0 && other.depth <= mine.depth) state.entry = entry;
}
