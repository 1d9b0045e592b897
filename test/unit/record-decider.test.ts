import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { readWorld, type World } from '../../runtime/discovery/index.js';
import {
  COLUMN,
  createRecordDecider,
  decideLines,
  recordInput,
  recordLine,
  type TrafficRecord,
} from '../../runtime/record/index.js';
import { createSimulator, resolveConnect } from '../../runtime/simulate/index.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { mustCompile } from '../support/compile-texts.js';
import { Prng } from '../support/prng.js';
import { REQUEST_CONFIG, REQUEST_POLICIES } from '../support/request-scenario.js';

const COUNT = 600;
const SPLIT = `import { cluster, Connection, Route, split } from "weft";
const v1 = cluster("reviews.prod/v1"), v2 = cluster("reviews.prod/v2");
export function routeConnection(connection: Connection): Route { return split(v1, 60, v2, 40); }
`;
const SHADOW = `import { Connection, Request, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  return connection.destination.port == 9080 ? Verdict.Deny : Verdict.Audit;
}
export function authorizeRequest(request: Request): Verdict {
  return request.now % 2 == 0 ? Verdict.Audit : Verdict.Allow;
}
`;

const test = suite<{ bundle: Bundle; world: World }>('record decider');
test.before(async (context) => {
  const { world } = readWorld(BOOKINFO, 'world.yaml');
  if (world === null) throw new Error('the world is wrong');
  context.world = world;
  const texts = new Map([...REQUEST_POLICIES, ['split.ts', SPLIT], ['shadow.ts', SHADOW]]);
  const policies = [...texts.keys()].map((file) => ({
    file,
    mode: file === 'shadow.ts' ? ('shadow' as const) : ('enforce' as const),
  }));
  context.bundle = await mustCompile(texts, { ...REQUEST_CONFIG, policies });
});

function generate(seed: number, count: number): TrafficRecord[] {
  const prng = new Prng(seed);
  const paths = ['/', '/old/x', '/gone', '/private', '/?loop', '/%00', '/x?y=1', '/a/../private'];
  const headers: (readonly [string, string])[][] = [
    [['host', 'reviews.prod']],
    [['Host', 'other.prod']],
    [
      ['host', 'reviews.prod'],
      ['x-canary', 'true'],
    ],
    [
      ['host', 'reviews.prod'],
      ['X-Canary', 'true'],
      ['x-canary', 'no'],
    ],
    [
      ['host', 'reviews.prod'],
      ['x-long', 'a'.repeat(9000)],
    ],
  ];
  return Array.from({ length: count }, (_, i): TrafficRecord => {
    const isRequest = prng.chance(70);
    return {
      id: `r${i}`,
      from: prng.pick(['productpage-v1.prod', 'intruder.dev', '10.1.0.4', '203.0.113.9']),
      to: prng.pick(['reviews.prod:80', '10.1.0.4:9080', 'reviews-v2.prod:9080', '192.0.2.1:80']),
      ...(prng.chance(50) ? { time: `2026-02-03T04:05:06.00000000${prng.below(10)}Z` } : {}),
      ...(prng.chance(50) ? { random: prng.u32(), pick: prng.u32() } : {}),
      ...(prng.oneIn(20) ? { healthy: { 'reviews-v1.prod': false } } : {}),
      ...(isRequest
        ? {
            request: {
              method: prng.pick(['GET', 'POST']),
              path: prng.pick(paths),
              ...(prng.chance(80) ? { headers: prng.pick(headers) } : {}),
            },
          }
        : {}),
    };
  });
}

test('what is decided one by one is what the simulator says of all together', async (context) => {
  const { bundle, world } = context;
  const records = generate(1, COUNT);
  const decider = createRecordDecider(bundle, { world, seed: 5 });
  await using simulator = await createSimulator(bundle, { world });
  const known = records.flatMap((record, i) => {
    const found = resolveConnect(world, record);
    return found.ok ? [{ record, line: i + 1, ends: found.ends }] : [];
  });
  assert.ok(known.length > COUNT / 2 && known.length < COUNT);
  const want = await simulator.simulateAll(
    known.map(({ record, line, ends }) => recordInput(record, ends, { seed: 5, line })),
  );
  const seen = new Set<string>();
  for (const [i, { record, line }] of known.entries()) {
    assert.equal(decider.outcome(record, line), want[i], JSON.stringify(record));
    seen.add(`${want[i]?.verdict} ${want[i]?.reason}`);
  }
  assert.ok(seen.size >= 7, [...seen].join(', '));
});

test('lines are decided alike in this thread and in others', async ({ bundle, world }) => {
  const records = generate(2, COUNT);
  const bytes = Buffer.from(records.map(recordLine).join(''));
  const options = { world, subjects: [bundle], file: 'r.ndjson', seed: 9 };
  const decider = createRecordDecider(bundle, { world, seed: 9 });
  for (const threads of [0, 2]) {
    let row = 0;
    for await (const batch of decideLines([bytes], { ...options, threads })) {
      assert.is(batch.faults.length, 0);
      for (let i = 0; i < batch.count; i += 1, row += 1) {
        const record = records[row];
        if (record === undefined) throw new Error('a record too many');
        assert.equal(batch.record(i), record);
        const want = decider.outcome(record, row + 1);
        const verdict = batch.columns[0]?.[i * COLUMN.size + COLUMN.verdict];
        assert.is(verdict, want === null ? 0 : want.verdict === 'allow' ? 1 : 2);
        if (row % 100 === 0) assert.equal(batch.outcome(i), want);
      }
    }
    assert.is(row, COUNT);
  }
});

test('a line that is no record is told, the others are decided', async ({ bundle, world }) => {
  const good = '{"from":"10.1.0.4","to":"reviews.prod:80"}';
  const lines = [
    good,
    '{"from":',
    '{"from":"10.1.0.4","tu":"x"}',
    '',
    Buffer.from('{"from":"\xff","to":"x"}', 'latin1'),
    `{"from":"${'x'.repeat(2_000_000)}"}`,
    good,
    '{"from":"10.1.0.4","to":"revie',
  ];
  const bytes = Buffer.concat(
    lines.flatMap((line, i) => [
      Buffer.from(line as string),
      Buffer.from(i === lines.length - 1 ? '' : '\n'),
    ]),
  );
  const chunks = Array.from({ length: Math.ceil(bytes.length / 10_000) }, (_, i) =>
    bytes.subarray(i * 10_000, (i + 1) * 10_000),
  );
  const found: string[] = [];
  const at: number[] = [];
  for await (const batch of decideLines(chunks, { world, subjects: [bundle], file: 'r.ndjson' })) {
    at.push(...Array.from(batch.lines));
    for (const { code, file, line, help } of batch.faults) {
      assert.ok(help !== null && help !== '', code);
      found.push(`${code} ${file}:${line}`);
    }
  }
  assert.equal(at, [1, 7]);
  assert.equal(found, [
    'W401 r.ndjson:2',
    'W011 r.ndjson:3',
    'W010 r.ndjson:3',
    'W403 r.ndjson:5',
    'W402 r.ndjson:6',
    'W404 r.ndjson:8',
  ]);
});

test.run();
