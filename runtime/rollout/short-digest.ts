/** A digest where there is little room. */

const SHOWN = 19;

/** Enough of it to tell it from others; `nothing` where there is none. */
export function shortDigest(digest: string | null): string {
  return digest === null ? 'nothing' : `${digest.slice(0, SHOWN)}…`;
}
