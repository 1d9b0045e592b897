/** `weft init`: a project that builds and simulates green, with what an editor needs; it overwrites nothing. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import type { CommandSpec } from '../command-spec.js';
import { pathIn } from '../env.js';
import { EXIT } from '../exit.js';
import { writeFault } from '../file-fault.js';

export const INIT_COMMAND: CommandSpec = {
  name: 'init',
  summary: 'start a project: a policy, a world and a scenario that pass',
  example:
    '$ weft init shop\ncreated shop/weft.json\ncreated shop/policies/isolation.ts\ncreated shop/world.yaml\ncreated shop/scenario.yaml\ncreated shop/tsconfig.json\ncreated shop/.vscode/settings.json',
  arguments: [{ syntax: '[DIR]', description: 'where to (default: this folder)' }],
  options: [],
  formats: ['text', 'json'],
  async run(env, input) {
    const { projectTemplate } = await import('../project-template.js');
    const shown = input.arguments[0] ?? '.';
    const folder = pathIn(env, shown);
    const { editorFiles } = await import('../editor-files.js');
    const isThere = ([path]: readonly [string, string]): boolean => existsSync(join(folder, path));
    const own = Object.entries(projectTemplate(folder));
    const clash = own.filter(isThere);
    if (clash.length > 0) {
      return {
        exit: EXIT.failure,
        diagnostics: clash.map(([path]) =>
          diagnostic('U012', `\`${join(shown, path)}\` exists already`, {
            help: 'choose another folder; nothing was written',
          }),
        ),
      };
    }
    // An editor that is set up already stays so.
    const editor = Object.entries(editorFiles(folder)).filter((file) => !isThere(file));
    const files = [...own, ...editor];
    for (const [path, text] of files) {
      try {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text, { flag: 'wx' });
      } catch (error) {
        return { exit: EXIT.failure, diagnostics: [writeFault(join(shown, path), error)] };
      }
    }
    const created = files.map(([path]) => join(shown, path));
    return {
      exit: EXIT.ok,
      document: { created },
      text: created.map((path) => `created ${path}`).join('\n'),
    };
  },
};
