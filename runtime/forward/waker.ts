/**
 * Wakes senders whose body found no room where it was redirected to. The kernel tells them EAGAIN, but
 * waits with them for their own socket, which has room all the time: who waits for an edge (EPOLLET)
 * would wait for ever.
 */
import type { ClientId, Handover } from './layout.js';
import type { NodeWords } from './node-words.js';
import type { Pools } from './pools.js';

/** Between two looks. */
export const WAKE_MS = 50;
/** And while there is no connection whose sender could wait. */
export const LONGEST_WAKE_MS = 400;
/** Looks at the same place, at most, between two wakes: its sender may just be slow. */
const LONGEST = 16;

export interface WakerWorld {
  readonly words: NodeWords;
  readonly pools: Pools;
  /** By door. */
  readonly sessions: ReadonlyMap<number, { readonly handover: Handover }>;
  readonly wake: (client: ClientId, cgroup: bigint) => void;
}

interface Place {
  readonly client: bigint;
  /** How far the sender came. */
  readonly at: number;
  /** Looks since it came there. */
  readonly looks: number;
}

/** After 1, 2, 4, 8, 16, and then each 16 looks. */
function isDue(looks: number): boolean {
  return looks % LONGEST === 0 ? looks > 0 : (looks & (looks - 1)) === 0 && looks > 0;
}

export class Waker {
  readonly #world: WakerWorld;
  #places = new Map<string, Place>();

  constructor(world: WakerWorld) {
    this.#world = world;
  }

  /** Looks once; wakes who stands where it stood at the last look. False: there is nobody who could wait. */
  look(): boolean {
    const { words, pools, sessions } = this.#world;
    const before = this.#places;
    this.#places = new Map();
    const note = (key: string, client: ClientId, at: number, cgroup: bigint): void => {
      const last = before.get(key);
      const same = last?.client === client.cookie && last.at === at;
      const looks = same ? last.looks + 1 : 0;
      this.#places.set(key, { client: client.cookie, at, looks });
      if (isDue(looks)) this.#world.wake(client, cgroup);
    };
    // The step looks at every connection that there can be.
    for (let from = 0; !pools.isEmpty; ) {
      const index = words.step({ step: 'stuck', index: from }) - 1;
      if (index < 0) break;
      from = index + 1;
      const upstream = pools.at(index);
      if (upstream === null) continue;
      const rest = words.step({ step: 'rest', index });
      note(`lease ${index}`, words.lease(index).client, rest, upstream.key.cgroup);
    }
    for (const [index, { handover }] of sessions) {
      const { lending, client, cgroup } = handover;
      const sent = words.step({ step: 'cut', index, lending });
      if (sent > 0) note(`door ${index}`, client, sent, cgroup);
    }
    return !pools.isEmpty || sessions.size > 0;
  }
}
