/** `weft diff`: two versions compared over recorded traffic, and over all that there can be. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Transcript, weft } from './harness.js';

const test = suite('cli diff');
let cwd = '';
const run = (...args: string[]): Promise<Transcript> => weft(args, { cwd });
const POLICY = join('policies', 'isolation.ts');

test.before(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-diff-'));
  await run('init', 'shop');
  cpSync(join(cwd, 'shop'), join(cwd, 'next'), { recursive: true });
  const text = readFileSync(join(cwd, 'next', POLICY), 'utf8');
  writeFileSync(join(cwd, 'next', POLICY), text.replace('.is("prod")', '.startsWith("prod")'));
  const built = await Promise.all([
    run('build', 'shop', '--out', 'old.weft'),
    run('build', 'next', '--out', 'new.weft'),
  ]);
  for (const { exit, stderr } of built) assert.is(exit, 0, stderr);
});
test.after(() => rmSync(cwd, { recursive: true, force: true }));

test('what is newly allowed, with an example that both decided: exit 5', async () => {
  const { exit, stdout, stderr } = await run('diff', 'old.weft', 'new.weft');
  assert.is(exit, 5, stderr);
  assert.match(
    stdout,
    /^connections newly allowed, in 1 set:\n {2}1\. source\.namespace begins with "prod"/,
  );
  assert.match(stdout, /source\.address not 203\.0\.113\.0\/24/);
  assert.match(stdout, /deny \(default\) before, now allow \(policies\/isolation\.ts:10\)\n$/);
  assert.not.match(stdout, /newly denied/);
});

test('as a document, whose example runs as a scenario', async () => {
  const { stdout } = await run('diff', 'old.weft', 'new.weft', '-o', 'json');
  const { changed, summary, undecided } = JSON.parse(stdout);
  assert.equal(summary, { changed: 1, routed: 0, undecided: 0 });
  assert.equal(undecided, []);
  const [{ example, old, new: now }] = changed;
  assert.equal([old.verdict, now.verdict], ['deny', 'allow']);
  writeFileSync(join(cwd, 'w.yaml'), JSON.stringify(example.world));
  writeFileSync(join(cwd, 's.yaml'), JSON.stringify({ world: 'w.yaml', cases: [example.case] }));
  for (const [bundle, verdict] of [
    ['old.weft', 'deny'],
    ['new.weft', 'allow'],
  ] as const) {
    const run1 = await run('simulate', bundle, 's.yaml', '-o', 'json');
    assert.is(JSON.parse(run1.stdout).results[0].verdict, verdict, run1.stderr);
  }
});

test('a connection that is let be, for its requests to be judged, is newly allowed', async () => {
  const web = `import { Request, Verdict } from "weft";
export function authorizeRequest(r: Request): Verdict { return Verdict.Deny; }
`;
  const attach = [{ namespace: 'prod' }];
  const isolation = { file: POLICY, attach };
  const judging = { file: 'policies/web.ts', attach };
  for (const [folder, policies] of [
    ['bare', [{ ...isolation, attach: [{ namespace: 'dev' }] }]],
    ['judged', [{ ...isolation, attach: [{ namespace: 'dev' }] }, judging]],
    ['asked', [isolation, judging]],
  ] as const) {
    cpSync(join(cwd, 'shop'), join(cwd, folder), { recursive: true });
    writeFileSync(join(cwd, folder, 'policies', 'web.ts'), web);
    const config = { name: folder, policies, default: 'deny' };
    writeFileSync(join(cwd, folder, 'weft.json'), JSON.stringify(config));
  }
  const told = await run('diff', 'bare', 'judged');
  assert.is(told.exit, 5, told.stderr);
  assert.match(
    told.stdout,
    /^connections newly allowed, in 1 set:\n {2}1\. destination\.namespace is "prod"\n {5}destination\.port is a port with HTTP\n {5}as [^\n]*\n {9}server\.prod: [^\n]*\n {9}deny \(default\) before, now allow \(requests\)\n/,
  );
  // Its twin: a policy speaks of connections there, and is asked. The requests are refused in either.
  const asked = await run('diff', 'judged', 'asked', '-o', 'json');
  const { changed } = JSON.parse(asked.stdout) as {
    changed: { change: string; level: string; old: { reason: string } }[];
  };
  const letBe = changed.filter(({ old }) => old.reason === 'requests');
  assert.ok(letBe.length > 0, asked.stdout);
  assert.ok(
    letBe.every(({ change, level }) => change === 'newly denied' && level === 'connection'),
  );
});

test('no difference is exit 0, also where the text differs', async () => {
  const same = await run('diff', 'old.weft', 'old.weft');
  assert.is(same.exit, 0);
  assert.is(same.stdout, 'no difference: both decide alike, whatever comes\n');
});

test('traffic: changes counted by the rules that decided', async () => {
  const line = (from: string): string => `{"from":"${from}","to":"ratings.prod:80"}\n`;
  writeFileSync(join(cwd, 'same.ndjson'), line('reviews.prod') + line('batch.dev'));
  const same = await run(
    'diff',
    'old.weft',
    'new.weft',
    '--traffic',
    'same.ndjson',
    '--world',
    'shop/world.yaml',
  );
  assert.is(same.exit, 0, same.stderr);
  assert.match(same.stdout, /^2 records: 2 compared, 0 verdicts and 0 routes change/);
  const text = readFileSync(join(cwd, 'shop', 'world.yaml'), 'utf8');
  writeFileSync(join(cwd, 'eu.yaml'), text.replaceAll('batch.dev', 'batch.prod-eu'));
  writeFileSync(
    join(cwd, 'seen.ndjson'),
    line('batch.prod-eu') + line('reviews.prod') + line('batch.prod-eu'),
  );
  const args = ['diff', 'old.weft', 'new.weft', '--traffic', 'seen.ndjson', '--world', 'eu.yaml'];
  const other = await run(...args);
  assert.is(other.exit, 5, other.stderr);
  assert.match(
    other.stdout,
    /^2 +deny default +-> +allow policies\/isolation\.ts:10 +as seen\.ndjson:1 batch\.prod-eu -> ratings\.prod:80\n/,
  );
  const { summary, groups } = JSON.parse((await run(...args, '-o', 'json')).stdout);
  assert.is(summary.changedVerdicts, 2);
  assert.is(groups[0].count, 2);
});

const ROUTING = `import { cluster, Request, respond, Route, split, splitBy } from "weft";
const v1 = cluster("reviews.prod", "v1"), v2 = cluster("reviews.prod", "v2"), no = respond(404, "no");
export function routeRequest(r: Request): Route {
  if (r.query("debug").is("1")) return no;
  if (r.cookie("beta").exists) return v2;
  if (r.path.at(1) == 0x73) return splitBy(r.cookie("session"), v1, 90, v2, 10);
  return split(v1, 90, v2, 10);
}
`;
const ROUTED_WORLD = `services:
  - name: reviews.prod
    addresses: [10.96.0.1]
    ports: [{ port: 80, target: 8080, protocol: http }]
    clusters: [{ name: reviews/v1, selector: { v: "1" } }, { name: reviews/v2, selector: { v: "2" } }]
workloads:
  - { name: one.prod, addresses: [10.0.0.5], labels: { v: "1" } }
  - { name: two.prod, addresses: [10.0.0.6], labels: { v: "2" } }
`;

async function writeRouted(name: string, text: string): Promise<void> {
  await run('init', name);
  writeFileSync(join(cwd, name, POLICY), text);
  writeFileSync(join(cwd, name, 'world.yaml'), ROUTED_WORLD);
  const policies = [{ file: POLICY, attach: [{ namespace: 'prod' }] }];
  const config = { name, policies, world: 'world.yaml', default: 'allow' };
  writeFileSync(join(cwd, name, 'weft.json'), JSON.stringify(config));
}

async function routed(name: string, text: string): Promise<string> {
  await writeRouted(name, text);
  const built = await run('build', name, '--out', `${name}.weft`);
  assert.is(built.exit, 0, built.stderr);
  return `${name}.weft`;
}

test('routes: parameters, cookies, bytes, splits, sticky ones; each with its near miss', async () => {
  const old = await routed('routed', ROUTING);
  const rows: readonly (readonly [string, string, RegExp])[] = [
    ['query("debug").is("1")', 'query("debug").is("2")', /reply 404 before, now/],
    ['cookie("beta").exists', 'cookie("bet").exists', /request\.cookie\("bet"\)/],
    ['at(1) == 0x73', 'at(1) == 0x74', /has "[st]" at 1/],
    ['split(v1, 90, v2, 10);\n}', 'split(v1, 80, v2, 20);\n}', /draw % 100 80-89/],
    ['"session"), v1, 90, v2, 10', '"session"), v1, 91, v2, 9', /hash\(.*"session".*\) % 100 90\n/],
    ['return v2', 'return v1', /reviews\.prod\/v2 before, now reviews\.prod\/v1/],
  ];
  for (const [i, [was, is, shown]] of rows.entries()) {
    const now = await routed(`routed-${i}`, ROUTING.replace(was, is));
    const { exit, stdout, stderr } = await run('diff', old, now);
    assert.is(exit, 5, `${is}: ${stdout}${stderr}`);
    assert.match(stdout, /requests routed otherwise, in/);
    assert.match(stdout, shown, is);
    assert.not.match(stdout, /undecided|newly/, is);
  }
  const twice = await routed('routed-twice', ROUTING.replace('if (r.path', 'if (true && r.path'));
  const alike = await run('diff', old, twice);
  assert.is(alike.exit, 0, alike.stdout);
});

test('a folder compiled for it and a file: equal routes and tables are no difference', async () => {
  const text = ROUTING.replace('cluster, Request', 'cluster, pattern, Request').replace(
    'if (r.query',
    'if (pattern("/a/{b}").matches(r.path)) return no;\n  if (r.query',
  );
  const file = await routed('as-file', text);
  await writeRouted('as-folder', text.replace('return no;', 'return no; //'));
  const { exit, stdout, stderr } = await run('diff', file, 'as-folder');
  assert.is(exit, 0, stdout + stderr);
  await writeRouted('as-folder', text.replace('"/a/{b}"', '"/b/{b}"'));
  assert.is((await run('diff', file, 'as-folder')).exit, 5);
});

test('names beside the whole list are left undecided, with their lines', async () => {
  const both = (name: string): string => `import { Request, Verdict } from "weft";
export function authorizeRequest(r: Request): Verdict {
  if (r.queryString.contains("x")) return Verdict.Deny;
  return r.query("${name}").exists ? Verdict.Deny : Verdict.Allow;
}
`;
  const [old, now] = [await routed('whole-a', both('a')), await routed('whole-b', both('b'))];
  const { exit, stdout } = await run('diff', old, now);
  assert.is(exit, 4, stdout);
  assert.match(stdout, /^undecided for some requests: policies\/isolation\.ts:4/);
});

test('what cannot be compared is refused', async () => {
  assert.is((await run('diff', 'old.weft')).exit, 64);
  assert.is((await run('diff', 'old.weft', 'gone.weft')).exit, 1);
  assert.is((await run('diff', 'old.weft', 'new.weft', '--limit', '0')).exit, 64);
  const scenario = await run('diff', 'old.weft', 'shop', '--traffic', 'shop/scenario.yaml');
  assert.is(scenario.exit, 64);
  assert.match(scenario.stderr, /U003/);
});

test.run();
