/** Recorded traffic of a world whose workloads meet what generated policies ask about. */
import type { TrafficRecord } from '../../runtime/record/index.js';
import { POOLS } from './generate-pools.js';
import { generateRequest } from './generate-request.js';
import type { Prng } from './prng.js';

const workload = (n: number, namespace: string): string => {
  const of = (list: readonly string[]): string => list[n % list.length] ?? '';
  return `  - name: w${n}.${namespace}
    addresses: [10.1.2.${n + 1}, "fd00:1::${n + 1}"]
    labels: { app: "${of(POOLS.values)}", version: "${of(['v1', 'v2', 'v3'])}", tier: "${of(['front', 'web'])}" }
    serviceAccount: ${of(POOLS.accounts)}
    healthy: ${n % 7 !== 3}
`;
};

/** Workloads of `prod` behind the others: so many that clusters there have several endpoints. */
const MORE = 8;

/** Every namespace of the pools twice and one more often; a service of two target ports, of one, and of nobody. */
export const POOL_WORLD: string = `services:
  - name: shop.prod
    addresses: [10.96.0.1, "fd00:96::1"]
    ports: [{ port: 80, target: 8080, protocol: http }, { port: 443, target: 8443 }]
    clusters:
      - { name: shop/v1, selector: { version: v1 } }
      - { name: shop/v2, selector: { version: v2 } }
  - name: wide.prod
    addresses: [10.96.0.3, "fd00:96::3"]
    ports: [{ port: 80, target: 8080, protocol: http }]
    clusters:
      - { name: wide/v1, selector: { version: v1 } }
      - { name: wide/v2, selector: { version: v2 } }
  - name: none.prod
    addresses: [10.96.0.2]
    ports: [{ port: 80, target: 8080, protocol: http }]
    clusters:
      - { name: none/v1, selector: { version: v9 } }
workloads:
${[...POOLS.namespaces, ...POOLS.namespaces, ...Array<string>(MORE).fill('prod')]
  .map((namespace, n) => workload(n, namespace))
  .join('')}`;

const FROM = ['w0.prod', 'w1.dev', 'w2.ops', 'w5.prod', 'w9.prod-eu', '10.1.2.3', '192.168.3.4'];
const TO = [
  ...['shop.prod:80', 'shop.prod:443', 'none.prod:80', 'w0.prod:8080', 'w5.prod:22', 'w6.dev:81'],
  ...['wide.prod:80', '10.96.0.3:80', '[fd00:96::3]:80'],
  ...['10.1.2.1:8080', '203.0.113.1:53', '[fd00:1::1]:8080', 'gone.prod:80'],
];
const BOUND = [
  { cluster: 'shop/v2', endpoint: '10.1.2.2:8080' },
  { cluster: 'wide/v2', endpoint: '10.1.2.17:8080' },
  { endpoint: '[fd00:1::d]:8080' },
  { endpoint: '[fd00:1::1]:8080' },
  { cluster: 'shop/v1', endpoint: 'elsewhere' },
];
const DECIDED: readonly NonNullable<TrafficRecord['decided']>[] = [
  { verdict: 'allow' },
  { verdict: 'deny', reason: 'policy', rule: 'g0.ts:7', site: null, route: null, status: 403 },
  {
    verdict: 'allow',
    cluster: 'shop/v1',
    endpoint: null,
    bundle: 'sha256:0',
    node: 'n',
    hook: 'request',
  },
];
const TIMES = [
  '2026-02-28T23:59:59Z',
  '2024-02-29T00:00:00.5Z',
  '2026-02-03T04:05:06.000000007+01:00',
];

/** One record; of each form that the format has, the usual ones most often. */
export function generateRecord(random: Prng, id: number): TrafficRecord {
  const { method, target, headers } = generateRequest(random);
  const path = target.replaceAll(' ', '+');
  const request = {
    method,
    path: path.startsWith('/') ? path : `/${path}`,
    ...(random.oneIn(9) ? { version: '1.0' as const } : {}),
    ...(random.oneIn(6) ? {} : { headers }),
    ...(random.oneIn(12) ? { redacted: ['cookie', '?'] } : {}),
  };
  return {
    ...(random.oneIn(3) ? {} : { id: random.oneIn(20) ? `ä"${id}` : `r${id}` }),
    ...(random.oneIn(2) ? { time: random.pick(TIMES) } : {}),
    from: random.pick(FROM),
    to: random.pick(TO),
    ...(random.oneIn(8) ? { protocol: random.pick(['tcp', 'udp'] as const) } : {}),
    ...(random.oneIn(2) ? { random: random.u32() } : {}),
    ...(random.oneIn(2) ? { pick: random.u32() } : {}),
    ...(random.oneIn(25) ? { healthy: { 'w0.prod': false } } : {}),
    ...(random.oneIn(6) ? { bound: random.pick(BOUND) } : {}),
    ...(random.oneIn(4) ? {} : { request }),
    ...(random.oneIn(3) ? { decided: random.pick(DECIDED) } : {}),
  };
}
