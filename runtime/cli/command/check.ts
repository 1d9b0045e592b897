/** `weft check`: every finding of a project, without writing anything. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrors } from '../../../compiler/diagnostic/index.js';
import type { CommandSpec } from '../command-spec.js';
import { EXIT } from '../exit.js';

export const CHECK_COMMAND: CommandSpec = {
  name: 'check',
  summary: 'find what is wrong with a project, down to the lowering',
  description:
    'Compiles everything and writes nothing. A scenario.yaml of the project is read too.',
  example:
    '$ weft check shop\nerror[TS2339]: …\n  --> shop/policies/isolation.ts:11:18\n…\n\n$ weft check shop -o json',
  arguments: [{ syntax: '[DIR]', description: 'the project (default: this folder)' }],
  options: [],
  formats: ['text', 'json'],
  findingsAreResults: true,
  async run(env, input) {
    const { compileFolder, findingsExit } = await import('../build-project.js');
    const shown = input.arguments[0] ?? '.';
    const { project, bundle, diagnostics } = await compileFolder(env, shown);
    const { folder, world, read, relocate, sources } = project;
    const found = [...diagnostics];
    if (world !== null && existsSync(join(folder, 'scenario.yaml'))) {
      const { readScenario } = await import('../../simulate/index.js');
      const scenario = readScenario(read('scenario.yaml') ?? '', 'scenario.yaml', world);
      found.push(...scenario.diagnostics.map(relocate));
    }
    const policies = project.config.policies.length;
    const sites = bundle?.manifest.sites.length ?? 0;
    const count = `${policies} ${policies === 1 ? 'policy' : 'policies'}`;
    const text = `${project.config.name}: ${count}, ${sites} sites`;
    return {
      exit: hasErrors(found) ? findingsExit(found) : EXIT.ok,
      document: { name: project.config.name },
      ...(hasErrors(found) ? {} : { text }),
      diagnostics: found,
      sources,
    };
  },
};
