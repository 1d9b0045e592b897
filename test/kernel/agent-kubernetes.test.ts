/** An agent that follows a cluster: its pods are enrolled as they come, and a new world drops no connection that it allows. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeBundle, encodeBundle } from '../../compiler/bundle/index.js';
import { agentApi } from '../../runtime/agent/api/client.js';
import { pinnedGenerations, readState } from '../../runtime/agent/index.js';
import { runAgent } from '../../runtime/agent/run-agent.js';
import { agentEnv } from '../support/agent-env.js';
import { pod, service } from '../support/cluster-objects.js';
import { FakeApiServer, type Stored } from '../support/fake-api-server.js';
import { ShopNode } from './fixtures/shop-node.js';
import { connectFrom } from './support.js';

const test = suite('agent kubernetes');
const node = new ShopNode('kube');
const { paths, cwd } = node;
const CONTAINER = 'c0ffee00'.repeat(8);
const uidOf = (n: number): string => `00000000-0000-0000-0000-00000000000${n}`;
/** As kubelet names it with the cgroupfs driver, below this test's own cgroup. */
const cgroupOf = (n: number): string => join(node.cgroup, `kubepods/burstable/pod${uidOf(n)}`);
const prod = (name: string, ip: string, made: object = {}): Stored =>
  pod(name, { namespace: 'prod', ips: [ip], ...made });

const reviews = prod('reviews', '127.0.0.1', { uid: uidOf(1) });
const late = prod('late', '127.0.0.9', { node: 'n2' });
const other = prod('other', '127.0.0.10', { uid: uidOf(2) });

interface Running {
  stop(): Promise<number>;
  said(): string;
  until(holds: () => boolean | Promise<boolean>): Promise<void>;
}

async function start(
  api: FakeApiServer,
  bundle: string | null = 'shop.weft',
  onJson: ((text: string) => void) | null = null,
): Promise<Running> {
  const ending = new AbortController();
  let said = '';
  const heard = {
    stderr: (text: string) => {
      said += text;
      onJson?.(said);
    },
  };
  let isOver = false;
  const args = [
    ...(bundle === null ? [] : ['--bundle', join(cwd, bundle)]),
    ...['--kubernetes', api.kubeconfig(), '--node', 'n1', '--enrol', 'all', '--quiet'],
    ...['--log', onJson === null ? 'text' : 'json'],
  ];
  const exit = runAgent(args, agentEnv(paths, ending.signal, heard)).finally(() => {
    isOver = true;
  });
  const until: Running['until'] = async (holds) => {
    while (!(await holds())) {
      if (isOver) throw new Error(`it ended: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await until(() => said.includes('the local API'));
  return {
    until,
    said: () => said,
    stop: () => {
      ending.abort();
      return exit;
    },
  };
}

/** The checks of readiness that fail. */
async function failing(): Promise<string[]> {
  const { text } = await agentApi(join(paths.run, 'agent.sock')).get('/v1/ready');
  const { checks }: { checks: { name: string; ok: boolean }[] } = JSON.parse(text);
  return checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

const enrolled = (): string[] => readState(paths).enrolled.map(({ cgroup }) => cgroup);
const active = async (): Promise<number> => Number((await node.status())['active']);

/** A client in a cgroup that keeps its connection; `ask` sends a word and waits for it to come back, `hear` for the next line: the error that ends it. */
function openClient(
  cgroup: string,
  port: number,
): { child: ChildProcess; ask(word: string): Promise<string>; hear(): Promise<string> } {
  const script = `
    require('fs').writeFileSync(${JSON.stringify(join(cgroup, 'cgroup.procs'))}, String(process.pid));
    const socket = require('net').connect(${port}, '127.0.0.2');
    process.stdin.pipe(socket).pipe(process.stdout);
    socket.on('error', (error) => console.log(error.code));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const hear = async (): Promise<string> => String((await lines.next()).value);
  return {
    child,
    hear,
    ask(word) {
      child.stdin.write(`${word}\n`);
      return hear();
    },
  };
}

function writeOther(): void {
  const decoded = decodeBundle(readFileSync(join(cwd, 'shop.weft')));
  if (!decoded.ok) throw new Error('the bundle does not decode');
  const { manifest } = decoded.bundle;
  const bundle = { ...decoded.bundle, manifest: { ...manifest, fuel: 4321 } };
  writeFileSync(join(cwd, 'other.weft'), encodeBundle(bundle));
}

let api: FakeApiServer;
test.before(async () => {
  await node.make();
  for (const n of [1, 2]) mkdirSync(join(cgroupOf(n), CONTAINER), { recursive: true });
});
test.before.each(async () => {
  api = await FakeApiServer.start();
  for (const object of [
    reviews,
    prod('ratings', '127.0.0.2', { labels: { app: 'ratings', version: 'v1' }, node: 'n2' }),
  ])
    api.put('pods', object);
  const subsets = { 'weft.dev/subsets': '{"v1":{"version":"v1"}}' };
  const ratings = service('ratings', {
    ...{ ips: ['10.96.0.20'], selector: { app: 'ratings' }, annotations: subsets },
    ports: [{ port: 80, targetPort: 9 }],
  });
  api.put('services', { ...ratings, metadata: { ...ratings.metadata, namespace: 'prod' } });
});
test.after.each(async () => {
  await api.stop();
  node.unload();
});
test.after(() => {
  const made = [1, 2]
    .filter((n) => enrolledFolder(n))
    .flatMap((n) => [join(cgroupOf(n), CONTAINER), cgroupOf(n)]);
  const above = dirname(cgroupOf(1));
  for (const path of [...made, above, dirname(above)]) rmdirSync(path);
  node.remove();
});
const gone = new Set<number>();
const enrolledFolder = (n: number): boolean => !gone.has(n);

test('pods are enrolled, judged as who they are, and a new world ends what it refuses alone', async () => {
  const met: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', (error) => met.push(String((error as NodeJS.ErrnoException).code)));
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
  const container = join(cgroupOf(1), CONTAINER);
  const running = await start(api);
  const client = openClient(container, (server.address() as AddressInfo).port);
  try {
    await running.until(() => enrolled().length === 1);
    assert.is(connectFrom(container, 9, '127.0.0.2'), 'ECONNREFUSED', 'allowed, nobody listens');
    assert.is(connectFrom(container, 9, '127.0.0.9'), 'EPERM', 'nobody is known there');
    assert.is(await client.ask('first'), 'first');
    assert.equal(await failing(), []);
    const before = await active();
    api.put('pods', late);
    await running.until(() => connectFrom(container, 9, '127.0.0.9') === 'ECONNREFUSED');
    assert.is.not(await active(), before, 'another generation knows it');
    assert.is(await client.ask('second'), 'second');
    const changed = prod('ratings', '127.0.0.2', { namespace: 'dev', node: 'n2' });
    api.delete('pods', prod('ratings', '127.0.0.2'));
    api.put('pods', changed);
    await running.until(() => connectFrom(container, 9, '127.0.0.2') === 'EPERM');
    assert.is(await client.hear(), 'ECONNABORTED', 'what is refused now is ended');
    await running.until(() => met.length === 1);
    assert.equal(met, ['ECONNRESET']);
  } finally {
    client.child.kill();
    server.close();
    assert.is(await running.stop(), 0, running.said());
  }
});

test('what the world cannot hold is told once', async () => {
  let said: string[] = [];
  const heard = (): number => said.filter((line) => line.includes('"code":"N105"')).length;
  api.put('pods', prod('twin', '127.0.0.2'));
  const running = await start(api, 'shop.weft', (text) => {
    said = text.split('\n');
  });
  await running.until(() => heard() === 1);
  const generation = await active();
  api.put('pods', late);
  await running.until(async () => (await active()) !== generation);
  assert.is(heard(), 1, said.join('\n'));
  assert.is(await running.stop(), 0);
});

test('a server that is away: said, the world stays, and another start goes by it', async () => {
  const container = join(cgroupOf(1), CONTAINER);
  const running = await start(api);
  await running.until(() => enrolled().length === 1);
  const generation = await active();
  api.setDown(true);
  api.cut();
  await running.until(async () => (await failing()).includes('world'));
  assert.is(connectFrom(container, 9, '127.0.0.2'), 'ECONNREFUSED');
  assert.is(await running.stop(), 0, running.said());
  const again = await start(api, null);
  assert.is(await active(), generation);
  assert.equal(await failing(), ['world']);
  api.put('pods', late);
  api.setDown(false);
  await again.until(async () => (await failing()).length === 0 && (await active()) !== generation);
  await again.until(() => connectFrom(container, 9, '127.0.0.9') === 'ECONNREFUSED');
  assert.is(await again.stop(), 0, again.said());
});

test('changes of the world push out no bundle: the way back leads to it, in the world of now', async () => {
  writeOther();
  const running = await start(api);
  await running.until(() => enrolled().length === 1);
  assert.is((await node.run('load', 'other.weft', '--world', 'shop/world.yaml')).exit, 0);
  // The world by hand is none of a cluster: the follower brings the bundle into that.
  await running.until(async () => (await active()) === 3);
  for (const n of [4, 5, 6]) {
    api.put('pods', prod('late', `127.0.0.${n}`, { node: 'n2' }));
    await running.until(async () => (await active()) === n);
  }
  const bundles = readState(paths).generations.map(({ bundle }) => bundle);
  assert.is(new Set(bundles).size, 2);
  assert.is(
    pinnedGenerations(paths).length,
    3,
    'the active one, the one before, and the other bundle',
  );
  const { exit, stderr } = await node.run('rollback');
  assert.is(exit, 0, stderr);
  await running.until(async () => (await active()) === 7);
  const last = readState(paths).generations.find(({ generation }) => generation === 7);
  assert.is(last?.bundle, bundles[0]);
  assert.is(connectFrom(join(cgroupOf(1), CONTAINER), 9, '127.0.0.6'), 'ECONNREFUSED');
  assert.is(await running.stop(), 0, running.said());
});

test('a pod that comes is enrolled, one that is kept out is not, and what is gone is let go', async () => {
  const running = await start(api);
  await running.until(() => enrolled().length === 1);
  const out = { 'weft.dev/enrolled': 'false' };
  api.put('pods', prod('other', '127.0.0.10', { uid: uidOf(2), labels: out }));
  const first = await active();
  await running.until(async () => (await active()) !== first);
  assert.is(enrolled().length, 1);
  api.put('pods', other);
  await running.until(() => enrolled().length === 2);
  assert.is(connectFrom(cgroupOf(2), 9, '127.0.0.2'), 'ECONNREFUSED');
  assert.is(connectFrom(cgroupOf(2), 9, '127.0.0.99'), 'EPERM');
  api.delete('pods', other);
  for (const path of [join(cgroupOf(2), CONTAINER), cgroupOf(2)]) rmdirSync(path);
  gone.add(2);
  await running.until(() => enrolled().length === 1);
  assert.equal(await failing(), []);
  assert.is(await running.stop(), 0, running.said());
});

test('either a world or a cluster, and one that is there', async () => {
  for (const args of [
    ['--world', 'x', '--kubernetes', 'y'],
    ['--kubernetes', '/nowhere'],
  ]) {
    let said = '';
    const heard = {
      stderr: (text: string) => {
        said += text;
      },
    };
    const env = agentEnv(paths, new AbortController().signal, heard);
    const exit = await runAgent([...args, '--log', 'text'], env);
    assert.is(exit, args.length === 4 ? 64 : 1, said);
  }
});

test.run();
