/** Diagnostic codes of an agent's link to its control plane. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  C030: {
    title: 'resource of the control plane cannot be read',
    help: 'the control plane and the agent are of versions that do not go together: upgrade the older one',
  },
};
