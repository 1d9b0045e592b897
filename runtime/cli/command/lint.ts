/** `weft lint`: what compiles and yet cannot be meant. */
import type { CommandSpec, Input, Result } from '../command-spec.js';
import { listOption, textOption } from '../command-spec.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';

async function lint(env: Env, input: Input): Promise<Result> {
  const { runLint } = await import('../lint-run.js');
  const yaml = listOption(input, 'yaml');
  const [shown = yaml.length === 0 ? '.' : null] = input.arguments;
  const { found, sources, suppressed, report } = await runLint(
    env,
    shown,
    yaml,
    textOption(input, 'world'),
  );
  const exit = found.length > 0 ? EXIT.findings : EXIT.ok;
  if (input.format === 'sarif') return { exit, text: report() };
  return {
    exit,
    document: {
      suppressed: suppressed.map(({ finding, reason }) => ({
        code: finding.code,
        file: finding.file,
        line: finding.line,
        reason,
      })),
      summary: { findings: found.length, suppressed: suppressed.length },
    },
    text: found.length === 0 ? `no findings, ${suppressed.length} suppressed` : '',
    diagnostics: found,
    sources,
  };
}

export const LINT_COMMAND: CommandSpec = {
  name: 'lint',
  summary: 'find rules that decide nothing, and YAML that meshes read differently',
  description:
    'Of policies: rules that nothing can meet, that stand behind others which decide all of it, that no workload of the\nworld meets, allows that a deny always beats, tables that nothing looks into. Of YAML given with --yaml: what meshes\nread differently, with a request on which they do.\n\nA comment `// weft-lint-ignore CODE: reason` on the line or before it takes a finding away (in YAML behind `#`).\nExit code 3 where anything is found.',
  example:
    '$ weft lint shop\nno findings, 0 suppressed\n\n$ weft lint next\nwarning F104: what this allows is always refused by policies/block.ts:3\n  --> next/policies/isolation.ts:10:53\n…\n\n$ weft lint --yaml policies.yaml -o sarif > lint.sarif',
  arguments: [
    { syntax: '[BUNDLE]', description: 'a bundle file or a project folder (default: this folder)' },
  ],
  options: [
    {
      flags: '--yaml <FILE>',
      description: 'AuthorizationPolicies: a file, a folder, or - (may be repeated)',
      repeat: true,
    },
    { flags: '--world <FILE>', description: 'the known workloads (default: those of the project)' },
  ],
  formats: ['text', 'json', 'sarif'],
  findingsAreResults: true,
  run: lint,
};
