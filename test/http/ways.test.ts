/** Ways round the mesh with HTTP on them: sockets of other kinds, of other times, of other processes. */
import { execFileSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Order, Result } from './stage/actor.js';
import { Mesh } from './stage/mesh.js';
import { get, ok } from './stage/message.js';
import { SERVICE } from './stage/project.js';
import { FORBIDDEN } from './stage/refusal.js';
import type { Family } from './stage/row.js';
import { Stage } from './stage/stage.js';
import { HOSTS } from './stage/topology.js';

const DEADLINE = 20;
const PRIVATE = get('/private/x');
const OPEN = get('/x');

let stage: Stage | null = null;
let mesh: Mesh | null = null;

async function ask(who: 'client' | 'v1', ...orders: Order[]): Promise<readonly Result[]> {
  if (stage === null) throw new Error('the stage is not set');
  return stage.actors[who].ask(orders, DEADLINE);
}
/** As ask; every order goes as it should. */
async function must(who: 'client' | 'v1', ...orders: Order[]): Promise<Result> {
  const results = await ask(who, ...orders);
  assert.ok(
    results.every((one) => one.ok) && results.length === orders.length,
    JSON.stringify(results),
  );
  return results.at(-1) as Result;
}

const service = (family: Family): object => ({
  host: family === 4 ? SERVICE.v4 : SERVICE.v6,
  port: SERVICE.port,
});
const endpoint = (family: Family): object => ({
  host: family === 4 ? HOSTS.v1.v4 : HOSTS.v1.v6,
  port: SERVICE.target,
});
const on = (label: string, op: string, more: object = {}): Order => ({
  ...{ op, on: 'client', as: label },
  ...more,
});
const send = (label: string, bytes: string): Order => on(label, 'send', { segments: [[bytes]] });
const expect = (label: string, bytes: string): Order => on(label, 'expect', { bytes: [bytes] });
const atServer = (label: string, op: string, more: object = {}): Order => ({
  ...{ op, on: 'bound', as: label },
  ...more,
});

/** A connection that v1 took. */
async function connected(label: string, to: object, more: object = {}): Promise<void> {
  const { address, port } = await must('client', on(label, 'connect', { ...to, ...more }));
  await must('v1', atServer(label, 'arrive', { address, port }));
}
/** A request that is refused, and one that is not, on a connection that is there. */
async function judged(label: string): Promise<void> {
  await must('client', send(label, PRIVATE), expect(label, FORBIDDEN), send(label, OPEN));
  await must('v1', atServer(label, 'request', { bytes: [OPEN] }));
  await must('v1', atServer(label, 'send', { segments: [[ok('served')]] }));
  await must('client', expect(label, ok('served')));
}

const test = suite('http: ways round');
test('the stage is set, with sockets and connections from before', async () => {
  stage = new Stage();
  await stage.listen();
  const name = HOSTS.client.namespace;
  execFileSync('ip', ['netns', 'exec', name, 'sysctl', '-qw', 'net.ipv4.tcp_fastopen=3']);
  for (const family of [4, 6] as const) {
    await must('client', on(`socket${family}`, 'socket', { family }));
    await connected(`older${family}`, endpoint(family));
  }
  mesh = new Mesh();
  await mesh.start();
});

for (const family of [4, 6] as const) {
  test(`mptcp is said to be missing, IPv${family}`, async () => {
    const [made] = await ask('client', on('m', 'connect', { ...service(family), kind: 'mptcp' }));
    assert.is(made?.end, 'EPROTONOSUPPORT');
  });

  for (const [name, to] of [
    ['the service', service],
    ['the endpoint', endpoint],
  ] as const)
    test(`fast open is refused towards ${name}, IPv${family}`, async () => {
      const [made] = await ask('client', on('f', 'connect', { ...to(family), kind: 'fastopen' }));
      assert.is(made?.end, 'ENOTSUP'); // Python's name of EOPNOTSUPP;
    });

  test(`a socket from before, connected now, is judged, IPv${family}`, async () => {
    await connected(`socket${family}`, service(family));
    await judged(`socket${family}`);
  });

  test(`what a child sends on an inherited connection is judged, IPv${family}`, async () => {
    const label = `child${family}`;
    await connected(label, service(family));
    await must('client', on(label, 'child', { bytes: [PRIVATE] }), expect(label, FORBIDDEN));
    await judged(label);
  });

  test(`a connection from before goes on, judged by nobody, IPv${family}`, async () => {
    const label = `older${family}`;
    await must('client', send(label, PRIVATE));
    await must('v1', atServer(label, 'request', { bytes: [PRIVATE] }));
    await must('v1', atServer(label, 'send', { segments: [[ok('served')]] }));
    await must('client', expect(label, ok('served')));
  });
}

test.after(async () => {
  await mesh?.stop();
  await stage?.close();
});
test.run();
