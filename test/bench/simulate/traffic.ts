/** The traffic that the three are asked about: a record, and the same facts as each peer takes them. */
import type { TrafficRecord } from '../../../runtime/record/index.js';
import { Prng } from '../../support/prng.js';

const CLIENTS = [
  { from: 'productpage-v1.prod', namespace: 'prod', serviceAccount: 'productpage' },
  { from: 'reviews-v1.prod', namespace: 'prod', serviceAccount: 'reviews' },
  { from: 'intruder.dev', namespace: 'dev', serviceAccount: 'intruder' },
] as const;
const PATHS = ['/reviews/', '/reviews/', '/ratings/', '/admin/', '/internal/', '/api/v1/products/'];

export interface Asked {
  readonly record: TrafficRecord;
  /** Of OPA, and what Cedar's call is made of. */
  readonly input: {
    readonly method: string;
    readonly path: string;
    readonly host: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly source: { readonly namespace: string; readonly serviceAccount: string };
  };
}

/** Each with another path and request id; half of them are let in. */
export function generateTraffic(count: number): readonly Asked[] {
  const random = new Prng(1);
  return Array.from({ length: count }, (_, i): Asked => {
    const { from, namespace, serviceAccount } = random.pick(CLIENTS);
    const method = random.pick(['GET', 'GET', 'GET', 'POST']);
    const path = random.oneIn(20) ? '/healthz' : `${random.pick(PATHS)}${random.below(100_000)}`;
    const host = random.oneIn(10) ? 'legacy.prod' : 'reviews.prod';
    const headers: Record<string, string> = {
      host,
      'user-agent': 'curl/8.1.2',
      accept: '*/*',
      'x-request-id': random.u32().toString(16).padStart(32, '0'),
    };
    if (random.oneIn(20)) headers['x-debug'] = 'true';
    const request = { method, path, headers: Object.entries(headers) };
    const record = { id: `r${i}`, from, to: 'reviews.prod:80', random: random.u32(), pick: i };
    return {
      record: { ...record, request },
      input: { method, path, host, headers, source: { namespace, serviceAccount } },
    };
  });
}
