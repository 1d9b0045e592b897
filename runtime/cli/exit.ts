/** Exit codes of every verb; docs/ and scripts rely on the numbers. */
export const EXIT = {
  ok: 0,
  /** Internal fault, or the world refused: I/O, kernel. */
  failure: 1,
  /** A test failed, or the one asked verdict is deny. */
  denied: 2,
  /** Findings: the input is at fault. */
  findings: 3,
  /** Inconclusive, or not supported here. */
  unsupported: 4,
  differences: 5,
  /** A digest or signature does not verify; a bundle is not whole. */
  integrity: 6,
  overBudget: 7,
  usage: 64,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
