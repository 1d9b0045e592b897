/** TCP through the real hooks: each refusal has a twin that differs in one thing and passes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REASON } from '../../compiler/abi/index.js';
import { encodeU32, sumCounter } from '../../runtime/agent/layout.js';
import type { Mesh } from './fixtures/mesh.js';
import { address, CLIENT4, type Peer, SERVER4, SERVER6 } from './fixtures/net.js';
import { Pair } from './fixtures/pair.js';
import { CLIENT, DENIED_PORT, OPEN_PORT, SERVER, SERVICE4, SERVICE6 } from './fixtures/world.js';

const ALLOW = 1;
const DENY = 2;
const ALLOWED_SITE = 7;
const TCP = 6;

const test = suite('tcp hooks');
let pair: Pair;
let mesh: Mesh;
let generation: ReturnType<Mesh['stage']>;
let client: Peer;
let server: Peer;
let outsider: Peer;

test.before(async () => {
  pair = await Pair.make('t');
  ({ mesh, client, server, outsider } = pair);
  generation = mesh.stage(pair.tables);
  mesh.activate(generation);
  for (const port of [OPEN_PORT, DENIED_PORT])
    await server.value(
      `l4_${port} = listen("${SERVER4}", ${port}); l6_${port} = listen("${SERVER6}", ${port})`,
    );
});
test.before.each(() => {
  mesh.events();
});
test.after(async () => {
  await pair?.close();
});

/** [hook, verdict, port as asked, endpoint's port] of each event since the last look. */
const seen = () => mesh.events().map((e) => [e.hook, e.verdict, e.destinationPort, e.endpointPort]);

for (const [family, host] of [
  [4, SERVER4],
  [6, SERVER6],
] as const) {
  test(`ipv${family}: a denied connect gets EPERM, its twin connects`, async () => {
    const to = (port: number) => client.ask(`connect(tcp(${family}), "${host}", ${port})`);
    assert.equal(await to(DENIED_PORT), { error: 'EPERM' });
    assert.equal(await to(OPEN_PORT), { value: null });
    assert.equal(seen(), [
      [`connect${family}`, DENY, DENIED_PORT, DENIED_PORT],
      [`connect${family}`, ALLOW, OPEN_PORT, OPEN_PORT],
      ['ingress', ALLOW, OPEN_PORT, OPEN_PORT],
    ]);
  });

  test(`ipv${family}: a client outside the mesh is judged where it arrives`, async () => {
    const to = (port: number) => outsider.ask(`connect(tcp(${family}), "${host}", ${port})`);
    assert.equal(await to(DENIED_PORT), { error: 'ETIMEDOUT' });
    const dropped = mesh.events();
    assert.ok(dropped.length >= 1, 'the SYN was judged');
    for (const event of dropped) {
      assert.is(event.hook, 'ingress');
      assert.is(event.verdict, DENY);
      assert.is(event.site, DENIED_PORT % 100);
    }
    assert.equal(await to(OPEN_PORT), { value: null });
    assert.equal(seen(), [['ingress', ALLOW, OPEN_PORT, OPEN_PORT]]);
  });
}

for (const [family, service, host] of [
  [4, SERVICE4, SERVER4],
  [6, SERVICE6, SERVER6],
] as const) {
  test(`ipv${family}: a service is reached at its endpoint and seen under its name`, async () => {
    await client.value(`s = tcp(${family}); connect(s, "${service}", 80)`);
    assert.equal(await client.value('s.getpeername()[:2]'), [service, 80]);
    const accepted = `a, p = l${family}_${OPEN_PORT}.accept(); a.send(b"hello"); a.getsockname()[:2]`;
    // Connections of earlier cases wait in the queue too: take them all.
    assert.equal(await server.value(accepted), [host, OPEN_PORT]);
    assert.equal(seen(), [
      [`connect${family}`, ALLOW, 80, OPEN_PORT],
      ['ingress', ALLOW, OPEN_PORT, OPEN_PORT],
    ]);
  });

  test(`ipv${family}: the endpoint's verdict holds for the service, and no endpoint is a refusal`, async () => {
    const to = (port: number) => client.ask(`connect(tcp(${family}), "${service}", ${port})`);
    assert.equal(await to(81), { error: 'EPERM' });
    assert.equal(await to(82), { error: 'EPERM' });
    const reasons = mesh.events().map((e) => [e.reason, e.destinationPort, e.service]);
    assert.equal(reasons, [
      [REASON.policy, 81, 1],
      [REASON.noEndpoint, 82, 2],
    ]);
  });
}

test('an event says who, where to, why, and with which draws', async () => {
  await client.value(`connect(tcp(), "${SERVICE4}", 80)`);
  const [asked, arrived] = mesh.events();
  assert.ok(asked && arrived);
  assert.equal(
    {
      source: asked.source,
      destination: asked.destination,
      endpoint: asked.endpoint,
      workloads: [asked.sourceWorkload, asked.destinationWorkload],
      numbers: [asked.generation, asked.site, asked.policy, asked.service, asked.cluster],
      protocol: [asked.protocol, asked.family],
      masks: [asked.audited, asked.shadowAllow, asked.shadowDeny],
    },
    {
      source: address(CLIENT4),
      destination: address(SERVICE4),
      endpoint: address(SERVER4),
      workloads: [CLIENT, SERVER],
      numbers: [1, ALLOWED_SITE, 0, 0, 0],
      protocol: [TCP, 4],
      masks: [2n, 4n, 8n],
    },
  );
  assert.equal([arrived.sourceWorkload, arrived.destinationWorkload], [CLIENT, SERVER]);
  assert.ok(asked.time <= arrived.time);
  assert.ok(asked.cookie !== 0n && asked.cookie !== arrived.cookie);
  assert.ok(asked.cgroup !== arrived.cgroup);
  assert.is(arrived.sourcePort > 0, true);
});

test('an IPv4-mapped address is judged and rewritten as IPv4', async () => {
  const to = (host: string, port: number) =>
    client.ask(`m = tcp(6); connect(m, "::ffff:${host}", ${port})`);
  assert.equal(await to(SERVER4, DENIED_PORT), { error: 'EPERM' });
  assert.equal(await to(SERVICE4, 80), { value: null });
  assert.equal(await client.value('m.getpeername()[:2]'), [`::ffff:${SERVICE4}`, 80]);
  const events = mesh.events();
  assert.equal(
    events.map((e) => [e.hook, e.family, e.verdict]),
    [
      ['connect6', 4, DENY],
      ['connect6', 4, ALLOW],
      ['ingress', 4, ALLOW],
    ],
  );
  assert.equal(events[1]?.endpoint, address(SERVER4));
});

test('verdicts are counted by site and by reason', async () => {
  const count = () => [
    sumCounter(
      generation.object.map('weft_sites').lookup(encodeU32(ALLOWED_SITE)) ?? new Uint8Array(),
    ),
    sumCounter(
      generation.object.map('weft_sites').lookup(encodeU32(DENIED_PORT % 100)) ?? new Uint8Array(),
    ),
    mesh.counter('weft_reasons', REASON.policy * 2),
    mesh.counter('weft_reasons', REASON.policy * 2 + 1),
  ];
  const before = count();
  await client.ask(`connect(tcp(), "${SERVER4}", ${DENIED_PORT})`);
  await client.value(`connect(tcp(), "${SERVER4}", ${OPEN_PORT})`);
  assert.equal(
    count().map((value, index) => value - (before[index] ?? 0n)),
    [2n, 1n, 2n, 1n],
  );
});

test('loopback is judged like any address', async () => {
  await client.value(
    `lo = listen("127.0.0.1", ${DENIED_PORT}); ok = listen("127.0.0.1", ${OPEN_PORT})`,
  );
  const to = (port: number) => client.ask(`connect(tcp(), "127.0.0.1", ${port})`);
  assert.equal(await to(DENIED_PORT), { error: 'EPERM' });
  assert.equal(await to(OPEN_PORT), { value: null });
  assert.equal(
    seen().map(([hook, verdict]) => [hook, verdict]),
    [
      ['connect4', DENY],
      ['connect4', ALLOW],
      ['ingress', ALLOW],
    ],
  );
});

test('a bound device is no way out', async () => {
  const to = (port: number) =>
    client.ask(
      `d = tcp(); d.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"v0"); connect(d, "${SERVER4}", ${port})`,
    );
  assert.equal(await to(DENIED_PORT), { error: 'EPERM' });
  assert.equal(await to(OPEN_PORT), { value: null });
});

test.run();
