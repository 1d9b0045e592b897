/** The verbs of a project, over one that `weft init` made. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openKernel } from '../../runtime/kernel/index.js';
import { WASMTIME } from '../support/engines.js';
import { eachInBuiltProject } from './built-project.js';
import { type Transcript, weft } from './harness.js';

const POLICY = 'shop/policies/isolation.ts';
const test = suite('cli project');
let cwd = '';
const run = (...args: string[]): Promise<Transcript> => weft(args, { cwd });
const edit = (path: string, from: string, to: string): void => {
  const text = readFileSync(join(cwd, path), 'utf8');
  assert.ok(text.includes(from), `${path} has no ${from}`);
  writeFileSync(join(cwd, path), text.replace(from, to));
};

eachInBuiltProject(test, 'shop.weft', (folder) => {
  cwd = folder;
});

test('a new project checks green', async () => {
  const { exit, stdout, stderr } = await run('check', 'shop');
  assert.is(exit, 0, stderr);
  assert.is(stdout, 'shop: 1 policy, 3 sites\n');
  assert.is(stderr, '');
});

test('build gives the same bytes in another folder, and skips unchanged inputs', async () => {
  const first = readFileSync(join(cwd, 'shop.weft'));
  const again = await run('build', 'shop', '--out', 'other.weft', '-o', 'json');
  assert.is(JSON.parse(again.stdout).changed, true);
  assert.equal(readFileSync(join(cwd, 'other.weft')), first);
  const unchanged = await run('build', 'shop', '--out', 'other.weft', '-o', 'json');
  assert.is(JSON.parse(unchanged.stdout).changed, false);
  assert.is(JSON.parse(unchanged.stdout).bundle, JSON.parse(again.stdout).bundle);
});

test('a changed input, output or program is built again', async () => {
  const changed = async (program = 'test'): Promise<boolean> => {
    const args = ['build', 'shop', '--out', 'b.weft', '-o', 'json'];
    return JSON.parse((await weft(args, { cwd, program })).stdout).changed;
  };
  assert.is(await changed(), true);
  assert.is(await changed(), false);
  edit('shop/world.yaml', 'app: batch', 'app: night');
  assert.is(await changed(), true, 'an input');
  writeFileSync(join(cwd, 'b.weft'), 'x');
  assert.is(await changed(), true, 'the output');
  assert.is(await changed('another'), true, 'the program');
});

test('a fault of the policy is shown at its line, and the old file stays', async () => {
  const before = readFileSync(join(cwd, 'shop.weft'));
  edit(POLICY, 'return Verdict.Pass;', 'return Verdict.Perhaps;');
  const { exit, stdout, stderr } = await run('build', 'shop', '--out', 'shop.weft');
  assert.is(exit, 3);
  assert.is(stdout, '');
  assert.match(stderr, '--> shop/policies/isolation.ts:11:');
  assert.match(stderr, '11 |   return Verdict.Perhaps;');
  assert.match(stderr, '1 error\n');
  assert.equal(readFileSync(join(cwd, 'shop.weft')), before);
});

test('the same fault under -o json is one document', async () => {
  edit(POLICY, 'return Verdict.Pass;', 'return Verdict.Perhaps;');
  const { exit, stdout, stderr } = await run('check', 'shop', '-o', 'json');
  assert.is(exit, 3);
  assert.is(stderr, '');
  const [found] = JSON.parse(stdout).diagnostics;
  assert.is(found.file, 'shop/policies/isolation.ts');
  assert.is(found.line, 11);
});

test('an unknown key of weft.json is refused with the nearest one', async () => {
  edit('shop/weft.json', '"default"', '"defualt"');
  const { exit, stdout } = await run('check', 'shop');
  assert.is(exit, 3);
  assert.match(stdout, '--> shop/weft.json:');
  assert.match(stdout, '`default`');
});

test('over the budget is exit 7, within it 0', async () => {
  edit('shop/weft.json', '"default"', '"budget": { "instructions": 3 }, "default"');
  const over = await run('check', 'shop');
  assert.is(over.exit, 7);
  assert.match(over.stdout, 'error[B206]');
  edit('shop/weft.json', '"instructions": 3 ', '"instructions": 4096 ');
  assert.is((await run('check', 'shop')).exit, 0);
});

test('what the verifier goes through is told, and held against its budget', async () => {
  edit('shop/weft.json', '"default"', '"budget": { "verified": 10 }, "default"');
  const ask = (...args: string[]): Promise<Transcript> =>
    weft(args, { cwd, openKernel: async () => openKernel() });
  const over = await ask('build', 'shop', '--out', 'over.weft');
  assert.is(over.exit, 7);
  assert.match(over.stderr + over.stdout, 'error[B209]');
  assert.match(over.stderr + over.stdout, 'the budget is 10');
  edit('shop/weft.json', '"verified": 10 ', '"verified": 100000 ');
  const within = await ask('build', 'shop', '--out', 'over.weft', '-o', 'json');
  assert.is(within.exit, 0);
  const { cost } = JSON.parse(within.stdout);
  assert.ok(cost.verified.connections > 10 && cost.verified.connections < 100_000);
  assert.is(cost.verified.requests, null);
  assert.ok(cost.functions.length > 0);
  const inspected = await ask('inspect', 'over.weft');
  assert.match(inspected.stdout, `goes through ${cost.verified.connections} instructions`);
});

test('weft.json stands for its folder, in every verb that takes a project', async () => {
  const verbs = [
    ['check'],
    ['lint'],
    ['inspect'],
    ['test'],
    ['bench', '--time', '1'],
    ['diff', 'shop'],
  ];
  for (const [verb = '', ...rest] of [...verbs, ['build', '--emit', 'plan']]) {
    const { exit, stderr } = await run(verb, ...rest, 'shop/weft.json');
    assert.is(exit, 0, `${verb}: ${stderr}`);
  }
  const { exit, stderr } = await run('test', 'shop', 'shop/weft.json');
  assert.is(exit, 3, 'as a file of tests it is none');
  assert.match(stderr, 'shop/weft.json');
  assert.is((await run('check', 'gone/weft.json')).exit, 1);
});

test('a folder that is no project, and one that is not there', async () => {
  const none = await run('check', '.');
  assert.is(none.exit, 1);
  assert.match(none.stderr, 'error[U013]: `.` holds no weft.json');
  const absent = await run('inspect', 'nowhere');
  assert.is(absent.exit, 1);
  assert.match(absent.stderr, 'error[U010]: `nowhere` does not exist');
});

test('build --timings says where the time went, and an unchanged build took none of asc', async () => {
  const args = ['build', 'shop', '--out', 'timed.weft', '--timings', '-o', 'json'];
  const { timings } = JSON.parse((await run(...args)).stdout);
  const { total, ...parts } = timings as Record<string, number> & { readonly total: number };
  assert.equal(Object.keys(parts), ['asc', 'configure', 'verifier', 'weft']);
  assert.ok(Object.values(timings as Record<string, number>).every((ms) => ms > 0));
  const sum = Object.values(parts).reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - total) < 0.5, `${sum} of ${total}`);
  const again = JSON.parse((await run(...args)).stdout);
  assert.is(again.changed, false);
  assert.is(again.timings.asc + again.timings.configure + again.timings.verifier, 0);
  assert.match((await run(...args.slice(0, -2))).stdout, /\n {2}[\d.]+ ms: asc 0, configure/);
  const plain = JSON.parse((await run(...args.filter((a) => a !== '--timings'))).stdout);
  assert.not.ok('timings' in plain);
  assert.is((await run('build', 'shop', '--emit', 'ir', '--timings')).exit, 64);
});

test('build wants exactly one of --out and --emit', async () => {
  assert.is((await run('build', 'shop')).exit, 64);
  assert.is((await run('build', 'shop', '--out', 'a', '--emit', 'ir')).exit, 64);
  const unwritable = await run('build', 'shop', '--out', 'no/such/folder.weft');
  assert.is(unwritable.exit, 1);
  assert.match(unwritable.stderr, 'error[U011]');
});

test('every stage can be printed', async () => {
  for (const stage of ['ir', 'plan', 'asm']) {
    const { exit, stdout } = await run('build', 'shop', '--emit', stage);
    assert.is(exit, 0, stage);
    assert.ok(stdout.length > 0, stage);
  }
  const wasm = await run('build', 'shop', '--emit', 'wasm');
  assert.equal([...wasm.bytes.subarray(0, 4)], [0, 0x61, 0x73, 0x6d]);
  const elf = await run('build', 'shop', '--emit', 'elf');
  assert.equal([...elf.bytes.subarray(0, 4)], [0x7f, 0x45, 0x4c, 0x46]);
});

const HTTP = `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict {
  return request.path.startsWith("/public/") && request.header("x-key").is("k: 1") ? Verdict.Allow : Verdict.Deny;
}
`;
const ENDS = ['--from', 'reviews.prod', '--to', 'ratings.prod:80'] as const;

test('a request is simulated as it is parsed on a node', async () => {
  writeFileSync(join(cwd, POLICY), HTTP);
  const ask = (request: string, ...headers: string[]): Promise<Transcript> =>
    run('simulate', 'shop', ...ENDS, '--request', request, ...headers.flatMap((h) => ['-H', h]));
  const allowed = await ask('GET /x/../public/a', 'X-Key: k: 1');
  assert.is(allowed.exit, 0, allowed.stderr + allowed.stdout);
  assert.match(allowed.stdout, /allow 200 +isolation\.ts:3/);
  const denied = await ask('GET /public/../a', 'x-key: k: 1');
  assert.is(denied.exit, 2);
  assert.match(denied.stdout, /deny 403 +isolation\.ts:3/);
  assert.match((await ask('GET /%00')).stdout, /deny 400 +parse/);
  assert.is((await ask('GET')).exit, 64);
  assert.is((await ask('GET / HTTP/1.1')).exit, 64);
  assert.is((await ask('GET /', 'no header')).exit, 64);
  assert.is((await run('simulate', 'shop', ...ENDS, '-H', 'a: b')).exit, 64);
});

const ANSWERS = `import { cluster, edit, redirect, Request, respond, Route, Verdict } from "weft";
const marked = edit(cluster("ratings", "v1")).setHeader("X-A", "b").path("/y");
const go = redirect().scheme("https"), no = respond(451);
export function routeRequest(request: Request): Route {
  if (request.path.is("/go")) return go;
  return request.path.is("/no") ? no : marked;
}
export function authorizeRequest(request: Request): Verdict { return Verdict.Allow; }
`;

test('what a request hears, and what is changed in it, is printed', async () => {
  writeFileSync(join(cwd, POLICY), ANSWERS);
  const ask = (request: string, ...rest: string[]): Promise<Transcript> =>
    run('simulate', 'shop', ...ENDS, '--request', request, ...rest);
  const edited = await ask('GET /x?q');
  assert.is(edited.exit, 0, edited.stdout + edited.stderr);
  assert.match(edited.stdout, / {5}set x-a: b\n {5}path \/y\n/);
  const go = await ask('GET /go?q');
  assert.match(go.stdout, /allow 302 +isolation\.ts:8 +- +-/);
  assert.match(go.stdout, ' location https://ratings.prod/go?q');
  const json = JSON.parse((await ask('GET /no', '-o', 'json')).stdout);
  const [{ verdict, status, cluster, location, edits, routeKind }] = json.results;
  assert.equal(
    { verdict, status, cluster, location, edits, routeKind },
    { verdict: 'allow', status: 451, cluster: null, location: null, edits: [], routeKind: 'reply' },
  );
});

test('weft.json says what refusals say; what is wrong with them has its place', async () => {
  writeFileSync(join(cwd, POLICY), HTTP);
  const file = join(cwd, 'shop/weft.json');
  const before = readFileSync(file, 'utf8');
  const withRefusals = (refusals: object): void =>
    writeFileSync(file, JSON.stringify({ ...JSON.parse(before), refusals }, null, 1));
  withRefusals({ deny: { status: 404, body: 'nothing here' } });
  const denied = await run('simulate', 'shop', ...ENDS, '--request', 'GET /');
  assert.match(denied.stdout, 'deny 404');
  withRefusals({ deny: { body: 'x'.repeat(1000) } });
  const large = await run('check', 'shop');
  assert.is(large.exit, 3);
  assert.match(large.stderr + large.stdout, 'error[W205]');
  writeFileSync(file, before);
});

test('inspect names policies, sites and tables', async () => {
  const { exit, stdout } = await run('inspect', 'shop.weft');
  assert.is(exit, 0);
  assert.match(stdout, /isolation {2}policies\/isolation\.ts {2}enforce {2}can allow/);
  assert.match(stdout, 'policies/isolation.ts:9:');
  assert.match(stdout, 'blocked');
  const json = JSON.parse((await run('inspect', 'shop.weft', '-o', 'json')).stdout);
  assert.is(json.manifest.policies[0].canAllow, true);
  assert.match(json.bundle, /^sha256:[0-9a-f]{64}$/);
});

test('a truncated and an altered bundle are exit 6', async () => {
  const bytes = readFileSync(join(cwd, 'shop.weft'));
  for (const [code, length] of [
    ['B101', 100],
    ['B102', 6000],
  ] as const) {
    writeFileSync(join(cwd, 'cut.weft'), bytes.subarray(0, length));
    const cut = await run('inspect', 'cut.weft');
    assert.is(cut.exit, 6);
    assert.match(cut.stderr, `error[${code}]`);
    assert.match(cut.stderr, '--> cut.weft');
  }
  const at = bytes.indexOf('isolation.ts');
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(join(cwd, 'altered.weft'), bytes);
  const altered = await run('inspect', 'altered.weft', '-o', 'json');
  assert.is(altered.exit, 6);
  assert.is(JSON.parse(altered.stdout).diagnostics[0].code, 'B103');
});

test('the scenario of a new project holds, from folder and from bundle', async () => {
  for (const subject of ['shop', 'shop.weft']) {
    const { exit, stdout, stderr } = await run('simulate', subject, 'shop/scenario.yaml');
    assert.is(exit, 0, stderr);
    assert.match(stdout, /ok {2}ratings-from-reviews +allow {2}isolation\.ts:10/);
    assert.match(stdout, '3 passed, 0 failed\n');
  }
});

test('Wasmtime answers as V8 does, and where it is not there nobody else answers', async () => {
  const ask = async (engine: string, env = {}, ...more: string[]): Promise<Transcript> =>
    weft(
      ['simulate', 'shop.weft', 'shop/scenario.yaml', '--engine', engine, '-o', 'json', ...more],
      { cwd, env },
    );
  const v8 = await ask('wasm');
  const same = v8.stdout.replace('"engine": "wasm"', '"engine": "wasmtime"');
  const found = await ask('wasmtime', { WEFT_WASMTIME: WASMTIME });
  assert.is(found.stdout, same, found.stderr);
  assert.is((await ask('wasmtime', {}, '--wasmtime', WASMTIME)).stdout, same);
  const absent = await ask('wasmtime', { PATH: '' });
  assert.is(absent.exit, 4);
  const [fault] = JSON.parse(absent.stdout).diagnostics;
  assert.is(fault.code, 'S003');
  assert.is(fault.message, 'libwasmtime is not installed here');
  assert.match(fault.help, 'pip install wasmtime');
  assert.is(JSON.parse(absent.stdout).results, undefined);
  assert.is((await ask('wasmtime', { PATH: '' }, '--wasmtime', 'no/such.so')).exit, 4);
  assert.is((await ask('wasm', {}, '--wasmtime', WASMTIME)).exit, 64);
});

test('results as one document and as lines', async () => {
  const json = JSON.parse(
    (await run('simulate', 'shop.weft', 'shop/scenario.yaml', '-o', 'json')).stdout,
  );
  assert.is(json.engine, 'wasm');
  assert.equal(json.summary, { passed: 3, failed: 0 });
  assert.is(json.results[0].rule, 'isolation.ts:10');
  const lines = await run('simulate', 'shop.weft', 'shop/scenario.yaml', '-o', 'ndjson');
  const ids = lines.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).id);
  assert.equal(
    ids,
    json.results.map((r: { id: string }) => r.id),
  );
});

test('an expectation that fails is exit 2 and says the difference', async () => {
  edit('shop/scenario.yaml', 'expect: { verdict: deny }', 'expect: { verdict: allow }');
  const { exit, stdout } = await run('simulate', 'shop.weft', 'shop/scenario.yaml');
  assert.is(exit, 2);
  assert.match(stdout, 'FAIL  ratings-from-another-namespace');
  assert.match(stdout, 'verdict: expected allow, got deny');
  assert.match(stdout, '2 passed, 1 failed\n');
});

test('one connection: allow is 0, deny is 2, half a question is usage', async () => {
  const ask = (...args: string[]): Promise<Transcript> => run('simulate', 'shop', ...args);
  assert.is((await ask('--from', 'reviews.prod', '--to', 'ratings.prod:80')).exit, 0);
  assert.is((await ask('--from', 'batch.dev', '--to', 'ratings.prod:80')).exit, 2);
  assert.is((await ask('--from', 'batch.dev')).exit, 64);
  assert.is((await ask()).exit, 64);
  const unknown = await ask('--from', 'review.prod', '--to', 'ratings.prod:80');
  assert.is(unknown.exit, 3);
  assert.match(unknown.stderr, 'did you mean `reviews.prod`?');
});

test('a bundle file alone has no world', async () => {
  const { exit, stderr } = await run('simulate', 'shop.weft', '--from', 'a.b', '--to', 'c.d:1');
  assert.is(exit, 64);
  assert.match(stderr, '--world FILE');
});

test('a malformed scenario is exit 3 at its line', async () => {
  edit('shop/scenario.yaml', 'expect: { verdict: deny }', 'expect: { verdit: deny }');
  const { exit, stdout, stderr } = await run('simulate', 'shop.weft', 'shop/scenario.yaml');
  assert.is(exit, 3);
  assert.is(stdout, '');
  assert.match(stderr, /--> shop\/scenario\.yaml:\d+:\d+/);
});

test('nothing is left beside the outputs', async () => {
  await run('build', 'shop', '--out', 'again.weft');
  const { readdirSync } = await import('node:fs');
  assert.equal(readdirSync(cwd).sort(), ['again.weft', 'shop', 'shop.weft']);
  assert.ok(existsSync(join(cwd, 'shop/.weft/builds.json')));
});

test.run();
