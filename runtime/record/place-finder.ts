/**
 * Where a request went, in the words of the record format: by address where the world has it, else by
 * the name that the client used, as it stands or as Kubernetes spells it.
 */
import { type Address, parseAddress, type World } from '../discovery/index.js';

export interface SeenPlace {
  readonly address: string | null;
  readonly host: string;
  readonly port: number;
}

const CLUSTER_SUFFIX = /\.svc(\.[a-z0-9.-]+)?$/;

/** Text of address and port, as records have it. */
export function placeText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Makes the `to` of records; a place that the world does not know keeps its address. */
export function placeFinder(world: World): (place: SeenPlace) => string {
  const addresses = new Set(
    [...world.services, ...world.workloads].flatMap((of) => of.addresses.map((a) => a.text)),
  );
  const names = new Set([...world.services, ...world.workloads].map(({ name }) => name));
  return ({ address, host, port }) => {
    const seen: Address | null = address === null ? null : parseAddress(address);
    if (seen !== null && addresses.has(seen.text)) return placeText(seen.text, port);
    const name = host.toLowerCase().replace(CLUSTER_SUFFIX, '');
    if (names.has(name)) return `${name}:${port}`;
    return placeText(seen?.text ?? host, port);
  };
}
