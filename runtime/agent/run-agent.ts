/**
 * The agent as a function of its arguments and its world: loads one bundle, enrols, and serves the node
 * until it is told to stop. What it enforces outlives it, unless it is asked to unload.
 */
import { readFileSync } from 'node:fs';
import { type Diagnostic, messageOf, renderDiagnostic } from '../../compiler/diagnostic/index.js';
import { openDescriptorStore } from '../forward/index.js';
import { isKernelError } from '../kernel/kernel-error.js';
import { isRefusedError } from '../trust/refused-error.js';
import type { ActiveBundle } from './active-bundle.js';
import type { AgentEnv } from './agent-env.js';
import { isAgentError, WorldError } from './agent-error.js';
import {
  AGENT_DESCRIPTION,
  AGENT_EXAMPLE,
  type AgentOptions,
  type ControlPlace,
  type OptionValues,
  optionLines,
  readAgentOptions,
  splitArgs,
} from './agent-options.js';
import type { FollowedControl } from './follow-control.js';
import { holdPins } from './hold-pins.js';
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
import { serveStarting } from './serve-starting.js';
import { keepSmall } from './small-memory.js';
import { bundlesElsewhere, bundlesHere, type StagedBundles } from './staged-bundles.js';
import { type Before, openBefore } from './successor.js';
import { tellingOpen } from './tell-open.js';

export const AGENT_HELP: string = `usage: weft-agent [--bundle BUNDLE] (--world FILE | --kubernetes WHERE) [options]

${AGENT_DESCRIPTION}

${optionLines()}  --help            print this

Example:
${AGENT_EXAMPLE.replace(/^/gm, '  ')}

What it does not do yet: it does not notice when the file of a world changes after the start (a
cluster it follows).
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
    const message = messageOf(error);
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

/** What brings bundles into force here, in the world that the options name. */
function bundlesOf({ kernel, paths, env, log }: NodeParts, options: AgentOptions): StagedBundles {
  const { world, trust, shortCircuit, keep } = options;
  const place = {
    ...{ kernel, paths, env: env.started.env },
    ...{ now: () => env.now(), clockOffset: () => env.clockOffset() },
  };
  const settings = { world, trust, shortCircuit, keep };
  const bundles =
    env.stager === null
      ? bundlesHere(place, settings)
      : bundlesElsewhere(env.stager, place, settings);
  return tellingOpen(bundles, log, paths);
}

/** Brings the named bundle, else the last good one, into force. */
async function bringBundle(
  bundles: StagedBundles,
  { bundle: place, control }: AgentOptions,
  { env, log }: NodeParts,
): Promise<void> {
  const say = (is: string, { generation, name, digest }: ActiveBundle): void =>
    log('info', `generation ${generation} is ${is}: ${name} ${digest}`, {
      ...{ generation, name, bundle: digest },
    });
  if (place !== null) {
    const adopted = await bundles.adopt(place);
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
  const { enrolAll } = await import('./enrol-all.js');
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

/** What it takes to follow a control plane is not in memory without one. */
async function openControl(
  parts: NodeParts,
  bundles: StagedBundles,
  place: ControlPlace,
): Promise<FollowedControl> {
  const { followControl } = await import('./follow-control.js');
  return followControl(parts, bundles, place);
}

interface Beginning {
  readonly bundles: StagedBundles;
  readonly before: Before | null;
  /** What answers until the node is served. */
  readonly starting: {
    /** What is waited for now, in words. */
    waitsFor(what: string): void;
    end(): Promise<void>;
  };
}

async function run(options: AgentOptions, env: AgentEnv): Promise<void> {
  const log = logOf(env, options);
  const kernel = await env.openKernel();
  const paths = await env.nodePaths();
  const onFault = (error: unknown): void => log('error', messageOf(error), { part: 'store' });
  const store = openDescriptorStore(kernel, env.started, onFault);
  using pins = holdPins(kernel, paths, store);
  const parts: NodeParts = { kernel, paths, env, log, store, pins };
  const before = env.channel === null ? null : openBefore(env.channel);
  if (before === null) {
    await requireAlone(apiSocket(paths, options));
    await restorePins(parts);
  }
  let waits = 'the agent starts';
  // The one before serves until this one does.
  const api =
    before === null ? await serveStarting(parts, apiSocket(paths, options), () => waits) : null;
  const starting: Beginning['starting'] = {
    waitsFor: (what) => {
      waits = what;
    },
    end: async () => api?.[Symbol.asyncDispose](),
  };
  try {
    await follow(parts, options, { bundles: bundlesOf(parts, options), before, starting });
  } finally {
    await starting.end();
  }
}

/** Serves the node as soon as there is something to serve; `started`: then, and not before, it is called. */
async function follow(
  parts: NodeParts,
  options: AgentOptions,
  { bundles, before, starting }: Beginning,
): Promise<void> {
  const { env } = parts;
  const { control } = options;
  const world = await openNodeWorld(parts, options, bundles);
  let followed: FollowedControl | null = null;
  let isFollowing = true;
  const unfollow = async (): Promise<void> => {
    if (!isFollowing) return;
    isFollowing = false;
    await followed?.[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  };
  try {
    starting.waitsFor('no world of the cluster has come yet');
    await world.first(env.signal);
    if (env.signal.aborted) return;
    starting.waitsFor('a bundle is being brought into force');
    await bringBundle(bundles, options, parts);
    followed = control === null ? null : await openControl(parts, bundles, control);
    starting.waitsFor('no bundle has come from the control plane yet');
    await followed?.active(env.signal);
    if (env.signal.aborted) return;
    const served = await serveNode(
      { ...parts, worldProblem: () => world.problem() },
      options,
      before,
    );
    await starting.end();
    followed?.serve(served.hub);
    world.follow();
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
  const { kernel, paths, env, log } = parts;
  using _small = keepSmall(env, kernel);
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
      const { unload } = await import('./unload.js');
      await withLock(paths, () => unload(kernel, paths));
      log('info', 'unloaded');
    }
  }
}

/** What is wrong with the world, or between it and the bundle; in text with the lines. */
function tellFindings(
  { diagnostics }: { readonly diagnostics: readonly Diagnostic[] },
  { log: form, world }: AgentOptions,
  env: AgentEnv,
): void {
  if (form === 'json')
    for (const d of diagnostics)
      tell(
        jsonLog(env.stderr, () => env.now()),
        d,
      );
  else {
    const text = world === null ? '' : readFileSync(world, 'utf8');
    for (const d of diagnostics) env.stderr(renderDiagnostic(d, text, { color: false }));
  }
}

function exitOf(error: unknown, options: AgentOptions, env: AgentEnv): number {
  const log = logOf(env, options);
  if (error instanceof Stop) return error.exit;
  if (error instanceof WorldError) {
    tellFindings(error, options, env);
    return EXIT.findings;
  }
  if (isRefusedError(error)) {
    for (const d of error.diagnostics) tell(log, d);
    return EXIT.integrity;
  }
  const message = messageOf(error);
  const ours = isAgentError(error) ? { code: error.code, help: error.help ?? undefined } : {};
  const kernels = isKernelError(error) ? { code: error.code, help: error.remedy ?? undefined } : {};
  log('error', message, { ...ours, ...kernels });
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
    return exitOf(error, read.options, env);
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
