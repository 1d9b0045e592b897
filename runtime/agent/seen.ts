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

/** Follows a node until it is enough or the signal. Throws A013, KernelError. */
export async function readSeen(
  kernel: Kernel,
  paths: Paths,
  { signal, onSeen, onReady }: SeenOptions,
): Promise<SeenSummary> {
  const namesFor = nameFinder(paths);
  const node = hostname();
  const waiting = new Map<string, KernelEvent>();
  let [lost, headless] = [0, 0];
  const tell = (event: KernelEvent, head: HeadRecord | null): boolean =>
    onSeen({ event, head, names: namesFor(event.generation), node });
  const keep = (event: KernelEvent): void => {
    waiting.set(keyOf(event), event);
    const [oldest] = waiting.size > MAX_WAITING ? waiting.keys() : [];
    if (oldest === undefined) return;
    waiting.delete(oldest);
    headless += 1;
  };
  await readRing(kernel, paths, {
    follow: true,
    signal,
    wanted: WANTED.heads,
    ...(onReady === undefined ? {} : { onReady }),
    onBytes: (bytes, lostNow) => {
      lost += lostNow;
      if (isHeadRecord(bytes)) {
        const head = decodeHeadRecord(bytes);
        const event = waiting.get(keyOf(head));
        waiting.delete(keyOf(head));
        return event === undefined ? false : tell(event, head);
      }
      const event = decodeEvent(bytes);
      if (event.hook !== 'request' && event.hook !== 'server') return tell(event, null);
      keep(event);
      return false;
    },
  });
  return { lost, headless: headless + waiting.size };
}
