/** The options that say what one decision is about; `singleCase` reads them. */
import type { Input, OptionSpec } from './command-spec.js';
import { usageFault } from './usage-fault.js';

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
  { flags: '--random <DRAW>', description: 'one connection: the random draw, 0 to 1 or a u32' },
  { flags: '--now <TIME>', description: 'one connection: the time, ISO 8601 with zone' },
];

/** Those that nothing but one connection listens to; a HAR has a client. */
const SINGLE = ['to', 'family', 'request', 'header', 'random', 'now'];

/** Throws a usage fault where an option would be passed over, since a file says what is asked. */
export function refuseSingle(input: Input): void {
  const given = SINGLE.find((name) => input.options[name] !== undefined);
  const found = given ?? (input.options['protocol'] === 'udp' ? 'protocol' : null);
  if (found === null) return;
  throw usageFault(
    `\`--${found}\` is of one connection, given with \`--from\` and \`--to\``,
    'leave it out: the file says what is asked',
  );
}

/** Throws a usage fault where `--seed` would be passed over: it is of traffic. */
export function refuseSeed(input: Input): void {
  if (input.options['seed'] === undefined) return;
  throw usageFault(
    '`--seed` goes with recorded traffic',
    'a scenario has a `seed` of its own, one connection `--random`',
  );
}
