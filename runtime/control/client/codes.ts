/** Diagnostic codes of those who ask a control plane. */
import type { CodeTable } from '../../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  C040: {
    title: 'no control plane answers',
    help: 'check `--control`, the network, and that `weft control` runs there',
  },
  C041: {
    title: 'not allowed by the control plane',
    help: 'deploying needs a certificate of an operator: `weft control ca issue operator/NAME`',
  },
  C042: {
    title: 'the control plane failed',
    help: 'its log says more',
  },
};
