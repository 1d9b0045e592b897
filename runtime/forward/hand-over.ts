/**
 * From a living agent to the next one, with clients in its hands: first the pools in one go, then each
 * door once nobody has it. Both run meanwhile: a client finds a door of one or the other at any time.
 */
import type { TakenDoors } from './drain.js';
import { DOORS } from './layout.js';
import type { NodeWords } from './node-words.js';

const LOOK_MS = 20;
/** Doors at once: the others serve while these change hands. */
const MOST = 64;

/** What the next agent hears of the one before. */
export interface Predecessor {
  /** All is prepared: which pooled connections are ours now; null where the other had no part in exchanges. */
  ready(): Promise<ReadonlySet<number> | null>;
  /** Resolves with doors that are ours from now on, again and again; null behind the last ones. */
  doors(): Promise<readonly number[] | null>;
}

/** What the agent before says to the next one. */
export interface Successor {
  /** Resolves once it lets clients into these. */
  give(doors: readonly number[]): Promise<void>;
}

export interface LeavingWorld {
  readonly words: NodeWords;
  readonly taken: TakenDoors;
  /** Clients in doors, and replies that the agent forwards. */
  readonly underway: () => number;
  readonly isClosed: () => boolean;
}

/** Gives away each door that nobody has, until there is none left and nothing is under way. */
export async function giveDoors(world: LeavingWorld, successor: Successor): Promise<void> {
  const { words, taken } = world;
  while (!world.isClosed()) {
    const found: number[] = [];
    for (let index = 0; index < DOORS && found.length < MOST; index++) {
      if (taken.has(index) || words.step({ step: 'door', index }) === 0) continue;
      taken.add(index);
      found.push(index);
    }
    if (found.length > 0) await successor.give(found);
    else if (taken.size === DOORS && world.underway() === 0) return;
    else await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
