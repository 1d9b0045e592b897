/** Ways round the mesh that docs/ways-round.md lists: each with its outcome, and a twin that is allowed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REASON } from '../../compiler/abi/index.js';
import type { Mesh } from './fixtures/mesh.js';
import { CLIENT6, type Net, type Peer, readSysctl, SERVER4, SERVER6 } from './fixtures/net.js';
import { Pair } from './fixtures/pair.js';
import { DENIED_PORT, OPEN_PORT, SERVICE4 } from './fixtures/world.js';

const ALLOW = 1;
const DENY = 2;

const test = suite('ways round');
let pair: Pair;
let net: Net;
let mesh: Mesh;
let left: Pair['left'];
let client: Peer;
let server: Peer;
let outsider: Peer;

test.before(async () => {
  pair = await Pair.make('w');
  ({ net, mesh, left, client, server, outsider } = pair);
  mesh.activate(mesh.stage(pair.tables));
  for (const port of [OPEN_PORT, DENIED_PORT])
    await server.value(
      `l4_${port} = listen("${SERVER4}", ${port}); l6_${port} = listen("${SERVER6}", ${port}); u4_${port} = echo("${SERVER4}", ${port})`,
    );
});
test.before.each(() => {
  mesh.events();
});
test.after(async () => {
  await pair?.close();
});

const seen = () => mesh.events().map((e) => [e.hook, e.verdict, e.endpointPort]);
const refused = { error: 'EPERM' };
const dropped = { error: 'ETIMEDOUT' };
const done = { value: null };

test('raw sockets are not made', async () => {
  for (const [family, protocol] of [
    ['AF_INET', 'IPPROTO_TCP'],
    ['AF_INET', 'IPPROTO_ICMP'],
    ['AF_INET6', 'IPPROTO_ICMPV6'],
  ]) {
    const make = `r = socket.socket(socket.${family}, socket.SOCK_RAW, socket.${protocol}); r.close()`;
    assert.equal(await client.ask(make), refused);
    assert.equal(await outsider.ask(make), done);
  }
});

test('transports that no hook judges are not made', async () => {
  const make = (protocol: number, type: string) =>
    `r = socket.socket(socket.AF_INET, socket.${type}, ${protocol}); r.close()`;
  const udplite = make(136, 'SOCK_DGRAM');
  assert.equal(await client.ask(udplite), refused);
  assert.equal(await client.ask(make(17, 'SOCK_DGRAM')), done);
});

test('mptcp is said to be missing, and judged where it arrives from outside', async () => {
  assert.is(readSysctl('net/mptcp/enabled'), '1', 'this kernel has MPTCP');
  assert.equal(await client.ask('tcp(4, 262)'), { error: 'EPROTONOSUPPORT' });
  const to = (port: number) => outsider.ask(`connect(tcp(4, 262), "${SERVER4}", ${port})`);
  assert.equal(await to(DENIED_PORT), dropped);
  assert.equal(await to(OPEN_PORT), done);
});

test('tcp fast open is a connect', async () => {
  const MSG_FASTOPEN = 0x20000000;
  const TCP_FASTOPEN_CONNECT = 30;
  const send = (port: number) =>
    client.ask(`tcp().sendto(b"x", ${MSG_FASTOPEN}, ("${SERVER4}", ${port}))`);
  assert.equal(await send(DENIED_PORT), refused);
  assert.equal(await send(OPEN_PORT), { value: 1 });
  const lazy = (host: string, port: number) =>
    client.ask(
      `f = tcp(); f.setsockopt(6, ${TCP_FASTOPEN_CONNECT}, 1); f.connect(("${host}", ${port})); f.send(b"x")`,
    );
  assert.equal(await lazy(SERVER4, DENIED_PORT), refused);
  assert.equal(await lazy(SERVICE4, 80), { value: 1 });
});

test('a socket keeps its enrolment when its process leaves', async () => {
  const leaver = net.peer(net.left, left.path);
  await leaver.value('a = tcp(); b = tcp()');
  leaver.join(net.cgroup('elsewhere').path);
  assert.equal(await leaver.ask(`connect(a, "${SERVER4}", ${DENIED_PORT})`), refused);
  assert.equal(await leaver.ask(`connect(b, "${SERVER4}", ${OPEN_PORT})`), done);
  assert.equal(
    await leaver.ask(`connect(tcp(), "${SERVER4}", ${DENIED_PORT})`),
    dropped,
    'what it makes outside is judged where it arrives',
  );
});

test('a socket made before enrolment is judged where it arrives', async () => {
  const joiner = net.peer(net.left, null);
  await joiner.value('a = tcp(); b = tcp()');
  joiner.join(left.path);
  assert.equal(await joiner.ask(`connect(a, "${SERVER4}", ${DENIED_PORT})`), dropped);
  assert.equal(await joiner.ask(`connect(b, "${SERVER4}", ${OPEN_PORT})`), done);
  assert.ok(mesh.events().every((event) => event.hook === 'ingress'));
  assert.equal(await joiner.ask(`connect(tcp(), "${SERVER4}", ${DENIED_PORT})`), refused);
});

test('a socket that a child inherits is judged as its parent', async () => {
  const inherit = (port: number) => `
s = tcp()
pid = os.fork()
if pid == 0:
    try:
        connect(s, "${SERVER4}", ${port})
        os._exit(0)
    except OSError as e:
        os._exit(e.errno)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
errno.errorcode.get(status)`;
  assert.equal(await client.ask(inherit(DENIED_PORT)), { value: 'EPERM' });
  assert.equal(await client.ask(inherit(OPEN_PORT)), done);
});

test('a cgroup below an enrolled one belongs to it', async () => {
  const child = net.peer(net.left, net.cgroup('client/child').path);
  const to = (port: number) => child.ask(`connect(tcp(), "${SERVER4}", ${port})`);
  assert.equal(await to(DENIED_PORT), refused);
  assert.equal(await to(OPEN_PORT), done);
  assert.ok(mesh.events().every((event) => event.hook === 'ingress' || event.cgroup === left.id));
});

test('a cgroup that is enrolled below an enrolled one is judged for both', async () => {
  const own = net.cgroup('client/own');
  mesh.enrol(own);
  const peer = net.peer(net.left, own.path);
  assert.equal(await peer.ask(`connect(tcp(), "${SERVER4}", ${OPEN_PORT})`), refused);
  const asked = mesh.events().filter((event) => event.hook === 'connect4');
  assert.equal(
    asked.map((event) => [event.cgroup, event.verdict, event.reason]),
    [
      [own.id, DENY, REASON.unknownIdentity],
      [left.id, ALLOW, REASON.policy],
    ],
  );
});

test('an enrolled cgroup that is no workload of the generation is refused', async () => {
  const stranger = net.cgroup('stranger');
  mesh.enrol(stranger);
  const peer = net.peer(net.left, stranger.path);
  assert.equal(await peer.ask(`connect(tcp(), "${SERVER4}", ${OPEN_PORT})`), refused);
  const event = mesh.events().find((one) => one.hook === 'connect4');
  assert.is(event?.reason, REASON.unknownIdentity);
  assert.is(event?.cgroup, stranger.id);
});

test('an unspecified address is judged as written', async () => {
  assert.equal(await client.ask(`connect(tcp(), "0.0.0.0", ${DENIED_PORT})`), refused);
  assert.equal(await client.ask(`connect(tcp(), "0.0.0.0", ${OPEN_PORT})`), {
    error: 'ECONNREFUSED',
  });
});

test('IPv4 options and IPv6 extension headers hide no port', async () => {
  const IP_OPTIONS = 4;
  const IPV6_DSTOPTS = 59;
  const IPV6_HOPOPTS = 54;
  const to4 = (port: number) =>
    outsider.ask(
      `s = tcp(); s.setsockopt(0, ${IP_OPTIONS}, bytes([1] * 8)); connect(s, "${SERVER4}", ${port})`,
    );
  const PAD = 'bytes([0, 0, 1, 4, 0, 0, 0, 0])';
  const to6 = (port: number) =>
    outsider.ask(
      `s = tcp(6); s.setsockopt(41, ${IPV6_DSTOPTS}, ${PAD}); s.setsockopt(41, ${IPV6_HOPOPTS}, ${PAD}); connect(s, "${SERVER6}", ${port})`,
    );
  for (const to of [to4, to6]) {
    assert.equal(await to(DENIED_PORT), dropped);
    assert.ok(mesh.events().every((event) => event.site === DENIED_PORT % 100));
    assert.equal(await to(OPEN_PORT), done);
    assert.equal(seen(), [['ingress', ALLOW, OPEN_PORT]]);
  }
});

test('more extension headers than are read are dropped and counted', async () => {
  const parse = REASON.parse * 2 + 1;
  const before = mesh.counter('weft_reasons', parse);
  const send = (headers: number) =>
    outsider.value(`
raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw.sendto(syn6("${CLIENT6}", "${SERVER6}", ${OPEN_PORT}, ${headers}), ("${SERVER6}", 0))`);
  /** Segments that the server has sent: each SYN that reaches it is answered. */
  const answered = () =>
    server.value(
      '[l.split()[11] for l in open("/proc/thread-self/net/snmp") if l.startswith("Tcp: ") and l[5].isdigit()][0]',
    );
  const none = Number(await answered());
  await send(7);
  assert.equal(seen(), [['ingress', ALLOW, OPEN_PORT]]);
  assert.is(mesh.counter('weft_reasons', parse), before);
  const one = Number(await answered());
  assert.ok(one > none, 'the answer is counted');
  await send(8);
  assert.equal(seen(), []);
  assert.is(Number(await answered()), one, 'dropped, so not answered');
  assert.is(mesh.counter('weft_reasons', parse), before + 1n);
});

test('a datagram in fragments is judged whole', async () => {
  const send = (port: number) =>
    outsider.value(`udp().sendto(bytes(4000), ("${SERVER4}", ${port}))`);
  await send(DENIED_PORT);
  await send(OPEN_PORT);
  assert.is(await server.value(`len(u4_${OPEN_PORT}.recvfrom(9999)[0])`), 4000);
  assert.equal(seen(), [
    ['ingress', DENY, DENIED_PORT],
    ['ingress', ALLOW, OPEN_PORT],
  ]);
});

test('a packet socket is seen by no hook: what it sends is judged at the receiver', async () => {
  const ETH_P_IPV6 = 0x86dd;
  const send = (port: number) =>
    client.value(`
p = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
p.sendto(syn6("${CLIENT6}", "${SERVER6}", ${port}), ("v0", ${ETH_P_IPV6}, 0, 0, bytes.fromhex("020000007702")))`);
  await send(DENIED_PORT);
  await send(OPEN_PORT);
  assert.equal(seen(), [
    ['ingress', DENY, DENIED_PORT],
    ['ingress', ALLOW, OPEN_PORT],
  ]);
});

test('a ping socket is not judged', async () => {
  const ping = `
open("/proc/sys/net/ipv4/ping_group_range", "w").write("0 1000")
g = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
g.settimeout(0.3)
g.sendto(bytes([8, 0, 0, 0, 0, 0, 0, 1]), ("${SERVER4}", 0))
g.recvfrom(99)[0][0]`;
  assert.is(await client.value(ping), 0, 'an echo reply came');
  assert.equal(seen(), []);
});

test.run();
