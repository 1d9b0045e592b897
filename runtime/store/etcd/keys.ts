/** Keys of the store as etcd has them: below one prefix, so that a cluster may serve others too. */

import type { Entry } from '../types.js';
import type { KeyValue } from './gen/etcd/rpc_pb.js';

/** What every key of Weft begins with in etcd. */
const PREFIX = 'weft/';

export function toKey(key: string): Uint8Array {
  return new TextEncoder().encode(PREFIX + key);
}

export function fromKey(key: Uint8Array): string {
  return new TextDecoder().decode(key).slice(PREFIX.length);
}

/** The first key behind all that begin with `prefix`. */
export function endOf(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice();
  // Keys are ASCII: the last byte has room.
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

export function toEntry(kv: KeyValue): Entry {
  return { key: fromKey(kv.key), value: kv.value, revision: kv.modRevision };
}
