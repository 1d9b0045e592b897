/**
 * What an agent does for as long as it runs: its part in exchanges, one reader of the event ring for
 * whoever follows, and the local API that tells how it fares.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../compiler/diagnostic/index.js';
import type { DescriptorStore } from '../forward/index.js';
import type { Kernel } from '../kernel/index.js';
import { describeEvent, type EventRecord } from '../probe/index.js';
import type { AgentEnv } from './agent-env.js';
import { AgentError } from './agent-error.js';
import type { AgentOptions } from './agent-options.js';
import {
  type Api,
  type EventFilter,
  groupId,
  openAgentApi,
  READERS_GROUP,
  serveApi,
} from './api/index.js';
import { CODES } from './codes.js';
import { type EventHub, openEventHub } from './event-hub.js';
import { type FollowedRequests, followRequests } from './follow-requests.js';
import { type HealthWorld, health, ready } from './health.js';
import { startHeartbeat } from './heartbeat.js';
import type { HeldPins } from './hold-pins.js';
import { withLock } from './lock.js';
import type { Log } from './log.js';
import { printMetrics } from './metrics.js';
import type { Paths } from './paths.js';
import { rollback } from './rollback.js';
import type { Seen } from './seen.js';
import { type NodeStatus, nodeStatus } from './status.js';
import { type Before, handOver } from './successor.js';
import { tellOpen } from './tell-open.js';

export interface NodeParts {
  readonly kernel: Kernel;
  readonly paths: Paths;
  readonly env: AgentEnv;
  readonly log: Log;
  readonly store: DescriptorStore;
  readonly pins: HeldPins;
}

export interface ServedNode extends AsyncDisposable {
  readonly hub: EventHub;
  readonly requests: FollowedRequests;
  readonly socket: string;
  /**
   * Starts a successor and hands over: resolves once nothing is left here, or with why the successor did
   * not start. Rejects with A041 where it failed in the middle. `onServing`: the successor serves.
   */
  handOver(onServing: () => Promise<void>): Promise<AgentError | null>;
}

function recordOf({ event, names, node }: Seen, lost: number): EventRecord {
  return describeEvent(event, { node, names, lost });
}

/** Of the active generation: how often each line decided, without the node's other state. */
function rulesOf({ active, generations, policies, defaulted }: NodeStatus): object {
  const bundle = generations.find((g) => g.active)?.bundle ?? null;
  const rules = policies.flatMap(({ name, mode, sites }) =>
    sites.map(({ rule, verdict, count }) => ({ policy: name, mode, rule, verdict, count })),
  );
  return { generation: active, bundle, rules, defaulted };
}

interface Live {
  readonly health: HealthWorld;
  readonly hub: EventHub;
  readonly requests: FollowedRequests;
  drain(milliseconds: number): Promise<boolean>;
}

function openApi({ kernel, paths, env, log }: NodeParts, path: string, live: Live): Promise<Api> {
  const status = (): NodeStatus => nodeStatus(kernel, paths);
  return serveApi(path, {
    peerOf: (fd) => kernel.peerOf(fd),
    readers: groupId(READERS_GROUP),
    status: async () => ({ agent: env.version, node: hostname(), ...status() }),
    rules: async () => rulesOf(status()),
    health: () => health(live.health),
    ready: () => ready(live.health),
    metrics: () =>
      printMetrics({
        ...{ status, version: env.version, usage: () => env.usage() },
        ready: () => ready(live.health),
        sessions: () => live.requests.forwarding?.forward ?? { sessions: 0, replies: 0 },
      }),
    follow: ({ passing }: EventFilter, onEvent) =>
      live.hub.follow({
        wanted: passing ? 'events' : 'waiting',
        onSeen: (seen, lost) => onEvent(recordOf(seen, lost)),
      }),
    drain: async (milliseconds) => ({ drained: await live.drain(milliseconds) }),
    rollback: async (to) => {
      const { generation, from, record, settled } = await withLock(paths, () =>
        rollback(kernel, paths, { to }),
      );
      log('info', `generation ${generation} is active again`, { generation, from });
      if (settled.open !== null) tellOpen(log, settled.open);
      return { generation, from, bundle: record.bundle, name: record.manifest.name };
    },
    onFault: (error) => log('error', messageOf(error), { part: 'api' }),
  });
}

/** One agent has the pools and doors of a node. Throws A040. */
export async function requireAlone(socket: string): Promise<void> {
  if ((await openAgentApi(socket)) === null) return;
  const message = `an agent answers at \`${socket}\``;
  throw new AgentError('A040', message, CODES['A040']?.help ?? null);
}

/** The socket of the local API of a node. */
export function apiSocket(paths: Paths, { socket }: Pick<AgentOptions, 'socket'>): string {
  return socket ?? join(paths.run, 'agent.sock');
}

/** Pins what is held again, where its file system was lost and there is one again. */
export async function restorePins({ paths, pins, log }: NodeParts): Promise<void> {
  if (pins.fault() === null) return;
  if (await withLock(paths, () => pins.restore()))
    log('warn', `what was pinned at \`${paths.pins}\` was gone, and is pinned again`);
}

/** Looks after the pins, one look at a time; what is wrong is told once. */
function pinsWatch(parts: NodeParts): () => void {
  const { pins, log } = parts;
  let isBusy = false;
  let told: string | null = null;
  return () => {
    const fault = pins.fault();
    if (fault !== null && fault !== told) log('error', fault, { part: 'pins' });
    told = fault;
    if (fault === null) pins.follow();
    if (fault === null || isBusy) return;
    isBusy = true;
    restorePins(parts)
      .catch((error: unknown) => log('error', messageOf(error), { part: 'pins' }))
      .finally(() => {
        isBusy = false;
      });
  };
}

/** Starts it; a generation is active; `before`: the agent that hands over to this one. Rejects with AgentError, KernelError; then nothing is left. */
export async function serveNode(
  parts: NodeParts & Pick<HealthWorld, 'worldProblem'>,
  options: AgentOptions,
  before: Before | null,
): Promise<ServedNode> {
  const { kernel, paths, env, log, store, pins, worldProblem } = parts;
  const ending = new AbortController();
  const fault = (part: string) => (error: unknown) => log('error', messageOf(error), { part });
  const requests = await followRequests(kernel, paths, {
    ...{ onFault: fault('requests'), store, predecessor: before ?? undefined },
  });
  if (before !== null && requests.forwarding === null) await before.skip();
  const hub = openEventHub(kernel, paths, { signal: ending.signal, onFault: fault('events') });
  let ringFault: string | null = null;
  hub.done.catch((error: unknown) => {
    ringFault = messageOf(error);
    fault('events')(error);
  });
  if (!options.quiet) {
    hub.follow({
      wanted: options.everyRequest ? 'events' : 'waiting',
      onSeen: (seen, lost) => env.stdout(`${JSON.stringify(recordOf(seen, lost))}\n`),
    });
  }
  const look = pinsWatch(parts);
  const heartbeat = startHeartbeat(() => {
    if (health(world).ok) store.tell('WATCHDOG=1');
    look();
  });
  let draining = false;
  const world: HealthWorld = {
    ...{ kernel, paths, pins, hub, heartbeat, requests },
    ringFault: () => ringFault,
    isDraining: () => draining,
    worldProblem,
  };
  const close = async (): Promise<void> => {
    heartbeat[Symbol.dispose]();
    ending.abort();
    await hub.done.catch(() => {}); // told above
    await requests[Symbol.asyncDispose]();
  };
  const drain = async (milliseconds: number): Promise<boolean> => {
    draining = true;
    log('info', 'draining', { milliseconds });
    const isDone = (await requests.forwarding?.forward.drain(milliseconds)) ?? true;
    log('info', isDone ? 'drained' : 'not drained in time');
    return isDone;
  };
  const socket = apiSocket(paths, options);
  try {
    const api = await openApi(parts, socket, { health: world, hub, requests, drain });
    log('info', `the local API is at ${socket}`, { socket });
    store.tell('READY=1');
    before?.serving();
    return {
      handOver: (onServing) =>
        handOver({
          ...{ command: env.command, env: env.started.env },
          forward: requests.forwarding?.forward ?? null,
          onServing: async (pid) => {
            store.tell(`MAINPID=${pid}`);
            log('info', `process ${pid} serves this node now`, { pid });
            // Its API stands in the place of this one; and the ring has one reader.
            await api[Symbol.asyncDispose]();
            ending.abort();
            await onServing();
          },
        }),
      ...{ hub, requests, socket },
      [Symbol.asyncDispose]: async () => {
        if (!ending.signal.aborted) store.tell('STOPPING=1');
        await api[Symbol.asyncDispose]();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
