/** What a bundle costs a verifier, in words. */
import type { VerifiedCost } from '../agent/verified-cost.js';

/** The counts in words. */
export function verifiedText(cost: VerifiedCost | null): string {
  if (cost === null) return 'the verifier was not asked: no kernel that may be asked here';
  const requests = cost.requests === null ? '' : `, ${cost.requests} for requests`;
  return `the verifier of ${cost.kernel} goes through ${cost.connections} instructions for connections${requests}`;
}
