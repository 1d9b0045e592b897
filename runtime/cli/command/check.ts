/** `weft check`: every finding of a project, without writing anything. */
import { type Diagnostic, hasErrors } from '../../../compiler/diagnostic/index.js';
import type { CommandSpec, Input, Result } from '../command-spec.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';
import { answering, type Session, WATCH_OPTION } from '../watch.js';

function isSame(a: Diagnostic, b: Diagnostic): boolean {
  return a.code === b.code && a.message === b.message && a.file === b.file && a.line === b.line;
}

async function check(env: Env, input: Input, session: Session | null): Promise<Result> {
  const { compileFolder, findingsExit } = await import('../build-project.js');
  const shown = input.arguments[0] ?? '.';
  const { project, bundle, diagnostics } = await compileFolder(env, shown, session?.cache ?? null);
  const { world, read, relocate, sources } = project;
  let found = diagnostics;
  const text = world === null ? null : read('scenario.yaml');
  if (world !== null && text !== null) {
    const { readScenario } = await import('../../simulate/index.js');
    const scenario = readScenario(text, 'scenario.yaml', world);
    const own = scenario.diagnostics.map(relocate);
    // The build tells of the same file that its cases do not travel.
    const isTold = (d: Diagnostic): boolean => own.some((o) => isSame(o, d));
    found = [...diagnostics.filter((d) => !isTold(d)), ...own];
  }
  session?.onInputs(project.inputs);
  const policies = project.config.policies.length;
  const sites = bundle?.manifest.sites.length ?? 0;
  const count = `${policies} ${policies === 1 ? 'policy' : 'policies'}`;
  return {
    exit: hasErrors(found) ? findingsExit(found) : EXIT.ok,
    document: { name: project.config.name },
    ...(hasErrors(found) ? {} : { text: `${project.config.name}: ${count}, ${sites} sites` }),
    diagnostics: found,
    sources,
  };
}

export const CHECK_COMMAND: CommandSpec = {
  name: 'check',
  summary: 'find what is wrong with a project, down to the lowering',
  description:
    'Compiles everything and writes nothing. A scenario.yaml of the project is read too.\nWith --watch only what changed is compiled again.',
  example:
    '$ weft check shop\nshop: 1 policy, 3 sites\n\n$ weft check shop -o json\n\n$ weft check shop --watch',
  arguments: [{ syntax: '[DIR]', description: 'the project (default: this folder)' }],
  options: [WATCH_OPTION],
  formats: ['text', 'json', 'ndjson'],
  findingsAreResults: true,
  run: (env, input) =>
    answering(env, input, { answer: (session) => check(env, input, session), isAnswer: true }),
};
