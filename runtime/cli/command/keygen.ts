/** `weft keygen`: a key pair to sign bundles with. */
import { rmSync, writeFileSync } from 'node:fs';
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import { type CommandSpec, textOption } from '../command-spec.js';
import { type Env, pathIn } from '../env.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';
import { writeFault } from '../file-fault.js';

/** The variable that holds the passphrase of a private key; unset: the key is not encrypted. */
export const PASSPHRASE = 'WEFT_KEY_PASSPHRASE';

function isThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/** Keys are never overwritten: one that is lost signs nothing more. */
function writeNew(env: Env, file: string, text: string, mode: number): void {
  try {
    writeFileSync(pathIn(env, file), text, { flag: 'wx', mode });
  } catch (error) {
    const help = 'no key is overwritten: choose another `--out`, or move that file away';
    const fault = isThere(error)
      ? diagnostic('U012', `\`${file}\` exists already`, { help })
      : writeFault(file, error);
    throw new CliError([fault], EXIT.failure);
  }
}

/** The name of `--out`, with its folder. A name of nothing would give hidden files `.key` and `.pub`. */
function checkedName(name: string): string {
  if (!/(?:^|\/)\.{0,2}$/.test(name)) return name;
  const help = 'write a name, as `--out alice`';
  throw new CliError(
    [diagnostic('U004', `\`${name}\` of \`--out\` names no file`, { help })],
    EXIT.usage,
  );
}

/** An empty passphrase is most often a secret that is missing; a key that only looks protected is worse than an open one. */
function passphrase(env: Env): string | null {
  const given = env.env[PASSPHRASE] ?? null;
  if (given !== '') return given;
  const help = 'give it a passphrase, or unset it for a key that is not encrypted';
  throw new CliError([diagnostic('U004', `${PASSPHRASE} is empty`, { help })], EXIT.usage);
}

export const KEYGEN_COMMAND: CommandSpec = {
  name: 'keygen',
  summary: 'make a key pair to sign bundles with',
  description: `The private key is readable by you alone, and encrypted where ${PASSPHRASE} is set. Nothing is overwritten.`,
  example:
    '$ weft keygen --out alice\nwrote alice.key (private) and alice.pub, ed25519 key …\n\n$ weft sign shop.weft --key alice.key',
  arguments: [],
  options: [
    { flags: '--out <NAME>', description: 'NAME.key and NAME.pub are written', required: true },
    {
      flags: '--kind <KIND>',
      description: 'of key',
      choices: ['ed25519', 'ecdsa-p256', 'ecdsa-p384'],
      default: 'ed25519',
    },
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    const { generateKeys, KEY_KINDS } = await import('../../trust/index.js');
    const name = checkedName(textOption(input, 'out') ?? '');
    const kind = KEY_KINDS.find((k) => k === textOption(input, 'kind')) ?? 'ed25519';
    const { privatePem, publicPem, id } = generateKeys(kind, passphrase(env));
    writeNew(env, `${name}.key`, privatePem, 0o600);
    try {
      writeNew(env, `${name}.pub`, publicPem, 0o644);
    } catch (error) {
      // Half a pair would stand in the way of the next try.
      rmSync(pathIn(env, `${name}.key`), { force: true });
      throw error;
    }
    return {
      exit: EXIT.ok,
      document: { private: `${name}.key`, public: `${name}.pub`, kind, keyId: id },
      text: `wrote ${name}.key (private) and ${name}.pub, ${kind} key ${id}`,
    };
  },
};
