/**
 * The agent as a function of its arguments and its world: loads one bundle, enrols, and streams
 * verdicts until it is told to stop. What it enforces outlives it, unless it is asked to unload.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Diagnostic, renderDiagnostic } from '../../compiler/diagnostic/index.js';
import { readWorld } from '../discovery/index.js';
import type { Kernel } from '../kernel/index.js';
import { isRefusedError, signaturesBeside } from '../trust/index.js';
import { trustPolicyOf } from './admit.js';
import { isAgentError } from './agent-error.js';
import { type ActiveBundle, type NodeBundles, openNodeBundles } from './bundles.js';
import { enrolAll } from './enrol-all.js';
import { readEvents } from './events.js';
import { followRequests } from './follow-requests.js';
import { withLock } from './lock.js';
import type { Paths } from './paths.js';
import { unload } from './unload.js';

export interface AgentEnv {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly signal: AbortSignal;
  now(): Date;
  clockOffset(): bigint;
  openKernel(): Kernel;
  nodePaths(): Paths;
}

export const AGENT_HELP = `usage: weft-agent [--bundle FILE] --world FILE [--trust FILE] [--enrol all] [--short-circuit] [--every-request] [--unload-on-exit]

Loads a bundle into the kernel of this node, activates it, and prints each verdict as one
line of JSON until SIGTERM or SIGINT: of each connection, and of each request that was
refused, answered or marked. What is loaded stays in force when the agent ends; a bundle that
runs already is not loaded again.

  --bundle FILE      the bundle, as written by \`weft build\` (default: the last one that ran
                     on this node, from /var/lib/weft)
  --world FILE       services, endpoints and workloads
  --trust FILE       the trust policy that must accept the signatures in FILE.sigstore.jsonl of
                     the bundle (default: /etc/weft/trust.json, where it exists)
  --enrol all        enrol the world's workloads whose cgroups exist here
  --short-circuit    requests and replies between workloads of this node go past TCP
  --every-request    print requests that merely pass too: it costs each of them microseconds
  --unload-on-exit   remove everything from the kernel at the end
  --help             print this

Example:
  $ weft-agent --bundle shop.weft --world world.yaml --enrol all
  {"time":"2026-01-02T03:04:05.123Z","hook":"connect4","verdict":"deny","rule":"isolation.ts:9",…}

What it does not do yet: it follows no control plane, does not notice when the bundle, the
world or a cgroup changes after the start, and closes no open connection when a policy
changes.
`;

interface Options {
  /** Null: the last good one. */
  readonly bundle: string | null;
  readonly world: string;
  readonly trust: string | null;
  readonly enrol: boolean;
  readonly unloadOnExit: boolean;
  readonly shortCircuit: boolean;
  readonly everyRequest: boolean;
}

const EXIT = { ok: 0, failure: 1, findings: 3, integrity: 6, usage: 64 } as const;

/** Ends the run with an exit code; the message was printed. */
class Stop extends Error {
  readonly exit: number;
  constructor(exit: number) {
    super('stop');
    this.exit = exit;
  }
}

function refuse(
  env: AgentEnv,
  exit: number,
  findings: readonly Diagnostic[],
  text: string | null,
): Stop {
  for (const d of findings) env.stderr(renderDiagnostic(d, text, { color: false }));
  return new Stop(exit);
}

function usage(env: AgentEnv, message: string): Stop {
  env.stderr(`error: ${message}\n  help: run \`weft-agent --help\`\n`);
  return new Stop(EXIT.usage);
}

function readOptions(args: readonly string[], env: AgentEnv): Options {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw usage(
      env,
      (message.split('.')[0] ?? message).replace(/'/g, '`').replace(/^./, (c) => c.toLowerCase()),
    );
  }
  if (values.help === true) {
    env.stdout(AGENT_HELP);
    throw new Stop(EXIT.ok);
  }
  const { bundle = null, world, enrol: whom } = values;
  if (world === undefined) throw usage(env, '`--world` is needed');
  if (whom !== undefined && whom !== 'all') throw usage(env, `\`${whom}\` is not \`all\``);
  const unloadOnExit = values['unload-on-exit'] === true;
  const shortCircuit = values['short-circuit'] === true;
  const everyRequest = values['every-request'] === true;
  const trust = values.trust ?? null;
  return { bundle, world, trust, enrol: whom === 'all', unloadOnExit, shortCircuit, everyRequest };
}

function parse(args: readonly string[]): {
  readonly bundle?: string | undefined;
  readonly world?: string | undefined;
  readonly trust?: string | undefined;
  readonly enrol?: string | undefined;
  readonly 'short-circuit'?: boolean | undefined;
  readonly 'every-request'?: boolean | undefined;
  readonly 'unload-on-exit'?: boolean | undefined;
  readonly help?: boolean | undefined;
} {
  return parseArgs({
    args: [...args],
    options: {
      bundle: { type: 'string' },
      world: { type: 'string' },
      trust: { type: 'string' },
      enrol: { type: 'string' },
      'short-circuit': { type: 'boolean' },
      'every-request': { type: 'boolean' },
      'unload-on-exit': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  }).values;
}

async function enrolWorkloads(kernel: Kernel, paths: Paths, env: AgentEnv): Promise<void> {
  const { enrolled, already } = await withLock(paths, () => enrolAll(kernel, paths));
  for (const { workload, cgroup } of enrolled) env.stderr(`enrolled ${workload}: ${cgroup}\n`);
  for (const name of already) env.stderr(`enrolled already: ${name}\n`);
}

/** Brings the named bundle, else the last good one, into force. */
async function bringBundle(
  bundles: NodeBundles,
  file: string | null,
  env: AgentEnv,
): Promise<void> {
  const tell = (is: string, { generation, name, digest }: ActiveBundle): void =>
    env.stderr(`generation ${generation} is ${is}: ${name} ${digest}\n`);
  if (file !== null) {
    const adopted = await bundles.adopt(readFileSync(file), signaturesBeside(file));
    tell(adopted.loaded === null ? 'active already' : 'active', adopted);
    return;
  }
  const booted = await bundles.boot();
  const active = bundles.active();
  if (booted !== null && !booted.ok) env.stderr(`error[${booted.code}]: ${booted.message}\n`);
  if (active !== null) tell('active', active);
  else if (booted === null) throw usage(env, 'no bundle ever ran here: `--bundle` is needed');
  else throw new Stop(EXIT.failure);
}

async function run(options: Options, env: AgentEnv): Promise<void> {
  const text = readFileSync(options.world, 'utf8');
  const { world, diagnostics } = readWorld(text, options.world);
  if (world === null) throw refuse(env, EXIT.findings, diagnostics, text);
  const kernel = env.openKernel();
  const paths = env.nodePaths();
  const named =
    options.trust === null ? null : { path: resolve(options.trust), shown: options.trust };
  const bundles = openNodeBundles({
    ...{ kernel, paths, shortCircuit: options.shortCircuit },
    ...{ world: () => world, trust: () => trustPolicyOf(paths, named) },
    ...{ now: () => env.now(), clockOffset: () => env.clockOffset() },
  });
  await bringBundle(bundles, options.bundle, env);
  const forwarding = await followRequests(kernel, paths, (error) =>
    env.stderr(`error: ${describe(error)}\n`),
  );
  try {
    if (options.enrol) await enrolWorkloads(kernel, paths, env);
    await readEvents(kernel, paths, {
      onEvent: (event) => env.stdout(`${JSON.stringify(event)}\n`),
      follow: true,
      passing: options.everyRequest,
      limit: null,
      signal: env.signal,
    });
  } finally {
    await forwarding[Symbol.asyncDispose]();
    if (options.unloadOnExit) {
      await withLock(paths, () => unload(kernel, paths));
      env.stderr('unloaded\n');
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs the agent until `signal`; answers with the exit code. */
export async function runAgent(args: readonly string[], env: AgentEnv): Promise<number> {
  try {
    await run(readOptions(args, env), env);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Stop) return error.exit;
    if (isRefusedError(error)) {
      for (const d of error.diagnostics) env.stderr(renderDiagnostic(d, null, { color: false }));
      return EXIT.integrity;
    }
    env.stderr(`error: ${describe(error)}\n`);
    if (isAgentError(error) && error.help !== null) env.stderr(`  help: ${error.help}\n`);
    return EXIT.failure;
  }
}
