/**
 * The end of an agent's part that nobody notices: no client gets a door of its any more, no exchange a
 * connection of its pools, and what is under way goes on to its end.
 */
import { DOORS } from './layout.js';
import type { NodeWords } from './node-words.js';
import type { Pools } from './pools.js';

const LOOK_MS = 20;

export interface DrainWorld {
  readonly words: NodeWords;
  readonly pools: Pools;
  /** Clients in doors, and replies that the agent forwards. */
  readonly underway: () => number;
  readonly isClosed: () => boolean;
}

/** Doors that this agent has taken out of service. */
export type TakenDoors = Set<number>;

/** Takes each door that nobody has, and closes each connection that nobody uses. */
function look({ words, pools }: DrainWorld, taken: TakenDoors): void {
  for (let index = 0; index < DOORS; index++) {
    if (!taken.has(index) && words.step({ step: 'door', index }) === 1) taken.add(index);
  }
  for (const upstream of [...pools.members()]) {
    if (!upstream.isOurs && pools.claim(upstream)) pools.discard(upstream);
  }
}

/** Resolves true once nothing is under way, false where the time passed before. */
export async function drain(
  world: DrainWorld,
  taken: TakenDoors,
  milliseconds: number,
): Promise<boolean> {
  const end = performance.now() + milliseconds;
  for (;;) {
    if (world.isClosed()) return true;
    look(world, taken);
    const isLent = [...world.pools.members()].length > 0;
    if (taken.size === DOORS && world.underway() === 0 && !isLent) return true;
    const left = end - performance.now();
    if (left <= 0) return false;
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, left)));
  }
}
