/** Diagnostic codes of a control plane: what it holds, and whom it serves. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  C020: {
    title: 'bundle too large for the control plane',
    help: 'a bundle and its signatures are at most 16 MiB as nodes get them (docs/limits.md)',
  },
  C021: {
    title: 'bundle not in the store',
    help: 'put it there with `weft deploy`; other control planes of this store need it too',
  },
  C022: {
    title: 'bundle in the store is damaged',
    help: 'deploy it again; look for faults of the disk',
  },
  C023: {
    title: 'address cannot be listened on',
    help: 'choose another with `--listen`; port 0 takes any that is free',
  },
  C024: {
    title: 'certificate is not of a control plane',
    help: '`weft control ca issue control/NAME` makes one',
  },
};
