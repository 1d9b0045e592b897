/**
 * Decides what this node's hooks decided again, by a bundle that does not hold here yet, and counts where the two differ.
 * Nothing of it lies on the way of traffic: events come behind the decisions, and one that cannot be decided again is
 * counted as lost, never as the same.
 */
import { decodeBundle } from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { World } from '../discovery/index.js';
import { createRecordDecider, recordOfEvent, type TrafficRecord } from '../record/index.js';
import type { Outcome } from '../simulate/index.js';
import type { Seen } from './seen.js';

/** Pairs of rules that are told apart; the differences of others are one more. */
const MAX_PAIRS = 64;
const OTHERS = 'others';
const FORWARDED = 200;

export interface ShadowDifferences {
  /** What decided on the node, and what would have. */
  readonly old: string;
  readonly new: string;
  readonly count: number;
}

/** As runtime/rollout reads it of a node's report. */
export interface ShadowCount {
  readonly digest: string;
  readonly same: number;
  readonly different: number;
  readonly lost: number;
  readonly rules: readonly ShadowDifferences[];
}

export interface Shadow {
  /** Takes what a hook saw; `lost` is how many events before it were not seen. */
  take(seen: Seen, lost?: number): void;
  counts(): ShadowCount;
}

export interface ShadowOptions {
  readonly bundle: Pick<Bundle, 'manifest' | 'wasm'>;
  readonly digest: string;
  readonly world: World;
}

/**
 * What both let in is compared further: the reply to a request, since a route may answer by itself, and the cluster
 * that it goes to. An endpoint is none of it: which one is chosen depends on who is healthy at the moment.
 */
function isSame({ decided, request }: TrafficRecord, outcome: Outcome): boolean {
  if (decided?.verdict !== outcome.verdict) return false;
  const answered = decided.status ?? null;
  if (request !== undefined && (answered ?? FORWARDED) !== outcome.status) return false;
  // What a route answers by itself goes nowhere; the event names the cluster of its connection.
  const cluster = answered === null ? (decided.cluster ?? null) : null;
  return outcome.verdict === 'deny' || cluster === outcome.cluster;
}

function isHeadless({ event, head }: Seen): boolean {
  return (event.hook === 'request' || event.hook === 'server') && head === null;
}

/** Of a bundle as it was brought; null where the bytes are none. Throws as createShadow. */
export function openShadow(bytes: Uint8Array, digest: string, world: World): Shadow | null {
  const decoded = decodeBundle(bytes);
  return decoded.ok ? createShadow({ bundle: decoded.bundle, digest, world }) : null;
}

/** Opens one. Throws SimulateError SIMULATE_MODULE where a policy does not start. */
export function createShadow({ bundle, digest, world }: ShadowOptions): Shadow {
  const decider = createRecordDecider(bundle, { world });
  const pairs = new Map<string, { old: string; new: string; count: number }>();
  let [same, different, lost, line] = [0, 0, 0, 0];

  const tell = (old: string, now: string): void => {
    const key = `${old} ${now}`;
    let known = pairs.get(key);
    if (known === undefined) {
      const isFull = pairs.size >= MAX_PAIRS;
      known = isFull ? pairs.get(OTHERS) : undefined;
      known ??= { old: isFull ? OTHERS : old, new: isFull ? OTHERS : now, count: 0 };
      pairs.set(isFull ? OTHERS : key, known);
    }
    known.count += 1;
  };
  return {
    take: (seen, lostBefore = 0) => {
      lost += lostBefore;
      if (isHeadless(seen)) {
        lost += 1;
        return;
      }
      const record = recordOfEvent(seen);
      if (record === null) return; // nothing was decided
      line += 1;
      const outcome = decider.outcome(record, line);
      if (outcome === null) lost += 1;
      else if (isSame(record, outcome)) same += 1;
      else {
        different += 1;
        tell(record.decided?.rule ?? OTHERS, outcome.rule);
      }
    },
    counts: () => ({
      ...{ digest, same, different, lost },
      rules: [...pairs.values()].sort((a, b) => b.count - a.count).map((pair) => ({ ...pair })),
    }),
  };
}
