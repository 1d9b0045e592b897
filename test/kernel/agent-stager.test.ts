/** An agent whose bundles are brought into force by a process of its own: what becomes of its answers, and of its end. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAgentError } from '../../runtime/agent/agent-error.js';
import { runAgent } from '../../runtime/agent/run-agent.js';
import { bundlesElsewhere, stagerFile } from '../../runtime/agent/staged-bundles.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { agentEnv } from '../support/agent-env.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('agent stager');
const node = new ShopNode('stager');
const STAGER = [process.execPath, stagerFile()];
const KILLED = [process.execPath, '--eval', 'process.kill(process.pid, "SIGKILL")'];
const file = (name: string): string => join(node.cwd, name);

test.before(() => node.make());
test.after(() => {
  node.unload();
  node.remove();
});

interface Line {
  readonly message: string;
  readonly level: string;
  readonly code?: string;
}

/** Runs the agent until a line of its log; its exit and what it said. */
async function agent(
  args: readonly string[],
  { stager = STAGER, end }: { stager?: readonly string[]; end: RegExp },
): Promise<{ readonly exit: number; readonly said: readonly Line[] }> {
  const stop = new AbortController();
  const said: Line[] = [];
  const env = agentEnv(node.paths, stop.signal, {
    stderr: (text) => {
      const line: Line = JSON.parse(text);
      said.push(line);
      if (end.test(line.message)) stop.abort();
    },
  });
  const world = ['--world', file('shop/world.yaml'), '--quiet'];
  const exit = await runAgent([...world, ...args], { ...env, stager });
  return { exit, said };
}

const SERVES = /^the local API is at/;

async function active(): Promise<unknown> {
  return (await node.status())['active'];
}

test('a file is loaded there and serves here; a start afterwards finds it', async () => {
  const loaded = await agent(['--bundle', file('shop.weft')], { end: SERVES });
  assert.is(loaded.exit, 0, JSON.stringify(loaded.said));
  assert.match(loaded.said[0]?.message ?? '', /^generation 1 is active: shop sha256:/);
  const again = await agent([], { end: SERVES });
  assert.is(again.exit, 0);
  assert.match(again.said[0]?.message ?? '', /^generation 1 is active: shop/);
});

test('a bundle comes out of an image layout too; what is none is told', async () => {
  const pushed = await node.run('push', 'shop.weft', 'oci:layout:v1');
  assert.is(pushed.exit, 0, pushed.stderr);
  const { exit, said } = await agent(['--bundle', `oci:${file('layout')}:v1`], { end: SERVES });
  assert.is(exit, 0);
  assert.match(said[0]?.message ?? '', /^generation 1 is active already: shop/);
  const none = await agent(['--bundle', `oci:${file('nowhere')}:v1`], { end: SERVES });
  assert.is(none.exit, 1);
  assert.is(none.said.at(-1)?.level, 'error');
});

test('what is wrong with the world is told by its lines, and nothing changes', async () => {
  const world = file('shop/world.yaml');
  const text = readFileSync(world, 'utf8');
  try {
    writeFileSync(world, text.replace('10.96.0.20', '10.96.0'));
    const { exit, said } = await agent([], { end: SERVES });
    assert.is(exit, 3);
    assert.is(said[0]?.code, 'W102');
  } finally {
    writeFileSync(world, text);
  }
  assert.is(await active(), 1);
});

test('a bundle that is refused there is refused here', async () => {
  const bytes = readFileSync(file('shop.weft'));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(file('altered.weft'), bytes);
  const { exit, said } = await agent(['--bundle', file('altered.weft')], { end: SERVES });
  assert.is(exit, 6);
  assert.match(said[0]?.code ?? '', /^B1/);
  assert.is(await active(), 1);
});

test('its end in the middle is a refusal, and what ran runs on', async () => {
  const { exit, said } = await agent(['--bundle', file('shop.weft')], {
    ...{ stager: KILLED, end: SERVES },
  });
  assert.is(exit, 1);
  assert.is(said.at(-1)?.code, 'A043');
  const kernel = openKernel();
  const place = {
    ...{ kernel, paths: node.paths, env: process.env },
    ...{ now: () => new Date(), clockOffset: () => 0n },
  };
  const settings = {
    ...{ world: file('shop/world.yaml'), trust: null, shortCircuit: false, keep: null },
  };
  const bytes = readFileSync(file('shop.weft'));
  const dead = bundlesElsewhere(KILLED, place, settings);
  const refused = await dead.apply(bytes, null, 'enforce');
  assert.is(refused.ok ? null : refused.code, 'A043');
  const alive = bundlesElsewhere(STAGER, place, settings);
  assert.equal(await alive.apply(bytes, null, 'enforce'), { ok: true, generation: 1 });
  const astray = bundlesElsewhere(STAGER, place, { ...settings, world: file('shop.weft') });
  assert.is((await astray.apply(bytes, null, 'enforce')).ok, false);
  const code = await astray.world().catch((error: unknown) => isAgentError(error) && error.code);
  assert.is(code, 'A042');
  assert.is((await alive.world()).workloads.length, 2);
  assert.is(alive.active()?.generation, 1);
});

test('as many generations stay as --keep says', async () => {
  const world = file('shop/world.yaml');
  const text = readFileSync(world, 'utf8');
  const kept = async (): Promise<unknown> => {
    const { generations } = await node.status();
    return Array.isArray(generations) ? generations.length : null;
  };
  try {
    for (const address of ['10.96.0.21', '10.96.0.22']) {
      writeFileSync(world, text.replace('10.96.0.20', address));
      assert.is((await agent(['--keep', '3'], { end: SERVES })).exit, 0);
    }
    assert.is(await kept(), 3);
    writeFileSync(world, text.replace('10.96.0.20', '10.96.0.23'));
    assert.is((await agent(['--keep', '1'], { end: SERVES })).exit, 0);
    assert.is(await kept(), 1);
    const { signal } = new AbortController();
    assert.is(await runAgent(['--world', world, '--keep', '8'], agentEnv(node.paths, signal)), 64);
  } finally {
    writeFileSync(world, text);
  }
});

test.run();
