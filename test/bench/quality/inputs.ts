/** What the policies of this bench are asked: the same inputs for each, drawn from a seed. */
import { parseAddress } from '../../../runtime/discovery/address.js';
import type { CaseParty } from '../../support/case-file.js';
import type { Facts } from '../../support/encode-connection.js';
import type { RequestFacts } from '../../support/encode-request.js';
import { Prng } from '../../support/prng.js';

/** As many as harness.bpf.c holds of each kind. */
export const CONNECTIONS = 64;
export const REQUESTS = 16;

const WORDS = {
  namespaces: ['prod', 'ops', 'monitoring', 'dev', 'staging', 'kube-system', 'ci', 'elsewhere'],
  accounts: ['web', 'api', 'backup', 'migrate', 'admin'],
  app: ['batch', 'cron', 'legacy', 'web', 'api'],
  tier: ['edge', 'front', 'back'],
  ports: [22, 25, 53, 80, 443, 700, 3306, 5432, 6379, 7050, 8080, 8080, 8081, 8082, 8083, 8084],
  morePorts: [8085, 8086, 8088, 8089, 8443, 9090, 9100, 15001, 31000, 50000],
  four: [
    '10.8.1.2',
    '10.8.1.77',
    '10.9.0.1',
    '192.168.0.7',
    '192.168.1.7',
    '203.0.113.9',
    '127.0.0.1',
  ],
  six: ['2001:db8::1', '2001:db8:1::1', 'fd00::1', 'fe80::1'],
  methods: ['GET', 'GET', 'POST', 'PUT'],
  paths: ['/public/a.css', '/admin/users', '/api/orders', '/index.html', '/api/orders/7', '/p'],
  hosts: ['shop.example', 'a.internal.example', 'A.Internal.Example', 'x'],
  teams: ['blue', 'green', 'greed', 'red'],
} as const;

function party(random: Prng, family: 4 | 6): CaseParty {
  const texts = new Map<string, string>();
  if (!random.oneIn(10)) texts.set('namespace', random.pick(WORDS.namespaces));
  if (!random.oneIn(6)) texts.set('serviceAccount', random.pick(WORDS.accounts));
  if (!random.oneIn(5)) texts.set('label:app', random.pick(WORDS.app));
  if (!random.oneIn(4)) texts.set('label:tier', random.pick(WORDS.tier));
  const [namespace, account] = [texts.get('namespace'), texts.get('serviceAccount')];
  if (namespace !== undefined && account !== undefined)
    texts.set('principal', `cluster.local/ns/${namespace}/sa/${account}`);
  const address = parseAddress(random.pick(family === 4 ? WORDS.four : WORDS.six))?.bytes;
  if (address === undefined) throw new Error('bad address');
  return { address, family, texts };
}

function connection(random: Prng): Facts {
  const family = random.oneIn(4) ? 6 : 4;
  return {
    source: party(random, family),
    destination: party(random, family),
    port: random.pick(random.oneIn(3) ? WORDS.morePorts : WORDS.ports),
    protocol: random.oneIn(4) ? 17 : 6,
    random: random.u32(),
    now: BigInt(random.u32()) * 1_000_000_000n,
    policies: null,
  };
}

/** Connections to judge. */
export function connections(): readonly Facts[] {
  const random = new Prng(1);
  return Array.from({ length: CONNECTIONS }, () => connection(random));
}

/** Requests to judge. */
export function requests(): readonly RequestFacts[] {
  const random = new Prng(2);
  return Array.from({ length: REQUESTS }, () => {
    const headers: (readonly [string, string])[] = [['Host', random.pick(WORDS.hosts)]];
    if (!random.oneIn(3)) headers.push(['X-Team', random.pick(WORDS.teams)]);
    if (random.oneIn(2)) headers.push(['X-Canary', random.pick(['true', 'false'])]);
    const [method, target] = [random.pick(WORDS.methods), random.pick(WORDS.paths)];
    return { ...connection(random), method, target, headers };
  });
}
