/** CiliumNetworkPolicies, the YAML of them, and traffic that meets what they ask about, and its near misses. */
import { parseAddress } from '../../runtime/discovery/index.js';
import type { CaseParty } from './case-file.js';
import type {
  CiliumExpression,
  CiliumHttp,
  CiliumPod,
  CiliumPolicy,
  CiliumRequest,
  CiliumRule,
  CiliumSelector,
  CiliumToPorts,
} from './cilium-interpreter.js';
import type { RequestFacts } from './encode-request.js';
import type { Prng } from './prng.js';

export const NODES: readonly string[] = ['10.9.0.0/24', '192.0.2.240/28'];
export const CILIUM_HTTP_PORTS: readonly number[] = [80, 8080];
const SPACE = 'k8s:io.kubernetes.pod.namespace';
const SPACES = ['web', 'ops', 'set-0', 'set-1'];
const ROLES = ['web', 'db', 'job'];
const TIERS = ['gold', 'silver'];
const ADDRESSES = [
  '10.0.0.1',
  '10.1.2.3',
  '10.9.0.7',
  '10.9.1.7',
  '192.0.2.5',
  '192.0.2.250',
  '203.0.113.9',
];
const BLOCKS = ['10.0.0.0/8', '192.0.2.0/24', '0.0.0.0/0', '203.0.113.9/32', '10.9.0.0/16'];
const HOLES = ['10.1.0.0/16', '192.0.2.0/29', '10.9.1.0/24'];
const PORTS = ['80', '9000', '9001', '0', '53'];
/** At most four of them need an automaton: a bundle has no more. */
const PATHS = ['/', '/a/.*', '/items/[0-9]+', '.*', '/a|/b', '/find.*=1'];
const METHODS = ['GET', 'PUT|PATCH', 'P.*'];
const HOSTS = ['a\\.example', 'a.*', '.*\\.example'];
const HEADERS = ['x-key: one', 'x-key', 'X-There: a b', 'x-there'];
const TARGETS = [
  '/',
  '/a/b',
  '/a/',
  '/items/12',
  '/items/x',
  '/b',
  '/find',
  '/find?a=1',
  '/b?x=1',
  '/a/b?x=1',
];

function many<T>(random: Prng, most: number, make: () => T): readonly T[] {
  return Array.from({ length: 1 + random.below(most) }, make);
}

function expression(random: Prng): CiliumExpression {
  const key = random.pick(['role', 'k8s:tier', 'tier']);
  const operator = random.pick(['In', 'NotIn', 'Exists', 'DoesNotExist'] as const);
  const values = key === 'role' ? ROLES : TIERS;
  const needs = operator === 'In' || operator === 'NotIn';
  return {
    key,
    operator,
    ...(needs ? { values: [...new Set(many(random, 2, () => random.pick(values)))] } : {}),
  };
}

function selector(random: Prng, plain: boolean): CiliumSelector {
  const labels: Record<string, string> = {};
  if (random.oneIn(2)) labels[random.pick(['role', 'k8s:role'])] = random.pick(ROLES);
  if (random.oneIn(4)) labels['tier'] = random.pick(TIERS);
  if (random.oneIn(3)) labels[SPACE] = random.pick(SPACES);
  const expressions = !plain && random.oneIn(3) ? many(random, 2, () => expression(random)) : [];
  return {
    ...(Object.keys(labels).length > 0 ? { matchLabels: labels } : {}),
    ...(expressions.length > 0 ? { matchExpressions: expressions } : {}),
  };
}

function http(random: Prng): CiliumHttp {
  return {
    ...(random.chance(70) ? { path: random.pick(PATHS) } : {}),
    ...(random.oneIn(2) ? { method: random.pick(METHODS) } : {}),
    ...(random.oneIn(4) ? { host: random.pick(HOSTS) } : {}),
    ...(random.oneIn(3)
      ? { headers: [...new Set(many(random, 2, () => random.pick(HEADERS)))] }
      : {}),
  };
}

function toPorts(random: Prng, denies: boolean): CiliumToPorts {
  if (!denies && random.oneIn(2)) {
    const rules = { http: many(random, 2, () => http(random)) };
    return { ports: [{ port: random.pick(['80', '8080']), protocol: 'TCP' }], rules };
  }
  const port = (): CiliumToPorts['ports'][number] => {
    const first = random.pick(PORTS);
    const isRange = first === '9000' && random.oneIn(2);
    const protocol = random.pick(['TCP', 'UDP', 'ANY', undefined] as const);
    return {
      port: first,
      ...(isRange ? { endPort: 9000 + random.below(3) } : {}),
      ...(protocol === undefined ? {} : { protocol }),
    };
  };
  return { ports: many(random, 2, port) };
}

function peers(random: Prng, denies: boolean, wide: boolean): CiliumRule {
  switch (random.below(5)) {
    case 0:
      return {};
    case 1: {
      const set = {
        cidr: random.pick(BLOCKS),
        ...(random.oneIn(2) ? { except: [random.pick(HOLES)] } : {}),
      };
      return { fromCIDRSet: [set] };
    }
    case 2: {
      const names = denies ? ['world', 'all'] : ['world', 'all', 'cluster', 'nodes'];
      const name = random.pick(names);
      return { fromEntities: name === 'nodes' ? ['host', 'remote-node'] : [name] };
    }
    default:
      return { fromEndpoints: many(random, 2, () => selector(random, denies && wide)) };
  }
}

function rule(random: Prng, denies: boolean, wide: boolean): CiliumRule {
  return {
    ...peers(random, denies, wide),
    ...(random.chance(60) ? { toPorts: many(random, 2, () => toPorts(random, denies)) } : {}),
  };
}

/** Policies of one namespace; with null, of the whole cluster. */
export function generateCilium(random: Prng, namespace: string | null): readonly CiliumPolicy[] {
  const wide = namespace === null;
  return many(random, wide ? 1 : 3, () => 0).map((_, i): CiliumPolicy => {
    const ends = random.oneIn(2) ? { matchLabels: { role: random.pick(ROLES) } } : {};
    const some = random.oneIn(6) ? { matchExpressions: [expression(random)] } : {};
    return {
      namespace,
      name: `p${i}`,
      endpointSelector: { ...ends, ...some, ...(wide ? { matchLabels: { tier: 'gold' } } : {}) },
      ...(random.oneIn(6) ? { enableDefaultDeny: { ingress: false } } : {}),
      ...(random.chance(85) ? { ingress: many(random, 3, () => rule(random, false, wide)) } : {}),
      ...(random.oneIn(3) ? { ingressDeny: many(random, 2, () => rule(random, true, wide)) } : {}),
    };
  });
}

/** The policies as objects of Kubernetes, in JSON, which is YAML. */
export function ciliumYaml(policies: readonly CiliumPolicy[]): string {
  return policies
    .map(({ namespace, name, ...spec }) =>
      JSON.stringify({
        apiVersion: 'cilium.io/v2',
        kind: namespace === null ? 'CiliumClusterwideNetworkPolicy' : 'CiliumNetworkPolicy',
        metadata: { name, ...(namespace === null ? {} : { namespace }) },
        spec,
      }),
    )
    .join('\n---\n');
}

function pod(random: Prng, namespace: string): CiliumPod {
  return {
    namespace,
    labels: {
      ...(random.chance(80) ? { role: random.pick(ROLES) } : {}),
      ...(random.oneIn(2) ? { tier: random.pick(TIERS) } : {}),
    },
  };
}

/** A request, or a connection, to a workload of a namespace. */
export function generateCiliumRequest(random: Prng, namespace: string): CiliumRequest {
  const isHttp = random.chance(60);
  const lines = ['x-key: one', 'x-key: two', 'x-there: a b'].filter(() => random.oneIn(2));
  return {
    from: random.chance(60) ? pod(random, random.pick([namespace, ...SPACES])) : null,
    address: random.pick(ADDRESSES),
    to: pod(random, namespace),
    port: isHttp ? random.pick(CILIUM_HTTP_PORTS) : random.pick([9000, 9001, 9002, 53, 7]),
    protocol: isHttp || random.chance(70) ? 'TCP' : 'UDP',
    http: isHttp
      ? {
          method: random.pick(['GET', 'PUT', 'PATCH', 'POST', 'DELETE']),
          target: random.pick(TARGETS),
          host: random.pick(['a.example', 'b.example', 'a.example:80']),
          headers: Object.fromEntries(lines.map((l) => l.split(': ') as [string, string])),
        }
      : null,
  };
}

function party(address: string, of: CiliumPod | null): CaseParty {
  const parsed = parseAddress(address);
  if (parsed === null) throw new Error(`no address: ${address}`);
  const texts = Object.entries(of?.labels ?? {}).map(([k, v]) => [`label:${k}`, v] as const);
  const named = of === null ? texts : [['namespace', of.namespace] as const, ...texts];
  return { address: parsed.bytes, family: parsed.family, texts: new Map(named) };
}

/** The same as facts of an engine. */
export function ciliumFacts({
  from,
  address,
  to,
  port,
  protocol,
  http: own,
}: CiliumRequest): RequestFacts {
  return {
    source: party(address, from),
    destination: party('10.0.0.200', to),
    port,
    protocol: protocol === 'TCP' ? 6 : 17,
    random: 0,
    now: 0n,
    policies: null,
    method: own?.method ?? 'GET',
    target: own?.target ?? '/',
    headers: [['host', own?.host ?? 'b'], ...Object.entries(own?.headers ?? {})],
  };
}
