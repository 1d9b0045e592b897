/**
 * The order in which the endpoints of a cluster are used: smooth weighted round robin (nginx), laid
 * out once as a list, so that kernel and simulator choose alike by `schedule[draw % length]`.
 */

/** Longest schedule of one cluster and family: entries are 4 bytes in a map of fixed size. */
export const MAX_SCHEDULE: number = 4096;

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/**
 * Lays out the indices of `weights` (whole, 0 gets nothing) so that each stands weight times, evenly
 * spread. Weights are divided by their common divisor first. Null where the list would be longer
 * than MAX_SCHEDULE; empty where no weight is positive.
 */
export function schedule(weights: readonly number[]): number[] | null {
  const divisor = weights.reduce(gcd, 0);
  if (divisor === 0) return [];
  const reduced = weights.map((weight) => weight / divisor);
  const total = reduced.reduce((sum, weight) => sum + weight, 0);
  if (total > MAX_SCHEDULE) return null;
  const current = reduced.map(() => 0);
  const order: number[] = [];
  for (let turn = 0; turn < total; turn += 1) {
    let best = 0;
    for (const [index, weight] of reduced.entries()) {
      current[index] = (current[index] ?? 0) + weight;
      if ((current[index] ?? 0) > (current[best] ?? 0)) best = index;
    }
    current[best] = (current[best] ?? 0) - total;
    order.push(best);
  }
  return order;
}
