/**
 * A verifier gives up after a million instructions, each counted as often as it is walked. Kernels before 6.9
 * have no may_goto and walk every turn of every loop. What could come to that is refused here, at the line of
 * the loop (B210); functions without long loops in check-verified.ts.
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
    .map((walk) =>
      loopFinding(walk, fuel, `${walk.forks} branches to keep, at most ${MOST_FORKS}`),
    );
  const total = walks.reduce((sum, { instructions }) => sum + instructions, 0);
  const [longest] = [...walks].sort((a, b) => b.instructions - a.instructions);
  if (found.length > 0 || longest === undefined || total <= MOST_WALKED) return found;
  return [loopFinding(longest, fuel, `${total} instructions in all loops, at most ${MOST_WALKED}`)];
}

function loopFinding({ rounds, at }: PlacedWalk, fuel: number, why: string): Diagnostic {
  const end = rounds === fuel ? ', since only the fuel is known to end it' : '';
  return finding('B210', `the loop is verified for ${rounds} turns${end}: ${why}`, at);
}

function finding(code: string, message: string, at: Position | null): Diagnostic {
  return diagnostic(code, message, { at, help: BUNDLE_CODES[code]?.help ?? null });
}
