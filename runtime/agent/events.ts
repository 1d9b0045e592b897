/**
 * Reads verdict events from the pinned ring buffer. The ring has one consumer position: two readers
 * at a time share the records between each other.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Kernel, RingReader } from '../kernel/index.js';
import { describeEvent, type EventNames, type EventRecord } from '../probe/index.js';
import { AgentError } from './agent-error.js';
import { decodeEvent, encodeU32, isHeadRecord } from './layout.js';
import { hasNode } from './node.js';
import { type Paths, pinsOf } from './paths.js';
import { type GenerationRecord, readState } from './state.js';
import { readCounter } from './status.js';

/** How often the ring is looked at; the ring holds thousands of records. */
const PAUSE_MS = 20;
/** And where nothing came for longer. */
const LONGEST_PAUSE_MS = 100;
/**
 * So many records at once, then a rest: those who opened the connections want the CPU too. What fills a
 * batch is followed by one of twice the size, so that a flood is read as fast as it can be.
 */
const FIRST_BATCH = 16;
const LARGEST_BATCH = 4096;
const REST_MS = 1;

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
export function nameFinder(paths: Paths): (generation: number) => EventNames | null {
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

/** What of weft_wanted a reader asks for, as enum weft_wanted_kind (bpf/request/node.h). */
export const WANTED = { waiting: 0, events: 1, heads: 2 } as const;
export type Wanted = (typeof WANTED)[keyof typeof WANTED];

export interface RingOptions {
  /** Goes on when the ring is empty. */
  readonly follow: boolean;
  /** Asked at each look. */
  readonly wanted: () => Wanted;
  readonly signal: AbortSignal;
  /** Called once what is wanted is said. */
  readonly onReady?: () => void;
  /**
   * A quiet ring is waited for instead of looked at, so long at a time (ms). A thread waits that cannot be
   * called off: for processes that live long.
   */
  readonly rest?: number;
  /** Given what ends such a rest: where what is wanted has changed. */
  readonly onWake?: (wake: () => void) => void;
  /** Called before each look. */
  readonly onLook?: () => void;
  /** Takes a record and how many were lost before it; true: it is enough. */
  readonly onBytes: (bytes: Uint8Array, lost: number) => boolean;
}

/** Reads the ring until it is enough, the signal, or (without `follow`) its end. Throws A013, KernelError. */
export async function readRing(kernel: Kernel, paths: Paths, options: RingOptions): Promise<void> {
  if (!hasNode(paths)) {
    throw new AgentError('A013', 'nothing is loaded', 'run `weft load BUNDLE` first');
  }
  using events = kernel.openMap(join(pinsOf.maps(paths), 'weft_events'));
  using losses = kernel.openMap(join(pinsOf.maps(paths), 'weft_losses'));
  using ring = kernel.ringReader(events);
  using wanted = kernel.openMap(join(pinsOf.maps(paths), 'weft_wanted'));
  const { signal, rest } = options;
  let wake = (): void => {};
  const untilTold = (quiet: RingReader, milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      void quiet.waiting(milliseconds).then(resolve);
    });
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  options.onWake?.(() => wake());
  let lostBefore = readCounter(losses, 0);
  let done = false;
  let batch = FIRST_BATCH;
  let pause = PAUSE_MS;
  let said: Wanted = WANTED.waiting;
  const say = (now: Wanted): void => {
    if (now !== said) wanted.update(encodeU32(0), encodeU32(now));
    said = now;
  };
  try {
    say(options.wanted());
    options.onReady?.();
    while (!signal.aborted && !done) {
      say(options.wanted());
      options.onLook?.();
      const total = readCounter(losses, 0);
      let lost = Number(total - lostBefore);
      lostBefore = total;
      const found = ring.drain((bytes) => {
        if (done) return;
        done = options.onBytes(bytes, lost);
        lost = 0;
      }, batch);
      if (found === 0) lostBefore -= BigInt(lost); // no line carried it yet
      if (found === 0 && !options.follow) break;
      if (found === 0 && !done) {
        // A busy node is looked at; a quiet one says itself when there is something.
        if (rest === undefined || pause < LONGEST_PAUSE_MS) await wait(pause);
        else await untilTold(ring, rest);
      }
      pause = found === 0 ? Math.min(2 * pause, LONGEST_PAUSE_MS) : PAUSE_MS;
      if (found === batch && !done) await wait(REST_MS);
      batch = found === batch ? Math.min(2 * batch, LARGEST_BATCH) : FIRST_BATCH;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    say(WANTED.waiting);
  }
}

/** Delivers events until the limit, the signal, or (without `follow`) the end of what waits. Throws A013, KernelError. */
export async function readEvents(
  kernel: Kernel,
  paths: Paths,
  options: EventOptions,
): Promise<{ readonly delivered: number; readonly interrupted: boolean }> {
  const namesFor = nameFinder(paths);
  const node = hostname();
  const { limit, signal, follow } = options;
  let delivered = 0;
  let untold = 0;
  await readRing(kernel, paths, {
    follow,
    signal,
    wanted: () => (options.passing ? WANTED.events : WANTED.waiting),
    onBytes: (bytes, lost) => {
      untold += lost;
      // What a recording left behind.
      if (isHeadRecord(bytes)) return false;
      const raw = decodeEvent(bytes);
      options.onEvent(describeEvent(raw, { node, names: namesFor(raw.generation), lost: untold }));
      untold = 0;
      delivered += 1;
      return limit !== null && delivered >= limit;
    },
  });
  return { delivered, interrupted: signal.aborted };
}
