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

/** A policy of some rules; the same seed gives the same one. */
export function generateRules(r: Prng, isRequest: boolean): string {
  const [name, type] = isRequest
    ? ['authorizeRequest', 'Request']
    : ['authorizeConnection', 'Connection'];
  const rules = Array.from({ length: 2 + r.below(6) }, () => {
    const verdict = r.pick(['Allow', 'Allow', 'Deny', 'Pass']);
    return `  if (${condition(r, isRequest)}) return Verdict.${verdict};`;
  });
  const paths = isRequest
    ? `const paths = new PathTable<u32>("paths");\npaths.set("/admin/**", 1);\npaths.set("/api/{version}/users", ${r.below(3)});\npaths.set("/**", 2);\n`
    : '';
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
  const isStranger = r.oneIn(6);
  const own = ADDRESSES.map(address).filter((item) => item.family === (family === 0 ? 4 : 6));
  const role = r.pick([...VALUES, 'maybe', null]);
  return {
    source: {
      workload: isStranger ? null : from,
      address: isStranger ? r.pick(own) : addressOf(from),
    },
    destination: { address: addressOf(to), port: r.pick([...PORTS, 8444, 22]) },
    protocol: 6,
    random: 0,
    pick: 0,
    now: 0n,
    ...(isRequest
      ? {
          request: {
            method: r.pick([...METHODS, 'PUT']),
            target: r.pick([...PATHS, '/admi', '/api/v2/users', '/x?q=1']),
            headers: [
              ['host', r.pick([...HOSTS, 'nobody'])] as const,
              ...(role === null ? [] : [['x-role', role] as const]),
            ],
          },
        }
      : {}),
  };
}
