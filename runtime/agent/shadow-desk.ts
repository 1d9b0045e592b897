/** The bundle that this node decides by beside its own, one at a time, and what came of it. */
import { decodeBundle } from '../../compiler/bundle/index.js';
import type { World } from '../discovery/index.js';
import type { EventHub } from './event-hub.js';
import { createShadow, type Shadow, type ShadowCount } from './shadow.js';

export interface ShadowDesk {
  /** Begins to count, from nought. A bundle that this kernel takes and V8 does not counts nothing, and is told. */
  begin(bytes: Uint8Array, digest: string): void;
  /** Ends it; harmless where it is another's turn already. */
  end(digest: string): void;
  /** From where events come; until then none are counted. */
  follow(hub: EventHub): void;
  counts(): ShadowCount | null;
  close(): void;
}

export interface ShadowDeskOptions {
  /** Of this node, asked anew at each beginning. */
  readonly world: () => World;
  readonly onFault: (error: unknown) => void;
}

interface Current {
  readonly digest: string;
  readonly shadow: Shadow | null;
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
  const open = (bytes: Uint8Array, digest: string): Shadow | null => {
    try {
      const decoded = decodeBundle(bytes);
      return decoded.ok ? createShadow({ bundle: decoded.bundle, digest, world: world() }) : null;
    } catch (error) {
      onFault(error);
      return null;
    }
  };
  return {
    begin: (bytes, digest) => {
      if (current?.digest === digest) return;
      stop();
      current = { digest, shadow: open(bytes, digest), following: null };
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
      if (current === null) return null;
      const { digest, shadow } = current;
      return shadow?.counts() ?? { digest, same: 0, different: 0, lost: 0, rules: [] };
    },
    close: stop,
  };
}
