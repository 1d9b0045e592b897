/** Diagnostic codes of lowering, from which docs/errors.md is generated. */
import type { CodeTable } from '../diagnostic/index.js';

export const CODES: CodeTable = {
  L001: {
    title: 'the function needs more stack than a policy may use',
    help: 'keep fewer values alive at a time: split the function, or compute values where they are used',
  },
  L002: {
    title: 'the function is too long: a jump does not fit 16 bits',
    help: 'split the function, or turn long chains of conditions into a Table or CidrSet',
  },
  L003: {
    title: 'the function calls itself, directly or through others',
    help: 'use a loop with a constant bound',
  },
  L004: {
    title: 'calls nest deeper than the kernel allows',
    help: 'inline some of the functions into their callers',
  },
};
