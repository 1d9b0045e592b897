/** Sets of AuthorizationPolicies, the YAML of them, and requests that meet what they ask about, and its near misses. */
import { parseAddress } from '../../runtime/discovery/index.js';
import type { CaseParty } from './case-file.js';
import type { RequestFacts } from './encode-request.js';
import type { IstioPolicy, IstioRequest, IstioRule, IstioSource } from './istio-interpreter.js';
import type { Prng } from './prng.js';

const DOMAINS = ['cluster.local', 'eu-1', 'partner.example'];
const SPACES = ['prod', 'team-a', 'team-b', 'ns', 'sa', 'abc', 'abbc', 'x-blue', 'web'];
const ACCOUNTS = ['api', 'admin', 'a', 'sa', 'job-1'];
const FOUR = ['10.0.0.1', '10.0.1.7', '10.1.255.255', '10.2.0.0', '192.0.2.7', '203.0.113.9'];
const SIX = ['2001:db8::1', '2001:db8:1::9', 'fd00::5', 'fd00::6'];
const PORTS = ['80', '443', '9000', '9001', '9005'];
export const HTTP_PORTS: readonly number[] = [80, 8080];
const HEADERS = ['x-kind', 'x-tenant', 'accept', 'x-long'];
const PATHS = [
  '/',
  '/a',
  '/a/b',
  '/api/v1/users',
  '/api/v1/users/7',
  '/store//cart',
  '/store/x/y/cart',
  '/x.css',
  '/admin/',
  '/admin',
  '/a*b/c',
  '/q=1/r',
];
const TEXTS = ['gold', 'silver', 'a', 'ab', 'abc', 'x*y', '', 'a'.repeat(70)];
const HOSTS = ['a.example', 'A.example:80', 'x.a.example', 'b', 'b:8080'];
const METHODS = ['GET', 'POST', 'PUT', 'get', 'DELETE'];

/** Values of each field that a policy may have. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  principals: [
    '*',
    'cluster.local/ns/prod/sa/api',
    'cluster.local/ns/web/*',
    '*/sa/admin',
    '*/ns/team-a/sa/a',
    'eu-1/*',
    'eu-1/ns/ns/sa/a',
    'spiffe://eu-1/ns/ns/sa/a',
    'partner.example/ns/abc/sa/job-1',
  ],
  namespaces: [
    'prod',
    'team-*',
    '*-blue',
    'ab*bc',
    '*',
    'sa',
    '*a',
    's*',
    '*eam*',
    'x*sa',
    'web',
    'team-a',
    'abc',
    'abbc',
    'x-blue',
    'ns',
  ],
  serviceAccounts: ['api', 'web/admin', 'prod/api', 'team-a/a', 'ns/sa'],
  trustDomains: ['*', 'cluster.local', 'eu-*', '*.example', 'partner.example'],
  ipBlocks: [
    '10.0.0.1',
    '10.0.0.0/16',
    '10.1.2.3/16',
    '0.0.0.0/0',
    '::/0',
    '2001:db8::/32',
    'fd00::5',
    '203.0.113.0/24',
  ],
  ports: PORTS,
  hosts: ['a.example', '*.a.example', 'a.example:*', 'B', '*', 'x*'],
  methods: ['GET', 'P*', '*T', '*', 'DELETE', 'PUT'],
  paths: [
    '/a',
    '/a/*',
    '*.css',
    '*',
    '/api/{*}/users',
    '/api/{*}/users/{*}',
    '/store/{**}/cart',
    '/admin/{**}',
    '/{**}',
    '/a*b/c',
    '/',
    '/admin',
    '/x.css',
    '/a/b',
    '/q=1/{*}',
  ],
};
const HEADER_VALUES = [
  'gold',
  's*',
  '*b',
  '*',
  'x*y',
  'abc',
  'silver',
  'a',
  'ab',
  `${'a'.repeat(70)}`,
];
const SOURCE_FIELDS = ['principals', 'namespaces', 'trustDomains', 'ipBlocks'];
const KEYS: Readonly<Record<string, string>> = {
  'source.ip': 'ipBlocks',
  'source.namespace': 'namespaces',
  'source.principal': 'principals',
  'source.serviceAccount': 'serviceAccounts',
  'source.trustDomain': 'trustDomains',
  'destination.ip': 'ipBlocks',
  'destination.port': 'ports',
};

function some(random: Prng, values: readonly string[]): readonly string[] {
  const count = random.oneIn(5) ? 3 + random.below(6) : 1 + random.below(2);
  return [...new Set(Array.from({ length: count }, () => random.pick(values)))];
}

const negative = (name: string): string => `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;

function fields(random: Prng, names: readonly string[]): IstioSource {
  const out: Record<string, readonly string[]> = {};
  for (let n = 1 + random.below(2); n > 0; n -= 1) {
    const name = random.pick(names);
    out[random.oneIn(3) ? negative(name) : name] = some(random, VALUES[name] ?? []);
  }
  return out;
}

function source(random: Prng): IstioSource {
  return fields(random, random.oneIn(5) ? ['serviceAccounts', 'ipBlocks'] : SOURCE_FIELDS);
}

function whenOf(random: Prng): NonNullable<IstioRule['when']>[number] {
  const isHeader = random.oneIn(2);
  const key = isHeader
    ? `request.headers[${random.pick(HEADERS)}]`
    : random.pick(Object.keys(KEYS));
  const values = isHeader ? HEADER_VALUES : (VALUES[KEYS[key] ?? ''] ?? []);
  const both = random.oneIn(4);
  return {
    key,
    ...(both || random.chance(65) ? { values: some(random, values) } : {}),
    ...(both ? { notValues: some(random, values) } : {}),
  };
}

function rule(random: Prng): IstioRule {
  const upTo = <T>(make: () => T): readonly T[] =>
    Array.from({ length: 1 + random.below(2) }, make);
  const when = upTo(() => whenOf(random)).filter((w) => w.values ?? w.notValues);
  return {
    ...(random.chance(55) ? { from: upTo(() => ({ source: source(random) })) } : {}),
    ...(random.chance(55)
      ? {
          to: upTo(() => ({
            operation: fields(random, ['paths', 'methods', 'hosts', 'ports', 'paths']),
          })),
        }
      : {}),
    ...(random.chance(35) && when.length > 0 ? { when } : {}),
  };
}

/** Policies of one namespace; some have a selector, some no rules. */
export function generateSet(random: Prng, namespace: string): readonly IstioPolicy[] {
  return Array.from({ length: 1 + random.below(3) }, (_, i): IstioPolicy => {
    const action = random.pick(['ALLOW', 'ALLOW', 'ALLOW', 'DENY', 'DENY', 'AUDIT'] as const);
    const count = action !== 'DENY' && random.oneIn(15) ? 0 : 1 + random.below(3);
    return {
      namespace,
      name: `p${i}`,
      selector: random.oneIn(4) ? { app: random.pick(['api', 'web']) } : {},
      action,
      rules: Array.from({ length: count }, () => rule(random)),
    };
  });
}

/** The policies as objects of Kubernetes, in JSON, which is YAML. */
export function yamlOf(policies: readonly IstioPolicy[]): string {
  return policies
    .map(({ namespace, name, selector, action, rules }) =>
      JSON.stringify({
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name, namespace },
        spec: {
          ...(Object.keys(selector).length > 0 ? { selector: { matchLabels: selector } } : {}),
          action,
          rules,
        },
      }),
    )
    .join('\n---\n');
}

function near(random: Prng, text: string): string {
  const at = random.below(Math.max(1, text.length));
  switch (random.below(10)) {
    case 0:
      return `${text}${random.pick(['a', '/', 'x'])}`;
    case 1:
      return text.slice(0, -1);
    case 2:
      return `${text.slice(0, at)}${random.pick(['b', 'z', '-'])}${text.slice(at + 1)}`;
    default:
      return text;
  }
}

/** A request, or a connection, to a workload of a namespace. */
export function generateIstioRequest(random: Prng, namespace: string): IstioRequest {
  const six = random.oneIn(5);
  const known = random.chance(85);
  const principal = `${random.pick(DOMAINS)}/ns/${random.pick(SPACES)}/sa/${random.pick(ACCOUNTS)}`;
  const isHttp = random.chance(75);
  const names = HEADERS.filter(() => random.oneIn(2));
  return {
    principal: known ? principal : null,
    sourceIp: random.pick(six ? SIX : FOUR),
    destinationIp: random.pick(six ? SIX : FOUR),
    port: isHttp ? random.pick(HTTP_PORTS) : Number(random.pick(PORTS.slice(1))),
    workload: { namespace, labels: { app: random.pick(['api', 'web', 'db']) } },
    http: isHttp
      ? {
          method: near(random, random.pick(METHODS)) || 'X',
          path: `/${near(random, random.pick(PATHS)).replace(/^\/+/, '')}`,
          host: near(random, random.pick(HOSTS)).replace('/', '') || 'b',
          headers: Object.fromEntries(names.map((n) => [n, near(random, random.pick(TEXTS))])),
        }
      : null,
  };
}

function party(address: string, texts: readonly (readonly [string, string])[]): CaseParty {
  const parsed = parseAddress(address);
  if (parsed === null) throw new Error(`no address: ${address}`);
  return { address: parsed.bytes, family: parsed.family, texts: new Map(texts) };
}

/** The same as facts of an engine. */
export function factsOf(request: IstioRequest): RequestFacts {
  const [trustDomain = '', , namespace = '', , account = ''] = request.principal?.split('/') ?? [];
  const source: readonly (readonly [string, string])[] =
    request.principal === null
      ? []
      : [
          ['namespace', namespace],
          ['serviceAccount', account],
          ['trustDomain', trustDomain],
          ['principal', request.principal],
        ];
  const { workload, http } = request;
  const labels = Object.entries(workload.labels).map(([k, v]) => [`label:${k}`, v] as const);
  const lines = Object.entries(http?.headers ?? {});
  return {
    source: party(request.sourceIp, source),
    destination: party(request.destinationIp, [['namespace', workload.namespace], ...labels]),
    port: request.port,
    protocol: 6,
    random: 0,
    now: 0n,
    policies: null,
    method: http?.method ?? 'GET',
    target: http?.path ?? '/',
    headers: [['host', http?.host ?? 'b'], ...lines],
  };
}
