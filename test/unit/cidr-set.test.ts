import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCidr } from '../../compiler/frontend/parse-cidr.js';
import type { CidrDeclaration } from '../../compiler/frontend/types.js';
import { planCidr, referenceContains } from '../../compiler/tables/index.js';
import { abiModule, ask, CONNECTION, expandAll, run } from '../support/abi-module.js';

const test = suite('cidr-set');
type Prefix = CidrDeclaration['prefixes'][number];

function prefix(text: string): Prefix {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.prefix;
}

function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Compiled membership of both sides' addresses. */
function membership(prefixes: readonly Prefix[]): (address: Uint8Array) => boolean {
  const registry = {
    tables: [],
    cidrs: [{ name: 's', prefixes, at: null }],
    ports: [],
    patterns: [],
    keys: [],
    rules: [],
    routes: [],
  };
  const modules = [0, 1].map((side) => {
    const module = abiModule((emit) =>
      ask(emit, 'cidr_contains', [emit.constant('i32', 0), emit.constant('i32', side)]),
    );
    assert.equal(expandAll(module, registry).diagnostics, []);
    return { module, offset: side === 0 ? CONNECTION.source : CONNECTION.destination };
  });
  return (address) => {
    const answers = modules.map(({ module, offset }) => {
      const connection = new Uint8Array(CONNECTION.size).fill(0x5a);
      connection.set(address, offset);
      return run(module, connection);
    });
    assert.is(answers[0], answers[1]);
    return answers[0] === 1;
  };
}

/** First and last address of a prefix, and their neighbours outside. */
function edges({ bytes, length, family }: Prefix): Uint8Array[] {
  const bits = family === 4 ? 96 + length : length;
  const value = [...bytes].reduce((n, byte) => (n << 8n) | BigInt(byte), 0n);
  const size = 1n << BigInt(128 - bits);
  return [value, value + size - 1n, value - 1n, value + size, value + size / 2n].map((n) =>
    Uint8Array.from({ length: 16 }, (_, i) =>
      Number((BigInt.asUintN(128, n) >> BigInt(120 - 8 * i)) & 0xffn),
    ),
  );
}

const FIXED = [
  '0.0.0.0',
  '255.255.255.255',
  '10.1.2.3',
  '::',
  '::1',
  'fd00::1',
  '::ffff:0:0:1',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  '::fffe:10.1.2.3',
].map((text) => prefix(text).bytes);

function check(prefixes: readonly Prefix[], probes: readonly Uint8Array[] = []): void {
  const contains = membership(prefixes);
  for (const address of [...FIXED, ...probes, ...prefixes.slice(0, 150).flatMap(edges)]) {
    const want = referenceContains(prefixes, address);
    assert.is(contains(address), want, `${[...address]} in ${prefixes.length} prefixes`);
  }
}

test('small sets: none, all, hosts, nested, both families', () => {
  for (const texts of [
    [],
    ['0.0.0.0/0'],
    ['::/0'],
    ['0.0.0.0/0', '::/0'],
    ['10.1.2.3/32'],
    ['::1/128', 'fd00::/8'],
    ['10.0.0.0/8', '10.1.0.0/16', '192.168.0.0/17', '2001:db8::/65'],
    ['::/96', '::/80'],
  ]) {
    check(texts.map(prefix));
  }
});

test('everything of one family says nothing about the other', () => {
  const v4 = membership([prefix('0.0.0.0/0')]);
  const v6 = membership([prefix('::/0')]);
  const four = prefix('10.1.2.3').bytes;
  const six = prefix('fd00::1').bytes;
  assert.equal([v4(four), v4(six), v6(four), v6(six)], [true, false, false, true]);
});

function randomPrefix(pick: (below: number) => number, family: 4 | 6, shared: number): Prefix {
  const address =
    family === 4
      ? Array.from({ length: 4 }, (_, i) => (i < shared ? 10 : pick(256))).join('.')
      : Array.from({ length: 8 }, (_, i) => (i < shared ? 0xfd00 : pick(65536)).toString(16)).join(
          ':',
        );
  const most = family === 4 ? 32 : 128;
  return prefix(`${address}/${Math.min(most, shared * (family === 4 ? 8 : 16) + pick(most + 1))}`);
}

for (const [count, shared] of [
  [9, 0],
  [20, 2],
  [60, 0],
  [300, 1],
  [300, 3],
] as const) {
  test(`${count} random prefixes a family sharing ${shared} parts, as the reference says`, () => {
    const pick = random(count * 31 + shared);
    const prefixes = Array.from({ length: count }, () => [
      randomPrefix(pick, 4, shared),
      randomPrefix(pick, 6, shared),
    ])
      .flat()
      .filter((p) => p.length > 2);
    const probes = Array.from({ length: 40 }, () => [
      randomPrefix(pick, 4, shared).bytes,
      randomPrefix(pick, 6, shared).bytes,
    ]).flat();
    check(prefixes, probes);
  });
}

for (const [family, count, longest, width] of [
  [4, 6000, 32, 4],
  [4, 6000, 24, 2],
  [6, 3000, 64, 8],
  [6, 3000, 40, 4],
] as const) {
  test(`${count} prefixes of IPv${family} as spans of ${width} bytes: their ends are in, their neighbours not`, () => {
    const pick = random(family);
    const prefixes = Array.from({ length: count }, () => {
      const { bytes } = randomPrefix(pick, family, 0);
      const shortest = family === 4 ? 14 : 30;
      return { family, bytes, length: shortest + pick(longest + 1 - shortest), text: '' };
    });
    const plan = planCidr({ prefixes }, 64 << 20);
    const form = plan?.[family === 4 ? 'v4' : 'v6'];
    assert.is(form?.kind === 'spans' && form.width, width);
    const neighbours = [0, 1, count - 2, count - 1].flatMap((i) => edges(cut(prefixes[i])));
    check(prefixes.map(cut), neighbours);
  });
}

/** A prefix with its host bits cleared, as the frontend gives it. */
function cut(p: Prefix | undefined): Prefix {
  if (p === undefined) throw new Error('no such prefix');
  const kept = p.family === 4 ? 96 + p.length : p.length;
  return {
    ...p,
    bytes: p.bytes.map((byte, i) => byte & (0xff00 >> Math.max(0, Math.min(8, kept - 8 * i)))),
  };
}

test('first and last address of all, and spans that touch, in spans', () => {
  const pick = random(99);
  const ends = ['0.0.0.0/32', '255.255.255.255/32', '128.0.0.0/9', '128.128.0.0/9'].map(prefix);
  const prefixes = Array.from({ length: 6000 }, () =>
    cut({ ...randomPrefix(pick, 4, 0), length: 28 }),
  );
  const all = [...ends, ...prefixes];
  assert.is(planCidr({ prefixes: all }, 64 << 20)?.v4.kind, 'spans');
  check(all);
});

test('many prefixes with a default route in them', () => {
  const pick = random(3);
  const prefixes = Array.from({ length: 50 }, () => randomPrefix(pick, 4, 0));
  check([...prefixes, prefix('0.0.0.0/0')]);
});

test('all hosts of a block, where every level of the trie is full', () => {
  const hosts = Array.from({ length: 600 }, (_, i) => prefix(`10.1.${i >> 8}.${i & 255}`));
  check(hosts, [prefix('10.1.2.88').bytes, prefix('10.1.2.87').bytes, prefix('10.2.0.0').bytes]);
  const wide = Array.from({ length: 600 }, (_, i) => prefix(`fd00::${i.toString(16)}`));
  check(wide, [prefix('fd00::257').bytes, prefix('fd00::258').bytes, prefix('fd01::1').bytes]);
});

test('100,000 prefixes stay near linear in memory, and the plan is the same each time', () => {
  const pick = random(11);
  const prefixes = Array.from({ length: 100_000 }, () =>
    prefix(`${pick(224)}.${pick(256)}.${pick(256)}.0/24`),
  );
  const most = 64 << 20;
  const plan = planCidr({ prefixes }, most);
  assert.ok(plan?.v4.kind === 'spans');
  if (plan?.v4.kind !== 'spans') return;
  assert.ok(plan.v4.bytes.length <= 3 * 5 * 100_000, `${plan.v4.bytes.length} bytes`);
  assert.equal(planCidr({ prefixes: prefixes.toReversed() }, most), plan);
  const probes = Array.from({ length: 200 }, () => randomPrefix(pick, 4, 0).bytes);
  check(prefixes.slice(0, 5000), probes);
});

test.run();
