/** What `weft bench` does: measures the cases of scenarios, and compares them with a baseline. */
import { type Diagnostic, diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import {
  type BenchDocument,
  type BenchedCase,
  type Change,
  compareBench,
  machineOf,
  readBaseline,
} from './bench-baseline.js';
import { caseFacts, kernelTimer, WasmTimer } from './bench-cases.js';
import { columns } from './columns.js';
import { type Input, type Result, textOption } from './command-spec.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { writeFault } from './file-fault.js';
import { openSubject, readText, type Subject, worldOf } from './subject.js';
import { findTests, openScenario } from './test-files.js';
import { isScenario } from './test-names.js';
import { usageFault } from './usage-fault.js';
import { writeAtomic } from './write-atomic.js';

/** Changes that are shown as text. */
const SHOWN = 20;

function numberOption(input: Input, name: string): number {
  const text = textOption(input, name) ?? '';
  if (/^\d{1,6}(\.\d+)?$/.test(text)) return Number(text);
  throw usageFault(`\`${text}\` is no number`, 'write a number that is not negative');
}

async function benchFile(
  env: Env,
  subject: Subject,
  file: string,
  input: Input,
): Promise<readonly BenchedCase[]> {
  const ms = numberOption(input, 'time');
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
    throw new CliError([writeFault(shown, error)], EXIT.failure);
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

/** Measures, and says what has become worse. Throws CliError. */
export async function runBench(env: Env, input: Input): Promise<Result> {
  const most = numberOption(input, 'maxRegression');
  const baseline = baselineOf(env, input);
  const [shown = '.', ...named] = input.arguments;
  const subject = await openSubject(env, shown);
  const files = named.length > 0 ? named : findTests(env, shown).filter(isScenario);
  const cases: BenchedCase[] = [];
  for (const file of files) cases.push(...(await benchFile(env, subject, file, input)));
  if (cases.length === 0) throw usageFault('there is no case to measure', 'write a scenario.yaml');
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
