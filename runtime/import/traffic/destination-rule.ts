/**
 * DestinationRule: subsets are clusters of the world, a consistent hash keeps clients with one of the ways of a split. What
 * would refuse, break off or encrypt traffic cannot be kept.
 */
import type { Position } from '../../../compiler/diagnostic/index.js';
import { Fields, type Findings } from '../fields.js';
import type { KubeObject } from '../objects.js';
import { quote } from '../policy-text.js';
import type { Services } from '../route/model.js';
import type { Tree } from '../tree.js';
import { serviceOf } from './reading.js';

export interface Policy {
  /** The part of a request that a consistent hash looks at: an expression. */
  readonly key: string | null;
}
export interface Subset extends Policy {
  readonly labels: Readonly<Record<string, string>>;
}
export interface DestinationRule extends Policy {
  readonly at: Position;
  readonly service: string;
  readonly subsets: ReadonlyMap<string, Subset>;
}

const UNKEPT: ReadonlyMap<string, string> = new Map([
  ['connectionPool', 'nothing here counts connections and requests: limit them in the service'],
  ['outlierDetection', 'endpoints are healthy as the world says: set `healthy` there'],
  ['portLevelSettings', 'say it for the whole service'],
  ['tunnel', 'no tunnel is made'],
  ['proxyProtocol', 'no header is written before a connection'],
]);

function keyOf(hash: Fields, findings: Findings): string | null {
  const header = hash.text('httpHeaderName');
  const query = hash.text('httpQueryParameterName');
  const cookie = hash.map('httpCookie');
  const source = hash.boolean('useSourceIp');
  hash.skip('ringHash', 'maglev', 'minimumRingSize');
  hash.end();
  const name = cookie?.text('name') ?? null;
  if (cookie?.has('ttl') === true) {
    const help = 'set the cookie in the service, and leave `ttl` out';
    findings.error('W504', cookie.place('ttl'), 'nobody is given a cookie', help);
  }
  cookie?.skip('path');
  cookie?.end();
  const keys = [
    ...(header === null ? [] : [`request.header(${quote(header.text.toLowerCase())})`]),
    ...(query === null ? [] : [`request.query(${quote(query.text)})`]),
    ...(name === null ? [] : [`request.cookie(${quote(name.text)})`]),
    ...(source === true ? ['request.source.address'] : []),
  ];
  const [key] = keys;
  if (keys.length !== 1 || key === undefined) {
    findings.error('W503', hash.at, '`consistentHash` needs one key');
    return null;
  }
  return key;
}

function readBalancer(
  balancer: Fields,
  balance: 'round-robin' | 'random',
  findings: Findings,
): string | null {
  const simple = balancer.text('simple');
  const hash = balancer.map('consistentHash');
  for (const name of ['localityLbSetting', 'warmupDurationSecs', 'warmup'] as const) {
    if (balancer.has(name)) {
      findings.error('W504', balancer.place(name), `\`${name}\` cannot be kept`);
    }
  }
  balancer.end();
  const kind = simple?.text ?? 'UNSPECIFIED';
  const wanted = kind === 'RANDOM' ? 'random' : 'round-robin';
  switch (kind) {
    case 'UNSPECIFIED':
      break;
    case 'ROUND_ROBIN':
    case 'RANDOM':
      if (balance === wanted) break;
      findings.error(
        'W504',
        simple?.at ?? balancer.at,
        `the world balances the service by ${balance}`,
        `set \`balance: ${wanted}\` there`,
      );
      break;
    case 'LEAST_REQUEST':
    case 'LEAST_CONN':
      findings.warning(
        'W510',
        simple?.at ?? balancer.at,
        `endpoints are taken by ${balance}, not by the fewest requests`,
      );
      break;
    default: {
      const at = simple?.at ?? balancer.at;
      findings.error('W504', at, `the load balancing \`${kind}\` cannot be kept`);
    }
  }
  if (hash === null) return null;
  const message = 'a hash keeps a client with one way of a split, and with no endpoint in it';
  findings.warning('W510', hash.at, message);
  return keyOf(hash, findings);
}

/** `trafficPolicy`; the key of its hash. */
function readPolicy(
  policy: Fields | null,
  balance: 'round-robin' | 'random',
  findings: Findings,
): string | null {
  if (policy === null) return null;
  const balancer = policy.map('loadBalancer');
  const key = balancer === null ? null : readBalancer(balancer, balance, findings);
  const tls = policy.map('tls');
  const mode = tls?.text('mode') ?? null;
  if (tls !== null && mode?.text !== 'DISABLE') {
    const help = 'encrypt below the mesh, as by WireGuard, and take it out';
    findings.error('W504', mode?.at ?? tls.at, 'Weft does not encrypt', help);
  }
  for (const [name, help] of UNKEPT) {
    if (policy.has(name)) {
      findings.error('W504', policy.place(name), `\`${name}\` cannot be kept`, help);
    }
  }
  policy.end();
  return key;
}

function readSubset(
  tree: Tree,
  balance: 'round-robin' | 'random',
  findings: Findings,
): readonly (readonly [string, Subset])[] {
  const fields = Fields.of(tree, findings, 'a subset');
  const name = fields?.text('name') ?? null;
  if (fields === null || name === null) return [];
  const labels = fields.map('labels')?.labels() ?? {};
  const key = readPolicy(fields.map('trafficPolicy'), balance, findings);
  fields.end();
  return [[name.text, { labels, key }]];
}

/** Reads one object; null where nothing of it can be used. */
export function readDestinationRule(
  object: KubeObject,
  services: Services,
  rootNamespace: string,
  findings: Findings,
): DestinationRule | null {
  const spec = object.root.map('spec');
  object.root.end();
  const host = spec?.text('host') ?? null;
  if (spec === null || host === null) {
    findings.error('W503', spec?.at ?? object.at, '`host` is missing');
    return null;
  }
  const { namespace, at } = object;
  const service = serviceOf(host, { findings, services, namespace });
  const own = service?.split('.').slice(1).join('.') ?? namespace;
  if (namespace !== own && namespace !== rootNamespace) {
    const help = `put it into the namespace \`${own}\``;
    findings.error('W504', at, `it is for clients of the namespace \`${namespace}\` only`, help);
  }
  for (const name of ['exportTo', 'workloadSelector'] as const) {
    const isAll = name === 'exportTo' && spec.texts(name)?.every(({ text }) => text === '*');
    if (spec.has(name) && isAll !== true) {
      findings.error('W504', spec.place(name), `\`${name}\` cannot be kept`);
    }
  }
  const balance = (service === null ? undefined : services.get(service))?.balance ?? 'round-robin';
  const key = readPolicy(spec.map('trafficPolicy'), balance, findings);
  const subsets = (spec.list('subsets') ?? []).flatMap((t) => readSubset(t, balance, findings));
  spec.end();
  return service === null ? null : { at, service, key, subsets: new Map(subsets) };
}
