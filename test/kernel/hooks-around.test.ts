/** Flows that share a socket, and packets that say to go elsewhere than the socket was judged for. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REASON } from '../../compiler/abi/index.js';
import type { Mesh } from './fixtures/mesh.js';
import { CLIENT4, type Net, type Peer, SERVER4, SERVER6 } from './fixtures/net.js';
import { Pair } from './fixtures/pair.js';
import { DENIED_PORT, OPEN_PORT } from './fixtures/world.js';

const ALLOW = 1;

const test = suite('around the hooks');
let pair: Pair;
let net: Net;
let mesh: Mesh;
let client: Peer;
let server: Peer;
let outsider: Peer;
const refused = { error: 'EPERM' };
const dropped = { error: 'ETIMEDOUT' };

test.before(async () => {
  pair = await Pair.make('a');
  ({ net, mesh, client, server, outsider } = pair);
  mesh.activate(mesh.stage(pair.tables));
  await server.value(
    `l4 = listen("${SERVER4}", ${OPEN_PORT}); l6 = listen("${SERVER6}", ${OPEN_PORT}); w = echo("0.0.0.0", ${OPEN_PORT}); d = listen("${SERVER4}", ${DENIED_PORT})`,
  );
});
test.before.each(() => {
  mesh.events();
});
test.after(async () => {
  await pair?.close();
});

test('a datagram to another address of the same socket is another flow', async () => {
  await server.value(
    `os.system("ip address add 10.77.0.3/24 dev v0"); w.setblocking(True); w.settimeout(0.3)`,
  );
  await outsider.value(`o = udp(); o.bind(("10.77.0.1", 0))`);
  for (const to of [SERVER4, '10.77.0.3', '10.77.0.3']) {
    await outsider.value(`o.sendto(b"x", ("${to}", ${OPEN_PORT}))`);
    await server.value('w.recvfrom(9)');
  }
  assert.equal(
    mesh.events().map((e) => [e.hook, e.verdict, e.destination.at(-1)]),
    [
      ['ingress', ALLOW, 2],
      ['ingress', ALLOW, 3],
    ],
  );
});

test('a flow that one of two enrolled cgroups allows is none that the other allowed', async () => {
  const own = net.cgroup('client/own');
  mesh.enrol(own); // no workload of the generation: it refuses all
  const peer = net.peer(net.left, own.path);
  await peer.value('u = udp(); u.bind(("0.0.0.0", 0))');
  for (let i = 0; i < 2; i += 1)
    assert.equal(await peer.ask(`u.sendto(b"x", ("${SERVER4}", ${OPEN_PORT}))`), refused);
  const port = await peer.value('u.getsockname()[1]');
  await server.value('t = udp()');
  for (let i = 0; i < 2; i += 1)
    assert.equal(await server.ask(`t.sendto(b"x", ("${CLIENT4}", ${port}))`), { value: 1 });
  assert.equal(await peer.ask('u.recvfrom(9)'), dropped);
  // The twin: below the enrolled cgroup alone.
  const below = net.peer(net.left, net.cgroup('client/below').path);
  assert.equal(await below.ask(`udp().sendto(b"x", ("${SERVER4}", ${OPEN_PORT}))`), { value: 1 });
});

test('an address without a family is judged', async () => {
  const send = (port: number) =>
    client.ask(`
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
s = udp()
to = struct.pack("=HH4s8x", 0, socket.htons(${port}), socket.inet_aton("${SERVER4}"))
if libc.sendto(s.fileno(), b"x", 1, 0, to, 16) < 0: raise OSError(ctypes.get_errno(), "")
None`);
  assert.equal(await send(DENIED_PORT), refused);
  assert.equal(await send(OPEN_PORT), { value: null });
});

/** Flags of what the server answers to one segment each, by the flags that were sent. */
const answers = async (flags: readonly number[], port: number): Promise<Record<string, number[]>> =>
  (await outsider.value(`
def segment(source, flags, port):
    ends = socket.inet_aton("${CLIENT4}") + socket.inet_aton("${SERVER4}")
    t = struct.pack("!HHIIBBHHH", source, port, 1, 0, 0x50, flags, 1000, 0, 0)
    total = sum(struct.unpack("!16H", ends + struct.pack("!HH", 6, len(t)) + t))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return t[:16] + struct.pack("!H", ~total & 0xffff) + t[18:]
r = socket.socket(socket.AF_INET, socket.SOCK_RAW, 6)
r.settimeout(0.3)
base = base + 256 if "base" in globals() else 20000
for flags in ${JSON.stringify(flags)}: r.sendto(segment(base + flags, flags, ${port}), ("${SERVER4}", 0))
got = {}
try:
    while True:
        p = r.recv(99)
        source, to = struct.unpack("!HH", p[20:24])
        if source == ${port} and base <= to < base + 256: got.setdefault(to - base, []).append(p[33])
except TimeoutError: pass
r.close()
got`)) as Record<string, number[]>;

test('segments with odd flags open nothing that was not judged', async () => {
  const SYN = 0x02;
  const SYN_ACK = 0x12;
  const all = Array.from({ length: 256 }, (_, flags) => flags);
  const opens = (got: Record<string, number[]>) =>
    Object.keys(got).filter((sent) => got[sent]?.some((flags) => (flags & SYN_ACK) === SYN_ACK));
  assert.equal(opens(await answers(all, DENIED_PORT)), []);
  const opened = opens(await answers(all, OPEN_PORT)).map(Number);
  assert.ok(opened.includes(SYN), 'the twin: a SYN is answered');
  assert.ok(opened.every((flags) => (flags & SYN_ACK) === SYN));
});

/** Destinations of the datagrams and segments that come to the server's link within the wait. */
const seen = (offset: number, length: number) =>
  server.value(`
found = []
try:
    while True:
        p = q.recv(999)
        if b"secret" in p: found.append(str(ipaddress.ip_address(p[${offset}:${offset + length}])))
except TimeoutError: pass
q.close(); found`);
const watch = (ethertype: number) =>
  server.value(
    `q = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(${ethertype})); q.bind(("v0", 0)); q.settimeout(0.2)`,
  );
const PARSE = REASON.parse * 2 + 1;

test('an IPv6 routing header takes a packet nowhere else', async () => {
  const option = `(41, 57, bytes([0, 2, 4, 0, 0, 0, 0, 0]) + socket.inet_pton(10, "${SERVER6}"))`;
  const send = (peer: Peer, to: string, ...options: string[]) =>
    peer.ask(
      `s = udp(6); [s.setsockopt(*o) for o in [${options}]]; s.sendto(b"secret", ("${to}", ${OPEN_PORT}))`,
    );
  const before = mesh.counter('weft_reasons', PARSE);
  await watch(0x86dd);
  assert.equal(await send(client, 'fd77::99', option), refused);
  assert.equal(await seen(24, 16), []);
  assert.is(mesh.counter('weft_reasons', PARSE), before + 1n);
  await watch(0x86dd);
  assert.equal(await send(outsider, 'fd77::99', option), { value: 6 }, 'this kernel has them');
  assert.equal(await seen(24, 16), [SERVER6]);
  await watch(0x86dd);
  const PAD = '(41, 59, bytes([0, 0, 1, 4, 0, 0, 0, 0]))';
  assert.equal(await send(client, SERVER6, PAD), { value: 6 }, 'other headers pass');
  assert.equal(await seen(24, 16), [SERVER6]);
});

test('an IPv4 source route takes a packet nowhere else', async () => {
  const send = (peer: Peer, to: string, options: string) =>
    peer.ask(
      `s = udp(); s.setsockopt(0, 4, ${options}); s.sendto(b"secret", ("${to}", ${OPEN_PORT}))`,
    );
  const AWAY = '10.77.0.99';
  for (const kind of [131, 137]) {
    const route = `bytes([1, ${kind}, 7, 4]) + socket.inet_aton("${SERVER4}")`;
    await watch(0x0800);
    assert.equal(await send(client, AWAY, route), refused);
    const perMessage = `
s = udp(); s.sendmsg([b"secret"], [(0, 7, ${route})], 0, ("${AWAY}", ${OPEN_PORT}))`;
    assert.equal(await client.ask(perMessage), refused);
    assert.equal(
      await client.ask(
        `s = tcp(); s.setsockopt(0, 4, ${route}); connect(s, "${AWAY}", ${OPEN_PORT})`,
      ),
      dropped,
    );
    assert.equal(await seen(16, 4), []);
    await watch(0x0800);
    assert.equal(await send(outsider, AWAY, route), { value: 6 }, 'this kernel has them');
    assert.equal(await seen(16, 4), [SERVER4]);
  }
  await watch(0x0800);
  assert.equal(await send(client, SERVER4, 'bytes([1] * 8)'), { value: 6 }, 'other options pass');
  assert.equal(await seen(16, 4), [SERVER4]);
});

test.run();
