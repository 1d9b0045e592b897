/** The verbs of rollouts over real gRPC, with two control planes and nodes without a kernel; and the page of the same. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openAdmin } from '../../runtime/control/client/index.js';
import { REAL_CLOCK } from '../../runtime/control/wire/index.js';
import type { PageState } from '../../runtime/status-page/index.js';
import { type Transcript, weft } from '../cli/harness.js';
import {
  type ControlWorld,
  controlWorld,
  type FakeNode,
  testBundle,
  until,
} from '../support/control-world.js';

const PAGE = fileURLToPath(new URL('../../../dist/status-page', import.meta.url));

const test = suite('rollout over the wire');
let world: ControlWorld;
test.before.each(async () => {
  world = await controlWorld();
});
test.after.each(() => world.close());

/** A command of an operator. */
async function run(ports: readonly number[], args: readonly string[]): Promise<Transcript> {
  const { ca, cert, key } = await world.authority.issue('operator', 'ann');
  const control = ports.map((port) => `127.0.0.1:${port}`).join(',');
  const place = ['--control', control, '--ca', ca, '--cert', cert, '--key', key];
  return weft([...args, ...place], { cwd: world.folder, openAdmin: async (at) => openAdmin(at) });
}
function write(name: string, variant: string): void {
  writeFileSync(join(world.folder, name), testBundle(variant));
}
async function fourNodes(ports: readonly number[]): Promise<FakeNode[]> {
  const nodes = [1, 2, 3, 4].map((n) =>
    world.node(`node-${n}`, { ports, labels: { zone: n === 1 ? 'a' : 'b' } }),
  );
  return Promise.all(nodes);
}
/** Until every control plane's nodes are in the store. */
async function known(count: number): Promise<void> {
  await until(
    'nodes report',
    async () => (await world.store.list('nodes/')).entries.length === count,
  );
}
const runs = (node: FakeNode): string | undefined =>
  node.running().find((r) => r.mode === 'enforce')?.digest;
const STAGES = ['--shadow', '100ms', '--canary', 'zone=a', '--hold', '100ms'];

test('deploy in stages, a second one that a node refuses, rollback, status', async () => {
  const [one, two] = [await world.control('one'), await world.control('two')];
  const ports = [one.port, two.port];
  const nodes = await fourNodes(ports);
  await known(4);
  write('a.weft', 'a');
  const done = await run(ports, ['deploy', 'a.weft', ...STAGES]);
  assert.is(done.exit, 0, done.stderr + done.stdout);
  assert.match(done.stdout, ': done');
  const digests = new Set(nodes.map(runs));
  assert.is(digests.size, 1);
  const [first] = digests;
  // Each was in shadow before it ran it, and the canary ran it before the others.
  for (const { applied } of nodes)
    assert.equal(
      applied.map((i) => i.mode),
      ['shadow', 'enforce'],
    );

  // Another, that the canary does not take: nobody else is told of it, and it goes back by itself.
  write('b.weft', 'b');
  const [canary, ...others] = nodes as [FakeNode, ...FakeNode[]];
  canary.answer = ({ mode, digest }) =>
    mode === 'shadow' || digest === first
      ? { ok: true, generation: 7 }
      : { ok: false, code: 'K007', message: 'too many instructions', place: 'a.ts:7' };
  const refused = await run(ports, ['deploy', 'b.weft', ...STAGES]);
  assert.is(refused.exit, 5, refused.stderr + refused.stdout);
  assert.match(refused.stdout, ': undone: refused by node-1: K007 too many instructions');
  assert.equal(new Set(nodes.map(runs)), new Set([first]));
  for (const { applied } of others)
    assert.is(applied.filter((i) => i.digest !== first && i.mode === 'enforce').length, 0);

  // Taken by all, and led back by hand.
  canary.answer = () => ({ ok: true, generation: 8 });
  write('c.weft', 'c');
  assert.is((await run(ports, ['deploy', 'c.weft', '--hold', '100ms'])).exit, 0);
  assert.not.equal(new Set(nodes.map(runs)), new Set([first]));
  const back = await run(ports, ['rollback']);
  assert.is(back.exit, 0, back.stderr);
  assert.match(back.stdout, ': undone: undone by spiffe://test.example/operator/ann');
  assert.equal(new Set(nodes.map(runs)), new Set([first]));
  const status = await run(ports, ['status', '-o', 'json']);
  assert.is(status.exit, 0, status.stdout);
  assert.is(JSON.parse(status.stdout).nodes.length, 4);
  const history = await run(ports, ['rollout', 'history', '-o', 'json']);
  assert.equal(
    JSON.parse(history.stdout).rollouts.map((r: { number: number; state: string }) => r.state),
    ['undone', 'undone', 'done'],
  );
});

test('a control plane that ends in the middle is followed by the other', async () => {
  const [one, two] = [await world.control('one'), await world.control('two')];
  const ports = [one.port, two.port];
  const nodes = await fourNodes(ports);
  await known(4);
  write('a.weft', 'a');
  const begun = await run(ports, [
    'deploy',
    'a.weft',
    '--canary',
    'zone=a',
    '--hold',
    '300ms',
    '--detach',
  ]);
  assert.is(begun.exit, 0, begun.stderr);
  const leader = await world.store.get('leader');
  const { name } = JSON.parse(new TextDecoder().decode(leader?.value));
  await (name === 'one' ? one : two).close();
  await until('the other goes on', () => nodes.every((n) => runs(n) !== undefined));
  const left = name === 'one' ? two.port : one.port;
  await until('it is done', async () => {
    const { stdout } = await run([left], ['rollout', 'status', '-o', 'json']);
    return JSON.parse(stdout).rollouts[0].state === 'done';
  });
});

test('the page of a control plane shows what it knows', async () => {
  const control = await world.control('one', REAL_CLOCK, { page: { folder: PAGE, port: 0 } });
  await fourNodes([control.port]);
  await known(4);
  write('a.weft', 'a');
  assert.is((await run([control.port], ['deploy', 'a.weft', '--hold', '100ms'])).exit, 0);
  const state = (await (
    await fetch(new URL('state.json', control.page ?? ''))
  ).json()) as PageState;
  assert.equal(state.counts, { nodes: 4, silent: 0, wrong: 0 });
  assert.equal(
    state.rollouts.map((r) => [r.number, r.state]),
    [[1, 'done']],
  );
  const events = await fetch(new URL('events', control.page ?? ''));
  assert.is(events.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  await events.body?.cancel();
});

test.run();
