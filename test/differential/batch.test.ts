/**
 * Deciding by the block answers what deciding record by record does: for generated policies and records, and
 * for lines that are no records, or ones in another form.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { readWorld, type World } from '../../runtime/discovery/index.js';
import {
  COLUMN,
  createBlockDecider,
  createRecordDecider,
  lineBlocks,
  parseLines,
  recordLine,
} from '../../runtime/record/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { Prng } from '../support/prng.js';
import { generateRecord, POOL_WORLD } from '../support/record-pools.js';
import { REQUEST_CONFIG, REQUEST_POLICIES } from '../support/request-scenario.js';
import { generateTrial } from './generate-trial.js';

const SEED = Number(process.env['WEFT_SEED'] ?? 1);
const BUNDLES = Number(process.env['WEFT_BATCH_BUNDLES'] ?? 5);
const RECORDS = 3000;
const OPTIONS = { seed: 3, file: 'r.ndjson' };

/** What generated policies do not: shadow, routes, arrays of a decision, patterns, traps, whole headers. */
const WRITTEN = `import { cluster, Connection, pattern, Request, Route, split, Verdict } from "weft";
const v1 = cluster("wide.prod/v1"), v2 = cluster("wide.prod/v2"), gone = cluster("wide.prod/v9");
const users = pattern("/api/{v}/users/**");
export function routeConnection(connection: Connection): Route {
  return connection.source.label("tier").is("front") ? split(v1, 60, v2, 40) : Route.None;
}
export function routeRequest(request: Request): Route {
  if (request.path.startsWith("/public")) return v2;
  return request.method.is("PUT") ? gone : Route.None;
}
export function authorizeRequest(request: Request): Verdict {
  const seen = new StaticArray<u32>(4);
  seen[request.now > 1770000000000000000 ? 1 : 2] = 7;
  if (request.header("x-canary").is("true")) return Verdict.Deny;
  if (request.header("host").is("wide.prod")) return Verdict.Deny;
  if (users.matches(request.path)) return Verdict.Audit;
  return seen[1] == 7 ? Verdict.Allow : Verdict.Pass;
}
`;
const SHADOW = `import { cluster, Connection, Request, Route, Verdict } from "weft";
const v1 = cluster("wide.prod/v1");
export function routeConnection(connection: Connection): Route {
  return v1;
}
export function authorizeConnection(connection: Connection): Verdict {
  if (connection.source.principal.endsWith("web")) return Verdict.Audit;
  return connection.destination.port == 8080 ? Verdict.Deny : Verdict.Allow;
}
export function authorizeRequest(request: Request): Verdict {
  return request.now % 2 == 0 ? Verdict.Allow : Verdict.Deny;
}
`;

interface Counts {
  rows: number;
  decided: number;
  byBlock: number;
}
const counts: Counts = { rows: 0, decided: 0, byBlock: 0 };

/** Compares line by line; answers how many lines the block decided. */
async function compare(bundle: Bundle, world: World, text: string): Promise<number> {
  const before = counts.byBlock;
  const decide = createBlockDecider([bundle], { ...OPTIONS, world });
  const plain = createRecordDecider(bundle, { world, seed: OPTIONS.seed });
  for await (const block of lineBlocks([Buffer.from(text, 'latin1')])) {
    const have = decide(block);
    const { records, lines, faults } = parseLines(block, OPTIONS.file);
    assert.equal(Array.from(have.lines), lines);
    assert.equal(have.faults, faults);
    const want = plain.decideAll({ records, lines });
    const rows = have.columns[0] ?? new Int32Array();
    for (let row = 0; row < records.length; row += 1) {
      const words = [row * COLUMN.size, (row + 1) * COLUMN.size] as const;
      const [ours, theirs] = [rows.subarray(...words), want.subarray(...words)];
      if (
        Buffer.compare(Buffer.from(ours.slice().buffer), Buffer.from(theirs.slice().buffer)) !== 0
      )
        assert.equal([...ours], [...theirs], JSON.stringify(records[row]));
      counts.rows += 1;
      if (theirs[COLUMN.verdict] !== 0) counts.decided += 1;
    }
    assert.is(rows.length, want.length);
    counts.byBlock += have.byBlock;
  }
  return counts.byBlock - before;
}

const test = suite<{ world: World }>('deciding by the block');
test.before((context) => {
  const { world } = readWorld(POOL_WORLD, 'world.yaml');
  if (world === null) throw new Error('the world is wrong');
  context.world = world;
});

function generated(seed: number): string {
  const random = new Prng(seed);
  return Array.from({ length: RECORDS }, (_, i) => recordLine(generateRecord(random, i))).join('');
}

for (const [texts, otherwise] of [
  [REQUEST_POLICIES, 'deny'],
  [REQUEST_POLICIES, 'allow'],
  [new Map([...REQUEST_POLICIES, ['written.ts', WRITTEN]]), 'deny'],
  [new Map([['written.ts', WRITTEN]]), 'allow'],
] as const) {
  const files = [...texts.keys()];
  test(`written policies, else ${otherwise}: ${files.join(', ')}`, async ({ world }) => {
    const policies = [
      ...files.map((file) => ({ file })),
      { file: 'shadow.ts', mode: 'shadow' as const },
    ];
    const all = new Map([...texts, ['shadow.ts', SHADOW]]);
    const bundle = await mustCompile(all, { ...REQUEST_CONFIG, default: otherwise, policies });
    await compare(bundle, world, Buffer.from(generated(SEED)).toString('latin1'));
  });
}

test('policies about requests alone: connections are let be at ports with HTTP, and held at others', async ({
  world,
}) => {
  const bundle = await mustCompile(new Map([['written.ts', WRITTEN]]));
  const seen = await compare(bundle, world, Buffer.from(generated(SEED)).toString('latin1'));
  assert.ok(seen > 0);
  const plain = createRecordDecider(bundle, { world, seed: OPTIONS.seed });
  const random = new Prng(SEED);
  const bare = Array.from({ length: RECORDS }, (_, i) => generateRecord(random, i));
  const records = bare.filter(({ request }) => request === undefined);
  const told = new Set(
    records.map((record, i) => {
      const outcome = plain.outcome(record, i);
      return outcome && `${outcome.verdict} ${outcome.reason} ${outcome.side}`;
    }),
  );
  for (const want of ['allow requests client', 'allow requests server', 'deny default client'])
    assert.ok(told.has(want), want);
});

for (let n = 0; n < BUNDLES; n += 1) {
  const seed = SEED * 1000 + n;
  test(`generated policies, seed ${seed}`, async ({ world }) => {
    const shape = { isRequest: n % 3 !== 0, fuel: [40, 200, 2000], decisions: 0 };
    const { texts, fuel } = generateTrial(seed, shape);
    const otherwise = n % 2 === 0 ? 'deny' : 'allow';
    const bundle = await mustCompile(texts, { budget: { fuel }, default: otherwise });
    await compare(bundle, world, Buffer.from(generated(seed)).toString('latin1'));
  });
}

test('lines that are cut, changed or in another form', async ({ world }) => {
  const bundle = await mustCompile(REQUEST_POLICIES, REQUEST_CONFIG);
  const random = new Prng(SEED);
  const bytes = [
    '"',
    '\\',
    ',',
    ' ',
    '{',
    '}',
    '[',
    ']',
    ':',
    '0',
    'é',
    '\0',
    '\n',
    '\r',
    '\t',
    'e1',
  ];
  const lines = generated(SEED + 1)
    .split('\n')
    .flatMap((line) => {
      const at = random.below(line.length + 1);
      switch (random.below(8)) {
        case 0:
          return [line.slice(0, at) + line.slice(at + 1)];
        case 1:
          return [line.slice(0, at) + random.pick(bytes) + line.slice(at)];
        case 2:
          return [line.slice(0, at) + random.pick(bytes) + line.slice(at + 1)];
        case 3:
          return random.oneIn(4) ? ['', line.slice(0, at)] : [line.replace('"from"', '"fron"')];
        case 4:
          return [random.oneIn(2) ? line.replaceAll(',', ', ') : line.replace('}', '} ')];
        default:
          return [line];
      }
    });
  await compare(bundle, world, Buffer.from(lines.join('\n')).toString('latin1'));
});

/** Times and numbers at their edges: the block reads them as the plain reader does, or leaves them to it. */
const EDGES: readonly string[] = [
  ...[
    '1970-01-01T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '2000-02-29T00:00:00Z',
    '1900-02-28T00:00:00Z',
  ],
  ...[
    '2100-02-28T23:59:59Z',
    '2100-02-29T00:00:00Z',
    '2100-03-01T00:00:00Z',
    '2024-02-29T12:00:00.5Z',
  ],
  ...['2023-02-29T00:00:00Z', '2026-04-31T00:00:00Z', '2026-12-31T23:59:59.999999999Z'],
  ...[
    '2026-01-01T00:00:60Z',
    '2026-01-01T24:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
  ],
  ...['2026-01-01T00:00:00.1234567890Z', '2026-01-01T00:00:00.Z', '2026-01-01T01:00:00+01:00'],
];
const DRAWS = ['0', '7', '4294967295', '4294967296', '00', '01', '1e3', '-1', '1.0'];

test('times and draws at their edges', async ({ world }) => {
  const bundle = await mustCompile(REQUEST_POLICIES, REQUEST_CONFIG);
  const plain = generated(SEED + 2).split('\n');
  const lines = plain.slice(0, 20).flatMap((line) => {
    const { from, to, request }: Record<string, unknown> = JSON.parse(line);
    const ends = `"from":${JSON.stringify(from)},"to":${JSON.stringify(to)}`;
    const rest = request === undefined ? '' : `,"request":${JSON.stringify(request)}`;
    return [
      ...EDGES.map((time) => `{"time":"${time}",${ends}${rest}}`),
      ...DRAWS.map((draw) => `{${ends},"random":${draw},"pick":${draw}${rest}}`),
    ];
  });
  // Where most lines are left to the plain way the whole block is: usual ones stand between.
  const usual = plain.slice(20, 20 + 4 * lines.length);
  const among = usual.flatMap((line, i) => (i % 4 === 0 ? [line, lines[i / 4] ?? ''] : [line]));
  const text = Buffer.from(among.join('\n')).toString('latin1');
  assert.ok((await compare(bundle, world, text)) > usual.length / 2);
});

test('most of it was decided by the block', () => {
  assert.ok(counts.rows > BUNDLES * RECORDS, JSON.stringify(counts));
  assert.ok(counts.decided > counts.rows / 2, JSON.stringify(counts));
  assert.ok(counts.byBlock > counts.rows / 2, JSON.stringify(counts));
});

test.run();
