/** `weft top`: what decides most right now, on this node or in a cluster. */
import type { CommandSpec } from '../command-spec.js';
import { CONTROL_OPTIONS } from '../control-place.js';

const SORTS = ['rule', 'policy', 'node'] as const;

export const TOP_COMMAND: CommandSpec = {
  name: 'top',
  summary: 'show which rules decide most, by rate',
  description:
    'Reads the counters twice and shows verdicts a second by line, policy or node; on a terminal again and again\nuntil Ctrl-C. Of this node, or with --control of all nodes of a cluster, as often as they report.',
  example:
    '$ sudo weft top --count 1\n812/s  104233  policies/tenants.ts:14    allow\n3.0/s  97      policies/isolation.ts:9   deny',
  arguments: [],
  options: [
    { flags: '--by <WHAT>', description: 'rows', choices: [...SORTS], default: 'rule' },
    { flags: '--interval <FOR>', description: 'between two looks', default: '1s' },
    {
      flags: '--count <N>',
      description: 'end after N answers (default 1 where stdout is no terminal)',
    },
    ...CONTROL_OPTIONS,
  ],
  formats: ['text', 'json', 'ndjson'],
  async run(env, input) {
    const { topRun } = await import('../top-run.js');
    return topRun(env, input);
  },
};
