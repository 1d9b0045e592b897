/**
 * What the group measures: sets of rounds and the benches that each answers for. Across veth and on the same
 * node the peers do the same, so both are measured in the same rounds.
 */
import type { Ask } from './rounds.js';
import type { Reply } from './rules.js';

export type Bench = 'veth' | 'same-node' | 'redirected';

export interface BenchSet extends Ask {
  readonly benches: readonly Bench[];
}

export const CONNECTIONS = [1, 16, 64] as const;

const KINDS: readonly Omit<BenchSet, 'connections'>[] = [
  { benches: ['veth', 'same-node'], reply: 'small', version: 'v1' },
  { benches: ['redirected'], reply: 'small', version: 'v2' },
  { benches: ['veth', 'same-node'], reply: '64k', version: 'v1' },
  { benches: ['same-node'], reply: 'sendfile-100k', version: 'v1' },
];

/** `http/veth/16`; a reply other than the small one is named at the end: `http/veth/16/64k`. */
export function benchName(bench: Bench, reply: Reply, connections: number): string {
  return `http/${bench}/${connections}${reply === 'small' ? '' : `/${reply}`}`;
}

/** The sets with only the benches whose names begin with `part`. */
export function setsOf(part: string): readonly BenchSet[] {
  const all = KINDS.flatMap((kind) => CONNECTIONS.map((connections) => ({ ...kind, connections })));
  return all
    .map((set) => ({
      ...set,
      benches: set.benches.filter((bench) =>
        benchName(bench, set.reply, set.connections).startsWith(part),
      ),
    }))
    .filter(({ benches }) => benches.length > 0);
}
