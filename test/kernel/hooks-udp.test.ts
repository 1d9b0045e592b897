/** UDP through the real hooks: connected and not, names, answers, flows that hold for a generation. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REASON } from '../../compiler/abi/index.js';
import type { Mesh, Tables } from './fixtures/mesh.js';
import { address, type Peer, SERVER4, SERVER6 } from './fixtures/net.js';
import { Pair } from './fixtures/pair.js';
import { DENIED_PORT, OPEN_PORT, SERVICE4, SERVICE6 } from './fixtures/world.js';

const ALLOW = 1;
const DENY = 2;

const test = suite('udp hooks');
let pair: Pair;
let mesh: Mesh;
let tables: Tables;
let client: Peer;
let server: Peer;
let outsider: Peer;

test.before(async () => {
  pair = await Pair.make('u');
  ({ mesh, tables, client, server, outsider } = pair);
  mesh.activate(mesh.stage(tables));
  await server.value(
    `e4 = echo("${SERVER4}", ${OPEN_PORT}); e6 = echo("${SERVER6}", ${OPEN_PORT}); no = echo("${SERVER4}", ${DENIED_PORT})`,
  );
});
test.before.each(() => {
  mesh.events();
});
test.after(async () => {
  await pair?.close();
});

const seen = () => mesh.events().map((e) => [e.hook, e.verdict, e.destinationPort, e.endpointPort]);

for (const [family, service] of [
  [4, SERVICE4],
  [6, SERVICE6],
] as const) {
  const twice = [
    [`sendmsg${family}`, ALLOW, 80, OPEN_PORT],
    ['ingress', ALLOW, OPEN_PORT, OPEN_PORT],
  ];

  test(`ipv${family}: unconnected: judged once, answered under the service's name`, async () => {
    await client.value(`u = udp(${family})`);
    for (const text of ['one', 'two']) {
      await client.value(`u.sendto(b"${text}", ("${service}", 80))`);
      const came = await server.value(`answer(e${family})`);
      assert.is(Array.isArray(came) && came[0], text);
      assert.equal(await client.value('d, a = u.recvfrom(99); [d.decode(), *a[:2]]'), [
        `re:${text}`,
        service,
        80,
      ]);
    }
    assert.equal(seen(), twice, 'two datagrams each way, one verdict at each end');
  });

  test(`ipv${family}: sendmsg and recvmsg see the same names`, async () => {
    await client.value(`u = udp(${family}); u.sendmsg([b"x"], [], 0, ("${service}", 80))`);
    await server.value(`answer(e${family})`);
    assert.equal(await client.value('u.recvmsg(99)[3][:2]'), [service, 80]);
    assert.equal(seen(), twice);
  });

  test(`ipv${family}: connected: send, recv, recvfrom, getpeername`, async () => {
    await client.value(`c = udp(${family}); c.connect(("${service}", 80)); c.send(b"x")`);
    await server.value(`answer(e${family})`);
    assert.equal(await client.value('d, a = c.recvfrom(99); [d.decode(), *a[:2]]'), [
      're:x',
      service,
      80,
    ]);
    assert.equal(await client.value('c.getpeername()[:2]'), [service, 80]);
    assert.equal(seen(), [[`connect${family}`, ALLOW, 80, OPEN_PORT], twice[1]]);
  });

  test(`ipv${family}: refused at send, at connect, and for want of an endpoint`, async () => {
    for (const [port, reason] of [
      [81, REASON.policy],
      [82, REASON.noEndpoint],
    ] as const) {
      const to = `("${service}", ${port})`;
      assert.equal(await client.ask(`udp(${family}).sendto(b"x", ${to})`), { error: 'EPERM' });
      assert.equal(await client.ask(`udp(${family}).connect(${to})`), { error: 'EPERM' });
      assert.equal(
        mesh.events().map((e) => [e.hook, e.verdict, e.reason]),
        [
          [`sendmsg${family}`, DENY, reason],
          [`connect${family}`, DENY, reason],
        ],
      );
    }
  });
}

test('a connected socket may also send elsewhere, and is judged for it', async () => {
  await client.value(`c = udp(); c.connect(("${SERVICE4}", 80))`);
  assert.equal(await client.ask(`c.sendto(b"x", ("${SERVICE4}", 81))`), { error: 'EPERM' });
  assert.equal(await client.ask(`c.sendto(b"x", ("${SERVICE4}", 80))`), { value: 1 });
  await server.value('answer(e4)');
});

test('an IPv4-mapped destination is judged as IPv4', async () => {
  const send = (port: number) =>
    client.ask(`m = udp(6); m.sendto(b"x", ("::ffff:${SERVICE4}", ${port}))`);
  assert.equal(await send(81), { error: 'EPERM' });
  assert.equal(await send(80), { value: 1 });
  await server.value('answer(e4)');
  assert.equal(await client.value('m.recvfrom(99)[1][:2]'), [`::ffff:${SERVICE4}`, 80]);
  const events = mesh.events();
  assert.ok(events.every((event) => event.family === 4));
  assert.equal(events[1]?.endpoint, address(SERVER4));
});

test('a datagram from outside is judged where it arrives, each time while it is refused', async () => {
  await outsider.value(
    `o = udp(); o.sendto(b"a", ("${SERVER4}", ${DENIED_PORT})); o.sendto(b"b", ("${SERVER4}", ${DENIED_PORT}))`,
  );
  assert.equal(await server.ask('no.setblocking(False); no.recvfrom(9)'), { error: 'EAGAIN' });
  const denied = ['ingress', DENY, DENIED_PORT, DENIED_PORT];
  assert.equal(seen(), [denied, denied]);
  await outsider.value(`o.sendto(b"a", ("${SERVER4}", ${OPEN_PORT}))`);
  await server.value('answer(e4)');
  assert.equal(
    await outsider.value('o.recvfrom(99)[0].decode()'),
    're:a',
    'the answer is no new flow',
  );
  assert.equal(seen(), [['ingress', ALLOW, OPEN_PORT, OPEN_PORT]]);
});

test('a server that starts a flow of its own is judged', async () => {
  await client.value(`i = echo("10.77.0.1", ${DENIED_PORT})`);
  assert.equal(await server.ask(`udp().sendto(b"x", ("10.77.0.1", ${DENIED_PORT}))`), {
    error: 'EPERM',
  });
  // The twin: the same socket and destination, as an answer to a flow that was admitted.
  await client.value(`i.sendto(b"ask", ("${SERVER4}", ${OPEN_PORT}))`);
  assert.equal(await server.value('answer(e4)'), ['ask', '10.77.0.1', DENIED_PORT]);
  assert.is(await client.value('i.recvfrom(99)[0].decode()'), 're:ask');
});

test('a new generation judges open flows again', async () => {
  await client.value(`g = udp(); g.sendto(b"x", ("${SERVICE4}", 80))`);
  await server.value('answer(e4)');
  mesh.events();
  mesh.activate(mesh.stage(tables));
  await client.value(`g.sendto(b"y", ("${SERVICE4}", 80))`);
  await server.value('answer(e4)');
  assert.equal(
    mesh.events().map((e) => [e.hook, e.verdict, e.generation]),
    [
      ['sendmsg4', ALLOW, 2],
      ['ingress', ALLOW, 2],
    ],
  );
});

test('an answer that comes after a change of generation is asked for as its arrival', async () => {
  await client.value(`i.sendto(b"ask", ("${SERVER4}", ${OPEN_PORT}))`);
  await server.value('d, p = e4.recvfrom(9)');
  mesh.activate(mesh.stage(tables));
  mesh.events();
  await server.value('e4.sendto(b"re", p)');
  assert.is(await client.value('i.recvfrom(9)[0].decode()'), 're');
  const [event, ...rest] = mesh.events();
  assert.equal(
    [event?.hook, event?.verdict, event?.destinationPort, event?.sourcePort, rest.length],
    ['sendmsg4', ALLOW, OPEN_PORT, DENIED_PORT, 0],
  );
  assert.equal(event?.source, address('10.77.0.1'));
});

test.run();
