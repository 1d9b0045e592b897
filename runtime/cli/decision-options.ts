/** The options that say what one decision is about; `singleCase` reads them. */
import type { OptionSpec } from './command-spec.js';

export const DECISION_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--from <SOURCE>',
    description: 'one connection: a workload or an address; HAR: the client',
  },
  {
    flags: '--to <PLACE>',
    description: 'one connection: workload:port, service:port or address:port',
  },
  {
    flags: '--protocol <NAME>',
    description: 'one connection: its protocol',
    choices: ['tcp', 'udp'],
    default: 'tcp',
  },
  { flags: '--family <N>', description: 'one connection: IP version', choices: ['4', '6'] },
  { flags: '--request <LINE>', description: "a request on that connection: 'METHOD PATH'" },
  {
    flags: '-H, --header <LINE>',
    description: "a header of the request: 'name: value'",
    repeat: true,
  },
  { flags: '--random <DRAW>', description: 'the random draw: 0 to 1, or a u32' },
  { flags: '--now <TIME>', description: 'the time of the decision, ISO 8601 with zone' },
];
