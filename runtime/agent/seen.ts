/**
 * What the hooks of a node saw, each with all that its decision depended on: events, and of requests
 * the head that the policies were asked about, which comes as a record of its own.
 */
import { hostname } from 'node:os';
import type { Kernel } from '../kernel/index.js';
import type { EventNames, KernelEvent } from '../probe/index.js';
import { nameFinder, readRing, WANTED } from './events.js';
import { decodeEvent, decodeHeadRecord, type HeadRecord, isHeadRecord } from './layout.js';
import type { Paths } from './paths.js';

export interface Seen {
  readonly event: KernelEvent;
  /** Of a request; null for connections. */
  readonly head: HeadRecord | null;
  readonly names: EventNames | null;
  readonly node: string;
}

export interface SeenOptions {
  readonly signal: AbortSignal;
  /** True: it is enough. */
  readonly onSeen: (seen: Seen) => boolean;
  /** Called once the hooks report heads. */
  readonly onReady?: () => void;
}

export interface SeenSummary {
  /** Found no room in the ring. */
  readonly lost: number;
  /** Requests whose head was lost, or could not be read by the hook. */
  readonly headless: number;
}

/** Events that wait for their heads: a head follows its event at once, but for other CPUs' records. */
const MAX_WAITING = 1024;

function keyOf({ now, random }: Pick<HeadRecord, 'now' | 'random'>): string {
  return `${now} ${random}`;
}

/** Puts heads to their events. */
export interface SeenReader {
  /** A record of the ring; `hasHeads`: events of requests are followed by their heads. */
  take(bytes: Uint8Array, hasHeads: boolean): boolean;
  /** Requests whose head did not come. */
  readonly headless: number;
}

/** `onSeen` answers whether it is enough. */
export function seenReader(paths: Paths, onSeen: (seen: Seen) => boolean): SeenReader {
  const namesFor = nameFinder(paths);
  const node = hostname();
  const waiting = new Map<string, KernelEvent>();
  let lost = 0;
  const tell = (event: KernelEvent, head: HeadRecord | null): boolean =>
    onSeen({ event, head, names: namesFor(event.generation), node });
  const keep = (event: KernelEvent): void => {
    waiting.set(keyOf(event), event);
    const [oldest] = waiting.size > MAX_WAITING ? waiting.keys() : [];
    if (oldest === undefined) return;
    waiting.delete(oldest);
    lost += 1;
  };
  return {
    get headless(): number {
      return lost + waiting.size;
    },
    take: (bytes, hasHeads) => {
      if (isHeadRecord(bytes)) {
        const head = decodeHeadRecord(bytes);
        const event = waiting.get(keyOf(head));
        waiting.delete(keyOf(head));
        return event === undefined ? false : tell(event, head);
      }
      const event = decodeEvent(bytes);
      if (!hasHeads || (event.hook !== 'request' && event.hook !== 'server'))
        return tell(event, null);
      keep(event);
      return false;
    },
  };
}

/** Follows a node until it is enough or the signal. Throws A013, KernelError. */
export async function readSeen(
  kernel: Kernel,
  paths: Paths,
  { signal, onSeen, onReady }: SeenOptions,
): Promise<SeenSummary> {
  let lost = 0;
  const reader = seenReader(paths, onSeen);
  await readRing(kernel, paths, {
    follow: true,
    signal,
    wanted: () => WANTED.heads,
    ...(onReady === undefined ? {} : { onReady }),
    onBytes: (bytes, lostNow) => {
      lost += lostNow;
      return reader.take(bytes, true);
    },
  });
  return { lost, headless: reader.headless };
}
