/** One input of a set that is routed otherwise, with a world in which both ways lead somewhere. */
import type { Service, Workload, World } from '../discovery/index.js';
import { DEFAULT_NOW, type DecideInput } from '../simulate/index.js';
import type { Level } from './decide.js';
import type { Diagram } from './diagram.js';
import {
  addressOf,
  type Example,
  PORTS,
  pointOf,
  requestOf,
  USUAL,
  workloadOf,
} from './example.js';
import {
  CLOCK_FIELD,
  DRAW_FIELD,
  IPV4,
  PORT_FIELD,
  PROTOCOL_FIELD,
  SERVICE_FIELD,
} from './field.js';
import type { Space } from './guards.js';

const [FOUR] = IPV4;
const TARGET = 8080;
const SUBSET = 'weft.dev/subset';

/** Addresses of a world's own making, apart from those of the example. */
class Addresses {
  readonly #taken: Set<bigint>;
  readonly #isFour: boolean;
  #next = 0n;
  constructor(taken: readonly bigint[], isFour: boolean) {
    this.#taken = new Set(taken);
    this.#isFour = isFour;
  }
  next(): bigint {
    const first = this.#isFour ? FOUR | 0x0a640001n : (0xfd64n << 112n) | 1n;
    let found = first + this.#next;
    while (this.#taken.has(found)) found += 1n;
    this.#next = found - first + 1n;
    return found;
  }
}

/** A world with the service that is asked for, and with all that some clusters are of. */
export function routeExample(
  space: Space,
  set: Diagram,
  level: Level,
  clusters: readonly string[],
): Example {
  const point = pointOf(space, set);
  const service = point.text(SERVICE_FIELD.name, 'shop.default') ?? 'shop.default';
  const namespace = service.slice(service.indexOf('.') + 1);
  const from = point.number('source.address', USUAL.source);
  const to = point.number('destination.address', USUAL.destination);
  const port = Number(point.number(PORT_FIELD.name, PORTS));
  const addresses = new Addresses([from, to], to >= IPV4[0] && to <= IPV4[1]);
  const source = workloadOf(point, 'source', addressOf(from), []);
  const subsets = new Map<string, string[]>([[service, []]]);
  for (const cluster of clusters) {
    const [of = '', subset = ''] = cluster.split('/');
    const name = of.includes('.') ? of : `${of}.${namespace}`;
    subsets.set(name, [...new Set([...(subsets.get(name) ?? []), subset])]);
  }
  const workloads: Workload[] = source === null ? [] : [source];
  const services = [...subsets].map(([name, list]): Service => {
    const [short = '', home = ''] = name.split('.');
    const own = [...list, 'other'];
    for (const subset of own) {
      workloads.push({
        name: `${short}-${subset}.${home}`,
        namespace: home,
        addresses: [addressOf(addresses.next())],
        labels: { [SUBSET]: subset },
        serviceAccount: null,
        trustDomain: 'cluster.local',
        locality: { region: null, zone: null },
        node: null,
        cgroup: null,
        healthy: true,
        weight: 1,
        at: null,
      });
    }
    const protocol =
      level === 'request'
        ? 'http'
        : point.number(PROTOCOL_FIELD.name, [6n]) === 17n
          ? 'udp'
          : 'tcp';
    return {
      name,
      namespace: home,
      addresses: [addressOf(name === service ? to : addresses.next())],
      ports: [{ port: name === service ? port : TARGET, target: TARGET, protocol }],
      clusters: own.map((subset) => ({
        name: `${short}/${subset}`,
        selector: { [SUBSET]: subset },
      })),
      balance: 'round-robin',
      at: null,
    };
  });
  const world: World = { file: null, services, workloads };
  const input: DecideInput = {
    source: { workload: 0, address: addressOf(from) },
    destination: { address: addressOf(to), port },
    protocol: point.number(PROTOCOL_FIELD.name, [6n]) === 17n ? 17 : 6,
    random: Number(point.draw(DRAW_FIELD.name)),
    pick: 0,
    now: point.number(CLOCK_FIELD.name, [DEFAULT_NOW]),
    ...(level === 'request' ? { request: requestOf(point) } : {}),
  };
  return { world, input };
}
