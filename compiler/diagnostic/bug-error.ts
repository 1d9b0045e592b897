/** Our own fault: an invariant of Weft does not hold. Thrown, never shown as the user's mistake. */
export class BugError extends Error {
  override readonly name = 'BugError';
  readonly code = 'BUG';
}

/** Marks a place that the types prove unreachable. */
export function unreachable(value: never, what = 'value'): never {
  throw new BugError(`unreachable ${what}: ${JSON.stringify(value)}`);
}
