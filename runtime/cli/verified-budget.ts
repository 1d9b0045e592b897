/** What a bundle costs the verifier of the kernel at hand, where there is one that may be asked. */
import { BUNDLE_CODES } from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import type { VerifiedCost } from '../agent/verified-cost.js';
import type { Env } from './env.js';

/** Null where this machine has no kernel that may be asked (another system, or no privileges). */
export async function verifiedCost(
  env: Env,
  bundle: Bundle,
): Promise<{ readonly cost: VerifiedCost | null; readonly refusal: Diagnostic | null }> {
  const none = { cost: null, refusal: null };
  if (env.platform !== 'linux') return none;
  // It rejects where this machine has none that may be asked.
  const kernel = await env.openKernel().catch(() => null);
  if (kernel === null) return none;
  const { isKernelError, isVerifierError } = await import('../kernel/index.js');
  try {
    const { measureVerified } = await import('../agent/verified-cost.js');
    return { cost: measureVerified(kernel, bundle), refusal: null };
  } catch (error) {
    if (isVerifierError(error)) return { cost: null, refusal: finding(error.message) };
    if (isKernelError(error)) return none;
    throw error;
  }
}

function finding(message: string): Diagnostic {
  return diagnostic('B209', message, { help: BUNDLE_CODES['B209']?.help ?? null });
}

/** The finding where a count is over `budget.verified`. */
export function checkVerified(cost: VerifiedCost, budget: number): Diagnostic[] {
  const { kernel, connections, requests } = cost;
  return [['connections', connections] as const, ['requests', requests ?? 0] as const].flatMap(
    ([what, count]) => {
      if (count <= budget) return [];
      const message = `the verifier of kernel ${kernel} goes through ${count} instructions for ${what}, the budget is ${budget}`;
      return [finding(message)];
    },
  );
}
