/** `weft simulate`: what would become of connections, by the simulator, the kernel, or both. */
import type { CaseResult } from '../../simulate/index.js';
import { columns } from '../columns.js';
import { type CommandSpec, type Input, type Result, textOption } from '../command-spec.js';
import { DECISION_OPTIONS } from '../decision-options.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';
import type { Difference, Run } from '../simulate-run.js';

/** Where a redirect leads, and what is changed in a request on its way. */
function effects({ location, edits }: CaseResult): string[] {
  return [...(location === null ? [] : [`location ${location}`]), ...edits];
}

function rows(results: readonly CaseResult[]): string {
  const cells = results.map((r) => [
    r.expected ? 'ok' : 'FAIL',
    r.id,
    r.status === null ? r.verdict : `${r.verdict} ${r.status}`,
    r.rule,
    r.cluster ?? '-',
    r.endpoint ?? '-',
  ]);
  const lines = columns(cells).split('\n');
  return results
    .map((r, i) =>
      [lines[i] ?? '', ...[...effects(r), ...r.differences].map((d) => `     ${d}`)].join('\n'),
    )
    .join('\n');
}

function summary(run: Run): string {
  const { passed, failed } = run.summary;
  const differ =
    run.engine === 'both' ? `, wasm and kernel differ in ${run.differences.length}` : '';
  return `${passed} passed, ${failed} failed${differ}`;
}

function differenceText(differences: readonly Difference[], scenario: string): string {
  if (differences.length === 0) return '';
  const lines = differences.map(
    (d) =>
      `${d.id}: ${d.fields.map((f) => `${f.name} wasm ${f.wasm}, kernel ${f.kernel}`).join('; ')}`,
  );
  return `\nthe engines differ:\n${lines.join('\n')}\n\nas a scenario to run again:\n${scenario}`;
}

function exitOf(run: Run, single: boolean): Result['exit'] {
  if (run.differences.length > 0 || run.summary.failed > 0) return EXIT.denied;
  return single && run.results.some((r) => r.verdict === 'deny') ? EXIT.denied : EXIT.ok;
}

/** One line of ndjson a case, as json would hold it in `results`. */
function ndjson(run: Run): string {
  return run.results.map((r) => JSON.stringify(r)).join('\n');
}

async function simulate(env: Env, input: Input): Promise<Result> {
  const [, file] = input.arguments;
  if (file !== undefined && textOption(input, 'to') === null) {
    const { formatOf } = await import('../traffic-input.js');
    const format = formatOf(env, file, textOption(input, 'format'));
    if (format !== 'scenario') {
      const { runTraffic } = await import('../traffic-run.js');
      return runTraffic(env, input, format);
    }
  }
  const { runSimulation } = await import('../simulate-run.js');
  const { run, single, diagnostics, sources } = await runSimulation(env, input);
  const { bundle, engine, results, differences, scenario } = run;
  const text =
    input.format === 'ndjson'
      ? ndjson(run)
      : `${rows(results)}\n${summary(run)}${differenceText(differences, scenario)}`;
  const compared = engine === 'both' ? { differences, scenario } : {};
  return {
    exit: exitOf(run, single),
    document: { bundle, engine, results, summary: run.summary, ...compared },
    text,
    diagnostics,
    sources,
  };
}

export const SIMULATE_COMMAND: CommandSpec = {
  name: 'simulate',
  summary: 'decide connections and requests without making them',
  description:
    'Runs a scenario, or one connection given with --from and --to. Exit code 2 where a case fails,\nwhere the one asked connection is denied, or where the two engines differ.\n\nOr decides recorded traffic of any length and counts what becomes of it: records (NDJSON), HAR,\nEnvoy access logs in JSON, captures (pcap, pcapng) of cleartext HTTP. What is damaged, or not known\nto the world, is told with its line; the rest is decided. Exit code 3 where a part of the file\ncannot be read.',
  example:
    '$ weft simulate shop shop/scenario.yaml\nok  ratings-from-reviews            allow  isolation.ts:10  ratings/v1  …\nok  ratings-from-another-namespace  deny   default          ratings/v1  …\n…\n3 passed, 0 failed\n\n$ weft simulate shop --from batch.dev --to ratings.prod:80\n\n$ weft simulate shop access.log\nallow  9120  policies/isolation.ts:10\ndeny   84    default\nto  9120  ratings/v1\n9204 records: 9120 allowed, 84 denied, 0 not decided; 0 faults of the file',
  arguments: [
    { syntax: '[BUNDLE]', description: 'a bundle file or a project folder (default: this folder)' },
    {
      syntax: '[INPUT]',
      description: 'a scenario, or a file of recorded traffic; `-` for traffic on stdin',
    },
  ],
  options: [
    {
      flags: '--format <NAME>',
      description: 'what the input is (default: by its beginning; stdin and pipes need it)',
      choices: ['scenario', 'records', 'har', 'envoy', 'pcap'],
    },
    {
      flags: '--seed <N>',
      description: 'traffic: of the draws that it does not have (default: 0)',
    },
    ...DECISION_OPTIONS,
    { flags: '--world <FILE>', description: 'the world (default: that of scenario or project)' },
    {
      flags: '--engine <NAME>',
      description: 'who decides (wasm: V8); kernel and both need root',
      choices: ['wasm', 'wasmtime', 'kernel', 'both'],
      default: 'wasm',
    },
    {
      flags: '--wasmtime <FILE>',
      description: 'libwasmtime (default: WEFT_WASMTIME, or that of the Python package wasmtime)',
    },
  ],
  formats: ['text', 'json', 'ndjson'],
  run: simulate,
};
