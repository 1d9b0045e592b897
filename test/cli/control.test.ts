/** `weft control`: the small authority, and a control plane from its start to its end. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../runtime/cli/run-cli.js';
import { openAdmin } from '../../runtime/control/client/index.js';
import { testEnv, weft, withFolder } from './harness.js';

const test = suite('weft control');
// The clock of the harness stands long ago: certificates have to hold now.
const HOURS = ['--hours', '876000', '--host', '127.0.0.1'];

const FILES = ['--ca', 'a', '--cert', 'b', '--key', 'c'];

test('an authority is made once, and issues certificates that name who they are for', async () => {
  await withFolder(async (cwd) => {
    const init = ['control', 'ca', 'init', '--out', 'ca', '--trust-domain', 'example.org'];
    const made = await weft([...init, '-o', 'json'], { cwd });
    assert.is(made.exit, 0, made.stderr);
    const { trustDomain, key } = JSON.parse(made.stdout);
    assert.is(trustDomain, 'example.org');
    assert.is(statSync(key).mode & 0o777, 0o600);
    const again = await weft(init, { cwd });
    assert.is(again.exit, 64);
    assert.match(again.stderr, /holds an authority already/);
    const issue = ['control', 'ca', 'issue', 'node/a', '--authority', 'ca', '--out', 'a'];
    const issued = await weft([...issue, '-o', 'json'], { cwd });
    assert.is(issued.exit, 0, issued.stderr);
    assert.is(JSON.parse(issued.stdout).id, 'spiffe://example.org/node/a');
    const before = readFileSync(join(cwd, 'a/cert.pem'), 'utf8');
    assert.is((await weft(issue, { cwd })).exit, 0, 'renewed');
    assert.is.not(readFileSync(join(cwd, 'a/cert.pem'), 'utf8'), before);
    for (const who of ['a', 'root/a', 'node/..', 'node/a/b']) {
      const args = ['control', 'ca', 'issue', who, '--authority', 'ca', '--out', 'b'];
      assert.is((await weft(args, { cwd })).exit, 64, who);
    }
    assert.not.ok(existsSync(join(cwd, 'b')));
  });
});

test('what is missing is said', async () => {
  await withFolder(async (cwd) => {
    for (const [args, message] of [
      [['control'], /`--ca` is needed\n = help: run `weft control --help`/],
      [['control', ...FILES, '--page', 'here'], /`here` is not HOST:PORT/],
      [['control', ...FILES, '--listen', '10.0.0.1'], /`10.0.0.1` is not HOST:PORT/],
      [['control', 'ca'], /`--out` is needed/],
      [['control', 'ca', 'init', '--out', 'x'], /`--trust-domain` is a name/],
      [['control', 'ca', 'issue', '--out', 'x'], /takes `init`, or `issue`/],
    ] as const) {
      const told = await weft(args, { cwd });
      assert.is(told.exit, 64);
      assert.match(told.stderr, message);
    }
    const files = ['--ca', 'no', '--cert', 'no', '--key', 'no'];
    const told = await weft(['control', ...files, '-o', 'json'], { cwd });
    assert.is(told.exit, 1);
    assert.is(JSON.parse(told.stdout).diagnostics[0].code, 'C001');
  });
});

test('a control plane serves until it is told to end, and its store is there for the next one', async () => {
  await withFolder(async (cwd) => {
    await weft(['control', 'ca', 'init', '--out', 'ca', '--trust-domain', 'example.org'], { cwd });
    for (const who of ['control/one', 'operator/ann']) {
      const out = who.split('/')[1] ?? '';
      const issue = ['control', 'ca', 'issue', who, '--authority', 'ca', '--out', out, ...HOURS];
      assert.is((await weft(issue, { cwd })).exit, 0);
    }
    const page = ['--page', '127.0.0.1:0'];
    const args = [
      'control',
      ...page,
      '--listen',
      '127.0.0.1:0',
      '--store',
      `file:${join(cwd, 'store')}`,
    ];
    const files = ['--ca', 'one/ca.pem', '--cert', 'one/cert.pem', '--key', 'one/key.pem'];
    for (const _ of ['first', 'second']) {
      const stop = new AbortController();
      const err: Buffer[] = [];
      const env = testEnv({ cwd, signal: stop.signal }, [], err);
      const running = runCli([...args, ...files], env);
      const port = (): string | undefined =>
        /listens on port (\d+)/.exec(Buffer.concat(err).toString())?.[1];
      while (port() === undefined) {
        await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 5))]);
        if (/error/.test(Buffer.concat(err).toString())) break;
      }
      const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => join(cwd, `ann/${name}.pem`));
      const admin = openAdmin({
        control: [`127.0.0.1:${port()}`],
        ...{ ca: ca ?? '', cert: cert ?? '', key: key ?? '' },
      });
      assert.equal((await admin.state()).rollouts, []);
      const served = /"page (http:[^"]+)"/.exec(Buffer.concat(err).toString())?.[1] ?? '';
      assert.match(await (await fetch(served)).text(), '<title>Weft cluster</title>');
      await admin.close();
      stop.abort();
      assert.is(await running, 0, Buffer.concat(err).toString());
      assert.match(Buffer.concat(err).toString(), /"message":"ended"/);
    }
  });
});

test.run();
