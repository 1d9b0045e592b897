/**
 * A verifier gives up after a million instructions, each counted as often as it is walked. Kernels before 6.9
 * have no may_goto and walk every turn of every loop. What could come to that is refused here, at the line of
 * the loop (B210) or of what is walked most (B211).
 */
import { BUNDLE_CODES } from './bundle/index.js';
import { type Diagnostic, diagnostic, type Position } from './diagnostic/index.js';
import type { Walk, WalkedFunction } from './passes/index.js';

export interface PlacedWalk extends Walk {
  readonly at: Position | null;
}
export interface PlacedFunction extends WalkedFunction {
  readonly at: Position | null;
}

/** Instructions of the IR that all loops of a bundle may walk; each is about one and a half of BPF, and the hooks need some. */
const MOST_WALKED = 400_000;
/** Ways kept for later in one loop; the kernel's limit is 8192 (BPF_COMPLEXITY_LIMIT_JMP_SEQ). */
const MOST_FORKS = 7_500;
/** Instructions that all functions of a bundle may walk; the hooks need some too. */
const MOST_IN_ALL = 900_000;
/** One function is shortened where it alone takes more of them. */
const MOST_IN_ONE = 60_000;

/** What a function of a bundle of so many policies may take before its ways are merged. */
export function walkedLimit(policies: number): number {
  return Math.min(MOST_IN_ONE, Math.floor(MOST_IN_ALL / (2 * policies + 2)));
}

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

/** Refuses functions that together are more than a verifier walks, at the one that takes most. */
export function checkWalked(functions: readonly PlacedFunction[]): Diagnostic[] {
  const total = functions.reduce((sum, { walked }) => sum + walked, 0);
  const [most] = [...functions].sort((a, b) => b.walked - a.walked);
  if (most === undefined || total <= MOST_IN_ALL) return [];
  const message = `verifiers would walk ${Math.round(total)} instructions, ${Math.round(most.walked)} of them in \`${most.name}\`: at most ${MOST_IN_ALL}`;
  return [finding('B211', message, most.at)];
}

function loopFinding({ rounds, at }: PlacedWalk, fuel: number, why: string): Diagnostic {
  const end = rounds === fuel ? ', since only the fuel is known to end it' : '';
  return finding('B210', `the loop is verified for ${rounds} turns${end}: ${why}`, at);
}

function finding(code: string, message: string, at: Position | null): Diagnostic {
  return diagnostic(code, message, { at, help: BUNDLE_CODES[code]?.help ?? null });
}
