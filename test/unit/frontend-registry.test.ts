/** What the configure phase declares comes out of the snapshot as it was written. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { routeText } from '../../compiler/abi/index.js';
import { parseCidr } from '../../compiler/frontend/index.js';
import { ALLOW, compiled, decide, findings } from './frontend-project.js';

const test = suite('frontend registry');

test('tables keep the order of first setting and the last value', async () => {
  const { registry } = await compiled(`const t = new Table<i32>("plans");
for (let i = 0; i < 3; i++) t.set("tenant-" + i.toString(), -i);
t.set("tenant-0", 9).set("", 4).set("żółw", 5);
${ALLOW}`);
  const [table] = registry.tables;
  assert.is(table?.name, 'plans');
  assert.is(table?.keyKind, 'text');
  assert.is(table?.at?.line, 2);
  assert.is(table?.at?.column, 11);
  assert.equal(
    table?.entries.map((e) => [e.key.value, e.value]),
    [
      ['tenant-0', 9],
      ['tenant-1', 0xffffffff],
      ['tenant-2', 0xfffffffe],
      ['', 4],
      ['żółw', 5],
    ],
  );
});

test('integer keys have 64 bits; values may be routes, booleans, enums', async () => {
  const { registry } = await compiled(`enum Plan { Free, Paid = 7 }
const a = cluster("s", "a"), b = cluster("s", "b");
new Table<Route>("routes").set<u64>(0xffffffffffffffff, b).set<u8>(1, a);
new Table<bool>("flags").set(80, true);
new Table<Plan>("plans").set("x", Plan.Paid);
new Table<u8>("empty");
${ALLOW}`);
  assert.equal(
    registry.tables.map((t) => [
      t.name,
      t.keyKind,
      t.entries.map((e) => [String(e.key.value), e.value]),
    ]),
    [
      [
        'routes',
        'integer',
        [
          ['18446744073709551615', 2],
          ['1', 1],
        ],
      ],
      ['flags', 'integer', [['80', 1]]],
      ['plans', 'text', [['x', 7]]],
      ['empty', 'text', []],
    ],
  );
  assert.equal(
    registry.routes.map((r) => routeText(r.target)),
    ['s/a', 's/b'],
  );
});

test('look-ups pass the number of the table, the key and the fallback', async () => {
  const result = await compiled(`new Table<u32>("other");
const t = new Table<u32>("t").set(1, 1), names = new Table<bool>("n").set("x", true);
export function authorizeConnection(c: Connection): Verdict {
  if (t.getOr(c.destination.port, 7) == 7) return Verdict.Allow;
  if (t.has(-1)) return Verdict.Audit;
  return names.get(c.source.namespace) ? Verdict.Pass : Verdict.Deny;
}`);
  const asked: unknown[] = [];
  const note =
    (name: string, answer: number) =>
    (...args: unknown[]): number => {
      asked.push([name, ...args]);
      return answer;
    };
  const word = decide(result, 'authorizeConnection', {
    port: 80,
    imports: {
      attribute: note('attribute', 42),
      table_get: note('get', 3),
      table_has: note('has', 0),
    },
  });
  assert.is(word & 0xff, 3);
  assert.equal(asked, [
    ['get', 1, 80n, 7],
    ['has', 1, -1n],
    ['attribute', 0, 0],
    ['get', 2, 42n, 0],
  ]);
});

test('address sets hold masked prefixes', async () => {
  const { registry } = await compiled(`const s = new CidrSet("office").add("10.1.2.3/8");
s.add("2001:db8::1/32").add("192.168.1.1");
${ALLOW}`);
  const [set] = registry.cidrs;
  assert.equal(
    set?.prefixes.map((p) => [p.family, p.length, Buffer.from(p.bytes).toString('hex'), p.text]),
    [
      [4, 8, '00000000000000000000ffff0a000000', '10.1.2.3/8'],
      [6, 32, '20010db8000000000000000000000000', '2001:db8::1/32'],
      [4, 32, '00000000000000000000ffffc0a80101', '192.168.1.1'],
    ],
  );
});

test('a bad block is found at its text', async () => {
  assert.equal(
    await findings(`const s = new CidrSet("s").add("10.0.0.0/8")
  .add("10.0.0.0/33");
s.add("fe80::1%eth0");
for (let i = 0; i < 2; i++) s.add("1.2.3." + (255 + i).toString());
${ALLOW}`),
    [
      'P104 policy.ts:3:8 the length of `10.0.0.0/33` is not between 0 and 32',
      'P104 policy.ts:4:7 `fe80::1%eth0` is no address block',
      'P104 policy.ts:5:35 `1.2.3.256` is no address block',
    ],
  );
});

const cidrs: readonly [text: string, want: string | null][] = [
  ['0.0.0.0/0', '4 0 00000000000000000000ffff00000000'],
  ['255.255.255.255', '4 32 00000000000000000000ffffffffffff'],
  ['10.255.0.0/9', '4 9 00000000000000000000ffff0a800000'],
  ['::/0', '6 0 00000000000000000000000000000000'],
  ['::1', '6 128 00000000000000000000000000000001'],
  ['1:2:3:4:5:6:7:8/127', '6 127 00010002000300040005000600070008'],
  ['::ffff:10.0.0.1', '4 32 00000000000000000000ffff0a000001'],
  ['::ffff:10.0.0.0/104', '4 8 00000000000000000000ffff0a000000'],
  ['::ffff:0:0/95', '6 95 00000000000000000000fffe00000000'],
  ['fe80::/10', '6 10 fe800000000000000000000000000000'],
  ['', null],
  ['10.0.0', null],
  ['10.0.0.256', null],
  ['010.0.0.1', null],
  ['10.0.0.0/', null],
  ['10.0.0.0/08', null],
  ['10.0.0.0/33', null],
  ['::/129', null],
  ['1::2::3', null],
  ['1:2:3:4:5:6:7:8:9', null],
  ['1:2:3:4:5:6:7::8', null],
  ['12345::', null],
  ['10.0.0.1 ', null],
];
for (const [text, want] of cidrs) {
  test(`parseCidr ${JSON.stringify(text)}`, () => {
    const outcome = parseCidr(text);
    const prefix = outcome.ok ? outcome.prefix : null;
    const hex = prefix === null ? '' : Buffer.from(prefix.bytes).toString('hex');
    assert.is(prefix && `${prefix.family} ${prefix.length} ${hex}`, want);
  });
}

test('100,000 entries leave nothing behind in the module', async () => {
  const result = await compiled(`const t = new Table<u32>("t");
for (let i = 0; i < 100000; i++) t.set("tenant-" + i.toString(), i % 3);
export function authorizeConnection(c: Connection): Verdict {
  return t.get(c.source.label("tenant")) == 2 ? Verdict.Allow : Verdict.Deny;
}`);
  const [table] = result.registry.tables;
  assert.is(table?.entries.length, 100_000);
  assert.equal(table?.entries[99_999], { key: { kind: 'text', value: 'tenant-99999' }, value: 0 });
  assert.ok(result.wasm.length < 2000);
});

test.run();
