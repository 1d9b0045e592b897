/** The file system of the pins goes away, under a running agent and while none runs: what the kernel enforces then, and what is said of it. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle } from '../../compiler/bundle/index.js';
import { decodeBundle } from '../../compiler/index.js';
import { agentApi } from '../../runtime/agent/api/index.js';
import { holdPins } from '../../runtime/agent/hold-pins.js';
import { runAgent } from '../../runtime/agent/run-agent.js';
import { NO_STORE } from '../../runtime/forward/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { agentEnv } from '../support/agent-env.js';
import { until } from '../support/control-world.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('bpffs gone');
const MOUNT = join(tmpdir(), `weft-mount-${process.pid}`);
const node = new ShopNode('bpffs', MOUNT);
const { cwd, paths, connectFrom } = node;
const api = agentApi(join(paths.run, 'agent.sock'));

const mount = (): unknown => execFileSync('mount', ['-t', 'bpf', 'bpf', MOUNT]);
const unmount = (...how: string[]): number | null =>
  spawnSync('umount', [...how, MOUNT], { stdio: 'ignore' }).status;

test.before(async () => {
  mkdirSync(MOUNT);
  mount();
  await node.make();
  const decoded = decodeBundle(readFileSync(join(cwd, 'shop.weft')));
  if (!decoded.ok) throw new Error('the bundle does not decode');
  const { bundle } = decoded;
  const other = { ...bundle, manifest: { ...bundle.manifest, fuel: 4321 } };
  writeFileSync(join(cwd, 'other.weft'), encodeBundle(other));
});
test.after(() => {
  node.unload();
  unmount('-l');
  rmdirSync(MOUNT);
  node.remove();
});

interface Running {
  readonly said: () => string;
  stop(): Promise<void>;
}

async function start(...more: readonly string[]): Promise<Running> {
  const ending = new AbortController();
  let said = '';
  const env = agentEnv(paths, ending.signal, {
    stderr: (text) => {
      said += text;
    },
  });
  const world = ['--world', join(cwd, 'shop/world.yaml')];
  const exit = runAgent([...world, '--enrol', 'all', '--log', 'text', '--quiet', ...more], env);
  exit.then((code) => (code === 0 ? null : Promise.reject(new Error(said)))).catch(() => {});
  await until('it serves', () => said.includes('enrolled'));
  return {
    said: () => said,
    stop: async () => {
      ending.abort();
      assert.is(await exit, 0, said);
    },
  };
}

/** Which checks of readiness fail. */
async function unready(): Promise<readonly string[]> {
  const { text } = await api.get('/v1/ready');
  const { checks } = JSON.parse(text) as { checks: { name: string; ok: boolean }[] };
  return checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

function assertEnforces(what: string): void {
  assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', `allowed, and nobody listens: ${what}`);
  assert.is(connectFrom('127.0.0.9', 9), 'EPERM', what);
}

async function programs(): Promise<unknown> {
  const { generations } = (await node.status()) as {
    generations: { active: boolean; programs: unknown }[];
  };
  return generations.find((one) => one.active)?.programs;
}

test('under a running agent: the node enforces on, is not ready, and what was pinned is pinned again', async () => {
  const agent = await start('--bundle', join(cwd, 'shop.weft'));
  try {
    assert.equal(await unready(), []);
    const before = await programs();
    assert.not.equal(unmount(), 0, 'an agent has it open');
    assert.is(unmount('-l'), 0);
    assert.not.ok(existsSync(paths.pins));
    assertEnforces('no file system');
    assert.equal(await unready(), ['pins']);
    assert.is((await api.get('/v1/health')).status, 200, 'a new process would do no better');
    assert.match((await api.get('/v1/metrics')).text, /^weft_check\{check="pins"\} 0$/m);
    await until('it is told', () => agent.said().includes('is gone with its file system'));
    const refused = await node.load('other.weft');
    assert.is(refused.exit, 1);
    assert.match(refused.stderr, 'not below a bpffs mount');
    assertEnforces('a change was refused');

    mount();
    await until('ready again', async () => (await unready()).length === 0);
    assert.match(agent.said(), 'is pinned again');
    assertEnforces('pinned again');
    assert.equal(await programs(), before, 'the same ones');
    assert.is((await node.load('other.weft')).exit, 0);
    assert.is((await node.status())['active'], 2);
    assertEnforces('by the next bundle');
  } finally {
    await agent.stop();
  }
  assertEnforces('without an agent');
});

test('an agent died: who keeps its descriptors keeps the pins, and the next one pins them again', () => {
  const kernel = openKernel();
  // What systemd or the keeper would have of it.
  const kept = openSync(paths.pins, 'r');
  assert.is(unmount('-l'), 0);
  assertEnforces('held by a descriptor alone');
  mount();
  const names: string[] = [];
  const store = {
    ...NO_STORE,
    take: (name: string) => (name === 'pins' ? kept : null),
    keep: (name: string) => names.push(name) > 0,
    forget: (name: string) => void names.push(`-${name}`),
  };
  const pins = holdPins(kernel, paths, store);
  assert.match(pins.fault() ?? '', 'is gone with its file system');
  assert.is(pins.restore(), true);
  assert.equal([pins.fault(), names], [null, ['-pins', 'pins']]);
  assert.is(pins.restore(), false, 'once');
  assertEnforces('pinned again');
  pins[Symbol.dispose]();
  assert.throws(() => closeSync(kept), 'EBADF', 'the old file system is let go');
  assertEnforces('by the pins alone');
});

test('what lies there already is not written over', async () => {
  const kernel = openKernel();
  const kept = openSync(paths.pins, 'r');
  assert.is(unmount('-l'), 0);
  mount();
  assert.is((await node.load('shop.weft')).exit, 0);
  const pins = holdPins(kernel, paths, {
    ...NO_STORE,
    take: () => kept,
  });
  assert.match(pins.fault() ?? '', 'has other pins');
  assert.is(pins.restore(), false);
  assertEnforces('by what is held');
  pins[Symbol.dispose]();
});

test('nobody runs and nobody keeps: the hooks go with it, as by `weft unload`; a start builds all anew', async () => {
  assert.is(unmount('-l'), 0);
  mount();
  // The kernel lets go of links later than of their file system (bpf_link_free, by RCU).
  await until('nothing is attached any more', () => connectFrom('127.0.0.9', 9) === 'ECONNREFUSED');
  const agent = await start();
  assertEnforces('built anew');
  assert.equal(await unready(), []);
  await agent.stop();
  assertEnforces('without an agent');
});

test.run();
