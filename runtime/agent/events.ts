/**
 * Reads verdict events from the pinned ring buffer. The ring has one consumer position: two readers
 * at a time share the records between each other.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Kernel } from '../kernel/index.js';
import { describeEvent, type EventNames, type EventRecord } from '../probe/index.js';
import { AgentError } from './agent-error.js';
import { decodeEvent, encodeU32 } from './layout.js';
import { hasNode } from './node.js';
import { type Paths, pinsOf } from './paths.js';
import { type GenerationRecord, readState } from './state.js';
import { readCounter } from './status.js';

/** How often the ring is looked at; the ring holds thousands of records. */
const PAUSE_MS = 20;

export interface EventOptions {
  readonly onEvent: (event: EventRecord) => void;
  /** Waits for more instead of ending when the ring is empty. */
  readonly follow: boolean;
  /** Also requests that merely pass, as long as it reads: each of them costs a record and a line. */
  readonly passing: boolean;
  /** Ends after so many; null for no limit. */
  readonly limit: number | null;
  readonly signal: AbortSignal;
}

function namesOf({ bundle, manifest, names }: GenerationRecord): EventNames {
  return { bundle, policies: manifest.policies, sites: manifest.sites, ...names };
}

/** Names by generation; the state document is read again only for a generation not met before. */
function nameFinder(paths: Paths): (generation: number) => EventNames | null {
  const known = new Map<number, EventNames>();
  return (generation) => {
    if (!known.has(generation)) {
      for (const record of readState(paths).generations) {
        known.set(record.generation, namesOf(record));
      }
    }
    return known.get(generation) ?? null;
  };
}

/** Delivers events until the limit, the signal, or (without `follow`) the end of what waits. Throws A013, KernelError. */
export async function readEvents(
  kernel: Kernel,
  paths: Paths,
  options: EventOptions,
): Promise<{ readonly delivered: number; readonly interrupted: boolean }> {
  if (!hasNode(paths)) {
    throw new AgentError('A013', 'nothing is loaded', 'run `weft load BUNDLE` first');
  }
  using events = kernel.openMap(join(pinsOf.maps(paths), 'weft_events'));
  using losses = kernel.openMap(join(pinsOf.maps(paths), 'weft_losses'));
  using ring = kernel.ringReader(events);
  using wanted = kernel.openMap(join(pinsOf.maps(paths), 'weft_wanted'));
  const namesFor = nameFinder(paths);
  const node = hostname();
  const { limit, signal } = options;
  let lostBefore = readCounter(losses, 0);
  let delivered = 0;
  const isDone = (): boolean => limit !== null && delivered >= limit;
  if (options.passing) wanted.update(encodeU32(0), encodeU32(1));
  try {
    while (!signal.aborted && !isDone()) {
      const total = readCounter(losses, 0);
      let lost = Number(total - lostBefore);
      lostBefore = total;
      const found = ring.drain((bytes) => {
        if (isDone()) return;
        const raw = decodeEvent(bytes);
        options.onEvent(describeEvent(raw, { node, names: namesFor(raw.generation), lost }));
        delivered += 1;
        lost = 0;
      });
      if (found === 0) lostBefore -= BigInt(lost); // no line carried it yet
      if (found === 0 && !options.follow) break;
      if (found === 0) await wait(PAUSE_MS);
    }
  } finally {
    if (options.passing) wanted.update(encodeU32(0), encodeU32(0));
  }
  return { delivered, interrupted: signal.aborted };
}
