/**
 * Kernels before 6.9 have no may_goto: their verifier walks every turn of every loop, and gives up after a
 * million instructions. What could come to that is refused here, at the line of the loop.
 */
import { BUNDLE_CODES } from './bundle/index.js';
import { type Diagnostic, diagnostic, type Position } from './diagnostic/index.js';
import type { Walk } from './passes/index.js';

export interface PlacedWalk extends Walk {
  readonly at: Position | null;
}

/** Instructions of the IR that all loops of a bundle may walk; each is about one and a half of BPF, and the hooks need some. */
const MOST_WALKED = 400_000;
/** Ways kept for later in one loop; the kernel's limit is 8192 (BPF_COMPLEXITY_LIMIT_JMP_SEQ). */
const MOST_FORKS = 7_500;

/** Refuses loops that together are too long, at the longest, and each with too many forks. */
export function checkWalks(walks: readonly PlacedWalk[], fuel: number): Diagnostic[] {
  const found = walks
    .filter(({ forks }) => forks > MOST_FORKS)
    .map((walk) => finding(walk, fuel, `${walk.forks} branches to keep, at most ${MOST_FORKS}`));
  const total = walks.reduce((sum, { instructions }) => sum + instructions, 0);
  const [longest] = [...walks].sort((a, b) => b.instructions - a.instructions);
  if (found.length > 0 || longest === undefined || total <= MOST_WALKED) return found;
  return [finding(longest, fuel, `${total} instructions in all loops, at most ${MOST_WALKED}`)];
}

function finding({ rounds, at }: PlacedWalk, fuel: number, why: string): Diagnostic {
  const end = rounds === fuel ? ', since only the fuel is known to end it' : '';
  const message = `the loop is verified for ${rounds} turns${end}: ${why}`;
  return diagnostic('B210', message, { at, help: BUNDLE_CODES['B210']?.help ?? null });
}
