/** The options of the agent: one table, read here for `weft-agent` and shown by `weft agent --help` too. */
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';

export interface AgentOption {
  /** As commander reads them: `--bundle <FILE>`. */
  readonly flags: string;
  readonly description: string;
  readonly repeat?: boolean;
}

export const AGENT_OPTIONS: readonly AgentOption[] = [
  {
    flags: '--bundle <BUNDLE>',
    description:
      'a file as written by `weft build`, oci:DIR, oci-archive:FILE or a registry reference (default: the last one that ran on this node, from /var/lib/weft)',
  },
  { flags: '--world <FILE>', description: 'services, endpoints and workloads' },
  {
    flags: '--kubernetes <WHERE>',
    description:
      'instead of a world: follow the cluster that this node is of, `in-cluster` as the account of this pod, or by a kubeconfig file',
  },
  {
    flags: '--node <NAME>',
    description: 'this node, as the cluster names it (default: the name of this host)',
  },
  {
    flags: '--trust-domain <DOMAIN>',
    description: 'of the identities of pods (default: cluster.local)',
  },
  {
    flags: '--trust <FILE>',
    description:
      'the trust policy that must accept the signatures in FILE.sigstore.jsonl of the bundle (default: /etc/weft/trust.json, where it exists)',
  },
  {
    flags: '--enrol <WHICH>',
    description: "`all`: enrol the world's workloads whose cgroups exist here",
  },
  {
    flags: '--short-circuit',
    description: 'requests and replies between workloads of this node go past TCP',
  },
  {
    flags: '--keep <N>',
    description: 'generations that stay loaded for `weft rollback`, 1 to 7 (default: 2)',
  },
  {
    flags: '--every-request',
    description: 'print requests that merely pass too: it costs each of them microseconds',
  },
  { flags: '--quiet', description: 'print no verdicts: who wants them asks the local API' },
  {
    flags: '--socket <PATH>',
    description: 'of the local API (default: /run/weft/agent.sock)',
  },
  { flags: '--log <FORM>', description: 'what it says of itself on stderr: json or text' },
  {
    flags: '--control <HOST:PORT,…>',
    description: 'control planes that bring bundles; without them the node runs on as it is',
  },
  { flags: '--ca <FILE>', description: 'certificates in PEM that vouch for control planes' },
  { flags: '--cert <FILE>', description: 'certificate of this node: spiffe://DOMAIN/node/NAME' },
  { flags: '--key <FILE>', description: 'its key; all three files are read again when renewed' },
  {
    flags: '--label <KEY=VALUE>',
    description: 'a label that rollouts select nodes by',
    repeat: true,
  },
  { flags: '--unload-on-exit', description: 'remove everything from the kernel at the end' },
];

/** Where control planes are, and who this node is to them. */
export interface ControlPlace {
  readonly control: readonly string[];
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The cluster that this node is of. */
export interface KubernetesPlace {
  /** `in-cluster`, or a kubeconfig file. */
  readonly server: string;
  readonly node: string;
  readonly trustDomain: string;
}

export interface AgentOptions {
  /** Null: the last good one. */
  readonly bundle: string | null;
  /** The file; null: that of the cluster. */
  readonly world: string | null;
  /** Null: the world is a file. */
  readonly kubernetes: KubernetesPlace | null;
  readonly trust: string | null;
  readonly enrol: boolean;
  readonly unloadOnExit: boolean;
  readonly shortCircuit: boolean;
  /** Null: as many as usual. */
  readonly keep: number | null;
  readonly everyRequest: boolean;
  readonly quiet: boolean;
  readonly socket: string | null;
  readonly log: 'json' | 'text';
  /** Null: nobody brings bundles. */
  readonly control: ControlPlace | null;
}

export type ReadOptions =
  | { readonly ok: true; readonly options: AgentOptions }
  | { readonly ok: false; readonly message: string };

/** Values by name, as parseArgs or commander give them. */
export type OptionValues = Readonly<Record<string, unknown>>;

function nameOf({ flags }: AgentOption): string {
  return (flags.split(' ')[0] ?? '').slice('--'.length);
}

function takesValue({ flags }: AgentOption): boolean {
  return flags.includes('<');
}

/** Splits a command line. Throws the TypeError of parseArgs where it is none of these options. */
export function splitArgs(args: readonly string[]): OptionValues {
  const known = AGENT_OPTIONS.map((option) => [
    nameOf(option),
    {
      type: takesValue(option) ? ('string' as const) : ('boolean' as const),
      multiple: option.repeat === true,
    },
  ]);
  const options = { ...Object.fromEntries(known), help: { type: 'boolean' as const } };
  return parseArgs({ args: [...args], options }).values;
}

/** Reads where control planes are; a text says what is missing. */
function readControl(values: OptionValues): ControlPlace | null | string {
  const { control, ca, cert, key, label } = values;
  if (typeof control !== 'string') return null;
  if (typeof ca !== 'string' || typeof cert !== 'string' || typeof key !== 'string')
    return '`--control` needs `--ca`, `--cert` and `--key`';
  const pairs = (Array.isArray(label) ? label.map(String) : []).map((text) => text.split('='));
  if (pairs.some(({ length }) => length !== 2)) return 'a label is KEY=VALUE';
  return { control: control.split(','), ca, cert, key, labels: Object.fromEntries(pairs) };
}

type WorldPlace = Pick<AgentOptions, 'world' | 'kubernetes'>;

/** Reads where the world is from; a text says what is missing. */
function readWorldPlace(text: (name: string) => string | null): WorldPlace | string {
  const [world, server] = [text('world'), text('kubernetes')];
  if (server === null)
    return world === null ? '`--world` or `--kubernetes` is needed' : { world, kubernetes: null };
  if (world !== null) return '`--world` and `--kubernetes` exclude each other';
  const trustDomain = text('trust-domain') ?? 'cluster.local';
  return { world, kubernetes: { server, node: text('node') ?? hostname(), trustDomain } };
}

/** Reads the values. */
export function readAgentOptions(values: OptionValues): ReadOptions {
  const text = (name: string): string | null => {
    const value = values[name];
    return typeof value === 'string' ? value : null;
  };
  const flag = (name: string): boolean => values[name] === true;
  const [bundle, whom] = [text('bundle'), text('enrol')];
  const place = readWorldPlace(text);
  const log = text('log') ?? 'json';
  if (typeof place === 'string') return { ok: false, message: place };
  if (whom !== null && whom !== 'all') return { ok: false, message: `\`${whom}\` is not \`all\`` };
  if (log !== 'json' && log !== 'text')
    return { ok: false, message: `\`${log}\` is neither \`json\` nor \`text\`` };
  const keep = text('keep');
  if (keep !== null && !/^[1-7]$/.test(keep))
    return { ok: false, message: `\`${keep}\` generations cannot be kept: 1 to 7` };
  const control = readControl(values);
  if (typeof control === 'string') return { ok: false, message: control };
  const options: AgentOptions = {
    ...place,
    ...{ bundle, log, control, enrol: whom === 'all' },
    trust: text('trust'),
    keep: keep === null ? null : Number(keep),
    socket: text('socket'),
    unloadOnExit: flag('unload-on-exit'),
    shortCircuit: flag('short-circuit'),
    everyRequest: flag('every-request'),
    quiet: flag('quiet'),
  };
  return { ok: true, options };
}

const WIDTH = 80;
const COLUMN = 20;

/** Words of a description in lines that begin at the column. */
function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && COLUMN + last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join(`\n${' '.repeat(COLUMN)}`);
}

/** A line or more for each option. */
export function optionLines(): string {
  return AGENT_OPTIONS.map(({ flags, description }) => {
    const shown = `  ${flags.replace(/[<>]/g, '')}`;
    return `${shown.padEnd(COLUMN)}${wrapped(description)}\n`;
  }).join('');
}

export const AGENT_DESCRIPTION = `Loads a bundle into the kernel of this node, activates it, and prints each
verdict as one line of JSON until SIGTERM or SIGINT: of each connection, and of
each request that was refused, answered or marked. What is loaded stays in force
when the agent ends; a bundle that runs already is not loaded again.

Its local API is HTTP over a unix socket: GET /v1/status, /v1/health, /v1/ready,
/v1/rules, /v1/metrics (Prometheus), /v1/events (a line of JSON each; verdict=,
workload=, rule=, hook=, limit=, passing=true); POST /v1/drain, /v1/rollback.
SIGHUP starts a successor from the files as they are now and hands over to it.
Root and members of the group \`weft\` read, root changes.`;

export const AGENT_EXAMPLE = `$ weft-agent --bundle shop.weft --world world.yaml --enrol all
{"time":"2026-01-02T03:04:05.123Z","hook":"connect4","verdict":"deny",…}`;
