/** README's tour runs as written, kernel part included, and leaves nothing. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Paths, unload } from '../../runtime/agent/index.js';
import { findCgroup2, openKernel } from '../../runtime/kernel/index.js';
import { weft } from '../cli/harness.js';
import { nodeFolders } from '../support/node-folders.js';

const readme = fileURLToPath(new URL('../../../README.md', import.meta.url));

/** Arguments of every `weft …` of README's shell blocks, in order. */
function tour(): readonly (readonly string[])[] {
  return [...readFileSync(readme, 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    .flatMap((match) => (match[1] ?? '').split('\n'))
    .flatMap((line) => line.replace(/\s#.*$/, '').split('&&'))
    .map((command) => command.trim().split(/\s+/))
    .filter(([program]) => program === 'weft')
    .map(([, ...args]) => args);
}

const test = suite('readme tour');

test('every command line of the tour succeeds', async () => {
  const cgroups = findCgroup2();
  if (cgroups === null) throw new Error('no cgroup2 mount');
  const folder = mkdtempSync(join(tmpdir(), 'weft-readme-'));
  const pins = `/sys/fs/bpf/weft-readme-${process.pid}`;
  const paths: Paths = { pins, ...nodeFolders(join(folder, 'run')), cgroups };
  const verbs = tour().map(([verb]) => verb);
  for (const verb of ['init', 'check', 'build', 'simulate', 'load', 'enrol', 'events', 'unload']) {
    assert.ok(verbs.includes(verb), verb);
  }
  try {
    let cwd = folder;
    for (const args of tour()) {
      const world = { cwd, paths, openKernel: async () => openKernel() };
      const { exit, stderr } = await weft(args, world);
      assert.is(exit, 0, `weft ${args.join(' ')}: ${stderr}`);
      if (args[0] === 'init') cwd = join(folder, args[1] ?? '');
    }
    assert.not.ok(existsSync(pins));
  } finally {
    unload(openKernel(), paths);
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
