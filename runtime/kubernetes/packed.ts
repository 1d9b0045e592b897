/**
 * What is known of a cluster as one text an object: a tenth of what it takes as objects, and compared as a
 * whole. Who puts a world together unpacks them, in a process that ends with it.
 */
import { type Address, parseAddress } from '../discovery/index.js';
import type { ClusterFacts } from './cluster-world.js';
import { Shared } from './raw.js';

/** The kinds that are followed. */
export type Kind = keyof ClusterFacts;

/** Each kind by `namespace/name`, packed. */
export type PackedFacts = { readonly [K in Kind]: ReadonlyMap<string, string> };

/** Addresses are written as their texts, which say all of them. */
export function packItem(item: object): string {
  return JSON.stringify(item, (key, value: unknown) =>
    key === 'addresses' && Array.isArray(value) ? value.map(({ text }: Address) => text) : value,
  );
}

/** What `packItem` packed. Labels that many objects share are one object again. */
export function unpackItem<T>(text: string, shared: Shared): T {
  return JSON.parse(text, (key, value: unknown) => {
    if (key === 'addresses' && Array.isArray(value))
      return value.flatMap((address) => parseAddress(String(address)) ?? []);
    return key === 'labels' ? shared.one(value) : value;
  });
}

/** All of it. */
export function unpackFacts(packed: PackedFacts): ClusterFacts {
  const shared = new Shared();
  const all = <T>(kind: Kind): ReadonlyMap<string, T> =>
    new Map([...packed[kind]].map(([key, text]) => [key, unpackItem<T>(text, shared)]));
  return {
    ...{ pods: all('pods'), nodes: all('nodes'), namespaces: all('namespaces') },
    ...{ services: all('services'), slices: all('slices') },
  };
}
