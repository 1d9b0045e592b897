/** Pools, leases and doors of a node, read from its maps: what is open, and whether anything is left. */
import {
  DOORS,
  decodeLease,
  decodePool,
  decodePoolKey,
  FORWARD_LAYOUT,
  type PoolKey,
} from '../forward/index.js';
import { addressText, viewOf } from '../kernel/index.js';
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

/** What a lease begins with. */
const KEY_BYTES = FORWARD_LAYOUT.weft_pool_key.size;
const NO_KEY = Buffer.alloc(KEY_BYTES);

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
  const sizes = new Map<string, number>();
  let lent = 0;
  for (const record of node.map('weft_leases').values()) {
    const key = Buffer.from(record.buffer, record.byteOffset, KEY_BYTES);
    // Most were never a connection's.
    if (key.equals(NO_KEY)) continue;
    if (decodeLease(record).isUnfinished) lent += 1;
    const name = key.toString('hex');
    sizes.set(name, (sizes.get(name) ?? 0) + 1);
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
  const words = node.map('weft_door_idle').values();
  // All are taken where no agent offers them.
  const offered = bitsOf(words.map((word) => viewOf(word).getBigUint64(0, true)));
  return { pools, leases: lent, doors: offered === 0 ? 0 : DOORS - offered };
}
