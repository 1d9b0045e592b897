/** A bundle on its way from an operator to nodes and their answers back, over real gRPC with certificates. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeBundle } from '../../compiler/bundle/index.js';
import { controlWorld, testBundle, until } from '../support/control-world.js';

const test = suite('deploy over the wire');
const ALL = JSON.stringify({ stages: [{ stage: 'all', for: '0s' }] });

test('a bundle that is applied reaches a node, and its report the operator', async () => {
  const world = await controlWorld();
  try {
    const { port } = await world.control();
    const admin = await world.admin(port);
    const bundle = testBundle('a');
    const { digest, name } = await admin.putBundle(bundle, Buffer.from('{}\n'));
    const node = await world.node('node-1', { ports: [port], labels: { zone: 'a' } });
    await until('connected', () => node.link.status().connected !== null);
    await until('known', async () => (await admin.state()).nodes.length === 1);
    const document = await admin.apply({ name, digest, plan: ALL });
    assert.is(document.by, 'spiffe://test.example/operator/ann');
    await until('applied', () => node.applied.length > 0);
    const [item] = node.applied;
    assert.is(item?.digest, digest);
    assert.is(item?.mode, 'enforce');
    assert.ok(decodeBundle(item?.bundle ?? new Uint8Array()).ok, 'as it came, in a larger buffer');
    assert.equal(Buffer.from(item?.bundle ?? []), Buffer.from(bundle));
    assert.is(Buffer.from(item?.signatures ?? []).toString(), '{}\n');
    await until('told', async () => (await admin.state()).nodes[0]?.active?.digest === digest);
    const [report] = (await admin.state()).nodes;
    assert.is(report?.node, 'node-1');
    assert.equal(report?.labels, { zone: 'a' });
    assert.is(report?.control, 'one');
    assert.is(report?.refused, null);
    await until('done', async () => (await admin.state()).rollouts[0]?.state === 'done');
    assert.is(node.applied.length, 1);
    assert.equal(world.faults, []);
  } finally {
    await world.close();
  }
});

test("a refusal comes back with the verifier's words and the policy's line", async () => {
  const world = await controlWorld();
  try {
    const { port } = await world.control();
    const admin = await world.admin(port);
    const { digest, name } = await admin.putBundle(testBundle('bad'), null);
    const node = await world.node('node-1', { ports: [port] });
    node.answer = () => ({
      ...{ ok: false, code: 'KERNEL_VERIFIER', place: 'policies/isolation.ts:9' },
      message: 'R0 !read_ok',
    });
    await until('known', async () => (await admin.state()).nodes.length === 1);
    await admin.apply({ name, digest, plan: ALL });
    await until('refused', async () => (await admin.state()).nodes[0]?.refused !== null);
    const [report] = (await admin.state()).nodes;
    const { time, ...refused } = report?.refused ?? { time: 0 };
    assert.equal(refused, {
      ...{ digest, code: 'KERNEL_VERIFIER', message: 'R0 !read_ok' },
      place: 'policies/isolation.ts:9',
    });
    assert.is(report?.active, null);
    // The gate shut, and the same version is not sent again and again.
    await until('shut', async () => (await admin.state()).rollouts[0]?.state !== 'running');
    assert.is(node.applied.length, 1);
  } finally {
    await world.close();
  }
});

test('what cannot be a bundle, or a plan, is refused to the operator', async () => {
  const world = await controlWorld();
  try {
    const { port } = await world.control();
    const admin = await world.admin(port);
    const codeOf = (error: unknown): string => String(Reflect.get(Object(error), 'code'));
    const put = await admin.putBundle(Buffer.from('no bundle'), null).catch(codeOf);
    assert.match(String(put), /^B\d{3}$/);
    const { digest, name } = await admin.putBundle(testBundle('a'), null);
    const plan = '{ "stages": [] }';
    const applied = await admin.apply({ name, digest, plan }).catch((error: unknown) => error);
    assert.is(codeOf(applied), 'REFUSED');
    assert.ok(Array.isArray(Reflect.get(Object(applied), 'diagnostics')));
    const missing = `sha256:${'0'.repeat(64)}`;
    const none = await admin.apply({ name, digest: missing, plan: ALL }).catch((e: unknown) => e);
    assert.is(codeOf(none), 'REFUSED');
  } finally {
    await world.close();
  }
});

test.run();
