/**
 * The agent as a function of its arguments and its world: loads one bundle, enrols, and serves the node
 * until it is told to stop. What it enforces outlives it, unless it is asked to unload.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Diagnostic, renderDiagnostic } from '../../compiler/diagnostic/index.js';
import { readWorld, type World } from '../discovery/index.js';
import { openDescriptorStore } from '../forward/index.js';
import { isRefusedError, signaturesBeside } from '../trust/index.js';
import { trustPolicyOf } from './admit.js';
import type { AgentEnv } from './agent-env.js';
import { isAgentError } from './agent-error.js';
import {
  AGENT_DESCRIPTION,
  AGENT_EXAMPLE,
  type AgentOptions,
  type OptionValues,
  optionLines,
  readAgentOptions,
  splitArgs,
} from './agent-options.js';
import { type ActiveBundle, type NodeBundles, openNodeBundles } from './bundles.js';
import { enrolAll } from './enrol-all.js';
import { type FollowedControl, followControl } from './follow-control.js';
import { holdPins } from './hold-pins.js';
import { readKeptWorld } from './kept-world.js';
import { withLock } from './lock.js';
import { jsonLog, type Log, textLog } from './log.js';
import { openNodeWorld } from './node-world.js';
import {
  apiSocket,
  type NodeParts,
  requireAlone,
  restorePins,
  type ServedNode,
  serveNode,
} from './serve-node.js';
import { openBefore } from './successor.js';
import { unload } from './unload.js';

export const AGENT_HELP: string = `usage: weft-agent [--bundle FILE] (--world FILE | --kubernetes WHERE) [options]

${AGENT_DESCRIPTION}

${optionLines()}  --help            print this

Example:
${AGENT_EXAMPLE.replace(/^/gm, '  ')}

What it does not do yet: it does not notice when the file of a world changes after the start (a
cluster it follows), and closes no open connection when a policy changes.
`;

const EXIT = { ok: 0, failure: 1, findings: 3, integrity: 6, usage: 64 } as const;

/** Ends the run with an exit code; why was told. */
class Stop extends Error {
  readonly exit: number;
  constructor(exit: number) {
    super('stop');
    this.exit = exit;
  }
}

function tell(log: Log, { code, severity, message, file, line, help }: Diagnostic): void {
  const level = severity === 'error' ? 'error' : 'warn';
  log(level, message, { code, file, line, help: help ?? undefined });
}

function usage(env: AgentEnv, message: string): Stop {
  env.stderr(`error: ${message}\n  help: run \`weft-agent --help\`\n`);
  return new Stop(EXIT.usage);
}

function valuesOf(args: readonly string[], env: AgentEnv): OptionValues {
  try {
    return splitArgs(args);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const first = message.split('.')[0] ?? message;
    throw usage(
      env,
      first.replace(/'/g, '`').replace(/^./, (c) => c.toLowerCase()),
    );
  }
}

function logOf(env: AgentEnv, { log }: AgentOptions): Log {
  return log === 'json' ? jsonLog(env.stderr, () => env.now()) : textLog(env.stderr);
}

/** A world that was written by hand. */
function worldOf(file: string, { env, log }: NodeParts, options: AgentOptions): World {
  const text = readFileSync(file, 'utf8');
  const { world, diagnostics } = readWorld(text, file);
  if (world !== null) return world;
  if (options.log === 'json') for (const d of diagnostics) tell(log, d);
  else for (const d of diagnostics) env.stderr(renderDiagnostic(d, text, { color: false }));
  throw new Stop(EXIT.findings);
}

/** What brings bundles into force here, in the world that the options name. */
function bundlesOf(parts: NodeParts, options: AgentOptions): NodeBundles {
  const { kernel, paths, env } = parts;
  const written = options.world === null ? null : worldOf(options.world, parts, options);
  const named =
    options.trust === null ? null : { path: resolve(options.trust), shown: options.trust };
  return openNodeBundles({
    ...{ kernel, paths, shortCircuit: options.shortCircuit },
    ...{ world: () => written ?? readKeptWorld(paths), followed: written === null },
    trust: () => trustPolicyOf(paths, named),
    ...{ now: () => env.now(), clockOffset: () => env.clockOffset() },
  });
}

/** Brings the named bundle, else the last good one, into force. */
async function bringBundle(
  bundles: NodeBundles,
  { bundle: file, control }: AgentOptions,
  { env, log }: NodeParts,
): Promise<void> {
  const say = (is: string, { generation, name, digest }: ActiveBundle): void =>
    log('info', `generation ${generation} is ${is}: ${name} ${digest}`, {
      ...{ generation, name, bundle: digest },
    });
  if (file !== null) {
    const adopted = await bundles.adopt(readFileSync(file), signaturesBeside(file));
    say(adopted.loaded === null ? 'active already' : 'active', adopted);
    return;
  }
  const booted = await bundles.boot();
  const active = bundles.active();
  if (booted !== null && !booted.ok) log('error', booted.message, { code: booted.code });
  if (active !== null) say('active', active);
  else if (control !== null) return;
  else if (booted === null) throw usage(env, 'no bundle ever ran here: `--bundle` is needed');
  else throw new Stop(EXIT.failure);
}

async function enrolWorkloads({ kernel, paths, log }: NodeParts): Promise<void> {
  const { enrolled, already } = await withLock(paths, () => enrolAll(kernel, paths));
  for (const { workload, cgroup } of enrolled)
    log('info', `enrolled ${workload}: ${cgroup}`, { workload, cgroup });
  for (const name of already) log('info', `enrolled already: ${name}`, { workload: name });
}

/** Resolves behind the signal (false), or once a successor has taken over (true). Rejects where the node cannot be served. */
async function untilOver(
  { env, log }: NodeParts,
  served: ServedNode,
  unfollow: () => Promise<void>,
): Promise<boolean> {
  const stopped = new Promise<boolean>((end) => {
    if (env.signal.aborted) end(false);
    env.signal.addEventListener('abort', () => end(false), { once: true });
  });
  let isHanding = false;
  const handed = new Promise<boolean>((resolve, reject) => {
    env.onHandOver(() => {
      if (isHanding) return;
      isHanding = true;
      log('info', 'handing over to a successor');
      served.handOver(unfollow).then((refused) => {
        isHanding = false;
        if (refused === null) resolve(true);
        else log('error', refused.message, { code: refused.code, help: refused.help ?? undefined });
      }, reject);
    });
  });
  const unread = served.hub.done.then(() => stopped);
  return Promise.race([stopped, handed, unread]);
}

async function run(options: AgentOptions, env: AgentEnv): Promise<void> {
  const log = logOf(env, options);
  const kernel = await env.openKernel();
  const paths = await env.nodePaths();
  const onFault = (error: unknown): void =>
    log('error', error instanceof Error ? error.message : String(error), { part: 'store' });
  const store = openDescriptorStore(kernel, env.started, onFault);
  using pins = holdPins(kernel, paths, store);
  const parts: NodeParts = { kernel, paths, env, log, store, pins };
  const before = env.channel === null ? null : openBefore(env.channel);
  if (before === null) {
    await requireAlone(apiSocket(paths, options));
    await restorePins(parts);
  }
  const world = await openNodeWorld(parts, options);
  let followed: FollowedControl | null = null;
  let isFollowing = true;
  const unfollow = async (): Promise<void> => {
    if (!isFollowing) return;
    isFollowing = false;
    await followed?.[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  };
  try {
    await world.first(env.signal);
    if (env.signal.aborted) return;
    const bundles = bundlesOf(parts, options);
    await bringBundle(bundles, options, parts);
    const { control } = options;
    followed = control === null ? null : followControl(parts, bundles, control);
    // There is nothing to serve before the first bundle.
    await followed?.active(env.signal);
    if (env.signal.aborted) return;
    const served = await serveNode(
      { ...parts, worldProblem: () => world.problem() },
      options,
      before,
    );
    followed?.serve(served.hub);
    world.follow(bundles);
    await serveUntilOver(parts, options, { served, unfollow });
  } finally {
    await unfollow();
  }
}

/** Until the signal or the end of a handing over; then nothing of this agent is left. */
async function serveUntilOver(
  parts: NodeParts,
  options: AgentOptions,
  { served, unfollow }: { readonly served: ServedNode; readonly unfollow: () => Promise<void> },
): Promise<void> {
  const { kernel, paths, log } = parts;
  let hasSuccessor = false;
  try {
    if (options.enrol) {
      await enrolWorkloads(parts);
      // Hooks of what is pinned now hold: those of before may go.
      parts.pins.follow();
    }
    hasSuccessor = await untilOver(parts, served, unfollow);
  } finally {
    await served[Symbol.asyncDispose]();
    if (options.unloadOnExit && !hasSuccessor) {
      await withLock(paths, () => unload(kernel, paths));
      log('info', 'unloaded');
    }
  }
}

function exitOf(error: unknown, log: Log): number {
  if (error instanceof Stop) return error.exit;
  if (isRefusedError(error)) {
    for (const d of error.diagnostics) tell(log, d);
    return EXIT.integrity;
  }
  const message = error instanceof Error ? error.message : String(error);
  const ours = isAgentError(error) ? { code: error.code, help: error.help ?? undefined } : {};
  log('error', message, ours);
  return EXIT.failure;
}

/** Runs the agent with these values of its options until `signal`; answers with the exit code. */
export async function runAgentWith(values: OptionValues, env: AgentEnv): Promise<number> {
  const read = readAgentOptions(values);
  if (!read.ok) return usage(env, read.message).exit;
  try {
    await run(read.options, env);
    return EXIT.ok;
  } catch (error) {
    return exitOf(error, logOf(env, read.options));
  }
}

/** As `weft-agent` is called. */
export async function runAgent(args: readonly string[], env: AgentEnv): Promise<number> {
  try {
    const values = valuesOf(args, env);
    if (values['help'] !== true) return await runAgentWith(values, env);
    env.stdout(AGENT_HELP);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Stop) return error.exit;
    throw error;
  }
}
