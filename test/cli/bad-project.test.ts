/**
 * Whatever is wrong with a project: one clear error with place, code and remedy, the exit code of the
 * contract, one document under `-o json`, and the output file as it was.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eachInBuiltProject } from './built-project.js';
import { weft } from './harness.js';

const HEAD = 'import { cluster, Connection, Route, split, Table, Verdict } from "weft";\n';
const POLICY = 'policies/isolation.ts';

type Change = (read: (file: string) => string) => readonly [file: string, text: string];

/** A policy of two lines before and one inside: the fault is on line 2 (top) or 4 (body). */
function policy(body: string, top = ''): Change {
  const signature = 'export function authorizeConnection(connection: Connection): Verdict {';
  return () => [POLICY, `${HEAD}${top}\n${signature}\n  ${body}\n}\n`];
}
function route(body: string, top = ''): Change {
  const signature = 'export function routeConnection(connection: Connection): Route {';
  return () => [POLICY, `${HEAD}${top}\n${signature}\n  ${body}\n}\n`];
}
function edit(file: string, from: string, to: string): Change {
  return (read) => {
    const text = read(file);
    assert.ok(text.includes(from), `${file} has no ${from}`);
    return [file, text.replace(from, to)];
  };
}
const labels = Array.from(
  { length: 17 },
  (_, i) => `if (connection.source.label("k${i}").is("a")) return Verdict.Allow;`,
).join('\n  ');

interface Row {
  readonly name: string;
  readonly change: Change;
  readonly code: string;
  /** Where, as `file:line` below the project. */
  readonly at: string;
  /** 3 unless it says otherwise. */
  readonly exit?: number;
}
const port = 'connection.destination.port';
const ROWS: readonly Row[] = [
  { name: 'syntax', change: policy('if (;'), code: 'TS1109', at: `${POLICY}:4` },
  { name: 'type', change: policy('return "x";'), code: 'TS2322', at: `${POLICY}:4` },
  {
    name: 'a float in the decide phase',
    change: policy(`return <f64>${port} * 1.5 > 100.0 ? Verdict.Allow : Verdict.Deny;`),
    ...{ code: 'I101', at: `${POLICY}:4` },
  },
  {
    name: 'a loop without exit',
    change: policy(`let n: u32 = ${port}; while (true) { n = n * 3 + 1; } return Verdict.Deny;`),
    ...{ code: 'I107', at: `${POLICY}:4` },
  },
  {
    name: 'a store to a static',
    change: policy('n += 1; return n > 3 ? Verdict.Deny : Verdict.Allow;', 'let n: u32 = 0;'),
    ...{ code: 'I104', at: `${POLICY}:4` },
  },
  {
    name: 'a store to memory',
    change: policy(
      `unchecked(a[0] = ${port}); return Verdict.Allow;`,
      'const a = new StaticArray<u32>(4);',
    ),
    ...{ code: 'I102', at: `${POLICY}:4` },
  },
  {
    name: 'objects made in a loop',
    change: policy(
      `let n: u32 = 0; for (let i: u32 = 0; i < ${port}; i++) n += new Range(i).low; return n > 3 ? Verdict.Allow : Verdict.Deny;`,
      'class Range { constructor(public low: u32) {} }',
    ),
    ...{ code: 'I103', at: `${POLICY}:4` },
  },
  {
    name: 'a long array of the decision indexed by a variable',
    change: policy(
      `const a = new StaticArray<u32>(64); a[${port} & 63] = 1; return a[0] == 1 ? Verdict.Allow : Verdict.Deny;`,
    ),
    ...{ code: 'I102', at: `${POLICY}:4` },
  },
  {
    name: 'allocation of an array',
    change: policy(`return new Array<u32>(${port}).length > 3 ? Verdict.Allow : Verdict.Deny;`),
    ...{ code: 'I103', at: `${POLICY}:4` },
  },
  {
    name: 'allocation of a text',
    change: policy(`return ("a" + ${port}.toString()).length > 3 ? Verdict.Allow : Verdict.Deny;`),
    ...{ code: 'I103', at: `${POLICY}:4` },
  },
  {
    name: 'a table over its limit',
    change: policy(
      `return t.has(${port}) ? Verdict.Allow : Verdict.Deny;`,
      'const t = new Table<u32>("t"); for (let i: u32 = 0; i < 1048577; i++) t.set(i, 1);',
    ),
    ...{ code: 'T101', at: `${POLICY}:2` },
  },
  {
    name: 'more than 16 attributes',
    change: policy(`${labels}\n  return Verdict.Deny;`),
    ...{ code: 'I203', at: `${POLICY}:20` },
  },
  {
    name: 'an attribute that routeConnection lacks',
    change: route(
      'if (connection.destination.label("app").is("x")) return c; return Route.None;',
      'const c = cluster("ratings.prod/v1");',
    ),
    ...{ code: 'I202', at: `${POLICY}:4` },
  },
  {
    name: 'a draw in authorizeConnection',
    change: policy(
      'return split(a, 1, Route.None, 1) == a ? Verdict.Allow : Verdict.Deny;',
      'const a = cluster("ratings.prod/v1");',
    ),
    ...{ code: 'I202', at: `${POLICY}:4` },
  },
  {
    name: 'a cluster that the world lacks',
    change: route('return a;', 'const a = cluster("ratings", "v9");'),
    ...{ code: 'W120', at: `${POLICY}:2` },
  },
  {
    name: 'no policy function',
    change: () => [POLICY, 'export const x = 1;\n'],
    ...{ code: 'P101', at: `${POLICY}:1` },
  },
  {
    name: 'a policy that is not there',
    change: edit('weft.json', POLICY, 'policies/gone.ts'),
    ...{ code: 'P100', at: 'weft.json:5' },
  },
  {
    name: 'a world that is not there',
    change: edit('weft.json', 'world.yaml', 'gone.yaml'),
    ...{ code: 'U010', at: 'weft.json:15' },
  },
  {
    name: 'an unknown key of weft.json',
    change: edit('weft.json', '"default"', '"defualt"'),
    ...{ code: 'W010', at: 'weft.json:14' },
  },
  {
    name: 'weft.json with a lost comma',
    change: edit('weft.json', '"deny",', '"deny"'),
    ...{ code: 'W001', at: 'weft.json:15' },
  },
  {
    name: 'a value that is not allowed',
    change: edit('weft.json', '"deny"', '"dney"'),
    ...{ code: 'W013', at: 'weft.json:14' },
  },
  { name: 'an empty weft.json', change: () => ['weft.json', ''], code: 'W005', at: 'weft.json:1' },
  {
    name: 'an unknown key of the world',
    change: edit('world.yaml', 'serviceAccount', 'servceAccount'),
    ...{ code: 'W010', at: 'world.yaml:11' },
  },
  {
    name: 'malformed YAML',
    change: edit('world.yaml', '  - name: ratings.prod', '\t- name: ratings.prod'),
    ...{ code: 'W001', at: 'world.yaml:2' },
  },
  {
    name: 'an unknown key of the scenario',
    change: edit('scenario.yaml', 'expect: { verdict: deny }', 'expct: { verdict: deny }'),
    ...{ code: 'W010', at: 'scenario.yaml:9' },
  },
  {
    name: 'an unknown workload',
    change: edit('scenario.yaml', 'from: reviews.prod', 'from: revews.prod'),
    ...{ code: 'W301', at: 'scenario.yaml:5' },
  },
  {
    name: 'a bad address',
    change: edit('scenario.yaml', '203.0.113.9', '203.0.113.999'),
    ...{ code: 'W301', at: 'scenario.yaml:11' },
  },
  {
    name: 'a repeated id',
    change: edit('scenario.yaml', 'ratings-from-another-namespace', 'ratings-from-reviews'),
    ...{ code: 'W302', at: 'scenario.yaml:7' },
  },
  {
    name: 'a malformed scenario',
    change: edit('scenario.yaml', 'cases:', 'cases: ['),
    ...{ code: 'W001', at: 'scenario.yaml:4' },
  },
];

const test = suite('bad project');
let cwd = '';
eachInBuiltProject(test, 'good.weft', (folder) => {
  cwd = folder;
});

for (const { name, change, code, at, exit = 3 } of ROWS) {
  test(`${name}: ${code} at ${at}`, async () => {
    const [file, text] = change((path) => readFileSync(join(cwd, 'shop', path), 'utf8'));
    writeFileSync(join(cwd, 'shop', file), text);
    const before = readFileSync(join(cwd, 'good.weft'));
    const args =
      file === 'scenario.yaml'
        ? ['simulate', 'shop', 'shop/scenario.yaml']
        : ['build', 'shop', '--out', 'good.weft'];
    const json = await weft([...args, '-o', 'json'], { cwd });
    assert.is(json.exit, exit, json.stdout);
    assert.is(json.stderr, '');
    const { diagnostics } = JSON.parse(json.stdout);
    assert.is(diagnostics.length, 1, json.stdout);
    const [found] = diagnostics;
    assert.equal([found.code, `${found.file}:${found.line}`], [code, `shop/${at}`], found.message);
    assert.ok(found.help, 'a remedy');
    assert.equal(readFileSync(join(cwd, 'good.weft')), before, 'the old output stays');
  });
}

test('`weft check` tells a fault of the scenario once, although its cases do not travel either', async () => {
  writeFileSync(join(cwd, 'shop/scenario.yaml'), '');
  const empty = JSON.parse((await weft(['check', 'shop', '-o', 'json'], { cwd })).stdout);
  const told = ({ code, severity }: { code: string; severity: string }): string =>
    `${code} ${severity}`;
  assert.equal(empty.diagnostics.map(told), ['W005 error']);
  // A build does without them, and says so.
  const build = await weft(['build', 'shop', '--out', 'b.weft', '-o', 'json'], { cwd });
  assert.equal(JSON.parse(build.stdout).diagnostics.map(told), ['W005 warning']);
});

test('the same fault as text: on stderr, with the source line, and nothing on stdout', async () => {
  writeFileSync(join(cwd, 'shop', POLICY), `${HEAD}let x: u32 = "a";\n`);
  const { exit, stdout, stderr } = await weft(['build', 'shop', '--out', 'good.weft'], { cwd });
  assert.is(exit, 3);
  assert.is(stdout, '');
  assert.match(stderr, /^error\[TS2322\]: .*\n +--> shop\/policies\/isolation\.ts:2:/);
  assert.match(stderr, '2 | let x: u32 = "a";');
});

test('a bundle cut anywhere, or with any byte changed, is exit 6', async () => {
  const whole = readFileSync(join(cwd, 'good.weft'));
  const open = async (bytes: Uint8Array): Promise<number> => {
    writeFileSync(join(cwd, 'bad.weft'), bytes);
    const { exit, stdout, stderr } = await weft(['inspect', 'bad.weft', '-o', 'json'], { cwd });
    const { diagnostics } = JSON.parse(stdout);
    assert.is(stderr, '');
    if (exit !== 0) assert.match(diagnostics[0].code, /^B10\d$/);
    return exit;
  };
  assert.is(await open(whole), 0);
  for (let length = 0; length < whole.length; length += 509) {
    assert.is(await open(whole.subarray(0, length)), 6, `cut to ${length}`);
  }
  assert.is(await open(whole.subarray(0, whole.length - 1)), 6);
  for (let at = 3; at < whole.length; at += 97) {
    const bytes = Uint8Array.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    assert.is(await open(bytes), 6, `byte ${at}`);
  }
});

test.run();
