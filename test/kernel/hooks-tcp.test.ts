/** TCP through the real hooks: each refusal has a twin that differs in one thing and passes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REASON } from '../../compiler/abi/index.js';
import { Mesh } from './fixtures/mesh.js';
import { Net, type Peer, SERVER4, SERVER6 } from './fixtures/net.js';
import { DENIED_PORT, OPEN_PORT, world } from './fixtures/world.js';

const test = suite('tcp hooks');
let net: Net;
let mesh: Mesh;
let client: Peer;
let server: Peer;
let outsider: Peer;

test.before(async () => {
  net = new Net('t');
  mesh = new Mesh();
  const [left, right] = [net.cgroup('client'), net.cgroup('server')];
  mesh.enrol(left);
  mesh.enrol(right);
  mesh.activate(mesh.stage(world(left.id, right.id)));
  client = net.peer(net.left, left.path);
  server = net.peer(net.right, right.path);
  outsider = net.peer(net.left, null);
  for (const port of [OPEN_PORT, DENIED_PORT])
    await server.value(
      `a${port} = listen("0.0.0.0", ${port}); b${port} = listen("::", ${port}) if 0 else None`,
    );
  mesh.events();
});
test.after(async () => {
  mesh?.close();
  await net?.close();
});

test('a denied connect gets EPERM, its twin connects', async () => {
  assert.equal(await client.ask(`connect(tcp(), "${SERVER4}", ${DENIED_PORT})`), {
    error: 'EPERM',
  });
  assert.equal(await client.ask(`connect(tcp(), "${SERVER4}", ${OPEN_PORT})`), { value: null });
  const seen = mesh.events().map((e) => [e.hook, e.verdict, e.site, e.reason, e.destinationPort]);
  assert.equal(seen, [
    ['connect4', 2, DENIED_PORT % 100, REASON.policy, DENIED_PORT],
    ['connect4', 1, 7, REASON.policy, OPEN_PORT],
    ['ingress', 1, 7, REASON.policy, OPEN_PORT],
  ]);
});

test.run();
