/** What is wrong with a policy is said once, at the place that is to be changed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FrontendOutcome } from '../../compiler/frontend/index.js';
import { v8Snapshot, wizerSnapshot } from '../../runtime/snapshot/index.js';
import { ALLOW, compile, findings } from './frontend-project.js';

const test = suite('frontend findings');
const body = (text: string): string =>
  `export function authorizeConnection(connection: Connection): Verdict {\n  ${text}\n}\n`;

const rows: readonly { name: string; have: string; want: string[] }[] = [
  {
    name: 'syntax error',
    have: body('return Verdict.;'),
    want: ['TS1109 policy.ts:3:18 expression expected'],
  },
  {
    name: 'no type arguments where they begin',
    have: body('return same<>(connection.now) == 1 ? Verdict.Allow : Verdict.Deny;'),
    want: [
      'TS1099 policy.ts:3:14 type argument list cannot be empty',
      'TS1012 policy.ts:3:17 unexpected token',
      'TS1109 policy.ts:3:31 expression expected',
    ],
  },
  {
    name: 'a comparison that does not end',
    have: body('return connection.now < (connection.now ? : 2) ? Verdict.Allow : Verdict.Deny;'),
    want: ['TS1109 policy.ts:3:45 expression expected'],
  },
  {
    name: 'type error',
    have: body('return "x";'),
    want: ['TS2322 policy.ts:3:10 type `string` is not assignable to type `Verdict`'],
  },
  {
    name: 'unknown attribute',
    have: body('return connection.source.port == 1 ? Verdict.Allow : Verdict.Deny;'),
    want: ['TS2339 policy.ts:3:28 property `port` does not exist on type `Party`'],
  },
  {
    name: 'missing file',
    have: `import { x } from "./nope";\n${ALLOW}`,
    want: ['TS6054 policy.ts:2:19 there is no file `nope.ts`'],
  },
  {
    name: 'other packages',
    have: `import { x } from "lodash";\n${ALLOW}`,
    want: ['TS6054 policy.ts:2:19 there is no package `lodash`'],
  },
  {
    name: 'no policy function',
    have: 'export const x = 1;',
    want: ['P101 policy.ts:1:1 `policy.ts` exports no policy function'],
  },
  {
    name: 'a policy function as a variable',
    have: 'export const authorizeConnection = (c: Connection): Verdict => Verdict.Allow;',
    want: [
      'P101 policy.ts:2:14 `authorizeConnection` is exported as a variable, not as a function',
    ],
  },
  {
    name: 'wrong result',
    have: 'export function authorizeConnection(connection: Connection): Route { return Route.None; }',
    want: ['P102 policy.ts:2:36 `authorizeConnection` has the wrong parameters or result'],
  },
  {
    name: 'wrong result of a renamed export',
    have: 'function f(c: Connection): u64 { return c.now; }\nexport { f as authorizeConnection };',
    want: ['P102 policy.ts:1:1 `authorizeConnection` has the wrong parameters or result'],
  },
  {
    name: 'no parameter',
    have: 'export function authorizeConnection(): Verdict { return Verdict.Allow; }',
    want: ['P102 policy.ts:2:36 `authorizeConnection` has the wrong parameters or result'],
  },
  {
    name: 'table in a policy function',
    have: body('return new Table<u32>("t").has(3) ? Verdict.Allow : Verdict.Deny;'),
    want: ['P103 policy.ts:3:10 `Table` declares, which a policy function cannot do'],
  },
  {
    name: 'set in a policy function',
    have: `const t = new Table<u32>("t");\n${body('t.set(1, 2); return Verdict.Deny;')}`,
    want: ['P103 policy.ts:4:3 `set` declares, which a policy function cannot do'],
  },
  {
    name: 'mixed keys',
    have: `const t = new Table<u32>("t").set("a", 1).set(2, 2);\n${ALLOW}`,
    want: ['P105 policy.ts:2:11 table `t` has both texts and integers as keys'],
  },
  {
    name: 'short cluster',
    have: `const c = cluster("reviews");\n${ALLOW}`,
    want: ['P106 policy.ts:2:11 `reviews` names no cluster'],
  },
  {
    name: 'same name twice',
    have: `new Table<u32>("t");\nnew Table<u32>("t");\n${ALLOW}`,
    want: ['P107 policy.ts:3:1 the name `t` is used by more than one table'],
  },
  {
    name: 'registry overwritten',
    have: `new Table<u32>("t").set("a", 1);\nmemory.fill(1024, 255, 4000);\n${ALLOW}`,
    want: ['P108 policy.ts:1:1 the policy overwrote what it had declared'],
  },
  {
    name: 'half a surrogate pair',
    have: `new Table<u32>("t").set("a\\ud800", 1).set("\\ufffd", 2);\n${ALLOW}`,
    want: ['P115 policy.ts:1:1 the text `a\ufffd` is not Unicode'],
  },
  {
    name: 'memory without end',
    have: `const l: StaticArray<u8>[] = [];\nfor (;;) l.push(new StaticArray<u8>(1 << 24));\n${ALLOW}`,
    want: ['P111 policy.ts:3:1 the top level of the policy stopped: unreachable'],
  },
  {
    name: 'long values',
    have: `new Table<u64>("t").set("a", 1);\n${ALLOW}`,
    want: ['P109 policy.ts:2:11 a table cannot hold values of type `u64`'],
  },
  {
    name: 'split at the top level',
    have: `const a = cluster("a", "v1");\nexport const r = split(a, 1, a, 1);\n${ALLOW}`,
    want: [
      'P110 policy.ts:3:30 `split` is decided per connection: call it inside a policy function',
    ],
  },
  {
    name: 'throw at the top level',
    have: `function check(n: i32): void {
  if (n > 3) throw new Error("too many: " + n.toString());
}
for (let i = 0; i < 10; i++) check(i);
${ALLOW}`,
    want: ['P111 policy.ts:3:14 the top level of the policy stopped: too many: 4'],
  },
  {
    name: 'assertion at the top level',
    have: `assert(two() == 3, "sums");
function two(): i32 { return 2; }\n${ALLOW}`,
    want: ['P111 policy.ts:2:1 the top level of the policy stopped: sums'],
  },
  {
    name: 'index out of range at the top level',
    have: `const l: i32[] = [1, 2];\nlet q = 0;\nfor (let i = 0; i < 5; i++) q += l[i];\n${ALLOW}export function z(): i32 { return q; }`,
    want: ['P111 policy.ts:4:29 the top level of the policy stopped: Index out of range'],
  },
];
for (const { name, have, want } of rows) {
  test(name, async () => {
    assert.equal(await findings(have), want);
  });
}

test('their neighbours are fine', async () => {
  assert.equal(
    await findings(`const t = new Table<u32>("t").set("a", 1), n = new Table<u32>("n").set(2, 2);
const c = cluster("reviews", "v1");
const two = 2;
assert(two == 2, "sums");
${body('return t.has(connection.source.namespace) ? Verdict.Allow : Verdict.Deny;')}
export function routeConnection(connection: Connection): Route { return split(c, 1, c, 1); }`),
    [],
  );
});

test('an attribute against a literal gets a hint', async () => {
  const outcome = await compile(
    body('return connection.source.namespace == "prod" ? Verdict.Allow : Verdict.Deny;'),
  );
  assert.is(outcome.diagnostics[0]?.code, 'AS240');
  assert.match(outcome.diagnostics[0]?.help ?? '', /`is`/);
});

test('a part of a request against a literal gets a hint, another wrong type does not get that one', async () => {
  const request = (value: string): Promise<FrontendOutcome> =>
    compile({
      'p.ts': `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict { return ${value}; }\n`,
    });
  for (const part of ['request.method', 'request.path', 'request.header("x")']) {
    const { diagnostics } = await request(`${part} == "GET" ? Verdict.Allow : Verdict.Deny`);
    assert.is(diagnostics[0]?.line, 2);
    assert.match(diagnostics[0]?.help ?? '', /with a text by `is`/, part);
  }
  const address = await request(
    'request.source.address == "10.0.0.1" ? Verdict.Allow : Verdict.Deny',
  );
  assert.match(address.diagnostics[0]?.help ?? '', /CidrSet/);
  const exchanged = await request('"GET" == request.method ? Verdict.Allow : Verdict.Deny');
  assert.match(exchanged.diagnostics[0]?.help ?? '', /with a text by `is`/);
  const { diagnostics } = await request('"GET"');
  assert.is(diagnostics[0]?.help, 'return or assign a value of that type');
});

test('what `==` would not compare is refused at its place, and namespaces are compared', async () => {
  const ask = async (value: string): Promise<readonly unknown[]> => {
    const text = `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict {
  return ${value} ? Verdict.Allow : Verdict.Deny;
}\n`;
    const outcome = await compile({ 'p.ts': text });
    return outcome.diagnostics.map(({ line, help }) => [line, /by `is`/.test(help ?? '')]);
  };
  for (const value of [
    'request.header("a") == request.header("b")',
    'request.header("a") != request.header("b")',
    'request.host == request.host',
    'request.host.bytes == request.header("b")',
    'request.source.address == request.destination.address',
    'request.source == request.destination',
    'request.connection != request.connection',
    'request == request',
    'request.header("a") == null',
  ])
    assert.equal(await ask(value), [[3, true]], value);
  assert.equal(await ask('request.source.namespace == request.destination.namespace'), []);
  assert.equal(await ask('request.source.namespace != request.destination.namespace'), []);
});

test('values of tables are numbers, not objects, lists or functions', async () => {
  const kinds = ['Table', 'PathTable', 'HostTable', 'RegexTable', 'RuleList'];
  const values = ['Plan', 'string', 'u32[]', '() => void'];
  for (const [i, kind] of kinds.entries()) {
    const value = values[i % values.length];
    const { diagnostics } = await compile({
      'p.ts': `import { Connection, ${kind}, Route, Verdict } from "weft";
class Plan { constructor(public closed: bool) {} }
const bad = new ${kind}<${value}>("bad");
const good = new ${kind}<Route>("good");
${ALLOW}`,
    });
    const codes = diagnostics.map(({ code }) => code).join();
    assert.is(codes, value === 'string' ? 'P109' : 'AS102', `${kind}<${value}>`);
  }
});

test('both engines say the same', async () => {
  for (const have of [
    `const a = cluster("a", "v1");\nexport const r = split(a, 1, a, 1);\n${ALLOW}`,
    `throw new Error("no");\n${ALLOW}`,
  ]) {
    const wizer = await findings(have, wizerSnapshot);
    assert.is(wizer.length, 1);
    assert.equal(wizer, await findings(have));
  }
});

test('both engines stop an endless top level', async () => {
  for (const engine of [wizerSnapshot, v8Snapshot]) {
    const have = await findings(`for (;;) {}\n${ALLOW}`, (wasm) => engine(wasm, 300));
    assert.equal(have, [
      'P112 policy.ts:1:1 the top level of the policy did not end within 300 ms',
    ]);
  }
});

test('a file that is not there', async () => {
  assert.equal(await findings({}), ['P100 null:null:null cannot read `policy.ts`']);
});

test.run();
