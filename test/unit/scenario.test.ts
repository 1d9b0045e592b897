import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWorld, type World } from '../../runtime/discovery/index.js';
import {
  caseDraws,
  DEFAULT_NOW,
  parseDraw,
  parseTime,
  readScenario,
  resolveConnect,
  splitMix32,
} from '../../runtime/simulate/index.js';
import { BOOKINFO } from '../support/bookinfo-world.js';

const read = readWorld(BOOKINFO, 'world.yaml');
if (read.world === null) throw new Error('the sample world is broken');
const WORLD: World = read.world;

const CASE = 'from: reviews-v1.prod, to: "ratings.prod:9080"';

const scenarios = suite('simulate: scenario');
const refusals: { name: string; text: string; want: string; help?: string | null }[] = [
  {
    name: 'unknown source',
    text: 'cases:\n  - id: a\n    connect: { from: reviews-v9.prod, to: "ratings.prod:9080" }',
    want: 'W301 3:22 `reviews-v9.prod` is no workload or address',
    help: 'did you mean `reviews-v1.prod`?',
  },
  {
    name: 'unknown destination',
    text: 'cases: [{ id: a, connect: { from: reviews-v1.prod, to: "rating.prod:9080" } }]',
    want: 'W301 1:56 `rating.prod` is no workload, service or address',
    help: 'did you mean `ratings.prod`?',
  },
  {
    name: 'destination without namespace',
    text: 'cases: [{ id: a, connect: { from: reviews-v1.prod, to: "ratings:9080" } }]',
    want: 'W301 1:56 `ratings` is no workload, service or address',
    help: 'did you mean `ratings.prod`?',
  },
  {
    name: 'destination without port',
    text: 'cases: [{ id: a, connect: { from: reviews-v1.prod, to: ratings.prod } }]',
    want: 'W303 1:56 `ratings.prod` is not a place with a port',
  },
  {
    name: 'port out of range',
    text: 'cases: [{ id: a, connect: { from: reviews-v1.prod, to: "ratings.prod:65536" } }]',
    want: 'W303 1:56 `ratings.prod:65536` is not a place with a port',
  },
  {
    name: 'bare IPv6 destination',
    text: 'cases: [{ id: a, connect: { from: reviews-v1.prod, to: "fd00:1::5" } }]',
    want: 'W303 1:56 `fd00:1::5` is not a place with a port',
  },
  {
    name: 'source with port',
    text: 'cases: [{ id: a, connect: { from: "10.1.0.4:80", to: "ratings.prod:9080" } }]',
    want: 'W303 1:35 `10.1.0.4:80` is not a source',
  },
  {
    name: 'family that the destination lacks',
    text: `cases: [{ id: a, connect: { ${CASE}, family: 6 } }]`,
    want: 'W304 1:85 `ratings.prod` has no IPv6 address',
  },
  {
    name: 'family that the source lacks',
    text: 'cases: [{ id: a, connect: { from: ratings-v1.prod, to: "[fd00:1::4]:9080" } }]',
    want: 'W304 1:35 `ratings-v1.prod` has no IPv6 address',
    help: 'give it one in the world: both ends need an address of the same family',
  },
  {
    name: 'family that the address of the source has not',
    text: 'cases: [{ id: a, connect: { from: "fd00:1::5", to: "reviews.prod:80", family: 4 } }]',
    want: 'W304 1:35 `fd00:1::5` has no IPv4 address',
    help: 'leave `family` out, or give the workload an address of it',
  },
  {
    name: 'ends without a family in common',
    text: 'cases: [{ id: a, connect: { from: "fd00:1::5", to: "ratings-v1.prod:9080" } }]',
    want: 'W304 1:35 `fd00:1::5` has no IPv4 address',
    help: 'give it one in the world: both ends need an address of the same family',
  },
  {
    name: 'IPv6 stranger to a service',
    text: 'cases: [{ id: a, connect: { from: "2001:db8::9", to: "reviews.prod:80" } }]',
    want: 'W309 1:54 `2001:db8::9` is outside the mesh, and `reviews.prod:80` is no workload',
  },
  {
    name: 'two strangers',
    text: 'cases: [{ id: a, connect: { from: 203.0.113.9, to: "198.51.100.1:80" } }]',
    want: 'W309 1:52 `203.0.113.9` is outside the mesh, and `198.51.100.1:80` is no workload',
  },
  {
    name: 'stranger to a service address',
    text: 'cases: [{ id: a, connect: { from: 203.0.113.9, to: "reviews.prod:80" } }]',
    want: 'W309 1:52 `203.0.113.9` is outside the mesh, and `reviews.prod:80` is no workload',
  },
  {
    name: 'port that the service lacks',
    text: 'cases: [{ id: a, connect: { from: reviews-v1.prod, to: "reviews.prod:81" } }]',
    want: 'W310 1:56 the service `reviews.prod` has no tcp port 81',
    help: 'its ports: 80',
  },
  {
    name: 'protocol that the service lacks',
    text: 'cases: [{ id: a, connect: { from: reviews-v1.prod, to: "reviews.prod:80", protocol: udp } }]',
    want: 'W310 1:56 the service `reviews.prod` has no udp port 80',
  },
  {
    name: 'id twice',
    text: `cases:\n  - { id: a, connect: { ${CASE} } }\n  - { id: a, connect: { ${CASE} } }`,
    want: 'W302 3:11 the id `a` is given twice',
  },
  {
    name: 'both',
    text: `cases: [{ id: a, connect: { ${CASE} }, request: { ${CASE} } }]`,
    want: 'W308 1:9 the case `a` has both of `connect` and `request`',
  },
  {
    name: 'no connect',
    text: 'cases: [{ id: a }]',
    want: 'W308 1:9 the case `a` has neither of `connect` and `request`',
  },
  {
    name: 'time without zone',
    text: `cases: [{ id: a, now: "2026-01-01T00:00:00", connect: { ${CASE} } }]`,
    want: 'W306 1:23 `2026-01-01T00:00:00` is not a time with a zone',
  },
  {
    name: 'fraction above 1',
    text: `cases: [{ id: a, random: 1.5, connect: { ${CASE} } }]`,
    want: 'W307 1:26 `1.5` is not a draw',
  },
  {
    name: 'health of nobody',
    text: `cases: [{ id: a, healthy: { ratings-v2.prod: false }, connect: { ${CASE} } }]`,
    want: 'W301 1:46 `ratings-v2.prod` is no workload',
    help: 'did you mean `ratings-v1.prod`?',
  },
];
for (const { name, text, want, help } of refusals) {
  scenarios(`refuses: ${name}`, () => {
    const have = readScenario(text, 's.yaml', WORLD);
    assert.is(have.scenario, null);
    assert.equal(
      have.diagnostics.map((d) => `${d.code} ${d.line}:${d.column} ${d.message}`),
      [want],
    );
    if (help !== undefined) assert.is(have.diagnostics[0]?.help, help);
  });
}

scenarios('draws follow from the seed where they are not given', () => {
  const text = `seed: 7\ncases:\n  - { id: a, connect: { ${CASE} } }\n  - { id: b, random: 0.5, pick: 3, now: "1970-01-01T00:00:01Z", connect: { ${CASE} } }`;
  const { scenario } = readScenario(text, 's.yaml', WORLD);
  const [a, b] = scenario?.cases ?? [];
  assert.equal(a?.input.random, caseDraws(7, 0).random);
  assert.equal(a?.input.pick, caseDraws(7, 0).pick);
  assert.is(a?.input.now, DEFAULT_NOW);
  assert.is(b?.input.random, 0x80000000);
  assert.is(b?.input.pick, 3);
  assert.is(b?.input.now, 1_000_000_000n);
});

scenarios('every fault of a scenario is reported at once', () => {
  const text = `cases:\n  - { id: a, connect: { from: x.prod, to: "ratings.prod:9080" } }\n  - { id: a }`;
  const have = readScenario(text, 's.yaml', WORLD);
  assert.equal(
    have.diagnostics.map((d) => d.code),
    ['W301', 'W302', 'W308'],
  );
});
scenarios.run();

const ends = suite('simulate: ends');
const places: [string, string, 4 | 6 | undefined, string, number | null][] = [
  ['reviews-v1.prod', 'reviews.prod:80', undefined, '10.96.0.10:80', 1],
  ['reviews-v1.prod', 'reviews.prod:80', 6, 'fd00:96::10:80', 1],
  ['reviews-v1.prod', 'productpage-v1.prod:9080', undefined, '10.1.0.2:9080', 1],
  ['10.1.0.5', '[::ffff:10.1.0.4]:1', undefined, '10.1.0.4:1', 2],
  ['fd00:1::5', '[fd00:1::4]:9080', undefined, 'fd00:1::4:9080', 2],
  ['[fd00:1::5]', '[fd00:1::4]:9080', undefined, 'fd00:1::4:9080', 2],
  ['203.0.113.9', '10.1.0.6:9080', undefined, '10.1.0.6:9080', null],
  ['fd00:1::5', 'reviews.prod:80', undefined, 'fd00:96::10:80', 2],
  ['2001:db8::9', 'reviews-v1.prod:9080', undefined, 'fd00:1::4:9080', null],
];
for (const [from, to, family, want, workload] of places) {
  ends(`${from} -> ${to}${family === undefined ? '' : ` (IPv${family})`}`, () => {
    const have = resolveConnect(WORLD, family === undefined ? { from, to } : { from, to, family });
    assert.ok(have.ok);
    if (!have.ok) return;
    const { address, port } = have.ends.destination;
    assert.is(`${address.text}:${port}`, want);
    assert.is(have.ends.source.workload, workload);
    assert.is(have.ends.source.address?.family, address.family);
    assert.is(have.ends.protocol, 6);
  });
}
ends.run();

const draws = suite('simulate: draws');
draws('a fraction is scaled, a whole number stands for itself', () => {
  assert.is(parseDraw(0), 0);
  assert.is(parseDraw(1), 1);
  assert.is(parseDraw(0.25), 0x40000000);
  assert.is(parseDraw(0xffffffff), 0xffffffff);
  assert.is(parseDraw(0x100000000), null);
  assert.is(parseDraw(1.5), null);
  assert.is(parseDraw(-0.1), null);
});
draws('times need a zone and lie after 1970', () => {
  assert.is(parseTime('1970-01-01T00:00:00.001Z'), 1_000_000n);
  assert.is(parseTime('1970-01-01T01:00:00+01:00'), 0n);
  assert.is(parseTime('1970-01-01T00:00:00+01:00'), null);
  assert.is(parseTime('1970-01-01'), null);
});
draws('a day that its month has not is no time', () => {
  for (const day of ['2023-02-29', '2100-02-29', '2026-02-30', '2026-04-31', '2026-01-32'])
    assert.is(parseTime(`${day}T00:00:00+01:00`), null, day);
  for (const day of ['2024-02-29', '2000-02-29', '2026-04-30', '2026-12-31'])
    assert.is(parseTime(`${day}T00:00:00Z`), BigInt(Date.parse(day)) * 1_000_000n, day);
  assert.is(parseTime('2026-13-01T00:00:00Z'), null);
});
draws('the sequence of a seed is fixed and differs by seed', () => {
  const first = [0, 1, 2, 3].map((n) => splitMix32(0, n));
  assert.equal(
    first,
    [0, 1, 2, 3].map((n) => splitMix32(0, n)),
  );
  assert.is(new Set([...first, ...[0, 1, 2, 3].map((n) => splitMix32(7, n))]).size, 8);
  const counts = [0, 0, 0, 0];
  for (let n = 0; n < 4000; n += 1) {
    const bucket = splitMix32(1, n) >>> 30;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(count > 900 && count < 1100, counts.join(' '));
});
draws.run();
