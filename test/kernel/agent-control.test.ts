/** An agent of this kernel and a control plane: bundles come over the wire, are enforced, refused, and outlive it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentApi } from '../../runtime/agent/api/index.js';
import { runAgent } from '../../runtime/agent/run-agent.js';
import { agentEnv } from '../support/agent-env.js';
import { type ControlWorld, controlWorld, until } from '../support/control-world.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('agent and control plane');
const node = new ShopNode('control');
const { name, cwd, paths, connectFrom } = node;
const WORLD = `workloads:
  - name: reviews.prod
    addresses: [10.250.0.1]
    cgroup: /${name}
`;
const ALL = JSON.stringify({ stages: [{ stage: 'all', for: '0s' }] });

test.before(() => node.make(WORLD));
test.after.each(() => node.unload());
test.after(() => node.remove());

interface RunningAgent {
  readonly log: () => string;
  end(): Promise<number>;
}

async function startAgent(world: ControlWorld, port: number): Promise<RunningAgent> {
  const { ca, cert, key } = await world.authority.issue('node', 'node-1');
  const stop = new AbortController();
  let log = '';
  const env = agentEnv(paths, stop.signal, {
    stderr: (text) => {
      log += text;
    },
  });
  const args = ['--world', join(cwd, 'shop/world.yaml'), '--enrol', 'all', '--log', 'text'];
  const files = ['--ca', ca, '--cert', cert, '--key', key, '--label', 'zone=a'];
  const running = runAgent([...args, '--control', `127.0.0.1:${port}`, ...files], env);
  return {
    log: () => log,
    end: () => {
      stop.abort();
      return running;
    },
  };
}

test('the first bundle of a node comes from its control plane, and is enforced without it', async () => {
  const world = await controlWorld();
  let agent: RunningAgent | null = null;
  try {
    const control = await world.control();
    const admin = await world.admin(control.port);
    const bytes = readFileSync(join(cwd, 'shop.weft'));
    const { digest, name: bundle } = await admin.putBundle(bytes, null);
    agent = await startAgent(world, control.port);
    await until('known', async () => (await admin.state()).nodes.length === 1);
    // Nothing to serve yet: the process is well, the node is not ready, and what needs a bundle is for later.
    const api = agentApi(join(paths.run, 'agent.sock'));
    assert.is((await api.get('/v1/health')).status, 200);
    const waiting = await api.get('/v1/ready');
    assert.is(waiting.status, 503);
    assert.match(waiting.text, 'no bundle has come from the control plane yet');
    assert.is(JSON.parse((await api.get('/v1/status')).text).active, null);
    for (const path of ['/v1/rules', '/v1/metrics', '/v1/events'])
      assert.is((await api.get(path)).status, 503, path);
    assert.not.match(agent.log(), 'error');
    assert.is((await admin.state()).nodes[0]?.active, null);
    await admin.apply({ name: bundle, digest, plan: ALL });
    await until('enrolled', () => (agent?.log() ?? '').includes('enrolled reviews.prod'));
    assert.is(connectFrom('127.0.0.1', 9), 'EPERM');
    assert.is((await api.get('/v1/ready')).status, 200);
    await until('told', async () => (await admin.state()).nodes[0]?.active?.digest === digest);
    const [report] = (await admin.state()).nodes;
    assert.equal(report?.labels, { zone: 'a' });
    assert.is(report?.drift, null);
    // A verdict on its way to an operator.
    const stop = new AbortController();
    const events = admin.events({ verdict: 'deny' }, stop.signal)[Symbol.asyncIterator]();
    const first = events.next();
    let seen = false;
    void first.then(() => {
      seen = true;
    });
    await until('an event', () => {
      connectFrom('127.0.0.1', 9);
      return seen;
    });
    const { value } = await first;
    assert.is(value?.source.workload, 'reviews.prod');
    assert.is(value?.verdict, 'deny');
    stop.abort();

    await control.close();
    assert.is(connectFrom('127.0.0.1', 9), 'EPERM', 'without a control plane');
    assert.is(await agent.end(), 0, agent.log());
    // At its next start the node brings what it had into force, with nobody there.
    agent = await startAgent(world, control.port);
    await until('enrolled', () => (agent?.log() ?? '').includes('enrolled already'));
    assert.match(agent.log(), new RegExp(`is active: ${bundle} ${digest}`));
    assert.is(connectFrom('127.0.0.1', 9), 'EPERM');
  } finally {
    await agent?.end();
    await world.close();
  }
});

test.run();
