/** What `weft test` does: finds the tests of a project, runs them under V8, and asks others the same where told. */
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { compileTests } from '../../compiler/compile-tests.js';
import { type Diagnostic, diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/types.js';
import {
  type AskedAt,
  createInlineDecider,
  openSimulator,
  unseenRequests,
} from '../simulate/index.js';
import {
  type AskedOnce,
  type Coverage,
  coverageHtml,
  coverageLcov,
  type DecideNow,
  runAssemblyTests,
  runScenarioTests,
  type TestResult,
  type TestRun,
} from '../testing/index.js';
import { CODES } from './codes.js';
import { type Input, isCached, textOption } from './command-spec.js';
import { folderInput, inputDigest } from './digest.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { compareEngines } from './simulate-run.js';
import { openSubject, readText, type Subject, worldOf } from './subject.js';
import { findTests, openScenario } from './test-files.js';
import { isTestFile } from './test-names.js';
import type { FileRun, TestSession } from './test-session.js';
import { usageFault } from './usage-fault.js';
import type { Session } from './watch.js';
import { writeAtomic } from './write-atomic.js';

export interface TestsRun {
  readonly subject: Subject;
  readonly results: readonly TestResult[];
  /** Tests that a watched change did not touch, which passed or failed as before. */
  readonly unaffected: readonly TestResult[];
  /** Null where it was not asked for. */
  readonly coverage: Coverage | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: (file: string) => string | null;
}

/** Which tests `--run` asks for. Throws a usage fault. */
export function nameFilter(input: Input): (name: string) => boolean {
  const text = textOption(input, 'run');
  if (text === null) return () => true;
  try {
    const pattern = new RegExp(text, 'u');
    return (name) => pattern.test(name);
  } catch {
    throw usageFault(
      `\`${text}\` is no regular expression`,
      'escape what is meant literally by `\\`',
    );
  }
}

/** One decider a world: a scenario may name its own. `onPolicies` hears which policies a decision met. */
function decideIn(bundle: Bundle, onPolicies: (policies: bigint) => void): DecideNow {
  const deciders = new Map<World, ReturnType<typeof createInlineDecider>>();
  return (world, input) => {
    const decider = deciders.get(world) ?? createInlineDecider(bundle, world);
    deciders.set(world, decider);
    const flow = decider.decide(input);
    onPolicies(flow.policies | (flow.service?.policies ?? 0n));
    return decider.describe(flow);
  };
}

interface Setting {
  readonly env: Env;
  readonly shown: string;
  readonly world: World;
  /** What weft.json names, though `--world` may name another. */
  readonly projectWorld: World | null;
  readonly decide: DecideNow;
  readonly isWanted: (name: string) => boolean;
  readonly session: TestSession | null;
  readonly isCached: boolean;
  /** Hears of each file that the tests read, as the project names it. */
  readonly onRead: (path: string) => void;
}

/** A file as its project names it. */
function inProject({ env, shown }: Pick<Setting, 'env' | 'shown'>, file: string): string {
  return relative(pathIn(env, shown), pathIn(env, file));
}

async function runScenarioFile(file: string, setting: Setting): Promise<FileRun> {
  const { env, decide, isWanted, onRead } = setting;
  onRead(inProject(setting, file));
  const { projectWorld } = setting;
  const opened = await openScenario(
    env,
    file,
    async () => setting.world,
    (path) => (projectWorld?.file === inProject(setting, path) ? projectWorld : null),
  );
  const { scenario, world, diagnostics, worldFile } = opened;
  if (worldFile !== null) onRead(inProject(setting, worldFile));
  if (scenario === null) return { results: [], asked: [], diagnostics };
  return { ...runScenarioTests(scenario, world, decide, isWanted), diagnostics };
}

type CompiledTests = Awaited<ReturnType<typeof compileTests>>;

/** Compiles a file of tests (by its path in the project), or takes what was kept of it. */
async function compileFile(
  path: string,
  { env, shown, isCached }: Setting,
  heard: (path: string) => void,
): Promise<CompiledTests> {
  const { findKeptTests, keepTests } = await import('./kept-tests.js');
  const { program } = env;
  const folder = pathIn(env, shown);
  const kept = isCached ? findKeptTests(folder, path, program) : null;
  if (kept !== null) {
    kept.reads.forEach(heard);
    return { code: kept.code, diagnostics: [] };
  }
  const { compileTests } = await import('../../compiler/index.js');
  const { projectReader } = await import('./project.js');
  const { read, inputs } = projectReader(folder);
  const compiled = await compileTests(path, (asked) => {
    heard(asked);
    return read(asked);
  });
  const { code, diagnostics } = compiled;
  // Warnings must be seen again by whoever runs it again.
  if (isCached && code !== null && diagnostics.length === 0) {
    keepTests(folder, path, { program, inputs: Object.fromEntries(inputs), code });
  }
  return compiled;
}

async function runTestFile(file: string, setting: Setting): Promise<FileRun> {
  const { env, world, decide, isWanted, session, onRead } = setting;
  const path = inProject(setting, file);
  onRead(path);
  const compile = (heard: (path: string) => void): Promise<CompiledTests> =>
    compileFile(path, setting, heard);
  const compiled = session === null ? compile(onRead) : session.module(file, compile);
  const { code, diagnostics } = await compiled;
  const told = diagnostics.map((d) => (d.file === path ? { ...d, file } : d));
  if (code === null) return { results: [], asked: [], diagnostics: told };
  const { testModule } = await import('../../compiler/test-module.js');
  const module = testModule(code);
  const source = readText(env, file);
  const run = runAssemblyTests({ file: path, source, module, world, decide, isWanted });
  const results = run.results.map((result) => ({ ...result, file }));
  return { results, asked: run.asked, diagnostics: told };
}

/** What the tests of a file ask about requests that no node looks at. */
function unseen({ manifest }: Bundle, { results, asked }: TestRun): readonly Diagnostic[] {
  const byWorld = new Map<World, AskedAt[]>();
  for (const { world, input, result } of asked) {
    const { file, line } = results[result] ?? { file: '', line: 1 };
    const list = byWorld.get(world) ?? [];
    byWorld.set(world, list);
    list.push({ input, at: { file, line, column: 1 } });
  }
  return [...byWorld].flatMap(([world, list]) => unseenRequests(manifest, world, list));
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
  // Both read the compiler's IR, which no other run of tests has to load.
  const { Tracer } = await import('../explain/index.js');
  const { CoverageCounter } = await import('../testing/coverage.js');
  const tracer = new Tracer(bundle);
  const counter = new CoverageCounter(bundle.manifest, tracer.irs);
  for (const world of new Set(asked.map((one) => one.world))) {
    await using simulator = await openSimulator(bundle, {
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

/** The subject of a watched project: only policies that changed are compiled. */
async function watchedSubject(
  env: Env,
  shown: string,
  { session, tests }: Watched,
  inputs: Map<string, string | null>,
): Promise<Subject> {
  const { compileFolder, findingsExit } = await import('./build-project.js');
  const { bundleDigest } = await import('../../compiler/bundle/index.js');
  const { project, bundle, diagnostics } = await compileFolder(env, shown, session.cache);
  for (const [path, digest] of [...project.inputs, ...tests.inputs()]) inputs.set(path, digest);
  session.onInputs(inputs);
  if (bundle === null) throw new CliError(diagnostics, findingsExit(diagnostics), project.sources);
  const setting = ['weft.json', project.config.world ?? ''].map((path) => project.inputs.get(path));
  tests.begin(bundle, JSON.stringify(setting));
  const { world, sources } = project;
  return { bundle, digest: bundleDigest(bundle), diagnostics, world, sources };
}

/** Runs of a watched project. */
export interface Watched {
  readonly session: Session;
  readonly tests: TestSession;
}

/** Runs the asked tests; of a watched project those that a change may have touched. Throws CliError, and typed errors of the engines. */
export async function runTests(
  env: Env,
  input: Input,
  watched: Watched | null = null,
): Promise<TestsRun> {
  const [shown = '.', ...named] = input.arguments;
  const isWanted = nameFilter(input);
  const inputs = new Map<string, string | null>();
  const subject =
    watched === null
      ? await openSubject(env, shown, { isFresh: !isCached(input) })
      : await watchedSubject(env, shown, watched, inputs);
  const { bundle } = subject;
  const noteInput = (path: string): void => {
    inputs.set(path, inputDigest(pathIn(env, shown), path));
  };
  for (const file of named) {
    readText(env, file);
    if (file.endsWith('.ts') && !isTestFile(file)) {
      throw usageFault(`\`${file}\` is no file of tests`, 'name scenarios, or files *.test.ts');
    }
  }
  // A new file of tests is a change of its folder.
  const files =
    named.length > 0 ? named : findTests(env, shown, (folder) => noteInput(folderInput(folder)));
  const world = await worldOf(env, subject, textOption(input, 'world'));
  const out = textOption(input, 'coverageOut');
  const isCovered =
    input.options['coverage'] === true || out !== null || textOption(input, 'failUnder') !== null;
  const both = textOption(input, 'engine') === 'both';
  let policies = 0n;
  let reads: string[] = [];
  const setting: Setting = {
    ...{ env, shown, world, isWanted, projectWorld: subject.world },
    decide: decideIn(bundle, (met) => {
      policies |= met;
    }),
    session: watched?.tests ?? null,
    isCached: isCached(input),
    onRead: (path) => {
      reads.push(path);
      noteInput(path);
    },
  };
  const unaffected: TestResult[] = [];
  const results: TestResult[] = [];
  const asked: AskedOnce[] = [];
  const diagnostics: Diagnostic[] = [...subject.diagnostics];
  for (const file of files) {
    const kept = isCovered || both ? null : (watched?.tests.unaffected(file) ?? null);
    if (kept !== null) {
      // What is wrong still is said each time.
      unaffected.push(...kept.results.filter(({ isPassed }) => isPassed));
      results.push(...kept.results.filter(({ isPassed }) => !isPassed));
      diagnostics.push(...kept.diagnostics);
      continue;
    }
    [policies, reads] = [0n, []];
    const ran = await (isTestFile(file) ? runTestFile : runScenarioFile)(file, setting);
    const run = { ...ran, diagnostics: [...ran.diagnostics, ...unseen(bundle, ran)] };
    if (!hasErrors(run.diagnostics)) watched?.tests.keep(file, { run, reads, policies });
    asked.push(...run.asked.map((one) => ({ ...one, result: one.result + results.length })));
    results.push(...run.results);
    diagnostics.push(...run.diagnostics);
  }
  const sources = (file: string): string | null =>
    files.includes(file) ? readText(env, file) : subject.sources(file);
  if (hasErrors(diagnostics)) throw new CliError(diagnostics, EXIT.findings, sources);
  if (results.length === 0 && unaffected.length === 0) {
    const help = CODES['U016']?.help ?? null;
    throw new CliError([diagnostic('U016', 'no test ran', { help })], EXIT.denied);
  }
  const run = both ? await compareKernel(env, bundle, { results, asked }) : { results, asked };
  const coverage = isCovered ? await countCoverage(bundle, asked) : null;
  if (coverage !== null && out !== null) writeCoverage(env, out, bundle, coverage);
  return { subject, results: run.results, unaffected, coverage, diagnostics, sources };
}
