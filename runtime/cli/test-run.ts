/** What `weft test` does: finds the tests of a project, runs them under V8, and asks others the same where told. */
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/types.js';
import {
  createInlineDecider,
  createSimulator,
  readScenario,
  scenarioWorld,
} from '../simulate/index.js';
import {
  type AskedOnce,
  type Coverage,
  CoverageCounter,
  coverageHtml,
  coverageLcov,
  type DecideNow,
  runAssemblyTests,
  runScenarioTests,
  type TestResult,
  type TestRun,
} from '../testing/index.js';
import { CODES } from './codes.js';
import { type Input, textOption } from './command-spec.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { compareEngines, usage } from './simulate-run.js';
import { openSubject, openWorld, readText, type Subject, worldOf } from './subject.js';
import { writeAtomic } from './write-atomic.js';

export interface TestsRun {
  readonly subject: Subject;
  readonly results: readonly TestResult[];
  /** Null where it was not asked for. */
  readonly coverage: Coverage | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: (file: string) => string | null;
}

const isScenario = (name: string): boolean => /(^|\.)scenario\.ya?ml$/.test(name);
const isTestFile = (name: string): boolean => name.endsWith('.test.ts');

/** Tests below a folder, as the user would name them, in order. */
function discover(env: Env, shown: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(pathIn(env, folder), { withFileTypes: true })) {
      const { name } = entry;
      if (name.startsWith('.') || name === 'node_modules') continue;
      const path = folder === '.' ? name : join(folder, name);
      if (entry.isDirectory()) walk(path);
      else if (isScenario(name) || isTestFile(name)) found.push(path);
    }
  };
  walk(shown);
  return found.sort();
}

function nameFilter(input: Input): (name: string) => boolean {
  const text = textOption(input, 'run');
  if (text === null) return () => true;
  try {
    const pattern = new RegExp(text, 'u');
    return (name) => pattern.test(name);
  } catch {
    throw usage(`\`${text}\` is no regular expression`, 'escape what is meant literally by `\\`');
  }
}

/** One decider a world: a scenario may name its own. */
function decideIn(bundle: Bundle): DecideNow {
  const deciders = new Map<World, ReturnType<typeof createInlineDecider>>();
  return (world, input) => {
    const decider = deciders.get(world) ?? createInlineDecider(bundle, world);
    deciders.set(world, decider);
    return decider.describe(decider.decide(input));
  };
}

interface Setting {
  readonly env: Env;
  readonly shown: string;
  readonly world: World;
  readonly decide: DecideNow;
  readonly isWanted: (name: string) => boolean;
}

interface FileRun extends TestRun {
  readonly diagnostics: readonly Diagnostic[];
}

async function runScenarioFile(file: string, setting: Setting): Promise<FileRun> {
  const { env, decide, isWanted } = setting;
  const text = readText(env, file);
  const named = scenarioWorld(text, file);
  const world = named === null ? setting.world : await openWorld(env, join(dirname(file), named));
  const { scenario, diagnostics } = readScenario(text, file, world);
  if (scenario === null) return { results: [], asked: [], diagnostics };
  return { ...runScenarioTests(scenario, world, decide, isWanted), diagnostics };
}

async function runTestFile(file: string, setting: Setting): Promise<FileRun> {
  const { compileTests } = await import('../../compiler/index.js');
  const { env, shown, world, decide, isWanted } = setting;
  const inProject = relative(pathIn(env, shown), pathIn(env, file));
  const { openProject } = await import('./project.js');
  const { read } = openProject(env, shown);
  const { module, diagnostics } = await compileTests(inProject, read);
  const told = diagnostics.map((d) => (d.file === inProject ? { ...d, file } : d));
  if (module === null) return { results: [], asked: [], diagnostics: told };
  const source = read(inProject) ?? '';
  const run = runAssemblyTests({ file: inProject, source, module, world, decide, isWanted });
  const results = run.results.map((result) => ({ ...result, file }));
  return { results, asked: run.asked, diagnostics: told };
}

/** The kernel is asked the same; what it says differently fails the test. */
async function compareKernel(env: Env, bundle: Bundle, run: TestRun): Promise<TestRun> {
  const kernel = await env.openKernel();
  const { createKernelSimulator } = await import('../agent/kernel-simulator.js');
  const found = new Map<number, string[]>();
  for (const world of new Set(run.asked.map((asked) => asked.world))) {
    using simulator = createKernelSimulator(kernel, bundle, world);
    const own = run.asked.filter((asked) => asked.world === world);
    const outcomes = await simulator.simulateAll(own.map(({ input }) => input));
    for (const [index, { result, outcome }] of own.entries()) {
      const other = outcomes[index];
      const fields = other === undefined ? [] : compareEngines(outcome, other);
      const lines = fields.map((f) => `${f.name}: wasm ${f.wasm}, kernel ${f.kernel}`);
      if (lines.length > 0) found.set(result, [...(found.get(result) ?? []), ...lines]);
    }
  }
  const results = run.results.map((result, index) => {
    const details = found.get(index);
    return details === undefined
      ? result
      : { ...result, isPassed: false, details: [...result.details, ...details] };
  });
  return { ...run, results };
}

/** Runs everything that was asked once more, in the engine that tells what it does. */
async function countCoverage(bundle: Bundle, asked: readonly AskedOnce[]): Promise<Coverage> {
  const { Tracer } = await import('../explain/index.js');
  const tracer = new Tracer(bundle);
  const counter = new CoverageCounter(bundle.manifest, tracer.irs);
  for (const world of new Set(asked.map((one) => one.world))) {
    await using simulator = await createSimulator(bundle, {
      world,
      startEngine: tracer.startEngine,
    });
    for (const one of asked) {
      if (one.world !== world) continue;
      tracer.reset();
      await simulator.simulate(one.input);
      counter.add(tracer.questions);
    }
  }
  return counter.coverage();
}

function writeCoverage(env: Env, folder: string, { manifest }: Bundle, coverage: Coverage): void {
  const path = pathIn(env, folder);
  mkdirSync(path, { recursive: true });
  const text = (name: string, content: string): void => writeAtomic(join(path, name), content);
  text('lcov.info', `${coverageLcov(coverage)}\n`);
  text('coverage.json', `${JSON.stringify(coverage, null, 2)}\n`);
  text('index.html', coverageHtml(manifest.name, coverage, manifest.sources));
}

/** Runs the asked tests. Throws CliError, and typed errors of the engines. */
export async function runTests(env: Env, input: Input): Promise<TestsRun> {
  const [shown = '.', ...named] = input.arguments;
  const isWanted = nameFilter(input);
  const subject = await openSubject(env, shown);
  const { bundle } = subject;
  const files = named.length > 0 ? named : discover(env, shown);
  const world = await worldOf(env, subject, textOption(input, 'world'));
  const setting: Setting = { env, shown, world, decide: decideIn(bundle), isWanted };
  const results: TestResult[] = [];
  const asked: AskedOnce[] = [];
  const diagnostics: Diagnostic[] = [...subject.diagnostics];
  for (const file of files) {
    const run = await (isTestFile(file) ? runTestFile : runScenarioFile)(file, setting);
    asked.push(...run.asked.map((one) => ({ ...one, result: one.result + results.length })));
    results.push(...run.results);
    diagnostics.push(...run.diagnostics);
  }
  const sources = (file: string): string | null =>
    files.includes(file) ? readText(env, file) : subject.sources(file);
  if (hasErrors(diagnostics)) throw new CliError(diagnostics, EXIT.findings, sources);
  if (results.length === 0) {
    const help = CODES['U016']?.help ?? null;
    throw new CliError([diagnostic('U016', 'no test ran', { help })], EXIT.denied);
  }
  const both = textOption(input, 'engine') === 'both';
  const run = both ? await compareKernel(env, bundle, { results, asked }) : { results, asked };
  const out = textOption(input, 'coverageOut');
  const isCovered =
    input.options['coverage'] === true || out !== null || textOption(input, 'failUnder') !== null;
  const coverage = isCovered ? await countCoverage(bundle, asked) : null;
  if (coverage !== null && out !== null) writeCoverage(env, out, bundle, coverage);
  return { subject, results: run.results, coverage, diagnostics, sources };
}
