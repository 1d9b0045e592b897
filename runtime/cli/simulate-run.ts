/**
 * What `weft simulate` does: finds bundle, world and cases, asks one engine or both, and compares.
 * Differences between engines come with a scenario that shows them again.
 */
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { type Diagnostic, diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/types.js';
import {
  type ConnectText,
  caseDraws,
  createSimulator,
  DEFAULT_NOW,
  type Outcome,
  parseDraw,
  parseTime,
  type RequestCase,
  readScenarioForm,
  requestText,
  resolveConnect,
  runScenario,
  type ScenarioCase,
  type ScenarioResult,
  unseenRequests,
} from '../simulate/index.js';
import { findWasmtime } from '../wasmtime/index.js';
import { type Input, listOption, textOption } from './command-spec.js';
import { refuseSeed, refuseSingle } from './decision-options.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { openSubject, openWorld, readText, type Subject, worldOf } from './subject.js';
import { usageFault } from './usage-fault.js';

export interface Difference {
  readonly id: string;
  readonly fields: readonly {
    readonly name: string;
    readonly wasm: string;
    readonly kernel: string;
  }[];
}

export const ENGINES = ['wasm', 'wasmtime', 'kernel', 'both'] as const;
export type EngineName = (typeof ENGINES)[number];

export interface Run extends ScenarioResult {
  readonly bundle: string;
  readonly engine: EngineName;
  readonly differences: readonly Difference[];
  /** The differing cases as scenario.yaml; empty where there are none. */
  readonly scenario: string;
}

export interface Simulation {
  readonly run: Run;
  /** One connection was asked, not a scenario. */
  readonly single: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: (file: string) => string | null;
}

export interface Cases {
  readonly world: World;
  readonly worldFile: string | null;
  readonly cases: readonly ScenarioCase[];
  /** The scenario and its text; null where the command line asks. */
  readonly file: string | null;
  readonly text: string | null;
}

async function scenarioCases(
  env: Env,
  subject: Subject,
  file: string,
  input: Input,
): Promise<Cases> {
  const text = readText(env, file);
  // Its form first: a document with errors names no world.
  const form = readScenarioForm(text, file);
  const sources = (asked: string): string | null => (asked === file ? text : null);
  if (hasErrors(form.diagnostics)) throw new CliError(form.diagnostics, EXIT.findings, sources);
  const named = form.world === null ? null : join(dirname(file), form.world);
  const given = textOption(input, 'world') ?? named;
  const world = given === null ? await worldOf(env, subject, null) : await openWorld(env, given);
  const { scenario, diagnostics } = form.readIn(world);
  if (scenario === null) throw new CliError(diagnostics, EXIT.findings, sources);
  return { world, worldFile: given, cases: scenario.cases, file, text };
}

/** `--request 'GET /x'` with its `-H` headers. */
function requestOption(input: Input, connect: ConnectText): RequestCase | null {
  const line = textOption(input, 'request');
  const lines = listOption(input, 'header');
  if (line === null) {
    if (lines.length === 0) return null;
    throw usageFault('`--header` goes with `--request`');
  }
  const [method = '', path = '', rest] = line.trim().split(/ +/);
  if (path === '' || rest !== undefined) {
    throw usageFault(`\`${line}\` is not a request`, "write method and path, as 'GET /x'");
  }
  const headers = lines.map((text): [string, string] => {
    const at = text.indexOf(':');
    if (at < 1) throw usageFault(`\`${text}\` is not a header`, "write 'name: value'");
    return [text.slice(0, at), text.slice(at + 1).trim()];
  });
  const twice = headers.find(([name], i) => headers.findIndex((h) => h[0] === name) !== i);
  if (twice !== undefined) {
    const help = 'write one of the names in another case: both are sent, as a scenario sends them';
    throw usageFault(`the header \`${twice[0]}\` is given twice`, help);
  }
  return { ...connect, method, path, headers: Object.fromEntries(headers) };
}

async function singleCase(env: Env, subject: Subject, input: Input): Promise<Cases> {
  const worldFile = textOption(input, 'world');
  const world = await worldOf(env, subject, worldFile);
  const from = textOption(input, 'from');
  const to = textOption(input, 'to');
  if (from === null || to === null)
    throw usageFault('one connection needs both `--from` and `--to`');
  const family = textOption(input, 'family');
  const connect: ConnectText = {
    from,
    to,
    protocol: textOption(input, 'protocol') === 'udp' ? 'udp' : 'tcp',
    ...(family === null ? {} : { family: family === '6' ? 6 : 4 }),
  };
  const resolved = resolveConnect(world, connect);
  if (!resolved.ok) {
    const { code, message, help } = resolved.fault;
    throw new CliError([diagnostic(code, message, { help })], EXIT.findings);
  }
  const drawn = caseDraws(0, 0);
  const asked = textOption(input, 'random');
  const random =
    asked === null ? drawn.random : parseDraw(asked.trim() === '' ? Number.NaN : Number(asked));
  if (random === null) throw usageFault(`\`${asked}\` is not a draw`, 'write 0 to 1, or a u32');
  const time = textOption(input, 'now');
  const now = time === null ? DEFAULT_NOW : parseTime(time);
  if (now === null) throw usageFault(`\`${time}\` is not a time with a zone`);
  const facts = { random, pick: drawn.pick, now };
  const request = requestOption(input, connect);
  const single = {
    id:
      request === null ? `${from} -> ${to}` : `${from} -> ${to} ${request.method} ${request.path}`,
    connect,
    ...(request === null ? {} : { request }),
    input: {
      ...resolved.ends,
      ...facts,
      ...(request === null ? {} : { request: requestText(request) }),
    },
    expect: {},
    at: null,
  };
  return { world, worldFile, cases: [single], file: null, text: null };
}

const COMPARED = [
  'verdict',
  'cluster',
  'endpoint',
  'rule',
  'site',
  'reason',
  'service',
  'route',
  'policy',
  'side',
  'audit',
  'shadow',
  'status',
  'edits',
  'location',
  'routeKind',
] as const satisfies readonly (keyof Outcome)[];

/** What two engines say differently of one decision. */
export function compareEngines(wasm: Outcome, kernel: Outcome): Difference['fields'] {
  return COMPARED.flatMap((name) => {
    const pair = { wasm: JSON.stringify(wasm[name]), kernel: JSON.stringify(kernel[name]) };
    return pair.wasm === pair.kernel ? [] : [{ name, ...pair }];
  });
}

function asScenario(cases: readonly ScenarioCase[], world: string | null): string {
  return stringify({
    ...(world === null ? {} : { world }),
    cases: cases.map(({ id, connect, request, input, expect }) => ({
      id,
      ...(request === undefined ? { connect } : { request }),
      random: input.random,
      pick: input.pick,
      now: new Date(Number(input.now / 1_000_000n)).toISOString(),
      ...(input.healthy === undefined ? {} : { healthy: input.healthy }),
      ...(Object.keys(expect).length === 0 ? {} : { expect }),
    })),
  });
}

/** The simulator, under V8 unless a file of libwasmtime is given. */
async function byWasm(
  subject: Subject,
  { world, cases }: Cases,
  wasmtime: string | null,
): Promise<ScenarioResult> {
  await using simulator = await createSimulator(subject.bundle, { world, wasmtime });
  return runScenario(simulator, { file: '', world: null, seed: 0, cases });
}

async function byKernel(
  env: Env,
  subject: Subject,
  { world, cases }: Cases,
): Promise<ScenarioResult> {
  const kernel = await env.openKernel();
  const { createKernelSimulator } = await import('../agent/kernel-simulator.js');
  using simulator = createKernelSimulator(kernel, subject.bundle, world);
  return await runScenario(simulator, { file: '', world: null, seed: 0, cases });
}

function differencesOf(wasm: ScenarioResult, kernel: ScenarioResult): readonly Difference[] {
  return wasm.results.flatMap((result, i) => {
    const other = kernel.results[i];
    const fields = other === undefined ? [] : compareEngines(result, other);
    return fields.length === 0 ? [] : [{ id: result.id, fields }];
  });
}

/** The file of libwasmtime where it is the engine; throws WasmtimeError where there is none. */
function wasmtimeLibrary(env: Env, input: Input, engine: EngineName): string | null {
  const named = textOption(input, 'wasmtime');
  if (engine === 'wasmtime') {
    return findWasmtime(named === null ? null : pathIn(env, named), env.env);
  }
  if (named === null) return null;
  throw usageFault('`--wasmtime` goes with `--engine wasmtime`');
}

/** What is no bundle, by its name: somebody left the project out. */
const INPUT_NAME = /^-$|\.(ya?ml|har|ndjson|jsonl|log|pcap|pcapng)$/;

/** The bundle and the cases that the arguments name. Throws CliError. */
export async function openCases(
  env: Env,
  input: Input,
  what: 'simulate' | 'explain',
): Promise<{ readonly subject: Subject; readonly cases: Cases; readonly single: boolean }> {
  const [shown = '.', file] = input.arguments;
  const single = textOption(input, 'from') !== null || textOption(input, 'to') !== null;
  if (single && file !== undefined)
    throw usageFault('give a scenario, or `--from` and `--to`, not both');
  if (!single && file === undefined) {
    const isInput = INPUT_NAME.test(shown);
    const help = isInput
      ? `name the project first, as \`. ${shown}\``
      : 'give a scenario file, or `--from` and `--to`';
    throw usageFault(`nothing to ${what}`, help);
  }
  if (!single) refuseSingle(input);
  refuseSeed(input);
  const subject = await openSubject(env, shown);
  const cases =
    file === undefined
      ? await singleCase(env, subject, input)
      : await scenarioCases(env, subject, file, input);
  return { subject, cases, single };
}

/** Runs the asked cases. Throws CliError, and typed errors of the engines. */
export async function runSimulation(env: Env, input: Input): Promise<Simulation> {
  const engine = ENGINES.find((name) => name === textOption(input, 'engine')) ?? 'wasm';
  const library = wasmtimeLibrary(env, input, engine);
  const { subject, cases, single } = await openCases(env, input, 'simulate');
  const wasm = engine === 'kernel' ? null : await byWasm(subject, cases, library);
  const kernel =
    engine === 'kernel' || engine === 'both' ? await byKernel(env, subject, cases) : null;
  const differences = wasm !== null && kernel !== null ? differencesOf(wasm, kernel) : [];
  const differing = cases.cases.filter(({ id }) => differences.some((d) => d.id === id));
  const result = wasm ?? kernel ?? { results: [], summary: { passed: 0, failed: 0 } };
  const scenario = differing.length === 0 ? '' : asScenario(differing, cases.worldFile);
  return {
    run: { ...result, bundle: subject.digest, engine, differences, scenario },
    single,
    diagnostics: [
      ...subject.diagnostics,
      ...unseenRequests(subject.bundle.manifest, cases.world, cases.cases),
    ],
    sources: (file) => (file === cases.file ? cases.text : subject.sources(file)),
  };
}
