/** How verbs reach a control plane: by options, or by the environment. */
import { diagnostic } from '../../compiler/diagnostic/index.js';
import type { Admin, AdminPlace } from '../rollout/index.js';
import { type Input, type OptionSpec, textOption } from './command-spec.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';

export const CONTROL_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--control <HOST:PORT,…>',
    description: 'the control planes, tried in turn (else WEFT_CONTROL)',
  },
  { flags: '--ca <FILE>', description: 'who vouches for control planes, in PEM (else WEFT_CA)' },
  { flags: '--cert <FILE>', description: "the operator's certificate (else WEFT_CERT)" },
  { flags: '--key <FILE>', description: 'its key (else WEFT_KEY)' },
];

const PLACE = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:,]+):\d{1,5}$/;

function usage(message: string, help: string): CliError {
  return new CliError([diagnostic('U004', message, { help })], EXIT.usage);
}

/** Where the control planes are; null where neither an option nor the environment says so. Throws CliError. */
export function controlOf(env: Env, input: Input): AdminPlace | null {
  const text = textOption(input, 'control') ?? env.env['WEFT_CONTROL'] ?? '';
  if (text === '') return null;
  const control = text.split(',');
  const bad = control.find((one) => !PLACE.test(one));
  if (bad !== undefined) throw usage(`\`${bad}\` is not HOST:PORT`, 'for instance 10.0.0.1:7443');
  const file = (option: 'ca' | 'cert' | 'key'): string => {
    const variable = `WEFT_${option.toUpperCase()}`;
    const found = textOption(input, option) ?? env.env[variable] ?? '';
    if (found !== '') return pathIn(env, found);
    const help = `\`weft control ca issue\` makes one; set it once in ${variable}`;
    throw usage(`a control plane is asked with \`--${option}\``, help);
  };
  return { control, ca: file('ca'), cert: file('cert'), key: file('key') };
}

/** As `controlOf`, for verbs that need one. */
export function neededControl(env: Env, input: Input): AdminPlace {
  const place = controlOf(env, input);
  if (place !== null) return place;
  throw usage('no control plane is named', 'give `--control HOST:PORT`, or set WEFT_CONTROL');
}

/** Does something with the control plane, and closes it. */
export async function withAdmin<T>(
  env: Env,
  place: AdminPlace,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = await env.openAdmin(place);
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}
