/** `weft sign`: vouches for a bundle, by its digest. */
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import { type CommandSpec, type Input, REGISTRY_OPTIONS, textOption } from '../command-spec.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';
import { usageFault } from '../usage-fault.js';
import { PASSPHRASE } from './keygen.js';

const MS_A_SECOND = 1000;

function refuse(option: string, value: string, help: string): never {
  const message = `\`${value}\` is no value of \`--${option}\``;
  throw new CliError([diagnostic('U004', message, { help })], EXIT.usage);
}

function versionOf(input: Input, now: Date): number {
  const text = textOption(input, 'asVersion');
  if (text === null) return Math.floor(now.getTime() / MS_A_SECOND);
  const version = Number(text);
  if (/^\d{1,15}$/.test(text) && Number.isSafeInteger(version)) return version;
  return refuse('as-version', text, 'write a whole number; nodes take no lower one afterwards');
}

export const SIGN_COMMAND: CommandSpec = {
  name: 'sign',
  summary: 'sign a bundle, where it lies',
  description: `The signature covers the digest, the name, a version and the times, and is added to those that are there: of a file in FILE.sigstore.jsonl, elsewhere as an artifact that refers to the bundle. An encrypted key takes its passphrase from ${PASSPHRASE}.`,
  example:
    '$ weft sign shop.weft --key alice.key --as-version 7\nsigned shop.weft sha256:… as version 7 with key …',
  arguments: [
    { syntax: '<BUNDLE>', description: 'FILE, oci:DIR, oci-archive:FILE or HOST/REPOSITORY:TAG' },
  ],
  options: [
    { flags: '--key <FILE>', description: 'the private key in PEM', required: true },
    {
      flags: '--as-version <N>',
      description: 'nodes take no lower one afterwards (default: the time, in seconds)',
    },
    { flags: '--not-before <TIME>', description: 'from when the signature counts' },
    { flags: '--not-after <TIME>', description: 'until when the signature counts' },
    ...REGISTRY_OPTIONS,
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    const { accessOf, addSignatures, readSmall } = await import('../bundle-place.js');
    const { openPlaced } = await import('../open-bundle.js');
    const { keyId, readPrivateKey, readTime, signStatement } = await import('../../trust/index.js');
    const time = (name: 'notBefore' | 'notAfter', flag: string): Date | null => {
      const text = textOption(input, name);
      if (text === null) return null;
      return (
        readTime(text) ??
        refuse(flag, text, 'write a time of the calendar, as 2026-01-31T12:00:00Z')
      );
    };
    const [shown = ''] = input.arguments;
    const access = accessOf(env, input);
    const version = versionOf(input, env.now());
    const times = {
      notBefore: time('notBefore', 'not-before'),
      notAfter: time('notAfter', 'not-after'),
    };
    const { notBefore, notAfter } = times;
    if (notBefore !== null && notAfter !== null && notBefore > notAfter) {
      throw usageFault(
        '`--not-before` is later than `--not-after`: the signature would never count',
        'give the earlier time to `--not-before`',
      );
    }
    const pem = readSmall(env, textOption(input, 'key') ?? '').toString('utf8');
    const key = readPrivateKey(pem, env.env[PASSPHRASE] ?? null);
    const { subject, image, place } = await openPlaced(env, shown, access);
    const { name } = subject.bundle.manifest;
    const { digest } = image;
    const statement = { name, digest, version, signedAt: env.now(), ...times };
    const signatures = [signStatement(statement, key)];
    await addSignatures(env, place, { image, signatures, access });
    const id = keyId(key);
    return {
      exit: EXIT.ok,
      document: { bundle: digest, name, version, keyId: id },
      text: `signed ${shown} ${digest} as version ${version} with key ${id}`,
    };
  },
};
