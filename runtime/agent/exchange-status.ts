/** Pools, leases and doors of a node, read from its maps: what is open, and whether anything is left. */
import {
  DOOR_WORDS,
  DOORS,
  decodeLease,
  decodePool,
  decodePoolKey,
  type PoolKey,
  UPSTREAMS,
} from '../forward/index.js';
import { addressText, viewOf } from '../kernel/index.js';
import { encodeU32 } from './layout.js';
import type { NodeMaps } from './node.js';

export interface PoolStatus {
  readonly cgroup: string;
  /** `address:port` of the endpoint. */
  readonly endpoint: string;
  readonly size: number;
  readonly idle: number;
  /** Requests that found no connection idle. */
  readonly misses: bigint;
}

export interface ExchangeStatus {
  readonly pools: readonly PoolStatus[];
  /** Exchanges under way on pooled connections. */
  readonly leases: number;
  /** Clients in the agent's hands. */
  readonly doors: number;
}

export const NO_EXCHANGES: ExchangeStatus = { pools: [], leases: 0, doors: 0 };

function bitsOf(words: readonly bigint[]): number {
  let count = 0;
  for (let word of words) for (; word !== 0n; word &= word - 1n) count += 1;
  return count;
}

function endpointText({ endpoint }: PoolKey): string {
  const text = addressText(endpoint.address);
  return text.includes(':') ? `[${text}]:${endpoint.port}` : `${text}:${endpoint.port}`;
}

/** Reads it; throws KernelError. */
export function exchangeStatus(node: NodeMaps): ExchangeStatus {
  const leases = node.map('weft_leases');
  const sizes = new Map<string, number>();
  let lent = 0;
  for (let index = 0; index < UPSTREAMS; index++) {
    const record = leases.lookup(encodeU32(index));
    if (record === null) continue;
    if (decodeLease(record).isUnfinished) lent += 1;
    const key = Buffer.from(record.subarray(0, 32)).toString('hex');
    sizes.set(key, (sizes.get(key) ?? 0) + 1);
  }
  const map = node.map('weft_pools');
  const pools = map.keys().flatMap((bytes): PoolStatus[] => {
    const value = map.lookup(bytes);
    if (value === null) return [];
    const key = decodePoolKey(bytes);
    const { idle, misses } = decodePool(value);
    const size = sizes.get(Buffer.from(bytes).toString('hex')) ?? 0;
    const endpoint = endpointText(key);
    return [{ cgroup: String(key.cgroup), endpoint, size, idle: bitsOf(idle), misses }];
  });
  const words = Array.from({ length: DOOR_WORDS }, (_, word) => {
    const value = node.map('weft_door_idle').lookup(encodeU32(word));
    return value === null ? 0n : viewOf(value).getBigUint64(0, true);
  });
  // All are taken where no agent offers them.
  const offered = bitsOf(words);
  return { pools, leases: lent, doors: offered === 0 ? 0 : DOORS - offered };
}
