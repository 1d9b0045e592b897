/** The bundle that this node decides by beside its own, one at a time, and what came of it. */
import type { World } from '../discovery/index.js';
import type { EventHub } from './event-hub.js';
import type { Shadow, ShadowCount } from './shadow.js';

export interface ShadowDesk {
  /** Begins to count, from nought. A bundle that this kernel takes and V8 does not counts nothing, and is told. */
  begin(bytes: Uint8Array, digest: string): Promise<void>;
  /** Ends it; harmless where it is another's turn already. */
  end(digest: string): void;
  /** From where events come; until then none are counted. */
  follow(hub: EventHub): void;
  /** Null also until it counts: opening it takes seconds on a large node, and a stage's hold begins with the first report of it. */
  counts(): ShadowCount | null;
  close(): void;
}

export interface ShadowDeskOptions {
  /** Of this node, asked anew at each beginning. */
  readonly world: () => Promise<World>;
  readonly onFault: (error: unknown) => void;
}

interface Current {
  readonly digest: string;
  isOpening: boolean;
  shadow: Shadow | null;
  following: Disposable | null;
}

/** Opens one. */
export function openShadowDesk({ world, onFault }: ShadowDeskOptions): ShadowDesk {
  let hub: EventHub | null = null;
  let current: Current | null = null;
  const listen = (): void => {
    const shadow = current?.shadow ?? null;
    if (current === null || shadow === null || hub === null || current.following !== null) return;
    const onSeen: Shadow['take'] = (seen, lost) => shadow.take(seen, lost);
    // Heads of requests, without which they cannot be decided again.
    current.following = hub.follow({ wanted: 'heads', onSeen });
  };
  const stop = (): void => {
    current?.following?.[Symbol.dispose]();
    current = null;
  };
  const open = async (bytes: Uint8Array, digest: string): Promise<Shadow | null> => {
    try {
      const { openShadow } = await import('./shadow.js');
      return openShadow(bytes, digest, await world());
    } catch (error) {
      onFault(error);
      return null;
    }
  };
  return {
    begin: async (bytes, digest) => {
      if (current?.digest === digest) return;
      stop();
      const begun: Current = { digest, isOpening: true, shadow: null, following: null };
      current = begun;
      const shadow = await open(bytes, digest);
      // Another may have had its turn meanwhile, or nobody.
      if (current !== begun) return;
      current.isOpening = false;
      current.shadow = shadow;
      listen();
    },
    end: (digest) => {
      if (current?.digest === digest) stop();
    },
    follow: (opened) => {
      hub = opened;
      listen();
    },
    counts: () => {
      if (current === null || current.isOpening) return null;
      const { digest, shadow } = current;
      return shadow?.counts() ?? { digest, same: 0, different: 0, lost: 0, rules: [] };
    },
    close: stop,
  };
}
