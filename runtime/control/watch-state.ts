/** Rollouts and nodes for an operator who looks: all at first, then what changed, as fast as it is read. */
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { Store } from '../store/index.js';
import { follow } from './follow.js';
import {
  type Changes,
  ChangesSchema,
  type Clock,
  create,
  pause,
  type WatchRequest,
} from './wire/index.js';

/** Changes that come together are told together, in milliseconds: twice a second is as fast as one reads. */
const GATHER_MS = 250;
/** Documents in a message: below 1 MiB with reports of the usual size. */
const BATCH = 256;

export interface StateOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

const ROLLOUTS = 'rollouts/';
const NODES = 'nodes/';

/** Serves one look; resolves when it has ended. */
export async function watchState(
  { store, clock, onFault }: StateOptions,
  call: ServerWritableStream<WatchRequest, Changes>,
): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  let wake = (): void => {};
  let drop = (): void => {};
  const end = (): void => {
    stop.abort();
    wake();
    drop();
  };
  call.on('close', end);
  call.on('cancelled', end);
  const changed = new Set<string>();
  const onChange = (keys: readonly string[]): void => {
    for (const key of keys) changed.add(key);
    wake();
  };
  const options = { signal, clock, onFault, onChange };
  const prefixes = [ROLLOUTS, NODES] as const;
  const followed = prefixes.map((prefix) => follow(store, prefix, options));
  await Promise.all(followed.map(({ ready }) => ready));
  const text = (key: string): string | undefined => {
    const bytes = followed.map(({ entries }) => entries.get(key)).find((b) => b !== undefined);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };

  function message(keys: readonly string[], isWhole: boolean): Changes {
    const out = create(ChangesSchema, { whole: isWhole, nowMs: BigInt(clock.now()) });
    for (const key of keys) {
      const document = text(key);
      const isNode = key.startsWith(NODES);
      if (document !== undefined) (isNode ? out.nodes : out.rollouts).push(document);
      else if (isNode) out.nodesRemoved.push(key.slice(NODES.length));
      else out.rolloutsRemoved.push(key.slice(ROLLOUTS.length));
    }
    return out;
  }

  const send = (changes: Changes): Promise<void> =>
    new Promise((resolve) => {
      drop = resolve;
      call.write(changes, () => resolve());
    });

  try {
    for (;;) {
      const keys = [...changed];
      changed.clear();
      let i = 0;
      do {
        const part = keys.slice(i, i + BATCH);
        i += BATCH;
        await send(message(part, i >= keys.length));
      } while (i < keys.length && !signal.aborted);
      if (signal.aborted || !call.request.follow) break;
      if (changed.size === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      await pause(clock, GATHER_MS, signal);
    }
  } finally {
    stop.abort();
    call.end();
  }
}
