/** Outputs that cannot be written, or are interrupted: one error, and the old file whole. */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eachInBuiltProject } from './built-project.js';
import { weft } from './harness.js';

const main = fileURLToPath(new URL('../../runtime/cli/main.js', import.meta.url));

const test = suite('bad output');
let cwd = '';
eachInBuiltProject(test, 'good.weft', (folder) => {
  cwd = folder;
});

test('where nothing can be written: U011, and no rest beside it', async () => {
  for (const [out, reason] of [
    ['no/such/folder.weft', 'ENOENT'],
    ['shop', 'EISDIR'],
  ] as const) {
    const { exit, stdout } = await weft(['build', 'shop', '--out', out, '-o', 'json'], { cwd });
    const [found] = JSON.parse(stdout).diagnostics;
    assert.equal([exit, found.code], [1, 'U011']);
    assert.match(found.message, reason);
    assert.ok(found.help);
  }
  assert.equal(readdirSync(cwd).sort(), ['good.weft', 'shop']);
});

test('a full disk keeps the old file whole', async () => {
  const small = join(cwd, 'small');
  assert.is(spawnSync('mkdir', [small]).status, 0);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', small]);
  assert.is(mounted.status, 0, String(mounted.stderr));
  try {
    writeFileSync(join(small, 'o.weft'), 'old');
    const { exit, stderr } = await weft(['build', 'shop', '--out', 'small/o.weft'], { cwd });
    assert.is(exit, 1);
    assert.match(stderr, 'error[U011]: cannot write `small/o.weft`: ENOSPC');
    assert.is(readFileSync(join(small, 'o.weft'), 'utf8'), 'old');
    assert.equal(readdirSync(small), ['o.weft']);
  } finally {
    spawnSync('umount', [small]);
  }
});

test('a device is written to, never replaced', async () => {
  const pipe = join(cwd, 'pipe');
  assert.is(spawnSync('mkfifo', [pipe]).status, 0);
  const reader = spawn('cat', [pipe]);
  const chunks: Buffer[] = [];
  reader.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => reader.on('close', resolve));
  const { exit } = await weft(['build', 'shop', '--out', 'pipe'], { cwd });
  await ended;
  assert.is(exit, 0);
  assert.equal(Buffer.concat(chunks), readFileSync(join(cwd, 'good.weft')));
});

test('Ctrl-C during a build: exit 130, the old file stays', async () => {
  const before = readFileSync(join(cwd, 'good.weft'));
  const world = join(cwd, 'shop/world.yaml');
  const text = readFileSync(world);
  rmSync(world);
  assert.is(spawnSync('mkfifo', [world]).status, 0);
  const child = spawn(process.execPath, [main, 'build', 'shop', '--out', 'good.weft'], { cwd });
  const closed = new Promise((resolve) => child.on('close', resolve));
  // The build waits for its world, so it has begun when the other end can be opened.
  let fd = -1;
  while (fd < 0) {
    await new Promise((resolve) => setImmediate(resolve));
    try {
      fd = openSync(world, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      assert.is((error as NodeJS.ErrnoException).code, 'ENXIO');
    }
  }
  child.kill('SIGINT');
  writeSync(fd, text);
  closeSync(fd);
  assert.is(await closed, 130);
  assert.equal(readFileSync(join(cwd, 'good.weft')), before);
  assert.equal(readdirSync(cwd).sort(), ['good.weft', 'shop']);
});

test.run();
