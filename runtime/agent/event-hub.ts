/**
 * The one reader of the event ring in an agent: the ring has one consumer position, and many follow.
 * Who follows says what it wants; the hooks report the most that anybody wants.
 */
import type { Kernel } from '../kernel/index.js';
import { readRing, WANTED, type Wanted } from './events.js';
import type { Paths } from './paths.js';
import { type Seen, seenReader } from './seen.js';

/** A quiet ring is looked at so often all the same: what was lost is counted elsewhere, and health asks. */
const REST_MS = 1000;

export interface Follower {
  /** `events`: also requests that merely pass; `heads`: and what they look like. */
  readonly wanted: keyof typeof WANTED;
  /** `lost`: verdicts before this one of which no record was made. */
  onSeen(seen: Seen, lost: number): void;
}

export interface EventHub {
  /** Until disposed. */
  follow(follower: Follower): Disposable;
  /** When the ring was last looked at, as performance.now() tells it. */
  readonly lastLook: number;
  /** Verdicts that no record told, since the start. */
  readonly lost: number;
  /** Resolves behind the signal, rejects where the ring cannot be read. */
  readonly done: Promise<void>;
}

export interface EventHubOptions {
  readonly signal: AbortSignal;
  /** A follower that failed; the others go on. */
  readonly onFault: (error: unknown) => void;
}

/** Reads the ring of a node until the signal. */
export function openEventHub(
  kernel: Kernel,
  paths: Paths,
  { signal, onFault }: EventHubOptions,
): EventHub {
  const followers = new Set<Follower>();
  let wake = (): void => {};
  let [lastLook, lost, before] = [performance.now(), 0, 0];
  const wanted = (): Wanted => {
    const kinds = new Set([...followers].map((one) => one.wanted));
    if (kinds.has('heads')) return WANTED.heads;
    return kinds.has('events') ? WANTED.events : WANTED.waiting;
  };
  const reader = seenReader(paths, (seen) => {
    for (const follower of followers) {
      try {
        follower.onSeen(seen, before);
      } catch (error) {
        onFault(error);
      }
    }
    before = 0;
    return false;
  });
  const done = readRing(kernel, paths, {
    follow: true,
    signal,
    wanted,
    rest: REST_MS,
    onWake: (poke) => {
      wake = poke;
    },
    onLook: () => {
      lastLook = performance.now();
    },
    onBytes: (bytes, lostNow) => {
      lost += lostNow;
      before += lostNow;
      return reader.take(bytes, wanted() === WANTED.heads);
    },
  });
  // Who waits for it is told; a failure in between is no unhandled one.
  done.catch(() => {});
  return {
    follow: (follower) => {
      followers.add(follower);
      wake();
      return { [Symbol.dispose]: () => void followers.delete(follower) };
    },
    get lastLook(): number {
      return lastLook;
    },
    get lost(): number {
      return lost;
    },
    done,
  };
}
