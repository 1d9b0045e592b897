/** Diagnostic codes of the control plane's store. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  D102: {
    title: 'the watch has fallen behind',
    help: 'what it would have to tell is no longer kept; list anew, and watch from there',
  },
  D109: { title: 'the lease has ended', help: 'take a new lease, and look who holds the key now' },
  D110: { title: 'the store is closed', help: 'open it again' },
  D111: {
    title: 'too large for the store',
    help: 'the limits stand in docs/limits.md; split the value, or keep it in a registry',
  },
};
