/** `weft control`: a control plane, and the small authority for those who have none. */
import { diagnostic, messageOf } from '../../../compiler/diagnostic/index.js';
import type { StatusPlace } from '../../status-page/index.js';
import { builtPage } from '../built-page.js';
import {
  type CommandSpec,
  type Input,
  listOption,
  type Result,
  textOption,
} from '../command-spec.js';
import { type Env, pathIn } from '../env.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';
import { usageFault } from '../usage-fault.js';

const DEFAULT_LISTEN = '0.0.0.0:7443';
const PLACE = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:]+)):(\d{1,5})$/;
const DEFAULT_STORE = 'file:/var/lib/weft/control';

function needed(input: Input, name: string): string {
  const text = textOption(input, name);
  if (text !== null) return text;
  throw usageFault(`\`--${name}\` is needed`, 'run `weft control --help`');
}

function placeOf(text: string, example: string): { host: string; port: number } {
  const [, six, four, port = ''] = PLACE.exec(text) ?? [];
  const host = six ?? four;
  if (host !== undefined && Number(port) <= 65535) return { host, port: Number(port) };
  const help = `for instance ${example}`;
  throw new CliError([diagnostic('U004', `\`${text}\` is not HOST:PORT`, { help })], EXIT.usage);
}

/** Where nodes and operators are served. Throws CliError: gRPC would take 443 where no port is said. */
function listenOf(input: Input): string {
  const text = textOption(input, 'listen') ?? DEFAULT_LISTEN;
  placeOf(text, DEFAULT_LISTEN);
  return text;
}

/** Where the page is served; null where it is not asked for. Throws CliError. */
function pageOf(input: Input): StatusPlace | null {
  const text = textOption(input, 'page');
  if (text === null) return null;
  return { folder: builtPage('status-page'), ...placeOf(text, '127.0.0.1:7444') };
}

/** A file of the store's, where it was given. */
function fileOption(env: Env, input: Input, as: string, name: string): Record<string, string> {
  const path = textOption(input, name);
  return path === null ? {} : { [as]: pathIn(env, path) };
}

async function serve(env: Env, input: Input): Promise<Result> {
  const page = pageOf(input);
  const listen = listenOf(input);
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => pathIn(env, needed(input, name))) as [
    string,
    string,
    string,
  ];
  const { watchKeys } = await import('../../spiffe/index.js');
  const { openStore } = await import('../../store/index.js');
  const { openControl } = await import('../../control/index.js');
  const { REAL_CLOCK } = await import('../../control/wire/index.js');
  const told = env.untilTold();
  const log = (level: string, message: string): void => {
    env.stderr.write(`${JSON.stringify({ time: env.now().toISOString(), level, message })}\n`);
  };
  const onFault = (error: unknown): void => log('warn', messageOf(error));
  const keys = watchKeys({ ca, cert, key }, { onFault });
  try {
    const store = await openStore(textOption(input, 'store') ?? DEFAULT_STORE, {
      ...fileOption(env, input, 'ca', 'storeCa'),
      ...fileOption(env, input, 'cert', 'storeCert'),
      ...fileOption(env, input, 'key', 'storeKey'),
    });
    try {
      const control = await openControl({
        ...{ store, keys, clock: REAL_CLOCK, onFault },
        listen,
        page,
        onLead: (leads) => log('info', leads ? 'drives rollouts' : 'drives rollouts no longer'),
      });
      log('info', `control plane ${control.name} listens on port ${control.port}`);
      if (control.page !== null) log('info', `page ${control.page}`);
      // A timer of its own: those of the server keep no program alive.
      const alive = setInterval(() => {}, 60_000);
      await new Promise<void>((resolve) => {
        if (told.aborted) resolve();
        told.addEventListener('abort', () => resolve(), { once: true });
      });
      clearInterval(alive);
      await control.close();
      log('info', 'ended');
      return {
        exit: EXIT.ok,
        document: { name: control.name, port: control.port, page: control.page },
      };
    } finally {
      await store.close();
    }
  } finally {
    keys.close();
  }
}

async function authority(env: Env, input: Input): Promise<Result> {
  const [, step, who] = input.arguments;
  const files = await import('../certificate-files.js');
  const now = env.now().getTime();
  const folder = pathIn(env, needed(input, 'out'));
  if (step === 'init') {
    const trustDomain = textOption(input, 'trustDomain');
    return files.initAuthority({ folder, trustDomain, days: textOption(input, 'days'), now });
  }
  if (step === 'issue' && who !== undefined) {
    return files.issueCertificate({
      ...{ folder, who, now, hosts: listOption(input, 'host') },
      authority: pathIn(env, needed(input, 'authority')),
      hours: textOption(input, 'hours'),
    });
  }
  const message = '`weft control ca` takes `init`, or `issue` and KIND/NAME';
  throw new CliError([diagnostic('U004', message)], EXIT.usage);
}

export const CONTROL_COMMAND: CommandSpec = {
  name: 'control',
  summary: 'serve nodes and operators: bundles out, reports and rollouts in',
  description:
    'Without a task it serves until SIGTERM or Ctrl-C: gRPC with certificates on both sides, nodes by\nthe discovery protocol xDS. Several may share one store; one of them drives the rollouts. The three\nfiles are read again when they are renewed; open streams go on.\n`ca init` makes an authority, `ca issue` a certificate for node/NAME, control/NAME or operator/NAME.',
  example:
    '$ weft control ca init --trust-domain example.org --out ca\n$ weft control ca issue control/one --authority ca --out one\n$ weft control --ca one/ca.pem --cert one/cert.pem --key one/key.pem',
  arguments: [
    { syntax: '[TASK]', description: 'what else than to serve', choices: ['ca'] },
    { syntax: '[STEP]', description: 'of `ca`', choices: ['init', 'issue'] },
    { syntax: '[WHO]', description: 'of `ca issue`: KIND/NAME' },
  ],
  options: [
    { flags: '--listen <HOST:PORT>', description: 'where to listen', default: DEFAULT_LISTEN },
    {
      flags: '--store <PLACE>',
      description: 'file:FOLDER, or etcd:URL,…',
      default: DEFAULT_STORE,
    },
    {
      flags: '--page <HOST:PORT>',
      description: 'serve a page of the cluster there, for reading, without asking who reads it',
    },
    { flags: '--store-ca <FILE>', description: 'certificates in PEM that vouch for etcd' },
    { flags: '--store-cert <FILE>', description: 'our certificate for etcd' },
    { flags: '--store-key <FILE>', description: 'the key of it' },
    { flags: '--ca <FILE>', description: 'certificates in PEM that vouch for nodes and operators' },
    { flags: '--cert <FILE>', description: 'its own: spiffe://DOMAIN/control/NAME' },
    { flags: '--key <FILE>', description: 'the key of it' },
    { flags: '--out <DIR>', description: 'of `ca`: where the files go' },
    { flags: '--trust-domain <NAME>', description: 'of `ca init`' },
    { flags: '--days <N>', description: 'of `ca init`: how long it holds (default: 3650)' },
    { flags: '--authority <DIR>', description: 'of `ca issue`: the folder that `ca init` wrote' },
    { flags: '--hours <N>', description: 'of `ca issue`: how long it holds (default: 24)' },
    {
      flags: '--host <NAME>',
      description: 'of `ca issue`: a name or address that the certificate has besides',
      repeat: true,
    },
  ],
  serves: true,
  formats: ['text', 'json'],
  run: (env, input) => (input.arguments[0] === 'ca' ? authority(env, input) : serve(env, input)),
};
