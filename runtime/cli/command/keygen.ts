/** `weft keygen`: a key pair to sign bundles with. */
import { writeFileSync } from 'node:fs';
import { type CommandSpec, textOption } from '../command-spec.js';
import { type Env, pathIn } from '../env.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';
import { writeFault } from '../file-fault.js';

/** The variable that holds the passphrase of a private key; unset: the key is not encrypted. */
export const PASSPHRASE = 'WEFT_KEY_PASSPHRASE';

/** Keys are never overwritten: one that is lost signs nothing more. */
function writeNew(env: Env, file: string, text: string, mode: number): void {
  try {
    writeFileSync(pathIn(env, file), text, { flag: 'wx', mode });
  } catch (error) {
    throw new CliError([writeFault(file, error)], EXIT.failure);
  }
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
    const name = textOption(input, 'out') ?? '';
    const kind = KEY_KINDS.find((k) => k === textOption(input, 'kind')) ?? 'ed25519';
    const { privatePem, publicPem, id } = generateKeys(kind, env.env[PASSPHRASE] ?? null);
    writeNew(env, `${name}.key`, privatePem, 0o600);
    writeNew(env, `${name}.pub`, publicPem, 0o644);
    return {
      exit: EXIT.ok,
      document: { private: `${name}.key`, public: `${name}.pub`, kind, keyId: id },
      text: `wrote ${name}.key (private) and ${name}.pub, ${kind} key ${id}`,
    };
  },
};
