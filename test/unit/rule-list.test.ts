/** Rule lists: the compiled look-up against the meaning, written down plainly; and what is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCidr } from '../../compiler/frontend/parse-cidr.js';
import { criterionOf, criterionTexts } from '../../compiler/frontend/rule-text.js';
import type { Rule, RuleCriterion } from '../../compiler/frontend/types.js';
import { planRules, planTables, referenceRule } from '../../compiler/tables/index.js';
import {
  abiModule,
  ask,
  CONNECTION,
  expandAll,
  NO_DECLARATIONS,
  run,
} from '../support/abi-module.js';
import { compileTexts } from '../support/compile-texts.js';
import { Prng } from '../support/prng.js';
import { findings } from './frontend-project.js';

const test = suite('rule-list');

const NAMESPACE = { side: 'source', attribute: 'namespace', key: null } as const;
const LABEL = { side: 'destination', attribute: 'label', key: 'app' } as const;
const TEXTS = ['a', 'b', 'c', ''];
const BLOCKS4 = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.0/23',
  '10.1.2.3',
  '10.1.2.2/31',
];
const BLOCKS6 = [
  '::/0',
  'fd00::/8',
  'fd00:1::/32',
  'fd00:1::/64',
  'fd00:1::7',
  'fd00:1::6/127',
  '::/80',
];
const ADDRESSES4 = [
  '10.1.2.3',
  '10.1.2.2',
  '10.1.3.3',
  '10.1.4.1',
  '10.9.9.9',
  '11.0.0.1',
  '0.0.0.0',
];
const ADDRESSES6 = [
  'fd00:1::7',
  'fd00:1::6',
  'fd00:1::1:0:0:7',
  'fd00:2::1',
  'fe00::1',
  '::',
  '::9',
];

function block(text: string): Extract<RuleCriterion, { field: 'address' }>['prefix'] {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.prefix;
}

function randomRule(random: Prng, blocks: readonly string[], value: number): Rule {
  const criteria: RuleCriterion[] = [];
  for (const side of ['source', 'destination'] as const) {
    for (let i = random.pick([0, 0, 1, 1, 2]); i > 0; i--) {
      criteria.push({ field: 'address', side, prefix: block(random.pick(blocks)) });
    }
  }
  if (random.oneIn(2)) {
    const first = random.pick([0, 79, 80, 443, 65535]);
    const last = Math.min(65535, first + random.pick([0, 0, 1, 400, 65535]));
    criteria.push({ field: 'port', first, last });
  }
  if (random.oneIn(4)) criteria.push({ field: 'protocol', value: random.pick([6, 17, 0]) });
  if (random.oneIn(4)) criteria.push({ field: 'kind', value: random.pick([0, 1, 0xfffffffe]) });
  for (const of of [NAMESPACE, LABEL]) {
    for (let i = random.pick([0, 0, 0, 1, 2]); i > 0; i--) {
      criteria.push({ field: 'attribute', ...of, text: random.pick(TEXTS) });
    }
  }
  return { criteria, value, priority: 0, at: null };
}

/** The compiled value for a connection; the kind is the connection's draw here. */
function compiled(rules: readonly Rule[]): {
  readonly ask: (connection: Uint8Array) => number;
  readonly symbolOf: (text: string | null) => number;
} {
  const registry = { ...NO_DECLARATIONS, rules: [{ name: 'l', rules, at: null }] };
  const module = abiModule((emit, func) => {
    const kind = emit.loadPointer(func.params[0]?.id ?? (0 as never), CONNECTION.random, 4);
    return ask(emit, 'rules_get', [emit.constant('i32', 0), kind, emit.constant('i32', 0)]);
  });
  const { diagnostics, symbols } = expandAll(module, registry);
  assert.equal(diagnostics, []);
  return {
    ask: (connection) => run(module, connection) >>> 0,
    symbolOf: (text) =>
      text === null
        ? 0
        : text === ''
          ? 1
          : symbols.includes(text)
            ? 2 + symbols.indexOf(text)
            : 9999,
  };
}

for (const [name, blocks] of [
  ['IPv4', BLOCKS4],
  ['IPv6', BLOCKS6],
  ['both families', [...BLOCKS4, ...BLOCKS6]],
] as const) {
  for (const count of [1, 4, 40, 300]) {
    test(`${count} rules of ${name}: each connection has the value of the first that holds`, () => {
      const random = new Prng(count);
      const rules = Array.from({ length: count }, (_, i) => randomRule(random, blocks, i + 1));
      const list = compiled(rules);
      const found = new Set<number>();
      for (let i = 0; i < 200; i++) {
        const addresses = random.oneIn(2) ? ADDRESSES4 : ADDRESSES6;
        const facts = {
          address: {
            source: block(random.pick(addresses)).bytes,
            destination: block(random.pick(addresses)).bytes,
          },
          port: random.pick([0, 78, 79, 80, 81, 442, 443, 444, 843, 844, 65534, 65535]),
          protocol: random.pick([6, 17, 1, 0]),
          kind: random.pick([0, 1, 2, 0xfffffffe, 0xffffffff]),
        };
        const texts = {
          source: random.pick([null, ...TEXTS, 'd']),
          destination: random.pick([null, ...TEXTS, 'd']),
        };
        const bytes = new Uint8Array(CONNECTION.size);
        const view = new DataView(bytes.buffer);
        for (const side of ['source', 'destination'] as const) {
          bytes.set(facts.address[side], CONNECTION[side]);
          view.setUint32(CONNECTION[side] + 24, list.symbolOf(texts[side]), true);
        }
        view.setUint16(CONNECTION.destinationPort, facts.port, true);
        view.setUint8(CONNECTION.protocol, facts.protocol);
        view.setUint32(CONNECTION.random, facts.kind, true);
        const want = referenceRule(rules, { ...facts, textOf: ({ side }) => texts[side] }) + 1;
        found.add(want);
        assert.is(list.ask(bytes), want, JSON.stringify({ ...facts, texts }));
      }
      assert.ok(count === 1 || found.size > 2, 'several rules answer');
    });
  }
}

test('what a rule says survives the bundle', () => {
  const random = new Prng(5);
  for (let i = 0; i < 200; i++) {
    const { criteria } = randomRule(random, [...BLOCKS4, ...BLOCKS6], 0);
    assert.equal(
      criteria.map((criterion) => criterionOf(criterionTexts(criterion))),
      criteria,
    );
  }
});

test('10,000 rules of hosts, blocks, ports and texts need few look-ups, and memory like theirs', () => {
  const random = new Prng(1);
  const rules = Array.from({ length: 10_000 }, (_, value): Rule => {
    const address = `${random.below(256)}.${random.below(256)}.${random.below(256)}.0`;
    const criteria: RuleCriterion[] = [
      {
        field: 'address',
        side: 'source',
        prefix: block(`${address}/${random.pick([16, 24, 28, 32])}`),
      },
      { field: 'port', first: random.below(60_000), last: 65_535 },
      { field: 'attribute', ...NAMESPACE, text: String(random.below(100)) },
    ];
    return { criteria: criteria.slice(0, 1 + random.below(3)), value, priority: 0, at: null };
  });
  const plan = planRules({ rules }, Number);
  assert.ok(plan !== null && typeof plan !== 'string');
  if (plan === null || typeof plan === 'string') return;
  assert.ok(plan.probes.length <= 4, `${plan.probes.length} look-ups`);
  assert.ok(Math.max(...plan.probes.map(({ most }) => most)) <= 8);
  assert.ok(plan.bytes.length <= 3 * 17 * rules.length, `${plan.bytes.length} bytes`);
});

const USES = {
  ...{ tables: new Set<number>(), cidrs: new Set<number>(), ports: new Set<number>() },
  ...{ views: new Set<number>(), keys: new Set<number>(), patterns: new Set<number>() },
  ...{ rules: new Set([0]), symbolOf: () => 2, maxSetBytes: 0 },
};
const AT = { file: 'policy.ts', line: 5, column: 1 };

function refused(rules: readonly Rule[]): unknown {
  const registry = { ...NO_DECLARATIONS, rules: [{ name: 'l', rules, at: AT }] };
  return planTables(registry, USES).diagnostics.map((d) => [d.code, d.line, d.message]);
}

test('rules that come to too many combinations are refused with the number', () => {
  const port = Array.from(
    { length: 1100 },
    (_, i): RuleCriterion => ({ field: 'port', first: i, last: i }),
  );
  const kind = Array.from(
    { length: 1000 },
    (_, value): RuleCriterion => ({ field: 'kind', value }),
  );
  const rule = (criteria: readonly RuleCriterion[]): Rule => ({
    criteria,
    value: 1,
    priority: 0,
    at: null,
  });
  assert.equal(refused([rule([...port, ...kind])]), [
    ['T108', 5, 'the 1 rules of list `l` come to more than 1048576 combinations'],
  ]);
  assert.equal(refused([rule(port)]), []);
});

test('rules that only ranges of ports tell apart are refused with the number', () => {
  const ranges = (count: number): Rule[] =>
    Array.from({ length: count }, (_, i) => ({
      criteria: [{ field: 'port', first: i, last: 60_000 - i }],
      value: i,
      priority: 0,
      at: null,
    }));
  assert.equal(refused(ranges(5000)), [
    ['T109', 5, 'the 5000 rules of list `l` need more than 24 look-ups to be told apart'],
  ]);
  assert.equal(refused(ranges(30)), []);
});

test('what is no rule is an error at its line', async () => {
  const found = await findings(`const list = new RuleList<u32>("list").port(80);
list.add(1).source("10.0.0.0/33").port(80);
list.add(2).destination("nowhere");
list.add(3)
  .port(90, 80).port(65536);
list.add(4).kind(0xffffffff);
list.add(5, -3).protocol(<Protocol>256);
export function authorizeConnection(connection: Connection): Verdict {
  return list.has(connection) ? Verdict.Allow : Verdict.Deny;
}`);
  assert.equal(found, [
    'P131 policy.ts:2:45 this comes before the first `add`',
    'P131 policy.ts:3:20 the length of `10.0.0.0/33` is not between 0 and 32',
    'P131 policy.ts:4:25 `nowhere` is no address block',
    'P131 policy.ts:6:13 `90` to `80` is no range of ports',
    'P131 policy.ts:6:22 `65536` to `65536` is no range of ports',
    'P131 policy.ts:7:18 `4294967295` is no kind',
    'P131 policy.ts:8:13 `256` is no IP protocol',
  ]);
});

test('in routeConnection no rule can ask for attributes of the destination', async () => {
  const policy = `import { cluster, Connection, Route, RuleList } from "weft";
const one = cluster("reviews", "v1"), two = cluster("reviews", "v2");
const list = new RuleList<Route>("list").add(one).destinationNamespace("prod");
export function routeConnection(connection: Connection): Route {
  return list.get(connection, two);
}`;
  const outcome = await compileTexts(new Map([['policy.ts', policy]]));
  assert.equal(
    outcome.diagnostics.map(({ code, line, message }) => `${code} ${line} ${message}`),
    [
      'I202 5 `destination.namespace` does not exist in `routeConnection`: the endpoint is chosen only after it',
    ],
  );
});

test.run();
