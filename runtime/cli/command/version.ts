/** `weft version`: nothing is loaded for it, so it answers at once. */
import { ABI_VERSION } from '../../../compiler/abi/index.js';
import type { CommandSpec } from '../command-spec.js';
import { EXIT } from '../exit.js';
import { VERSION } from '../version.js';

export const VERSION_COMMAND: CommandSpec = {
  name: 'version',
  summary: 'print the version of weft, its ABI and the platform',
  example: '$ weft version\nweft 0.1.0 (abi 1, linux)',
  arguments: [],
  options: [],
  formats: ['text', 'json'],
  async run(env) {
    return {
      exit: EXIT.ok,
      document: { version: VERSION, abiVersion: ABI_VERSION, platform: env.platform },
      text: `weft ${VERSION} (abi 1, ${env.platform})`,
    };
  },
};
