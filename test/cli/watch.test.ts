/** `--watch`: an answer at first and after each change, with whatever is wrong at the time, until it is told to stop. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../runtime/cli/run-cli.js';
import { testEnv, weft } from './harness.js';

const test = suite('cli watch');
let cwd = '';
test.before.each(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-watch-'));
  await weft(['init', 'shop'], { cwd });
});
test.after.each(() => rmSync(cwd, { recursive: true, force: true }));

const POLICY = 'shop/policies/isolation.ts';
function edit(path: string, from: string, to: string): void {
  const text = readFileSync(join(cwd, path), 'utf8');
  assert.ok(text.includes(from), `${path} has no ${from}`);
  writeFileSync(join(cwd, path), text.replaceAll(from, to));
}

interface Answer {
  readonly exit: number;
  readonly bundle?: string;
  readonly unaffected?: number;
  readonly results?: readonly { readonly file: string }[];
  readonly diagnostics: readonly { readonly code: string }[];
}
const codes = ({ diagnostics }: Answer): string => diagnostics.map((d) => d.code).join(' ');

/** Runs a verb under --watch; `next` waits for the answer after those that were given. */
async function watching(
  args: readonly string[],
  use: (next: () => Promise<Answer>) => Promise<void>,
): Promise<number> {
  const abort = new AbortController();
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const env = testEnv({ cwd, signal: abort.signal }, out, err);
  const running = runCli([...args, '--watch', '-o', 'ndjson'], env);
  let seen = 0;
  const lines = (): string[] => Buffer.concat(out).toString().split('\n').slice(0, -1);
  const next = async (): Promise<Answer> => {
    while (lines().length <= seen) await pause(5);
    return JSON.parse(lines()[seen++] ?? '') as Answer;
  };
  try {
    await use(next);
    assert.is(lines().length, seen, 'answers that nothing asked for');
  } finally {
    abort.abort();
  }
  assert.is(Buffer.concat(err).toString(), '');
  return running;
}

test('check answers to each change of a policy and of weft.json, and ends with 130', async () => {
  const exit = await watching(['check', 'shop'], async (next) => {
    const first = await next();
    assert.is(`${first.exit} ${codes(first)}`, '0 ');
    edit(POLICY, 'return Verdict.Pass', 'return Verdict.Perhaps');
    const faulty = await next();
    assert.is(`${faulty.exit} ${codes(faulty)}`, '3 TS2339');
    edit(POLICY, 'return Verdict.Perhaps', 'return Verdict.Pass');
    assert.is((await next()).exit, 0);
    edit('shop/weft.json', '"default"', '"defualt"');
    const unknown = await next();
    assert.is(unknown.exit, 3);
    assert.match(codes(unknown), 'W0');
    edit('shop/weft.json', '"defualt"', '"default"');
    assert.is((await next()).exit, 0);
  });
  assert.is(exit, 130);
});

test('build writes the bundle that a build of the same files writes, after each change', async () => {
  const digest = async (out: string): Promise<unknown> =>
    JSON.parse((await weft(['build', 'shop', '--out', out, '-o', 'json'], { cwd })).stdout).bundle;
  await watching(['build', 'shop', '--out', 'w.weft'], async (next) => {
    const first = await next();
    assert.is(first.bundle, await digest('a.weft'));
    edit(POLICY, 'return Verdict.Pass', 'return Verdict.Deny');
    const second = await next();
    assert.is.not(second.bundle, first.bundle);
    assert.is(second.bundle, await digest('b.weft'));
    assert.equal(readFileSync(join(cwd, 'w.weft')), readFileSync(join(cwd, 'b.weft')));
  });
});

test('test runs what a change may have touched, and tells of the rest', async () => {
  const other = `import { connect, expect, test } from "weft/test";
test("nobody from outside", () => { expect(connect("203.0.113.9", "10.1.0.4:9080")).toDeny(); });
`;
  writeFileSync(join(cwd, 'shop/outside.test.ts'), other);
  await watching(['test', 'shop'], async (next) => {
    const first = await next();
    assert.is(first.exit, 0, JSON.stringify(first));
    assert.is(first.unaffected, 0);
    const files = ({ results = [] }: Answer): string[] => [...new Set(results.map((r) => r.file))];
    assert.is(files(first).length, 2);
    edit('shop/outside.test.ts', 'toDeny', 'toAllow');
    const failed = await next();
    assert.is(failed.exit, 2);
    assert.equal(files(failed), ['shop/outside.test.ts']);
    assert.is(failed.unaffected, (first.results?.length ?? 0) - 1);
    edit('shop/outside.test.ts', 'toAllow', 'toDeny');
    assert.is((await next()).exit, 0);
    // A file that is no test is nothing to answer; a new one is.
    writeFileSync(join(cwd, 'shop/policies/notes.md'), 'x');
    writeFileSync(join(cwd, 'shop/policies/new.test.ts'), other);
    const more = await next();
    assert.equal(files(more), ['shop/policies/new.test.ts']);
    assert.is(more.unaffected, first.results?.length);
    // A policy that all of them meet.
    edit(POLICY, 'return Verdict.Pass', 'return Verdict.Deny');
    const policy = await next();
    assert.is(policy.unaffected, 0, JSON.stringify(policy));
  });
});

test('what still fails, and what is still warned of, is told again when another file changes', async () => {
  const texts = {
    'shop/policies/http.ts': `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict {
  return request.method.is("GET") ? Verdict.Allow : Verdict.Pass;
}
`,
    'shop/wrong.test.ts': `import { expect, request, test } from "weft/test";
test("of no HTTP", () => { expect(request("203.0.113.9", "10.1.0.4:9", "GET", "/")).toHaveReason("trap"); });
`,
    'shop/other.test.ts': `import { connect, expect, test } from "weft/test";
test("nobody from outside", () => { expect(connect("203.0.113.9", "10.1.0.4:9080")).toDeny(); });
`,
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(cwd, name), text);
  const config = JSON.parse(readFileSync(join(cwd, 'shop/weft.json'), 'utf8'));
  config.policies.push({ ...config.policies[0], file: 'policies/http.ts' });
  writeFileSync(join(cwd, 'shop/weft.json'), JSON.stringify(config));
  await watching(['test', 'shop'], async (next) => {
    const first = await next();
    assert.is(`${first.exit} ${codes(first)}`, '2 W311', JSON.stringify(first));
    const files = ({ results = [] }: Answer): string[] => results.map((r) => r.file).sort();
    edit('shop/other.test.ts', 'nobody from', 'none from');
    const again = await next();
    assert.is(`${again.exit} ${codes(again)}`, '2 W311');
    assert.equal(files(again), ['shop/other.test.ts', 'shop/wrong.test.ts']);
    assert.is(again.unaffected, (first.results?.length ?? 0) - 2);
    edit(
      'shop/wrong.test.ts',
      '"10.1.0.4:9", "GET", "/")).toHaveReason("trap")',
      '"10.1.0.4:9", "POST", "/")).toDeny()',
    );
    const mended = await next();
    assert.is(`${mended.exit} ${codes(mended)}`, '0 W311', JSON.stringify(mended));
    assert.equal(files(mended), ['shop/wrong.test.ts']);
    assert.is(mended.unaffected, (first.results?.length ?? 0) - 1);
  });
});

test('one document cannot hold many answers, one line each can', async () => {
  const refused = await weft(['check', 'shop', '--watch', '-o', 'json'], { cwd });
  assert.is(refused.exit, 64);
  assert.match(refused.stdout, 'ndjson');
  const line = await weft(['check', 'shop', '-o', 'ndjson'], { cwd });
  assert.is(line.exit, 0);
  assert.is(line.stdout.trim().split('\n').length, 1);
  assert.equal(JSON.parse(line.stdout).diagnostics, []);
});

test.run();
