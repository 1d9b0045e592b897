/** Connections that meet what generated policies ask about, and their near misses. */
import { parseAddress } from '../../runtime/discovery/address.js';
import type { CaseParty } from './case-file.js';
import type { Facts } from './encode-connection.js';
import { POOLS } from './generate-pools.js';
import type { Prng } from './prng.js';

const FOUR = [
  '10.1.2.3',
  '10.1.2.4',
  '10.1.2.200',
  '10.9.9.9',
  '192.168.127.255',
  '192.168.128.0',
  '172.31.255.255',
  '172.32.0.0',
  '203.0.113.1',
  '203.0.113.2',
  '0.0.0.0',
  '255.255.255.255',
];
const SIX = [
  'fd00:1::7',
  'fd00:1::8',
  'fd00:1:0:1::1',
  'fd00:1:0:2::1',
  'fe80::1',
  '2001:db8::1',
  '::',
  '::1',
  'fdff:ffff::1',
];

function party(random: Prng, family: 4 | 6): CaseParty {
  const texts = new Map<string, string>();
  if (!random.oneIn(6)) texts.set('namespace', random.pick([...POOLS.namespaces, 'unheard-of']));
  if (!random.oneIn(5)) texts.set('serviceAccount', random.pick([...POOLS.accounts, 'x', '']));
  for (const label of POOLS.labels) {
    if (!random.oneIn(3))
      texts.set(`label:${label}`, random.pick([...POOLS.values, 'other', 'prod']));
  }
  const namespace = texts.get('namespace');
  const account = texts.get('serviceAccount');
  if (namespace && account && !random.oneIn(8)) {
    texts.set('trustDomain', 'cluster.local');
    texts.set('principal', `cluster.local/ns/${namespace}/sa/${account}`);
  }
  const text = random.pick(family === 4 ? FOUR : SIX);
  const bytes = parseAddress(text)?.bytes;
  if (bytes === undefined) throw new Error(`bad address ${text}`);
  if (random.oneIn(4)) {
    const copy = Uint8Array.from(bytes);
    copy[12 + random.below(4)] = random.below(256);
    return { address: copy, family, texts };
  }
  return { address: bytes, family, texts };
}

/** One set of facts; `policies` null: all attached. */
export function generateConnection(random: Prng): Facts {
  const family = random.oneIn(3) ? 6 : 4;
  return {
    source: party(random, family),
    destination: party(random, family),
    port: random.oneIn(5) ? random.below(65536) : random.pick(POOLS.ports),
    protocol: random.oneIn(4) ? 17 : 6,
    random: random.oneIn(4) ? random.pick([0, 89, 90, 99, 0xffffffff, 0x80000000]) : random.u32(),
    now: BigInt(random.u32()) * 1_000_000_000n,
    policies: null,
  };
}
