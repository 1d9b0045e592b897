/** What a policy cannot write is told once, at its line, with what to write instead; its neighbour is not told that. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from './frontend-project.js';

const test = suite('frontend remedies');

const IMPORTS =
  'import { cluster, Connection, Host, KeyTable, Request, Route, split, splitBy, Table, Verdict } from "weft";\n';
/** What is written stands in line 3: `top` at the top level, else `body` in a function about requests. */
function policy({ top = '', body = '' }: Written): string {
  const close = '  return Verdict.Pass;\n}\n';
  const begin = 'export function authorizeRequest(request: Request): Verdict {\n';
  return top === ''
    ? `${IMPORTS}${begin}${body}\n${close}`
    : `${IMPORTS}\n${top}\n${begin}${close}`;
}
interface Written {
  readonly top?: string;
  readonly body?: string;
}
/** `CODE line` of each finding, and all remedies. */
async function told(text: string): Promise<{ found: string[]; help: string }> {
  const { diagnostics } = await compile({ 'p.ts': text });
  return {
    found: diagnostics.map(({ code, line }) => `${code} ${line}`),
    help: diagnostics.map(({ help }) => help).join('\n'),
  };
}

interface Row extends Written {
  readonly name: string;
  readonly want: string;
  readonly help: RegExp;
  /** What stands next to it and does not get that remedy; it may be wrong in another way. */
  readonly near: Written;
}
const ROWS: readonly Row[] = [
  {
    name: 'switch over a part of a request',
    body: 'switch (request.method) { case "GET": case "PUT": return Verdict.Deny; default: }',
    want: 'TS2322 3',
    help: /`switch` takes integers: .*request\.method\.is\("GET"\)/,
    near: { body: 'switch (request.path.length) { case 3: return Verdict.Deny; default: }' },
  },
  {
    name: 'switch over an attribute',
    body: 'switch (request.source.namespace) { case "prod": return Verdict.Deny; default: }',
    want: 'TS2322 3',
    help: /`switch` takes integers/,
    near: { body: 'switch (request.method.at(0)) { case "G": return Verdict.Deny; default: }' },
  },
  {
    name: '??',
    body: 'const part = request.header("a") ?? request.header("b");',
    want: 'TS1109 3',
    help: /no `\?\?`: write `x != null \? x : y`/,
    near: { body: 'const part = request.header("a").exists ? : request.header("b");' },
  },
  {
    name: '?.',
    body: 'const name = request.source?.namespace;',
    want: 'TS1109 3',
    help: /no `\?\.`: write `if \(x != null\)/,
    near: { body: 'const name = request.source..namespace;' },
  },
  {
    name: 'destructuring of an object',
    body: 'const { source, destination } = request;',
    want: 'TS1003 3',
    help: /no destructuring: .*`const source = connection\.source;`/,
    near: { body: 'const = request;' },
  },
  {
    name: 'destructuring of a list',
    top: 'const [a, b] = [1, 2];',
    want: 'TS1003 3',
    help: /no destructuring/,
    near: { top: 'const a = [1, 2];' },
  },
  {
    name: 'destructuring of a parameter',
    top: 'function f({ source }: Request): u32 { return 1; }',
    want: 'TS1003 3',
    help: /no destructuring/,
    near: { top: 'function f(3: Request): u32 { return 1; }' },
  },
  {
    name: 'spread of a list',
    top: 'const a = [1], b = [...a, 2];',
    want: 'AS100 3',
    help: /no spreading/,
    near: { top: 'const a = [1], b = a.concat([2]);' },
  },
  {
    name: 'spread of arguments',
    top: 'function f(a: u32, b: u32): u32 { return a; } const l: u32[] = [1, 2]; const x = f(...l);',
    want: 'TS2554 3',
    help: /no spreading/,
    near: { top: 'function f(a: u32, b: u32): u32 { return a; } const x = f(1);' },
  },
  {
    name: 'a label',
    body: 'outer: for (let i = 0; i < 3; i++) { for (let j = 0; j < 3; j++) { break outer; } }',
    want: 'TS1109 3',
    help: /no labels: .*`return`/,
    near: { body: 'const n = request.path.length > 3 ? 1 : : 2;' },
  },
  {
    name: 'break to a label',
    body: 'for (let i = 0; i < 3; i++) { break outer; }',
    want: 'AS100 3',
    help: /no labels/,
    near: { body: 'for (let i = 0; i < 3; i++) { break; }' },
  },
  {
    name: 'an object literal without a class',
    top: 'const config = { port: 1024 }; function f(): u32 { return config.port; } const p = f();',
    want: 'TS2322 3',
    help: /an object needs a class: `class Limits/,
    near: { top: 'class C { port: u32 = 0; } const config: C = { port: 1024 };' },
  },
  {
    name: 'a list of object literals',
    top: 'const rules = [{ port: 1 }, { port: 2 }]; const n = rules.length;',
    want: 'AS225 3',
    help: /an object needs a class/,
    near: { top: 'const rules = [1, 2]; const n = rules.length;' },
  },
  {
    name: 'an attribute against null',
    body: 'if (request.source.namespace == null) return Verdict.Deny;',
    want: 'TS2322 3',
    help: /never null: .*`exists`/,
    near: { body: 'const text: string | null = null; if (text == null) return Verdict.Deny;' },
  },
  {
    name: 'a route or null',
    top: 'const v1 = cluster("a", "v1");\nexport function routeRequest(r: Request): Route | null { return r.method.is("GET") ? v1 : null; }',
    want: 'TS2322 4',
    help: /`Route\.None`/,
    near: {
      top: 'const v1 = cluster("a", "v1");\nexport function routeRequest(r: Request): Route { return r.method.is("GET") ? v1 : Route.None; }',
    },
  },
  {
    name: 'a verdict or null',
    body: 'const v: Verdict | null = null; return v;',
    want: 'TS2322 3',
    help: /`Verdict\.Pass`/,
    near: { body: 'const v: Verdict = Verdict.Deny; return v;' },
  },
  {
    name: 'a closure that uses a local variable',
    body: 'const size = request.path.length; const f = (n: u32): bool => n == size; if (f(3)) return Verdict.Deny;',
    want: 'AS100 3',
    help: /give the value as an argument, or write a loop/,
    near: {
      body: 'const f = (n: u32): bool => n == 3; if (f(request.path.length)) return Verdict.Deny;',
    },
  },
  {
    name: 'a regular expression',
    top: 'const api = /^a+$/; function f(): bool { return api.test("a"); } const q = f();',
    want: 'AS100 3',
    help: /RegexTable.*`startsWith`.*pattern/,
    near: { top: 'const api = 8 / 4 / 2;' },
  },
  {
    name: 'for of',
    body: 'const l: u32[] = [1]; for (const x of l) { if (x == 3) return Verdict.Deny; }',
    want: 'AS100 3',
    help: /count instead: `for \(let i = 0/,
    near: { body: 'try { return Verdict.Deny; } catch (e) { return Verdict.Allow; }' },
  },
  {
    name: 'for in',
    body: 'const l: u32[] = [1]; for (const x in l) { if (x == 3) return Verdict.Deny; }',
    want: 'TS1155 3',
    help: /no `for … in`/,
    near: { body: 'const x;' },
  },
  {
    name: 'try',
    body: 'try { return Verdict.Deny; } catch (e) { return Verdict.Allow; }',
    want: 'AS100 3',
    help: /no `try`/,
    near: { body: 'throw new Error("x");' },
  },
  {
    name: 'a union',
    top: 'type Method = "GET" | "PUT";',
    want: 'AS100 3',
    help: /`T \| null`: use an enum/,
    near: { top: 'let text: string | null = null;' },
  },
  {
    name: 'async',
    top: 'async function f(): void {}',
    want: 'TS1109 3',
    help: /no `async`/,
    near: { top: 'function async(): void {}' },
  },
  {
    name: 'undefined',
    body: 'const part = undefined;',
    want: 'TS2304 3',
    help: /no `undefined`: .*`exists`/,
    near: { body: 'const part = unknown_;' },
  },
  {
    name: 'an address against a text',
    body: 'if (request.source.address == "10.0.0.1") return Verdict.Deny;',
    want: 'AS240 3',
    help: /new CidrSet\("blocked"\)\.add\("10\.0\.0\.1"\)/,
    near: { body: 'if (request.method == "GET") return Verdict.Deny;' },
  },
  {
    name: 'a part of a request as a string',
    top: 'function f(s: string): bool { return s == "a"; }\nexport function routeRequest(r: Request): Route { f(r.method); return Route.None; }',
    want: 'TS2322 4',
    help: /is no string: ask it by `is`/,
    near: {
      top: 'function f(s: u32): bool { return s == 3; }\nexport function routeRequest(r: Request): Route { f("a"); return Route.None; }',
    },
  },
  {
    name: 'a cluster that a decision names',
    top: '\nexport function routeRequest(r: Request): Route { return cluster("a", r.header("v")); }',
    want: 'P103 4',
    help: /declare each route at the top level.*Table<Route>/,
    near: {
      top: '\nexport function routeRequest(r: Request): Route { new Table<bool>("t"); return Route.None; }',
    },
  },
  {
    name: 'a policy function as a variable',
    top: 'export const routeRequest = (r: Request): Route => Route.None;',
    want: 'P101 3',
    help: /write `export function routeRequest\(request: Request\): Route/,
    near: { top: 'const routeRequest = (r: Request): Route => Route.None;' },
  },
  {
    name: 'weights that are all 0',
    top: 'const v1 = cluster("a", "v1");\nexport function routeRequest(r: Request): Route { return split(v1, 0, v1, 0x0); }',
    want: 'P132 4',
    help: /a weight above 0/,
    near: {
      top: 'const v1 = cluster("a", "v1");\nexport function routeRequest(r: Request): Route { return split(v1, 0, v1, 0, v1, 1); }',
    },
  },
  {
    name: 'weights of a sticky split that overflow',
    top: 'const v1 = cluster("a", "v1");\nexport function routeRequest(r: Request): Route { return splitBy(r.path, v1, 0x8000_0000, v1, 2147483648); }',
    want: 'P132 4',
    help: /4294967295 at most/,
    near: {
      top: 'const v1 = cluster("a", "v1");\nexport function routeRequest(r: Request): Route { return splitBy(r.path, v1, 0x8000_0000, v1, 2147483647); }',
    },
  },
  {
    name: 'the clock at the top level',
    top: 'const old = Date.now();',
    want: 'P111 3',
    help: /`connection\.now`/,
    near: { top: 'const old = Date.UTC(2026, 1);' },
  },
  {
    name: 'draws at the top level',
    top: 'const salt = Math.random();',
    want: 'P111 3',
    help: /`split\(stable, 90, canary, 10\)`/,
    near: { top: 'const salt = Math.sqrt(2);' },
  },
  {
    name: 'logs at the top level',
    top: 'console.log("building");',
    want: 'P111 3',
    help: /`weft explain`/,
    near: { top: 'class Log { log(s: string): void {} } const logs = new Log(); logs.log("a");' },
  },
];

for (const { name, want, help, near, ...written } of ROWS) {
  test(name, async () => {
    const have = await told(policy(written));
    assert.equal(have.found, [want]);
    assert.match(have.help, help);
    assert.not.match((await told(policy(near))).help, help);
  });
}

test('a member that is not there: the nearest name, what others call it, or all names', async () => {
  const help = async (body: string): Promise<string> =>
    (await told(policy({ body: `if (request.${body}) return Verdict.Deny;` }))).help;
  assert.is(await help('source.namespce.is("a")'), 'did you mean `namespace`?');
  assert.is(await help('path.includes("a")'), 'use `contains`');
  assert.match(await help('connection.path.is("/a")'), /`authorizeRequest|ask `request\.path`/);
  assert.match(await help('source.port == 3'), /`connection\.destination\.port`/);
  assert.match(await help('destination.foo == 3'), /^`Destination` has `port`, `address`, /);
  assert.is(await help('path.contains("a")'), '');
  const own = 'class Own { size: u32 = 0; } const own = new Own(); const n = own.sise;';
  assert.is(
    (await told(policy({ top: own }))).help,
    'docs/policies.md lists what a connection has',
  );
});

test('what the SDK refuses has the line of the call, also of inlined and generic ones', async () => {
  const rows: readonly [string, string][] = [
    ['class Plan {}\nfunction f(): void {\n new Table<Plan>("t"); }\nf();', 'AS102 5'],
    [
      'const t = new Table<bool>("t");\nfunction f(r: Request): bool { return t.get(r.host); }\nexport function routeRequest(r: Request): Route { f(r); return Route.None; }',
      'AS102 4',
    ],
    [
      'const t = new KeyTable<bool>("t").set2("a", "b", true);\nfunction f(r: Request): bool {\n return t.get2(r.source.namespace, r.method); }\nexport function routeRequest(r: Request): Route { f(r); return Route.None; }',
      'AS102 5',
    ],
    [
      'const v1 = cluster("a", "v1");\nexport function routeConnection(c: Connection): Route {\n return splitBy(c.source.namespace, v1, 1, v1, 1); }',
      'AS102 5',
    ],
    [
      'const v1 = cluster("a", "v1");\nexport function routeConnection(c: Connection): Route {\n return splitBy(c.source.address, v1, 1, v1, 1); }',
      '',
    ],
    ['class Plan {}\nconst plans = [new Plan()];\nplans.sort();', 'TS2365 5,TS2365 5'],
  ];
  for (const [top, want] of rows) assert.is((await told(policy({ top }))).found.join(), want, top);
});

test.run();
