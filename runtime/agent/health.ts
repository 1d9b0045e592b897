/**
 * Is the agent well, and is the node ready: each check asks the thing itself. Health is of this process
 * (whoever restarts it helps); readiness also of what the kernel enforces and of what the agent is to
 * do for it.
 */
import { messageOf } from '../../compiler/diagnostic/index.js';
import type { Kernel } from '../kernel/index.js';
import { readActive } from './active.js';
import type { Checked } from './api/index.js';
import { followChain } from './chain.js';
import type { EventHub } from './event-hub.js';
import type { FollowedRequests } from './follow-requests.js';
import type { Heartbeat } from './heartbeat.js';
import type { HeldPins } from './hold-pins.js';
import { hookBreaks } from './hook-breaks.js';
import { hasNode, openNode } from './node.js';
import type { Paths } from './paths.js';
import { hasSource } from './sources.js';
import { readState } from './state.js';

/** Nobody looked at the ring for so long: it fills up, and events are lost. */
const RING_MS = 10_000;
/** The event loop stood still for so long: whoever was in the agent's hands stood still too. */
const STALL_MS = 10_000;
/** A request waits for its verdict: a policy takes microseconds. */
const VERDICT_MS = 10_000;

type Check = Checked['checks'][number];

export interface HealthWorld {
  readonly kernel: Kernel;
  readonly paths: Paths;
  readonly hub: Pick<EventHub, 'lastLook'>;
  /** Why the ring is not read any more; null while it is. */
  readonly ringFault: () => string | null;
  readonly heartbeat: Heartbeat;
  readonly requests: Pick<FollowedRequests, 'forwarding' | 'problem'>;
  readonly isDraining: () => boolean;
  readonly pins: Pick<HeldPins, 'fault'>;
  /** Why this node does not run in the world as it is; null while it does. */
  readonly worldProblem: () => string | null;
}

function check(name: string, detail: string | null): Check {
  return { name, ok: detail === null, detail };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function ring({ hub, ringFault }: HealthWorld): string | null {
  const fault = ringFault();
  if (fault !== null) return fault;
  const age = performance.now() - hub.lastLook;
  return age > RING_MS ? `nobody has looked at the event ring for ${seconds(age)}` : null;
}

function pulse({ heartbeat }: HealthWorld): string | null {
  const { longest } = heartbeat;
  return longest > STALL_MS ? `the event loop stood still for ${seconds(longest)}` : null;
}

function slowPath({ requests }: HealthWorld): string | null {
  const waited = requests.forwarding?.forward.longestVerdict ?? 0;
  return waited > VERDICT_MS ? `a request waits for its verdict for ${seconds(waited)}` : null;
}

/** What the kernel runs is what was pinned and loaded. */
function enforced({ kernel, paths, pins }: HealthWorld): readonly Check[] {
  const nothing = 'nothing is loaded';
  const gone = pins.fault();
  // What lies there otherwise is not what traffic meets.
  if (gone !== null) return [check('pins', gone)];
  if (!hasNode(paths)) return [check('generation', nothing), check('hooks', nothing)];
  using node = openNode(kernel, paths);
  const active = readActive(node.map('weft_active'));
  const record = readState(paths).generations.find((g) => g.generation === active);
  const breaks =
    active === null
      ? [nothing]
      : record === undefined
        ? [`nothing is known of generation ${active}`]
        : followChain(kernel, { node, paths }, record).breaks;
  return [
    check('pins', null),
    check('generation', breaks[0] ?? null),
    check('hooks', hookBreaks(kernel, paths)[0] ?? null),
  ];
}

/** The agent can open what pools need, where requests are judged at all. */
function pools({ kernel, paths, requests }: HealthWorld): string | null {
  const { forwarding, problem } = requests;
  if (problem !== null) return problem;
  if (forwarding !== null) return forwarding.forward.unable;
  if (!hasNode(paths)) return null;
  using node = openNode(kernel, paths);
  const active = readActive(node.map('weft_active'));
  return active !== null && hasSource(paths, active) ? 'it has not started yet' : null;
}

function whole(checks: readonly Check[]): Checked {
  return { ok: checks.every(({ ok }) => ok), checks };
}

/** Of this process alone: false where a new one would do better. */
export function health(world: HealthWorld): Checked {
  return whole([
    check('ring', ring(world)),
    check('heartbeat', pulse(world)),
    check('slow-path', slowPath(world)),
  ]);
}

function guarded(name: string, run: () => readonly Check[]): readonly Check[] {
  try {
    return run();
  } catch (error) {
    return [check(name, messageOf(error))];
  }
}

/** Of the node: true where all that was promised holds. */
export function ready(world: HealthWorld): Checked {
  return whole([
    ...health(world).checks,
    ...guarded('hooks', () => enforced(world)),
    ...guarded('pools', () => [check('pools', pools(world))]),
    check('world', world.worldProblem()),
    check('drain', world.isDraining() ? 'the agent drains' : null),
  ]);
}
