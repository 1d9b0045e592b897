/**
 * Kernels before 6.9 have no may_goto: their verifier walks every turn of every loop, and gives up after a
 * million instructions. What would come near that is refused here, at the line of the loop.
 */
import { BUNDLE_CODES } from './bundle/index.js';
import { type Diagnostic, diagnostic, type Position } from './diagnostic/index.js';
import type { Walk } from './passes/index.js';

export interface PlacedWalk extends Walk {
  readonly at: Position | null;
}

/** Instructions of the IR that all loops of a bundle may walk; each is about one and a half of BPF, and the hooks need some. */
const MOST_WALKED = 400_000;

/** Refuses loops that together are too long, at the longest. */
export function checkWalks(walks: readonly PlacedWalk[], fuel: number): Diagnostic[] {
  const total = walks.reduce((sum, { instructions }) => sum + instructions, 0);
  const [longest] = [...walks].sort((a, b) => b.instructions - a.instructions);
  if (longest === undefined || total <= MOST_WALKED) return [];
  const byFuel = longest.rounds === fuel;
  const end = byFuel ? 'only the fuel is known to end it' : 'its counters end it';
  const message = `the loop turns up to ${longest.rounds} times (${end}), and all loops take ${total} instructions to verify, at most ${MOST_WALKED}`;
  const help = BUNDLE_CODES['B210']?.help ?? null;
  return [diagnostic('B210', message, { at: longest.at, help })];
}
