/** The agent itself: loads, enrols what is here, streams verdicts, ends on a signal. */
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Paths, unload } from '../../runtime/agent/index.js';
import { AGENT_HELP, runAgent } from '../../runtime/agent/run-agent.js';
import { findCgroup2, openKernel } from '../../runtime/kernel/index.js';
import { weft } from '../cli/harness.js';
import { connectFrom } from './support.js';

const NAME = `weft-run-${process.pid}`;
const WORLD = `workloads:
  - name: reviews.prod
    addresses: [10.250.0.1]
    cgroup: /${NAME}
  - name: elsewhere.prod
    addresses: [10.250.0.2]
    cgroup: /${NAME}-elsewhere
`;
const test = suite('agent run');
let cwd = '';
let paths: Paths;
let cgroup = '';

test.before(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-run-'));
  const cgroups = findCgroup2();
  if (cgroups === null) throw new Error('no cgroup2 mount');
  paths = { pins: `/sys/fs/bpf/${NAME}`, run: join(cwd, 'run'), cgroups };
  cgroup = join(cgroups, NAME);
  mkdirSync(cgroup);
  await weft(['init', 'shop'], { cwd });
  writeFileSync(join(cwd, 'shop/world.yaml'), WORLD);
  const built = await weft(['build', 'shop', '--out', 'shop.weft'], { cwd });
  assert.is(built.exit, 0, built.stderr);
});
test.after.each(() => {
  unload(openKernel(), paths);
});
test.after(() => {
  rmdirSync(cgroup);
  rmSync(cwd, { recursive: true, force: true });
});

interface Ended {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the agent; `onLine` sees each line of stderr and may stop it. */
async function agent(
  args: readonly string[],
  react: { onLog?: (text: string) => void; onEvent?: (stop: () => void) => void } = {},
): Promise<Ended> {
  const stop = new AbortController();
  let stdout = '';
  let stderr = '';
  const exit = await runAgent(args, {
    stdout: (text) => {
      stdout += text;
      react.onEvent?.(() => stop.abort());
    },
    stderr: (text) => {
      stderr += text;
      react.onLog?.(text);
    },
    signal: stop.signal,
    now: () => new Date(0),
    clockOffset: () => BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint(),
    openKernel: () => openKernel(),
    nodePaths: () => paths,
  });
  return { exit, stdout, stderr };
}

const given = (): string[] => [
  ...['--bundle', join(cwd, 'shop.weft'), '--world', join(cwd, 'shop/world.yaml')],
];

test('verdicts are streamed until it is told to stop; then all stays in force', async () => {
  let result = '';
  const { exit, stdout, stderr } = await agent([...given(), '--enrol', 'all'], {
    onLog: (text) => {
      if (text.startsWith('enrolled ')) result = connectFrom(cgroup, 9);
    },
    onEvent: (stop) => stop(),
  });
  assert.is(exit, 0, stderr);
  assert.is(result, 'EPERM');
  const event = JSON.parse(stdout.split('\n')[0] ?? '');
  assert.equal([event.verdict, event.source.workload], ['deny', 'reviews.prod']);
  assert.not.match(stderr, 'elsewhere', 'its cgroup is not here');
  assert.is(connectFrom(cgroup, 9), 'EPERM');
});

test('--unload-on-exit leaves nothing', async () => {
  const { exit, stderr } = await agent([...given(), '--enrol', 'all', '--unload-on-exit'], {
    onLog: (text) => {
      if (text.startsWith('enrolled ')) connectFrom(cgroup, 9);
    },
    onEvent: (stop) => stop(),
  });
  assert.is(exit, 0, stderr);
  assert.match(stderr, 'unloaded\n');
  assert.is(connectFrom(cgroup, 9), 'ECONNREFUSED');
});

test('usage, help, and inputs that are at fault', async () => {
  assert.is((await agent([])).exit, 64);
  assert.is((await agent(['--bogus'])).exit, 64);
  assert.is((await agent([...given(), '--enrol', 'some'])).exit, 64);
  const help = await agent(['--help']);
  assert.is(help.exit, 0);
  assert.is(help.stdout, AGENT_HELP);
  assert.match(help.stdout, 'What it does not do yet');
  assert.is((await agent(['--bundle', '/nowhere', '--world', '/nowhere'])).exit, 1);
  const bytes = readFileSync(join(cwd, 'shop.weft'));
  writeFileSync(join(cwd, 'cut.weft'), bytes.subarray(0, 100));
  const cut = ['--bundle', join(cwd, 'cut.weft'), '--world', join(cwd, 'shop/world.yaml')];
  assert.is((await agent(cut)).exit, 6);
  const bad = ['--bundle', join(cwd, 'shop.weft'), '--world', join(cwd, 'shop/weft.json')];
  assert.is((await agent(bad)).exit, 3);
});

test.run();
