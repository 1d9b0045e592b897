/** Policies of the decidable part, as lists of rules over small pools of texts, and worlds and inputs that meet them. */
import { type Address, parseAddress, type World } from '../../runtime/discovery/index.js';
import type { DecideInput } from '../../runtime/simulate/index.js';
import type { Prng } from './prng.js';

const NAMESPACES = ['prod', 'dev', 'prod-eu', 'ops'] as const;
const ACCOUNTS = ['web', 'api', 'web-admin'] as const;
const TENANTS = ['acme', 'bob', ''] as const;
const PORTS = [80, 443, 8080, 8443, 9000] as const;
const ADDRESSES = ['10.1.0.1', '10.1.2.3', '10.2.0.9', 'fd00::5', 'fd00:1::7'] as const;
const PATHS = ['/', '/admin', '/admin/x', '/api/v1/users', '/api/v1', '/static/a.css'] as const;
const METHODS = ['GET', 'POST', 'get'] as const;
const HOSTS = ['shop.test', 'Shop.Test', 'admin.shop.test', 'other.test:8080'] as const;
const VALUES = ['yes', 'YES', 'no', ''] as const;

function attribute(r: Prng): string {
  const side = r.pick(['source', 'destination']);
  const it = `r.${side}`;
  return r.pick([
    `${it}.namespace.is("${r.pick(NAMESPACES)}")`,
    `${it}.namespace.startsWith("${r.pick(['pr', 'prod', 'o'])}")`,
    `${it}.serviceAccount.is("${r.pick(ACCOUNTS)}")`,
    `${it}.serviceAccount.endsWith("${r.pick(['admin', 'b'])}")`,
    `${it}.principal.is("cluster.local/ns/${r.pick(NAMESPACES)}/sa/${r.pick(ACCOUNTS)}")`,
    `${it}.principal.startsWith("cluster.local/ns/${r.pick(NAMESPACES)}${r.pick(['', '/'])}")`,
    `${it}.principal.contains("${r.pick(['/sa/web', 'ns/prod', 'local'])}")`,
    `${it}.principal.exists`,
    `${it}.label("tenant").is("${r.pick(TENANTS)}")`,
    `${it}.label("tenant").exists`,
    `${it}.label("tenant").isPresent`,
    `blocks.contains(${it}.address)`,
    `(tenants.get(${it}.label("tenant")) == ${r.below(3)})`,
    'r.source.namespace == r.destination.namespace',
    'r.source.serviceAccount != r.destination.serviceAccount',
  ]);
}

function connection(r: Prng): string {
  const [a, b] = [r.pick(PORTS), r.pick(PORTS)];
  return r.pick([
    `r.destination.port == ${a}`,
    `(r.destination.port >= ${Math.min(a, b)} && r.destination.port < ${Math.max(a, b)})`,
    `((r.destination.port & 0xff) == ${a & 0xff})`,
    'tls.contains(r.destination.port)',
    `(ports.get(r.destination.port) > ${r.below(3)})`,
  ]);
}

/** Parameters, cookies, and bytes of either. */
function items(r: Prng): readonly string[] {
  const item = r.pick(['r.query("tier")', 'r.query("tie")', 'r.cookie("user")']);
  return [
    `${item}.is("${r.pick(VALUES)}")`,
    `${item}.exists`,
    `${item}.startsWith("${r.pick(['y', 'no'])}")`,
    `r.path.at(${1 + r.below(3)}) ${r.pick(['==', '>', '<='])} ${r.pick([0x61, 0x70, 0x30])}`,
    `${item}.at(0) ${r.pick(['==', '>='])} ${r.pick([0x79, 0x6e, -1])}`,
  ];
}

function request(r: Prng): string {
  return r.pick([
    `r.path.startsWith("${r.pick(PATHS)}")`,
    `r.path.contains("${r.pick(['v1', '/x', 'min'])}")`,
    `r.path.is("${r.pick(PATHS)}")`,
    `pattern("${r.pick(['/api/*/users', '/admin/**', '/**'])}").matches(r.path)`,
    `r.method.is("${r.pick(METHODS)}")`,
    `r.host.is("${r.pick(HOSTS)}")`,
    `r.host.endsWith(".shop.test")`,
    `r.header("x-role").is("${r.pick(VALUES)}")`,
    `r.header("x-role").equalsIgnoreCase("yes")`,
    'r.header("x-role").exists',
    `paths.get(r.path) == ${r.below(3)}`,
    `r.header("x-role").length > ${r.below(4)}`,
    ...items(r),
  ]);
}

function condition(r: Prng, isRequest: boolean): string {
  const one = (): string => {
    const asked = isRequest && r.oneIn(2) ? request(r) : r.oneIn(3) ? connection(r) : attribute(r);
    return r.oneIn(4) ? `!(${asked})` : `(${asked})`;
  };
  const count = 1 + r.below(3);
  return Array.from({ length: count }, one).join(r.oneIn(4) ? ' || ' : ' && ');
}

function pathTable(r: Prng): string {
  return `const paths = new PathTable<u32>("paths");
paths.set("/admin/**", 1);
paths.set("/api/{version}/users", ${r.below(3)});
paths.set("/**", 2);
`;
}

const CLUSTERS = ['api', 'canary', 'busy', 'away'] as const;

function way(r: Prng): string {
  const [a, b] = [r.pick(CLUSTERS), r.pick(CLUSTERS)];
  const weight = r.pick([0, 10, 25, 90]);
  return r.pick([
    a,
    'Route.None',
    `split(${a}, ${weight}, ${b}, ${r.pick([100, 50]) - weight + 50})`,
    `splitBy(r.cookie("user"), ${a}, 70, ${b}, 30)`,
  ]);
}

/** A policy that routes requests by rules. */
export function generateRoutes(r: Prng): string {
  const source = (): string =>
    r.pick([
      `r.source.namespace.is("${r.pick(NAMESPACES)}")`,
      `r.source.label("tenant").is("${r.pick(TENANTS)}")`,
      `r.destination.port == ${r.pick(PORTS)}`,
    ]);
  const rules = Array.from({ length: 1 + r.below(5) }, () => {
    const one = r.oneIn(3) ? source() : request(r);
    return `  if (${r.oneIn(4) ? `!(${one})` : one}) return ${way(r)};`;
  });
  return `import { cluster, PathTable, pattern, Request, respond, Route, split, splitBy } from "weft";
const api = cluster("api.prod", "v1"), canary = cluster("api.prod", "v2");
const busy = respond(429, "busy"), away = cluster("other.dev", "v1");
${pathTable(r)}export function routeRequest(r: Request): Route {
${rules.join('\n')}
  return ${way(r)};
}
`;
}

/** A policy of some rules; the same seed gives the same one. */
export function generateRules(r: Prng, isRequest: boolean): string {
  const [name, type] = isRequest
    ? ['authorizeRequest', 'Request']
    : ['authorizeConnection', 'Connection'];
  const rules = Array.from({ length: 2 + r.below(6) }, () => {
    const verdict = r.pick(['Allow', 'Allow', 'Deny', 'Pass']);
    return `  if (${condition(r, isRequest)}) return Verdict.${verdict};`;
  });
  const paths = isRequest ? pathTable(r) : '';
  return `import { CidrSet, Connection, pattern, PathTable, PortSet, Request, Table, Verdict } from "weft";
const blocks = new CidrSet("blocks").add("10.1.0.0/${r.pick([16, 24])}").add("fd00::/${r.pick([16, 32])}");
const tenants = new Table<u32>("tenants");
tenants.set("acme", 1).set("bob", ${r.below(3)});
const ports = new Table<u32>("ports");
ports.set(<u32>80, 1).set(<u32>9000, ${r.below(3)});
const tls = new PortSet("tls").add(443).add(8000, ${r.pick([8443, 8500])});
${paths}export function ${name}(r: ${type}): Verdict {
${rules.join('\n')}
  return Verdict.${r.pick(['Allow', 'Deny', 'Pass'])};
}
`;
}

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

/** Services that policies of generateRoutes route of and to, in front of such workloads. */
export function withServices(world: World): World {
  const names = [
    ['api.prod', '10.96.0.1', 'fd96::1'],
    ['other.dev', '10.96.0.2', 'fd96::2'],
  ] as const;
  const services = names.map(([name, ...addresses]) => {
    const [short = '', namespace = ''] = name.split('.');
    return {
      name,
      namespace,
      addresses: addresses.map(address),
      ports: PORTS.map((port) => ({ port, target: 8080, protocol: 'http' as const })),
      clusters: ['v1', 'v2', 'v3'].map((subset) => ({ name: `${short}/${subset}`, selector: {} })),
      balance: 'round-robin' as const,
      at: null,
    };
  });
  return { ...world, services };
}

/** The same workloads, those of one namespace behind a port with HTTP and one without. */
export function withHttp(world: World): World {
  const service = {
    name: 'web.prod',
    namespace: 'prod',
    addresses: [address('10.96.0.9'), address('fd96::9')],
    ports: [
      { port: 80, target: 8080, protocol: 'http' as const },
      { port: 81, target: 9000, protocol: 'tcp' as const },
    ],
    clusters: [{ name: 'web/all', selector: {} }],
    balance: 'round-robin' as const,
    at: null,
  };
  return { ...world, services: [service] };
}

/** Workloads of every pool, each with an address of each family. */
export function rulesWorld(r: Prng): World {
  const workloads = Array.from({ length: 24 }, (_, i) => {
    const namespace = r.pick([...NAMESPACES, 'else']);
    const tenant = r.pick([...TENANTS, 'zed', null, null]);
    return {
      name: `w${i}.${namespace}`,
      namespace,
      addresses: [
        address(`10.${1 + (i % 2)}.${i % 3}.${100 + i}`),
        address(`fd00:${i % 2}::${100 + i}`),
      ],
      labels: tenant === null ? {} : { tenant },
      serviceAccount: r.pick([...ACCOUNTS, null]),
      trustDomain: r.pick(['cluster.local', 'cluster.local', 'other.test']),
      locality: { region: null, zone: null },
      node: null,
      cgroup: null,
      healthy: true,
      weight: 1,
      at: null,
    };
  });
  return { file: null, services: [], workloads };
}

/** An input between workloads of a world, or a stranger and one. */
export function generateInput(r: Prng, world: World, isRequest: boolean): DecideInput {
  const [from, to] = [r.below(world.workloads.length), r.below(world.workloads.length)];
  const family = r.below(2);
  const addressOf = (index: number): Address =>
    world.workloads[index]?.addresses[family] ?? address('10.1.0.1');
  const isStranger = world.services.length === 0 && r.oneIn(6);
  const own = ADDRESSES.map(address).filter((item) => item.family === (family === 0 ? 4 : 6));
  const role = r.pick([...VALUES, 'maybe', null]);
  const tier = r.pick([...VALUES, 'yesterday', null, null]);
  const user = r.pick([...VALUES, 'ann', 'nobody', null, null]);
  const query = r.pick(['', '&tie=no', '&tie', '&x=1', '&tierx=1&=2']);
  const isRouted = world.services.length > 0;
  const place = isRouted ? r.pick(world.services).addresses[family] : undefined;
  return {
    source: {
      workload: isStranger ? null : from,
      address: isStranger ? r.pick(own) : addressOf(from),
    },
    destination:
      place === undefined
        ? { address: addressOf(to), port: r.pick([...PORTS, 8444, 22]) }
        : { address: place, port: r.pick(PORTS) },
    protocol: 6,
    random: r.below(1000),
    pick: 0,
    now: 0n,
    ...(isRequest
      ? {
          request: {
            method: r.pick([...METHODS, 'PUT']),
            target:
              r.pick([...PATHS, '/admi', '/api/v2/users', '/x']) +
              (tier === null ? r.pick(['', '?q=1']) : `?tier=${tier}${query}`),
            headers: [
              ['host', r.pick([...HOSTS, 'nobody'])] as const,
              ...(role === null ? [] : [['x-role', role] as const]),
              ...(user === null ? [] : [['cookie', `a=1; user=${user}; user=yes`] as const]),
            ],
          },
        }
      : {}),
  };
}
