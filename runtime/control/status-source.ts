/** What the page of a cluster shows: the store as it is, and verdicts of the nodes that are connected here. */
import type { EventRecord } from '../probe/index.js';
import { decodeRollout, type EventFilter, type Watched } from '../rollout/index.js';
import type { StatusSource } from '../status-page/index.js';
import type { Store } from '../store/index.js';
import type { EventDesk } from './event-desk.js';
import { NODES, ROLLOUTS } from './keys.js';
import { decodeNode } from './rollouts.js';
import { type Clock, create, EventFilterSchema } from './wire/index.js';

/** Verdicts that wait for a page that reads slowly; more are left out. */
const MAX_WAITING = 1000;

export interface StatusSourceOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly events: EventDesk;
  readonly onFault: (error: unknown) => void;
}

async function* follow(
  desk: EventDesk,
  asked: EventFilter,
  signal: AbortSignal,
): AsyncGenerator<EventRecord> {
  const { node = '', workload = '' } = asked;
  const verdict: string = asked.verdict ?? '';
  const waiting: string[] = [];
  let wake = (): void => {};
  const stop = (): void => wake();
  const leave = desk.watch({
    node,
    filter: create(EventFilterSchema, { wanted: true, verdict, workload }),
    take: ({ records }) => {
      waiting.push(...records.slice(0, Math.max(0, MAX_WAITING - waiting.length)));
      wake();
    },
  });
  signal.addEventListener('abort', stop, { once: true });
  try {
    while (!signal.aborted) {
      for (const record of waiting.splice(0)) yield JSON.parse(record) as EventRecord;
      if (waiting.length > 0 || signal.aborted) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', stop);
    leave();
  }
}

/** Opens it; nothing runs until it is asked. */
export function statusSource({ store, clock, events, onFault }: StatusSourceOptions): StatusSource {
  const state = async (): Promise<Watched> => {
    const [documents, nodes] = await Promise.all([store.list(ROLLOUTS), store.list(NODES)]);
    const rollouts = documents.entries.flatMap(({ key, value }) => {
      try {
        return [decodeRollout(value, key)];
      } catch (error) {
        onFault(error);
        return [];
      }
    });
    const found = nodes.entries.map(({ value }) => decodeNode(value)).filter((n) => n !== null);
    return { rollouts, nodes: found, now: clock.now() };
  };
  return { state, events: (filter, signal) => follow(events, filter, signal) };
}
