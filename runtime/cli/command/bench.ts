/** `weft bench`: what the cases of scenarios cost, and whether it has become more. */
import { type Diagnostic, diagnostic, hasErrors } from '../../../compiler/diagnostic/index.js';
import {
  type BenchDocument,
  type BenchedCase,
  type Change,
  compareBench,
  machineOf,
  readBaseline,
} from '../bench-baseline.js';
import { caseFacts, kernelTimer, WasmTimer } from '../bench-cases.js';
import { columns } from '../columns.js';
import { type CommandSpec, type Input, type Result, textOption } from '../command-spec.js';
import { type Env, pathIn } from '../env.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';
import { readFault } from '../file-fault.js';
import { usage } from '../simulate-run.js';
import { openSubject, readText, type Subject, worldOf } from '../subject.js';
import { findTests, isScenario, openScenario } from '../test-files.js';
import { writeAtomic } from '../write-atomic.js';

/** Samples of a case are taken for so long. */
const DEFAULT_MS = '100';
const DEFAULT_PERCENT = '10';
/** Changes that are shown as text. */
const SHOWN = 20;

function numberOption(input: Input, name: string, fallback: string): number {
  const text = textOption(input, name) ?? fallback;
  if (/^\d{1,6}(\.\d+)?$/.test(text)) return Number(text);
  throw usage(`\`${text}\` is no number`, 'write a number that is not negative');
}

async function benchFile(
  env: Env,
  subject: Subject,
  file: string,
  input: Input,
): Promise<readonly BenchedCase[]> {
  const ms = numberOption(input, 'time', DEFAULT_MS);
  const { scenario, world, diagnostics, text } = await openScenario(env, file, () =>
    worldOf(env, subject, textOption(input, 'world')),
  );
  if (scenario === null || hasErrors(diagnostics)) {
    throw new CliError(diagnostics, EXIT.findings, (f) => (f === file ? text : null));
  }
  const { bundle } = subject;
  const facts = await caseFacts(bundle, world, scenario.cases);
  const inKernel = textOption(input, 'engine') === 'kernel';
  using timer = inKernel ? await kernelTimer(await env.openKernel(), bundle, world) : null;
  const wasm = new WasmTimer(bundle, world);
  const found: BenchedCase[] = [];
  for (const [i, one] of scenario.cases.entries()) {
    const fact = facts[i];
    if (fact === undefined || env.signal.aborted) break;
    const times = timer === null ? wasm.time(one, ms) : await timer.time(one, ms);
    found.push({ id: one.id, file, ...fact, ...times });
  }
  return found;
}

function baselineOf(env: Env, input: Input): BenchDocument | null {
  const shown = textOption(input, 'baseline');
  if (shown === null) return null;
  const baseline = readBaseline(readText(env, shown));
  if (baseline !== null) return baseline;
  const help = 'write one with `weft bench --save FILE`';
  throw new CliError(
    [
      diagnostic('U026', `\`${shown}\` is no baseline`, {
        help,
        at: { file: shown, line: 1, column: 1 },
      }),
    ],
    EXIT.findings,
  );
}

function save(env: Env, shown: string, document: BenchDocument): void {
  try {
    writeAtomic(pathIn(env, shown), `${JSON.stringify(document, null, 2)}\n`);
  } catch (error) {
    throw new CliError([readFault(shown, error)], EXIT.failure);
  }
}

function report({ policies, cases }: BenchDocument, changes: readonly Change[]): string {
  const cost = columns([
    ['function', 'instructions', 'at worst', 'look-ups'],
    ...policies.map((p) =>
      [p.name, p.instructions, p.worstInstructions ?? 'loops', p.lookups].map(String),
    ),
  ]);
  const table = columns([
    ['case', 'p50 ns', 'p99 ns', 'steps', 'look-ups', 'fuel', 'verdict'],
    ...cases.map((c) => [c.id, c.p50, c.p99, c.steps, c.lookups, c.fuel, c.verdict].map(String)),
  ]);
  const moved = changes.filter(({ percent }) => percent !== 0).slice(0, SHOWN);
  const lines = moved.map((c) => [
    c.isRegression ? 'worse' : '',
    c.of,
    c.metric,
    `${c.before} -> ${c.now}`,
    `${c.percent > 0 ? '+' : ''}${c.percent} %`,
  ]);
  return [cost, table, ...(lines.length === 0 ? [] : [columns(lines)])].join('\n\n');
}

async function runBench(env: Env, input: Input): Promise<Result> {
  const most = numberOption(input, 'maxRegression', DEFAULT_PERCENT);
  const baseline = baselineOf(env, input);
  const [shown = '.', ...named] = input.arguments;
  const subject = await openSubject(env, shown);
  const files = named.length > 0 ? named : findTests(env, shown).filter(isScenario);
  const cases: BenchedCase[] = [];
  for (const file of files) cases.push(...(await benchFile(env, subject, file, input)));
  if (cases.length === 0) throw usage('there is no case to measure', 'write a scenario.yaml');
  const policies = subject.bundle.manifest.cost.functions.map(
    ({ name, instructions, worstInstructions, lookups }) => ({
      ...{ name, instructions, worstInstructions, lookups },
    }),
  );
  const engine = textOption(input, 'engine') ?? 'wasm';
  const document: BenchDocument = { machine: machineOf(), engine, policies, cases };
  const changes = baseline === null ? [] : compareBench(baseline, document, most);
  const out = textOption(input, 'save');
  if (out !== null) save(env, out, document);
  const diagnostics: Diagnostic[] = [...subject.diagnostics];
  const isElsewhere =
    baseline !== null &&
    (baseline.machine.fingerprint !== document.machine.fingerprint || baseline.engine !== engine);
  if (isElsewhere) {
    const message = 'the baseline is of another machine or engine: times are not compared';
    const help = 'save one on this machine with `--save`';
    diagnostics.push(diagnostic('U027', message, { help, severity: 'warning' }));
  }
  const worse = changes.filter((change) => change.isRegression);
  const exit = worse.length > 0 ? EXIT.differences : isElsewhere ? EXIT.unsupported : EXIT.ok;
  return {
    exit,
    document: {
      bundle: subject.digest,
      ...document,
      ...(baseline === null ? {} : { changes, regressions: worse.length }),
    },
    text: report(document, changes),
    diagnostics,
    sources: subject.sources,
  };
}

export const BENCH_COMMAND: CommandSpec = {
  name: 'bench',
  summary: 'measure what decisions cost, and compare with a baseline',
  description:
    'Decides each case of scenario files over and over: ns a decision (the median of many samples, and what a hundredth\nof them exceeds), the values that its policies compute, the look-ups that they make; of each function its\ninstructions in the kernel. Under V8 a decision is the whole way of a record; `--engine kernel` (root) times\nthe policies alone by test-runs. Exit code 5 where something has become worse than the baseline by more than\n`--max-regression`, 4 where the baseline is of another machine, whose times are not compared.',
  example:
    '$ weft bench shop --save base.json\nfunction                    instructions  at worst  look-ups\nisolation.authorizeConnection  21            19        0\n\ncase                  p50 ns  p99 ns  steps  look-ups  fuel  verdict\nratings-from-reviews  96.1    141.4   14     0         1     allow\n\n$ weft bench shop --baseline base.json --max-regression 20',
  arguments: [
    {
      syntax: '[BUNDLE]',
      description: 'a project folder, or a bundle file (default: this folder)',
    },
    { syntax: '[FILE...]', description: 'scenario files (default: those of the project)' },
  ],
  options: [
    { flags: '--save <FILE>', description: 'write what was measured as a baseline' },
    { flags: '--baseline <FILE>', description: 'compare with a baseline' },
    {
      flags: '--max-regression <PERCENT>',
      description: 'how much worse is still well',
      default: DEFAULT_PERCENT,
    },
    { flags: '--time <MS>', description: 'how long each case is measured', default: DEFAULT_MS },
    { flags: '--world <FILE>', description: 'the world (default: that of the project)' },
    {
      flags: '--engine <NAME>',
      description: 'what decides; kernel needs root',
      choices: ['wasm', 'kernel'],
      default: 'wasm',
    },
  ],
  formats: ['text', 'json'],
  run: runBench,
};
