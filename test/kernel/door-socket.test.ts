/**
 * Sockets in other network namespaces, and the end of other people's connections. After every step,
 * also a failed one, this thread is in its own namespace and no descriptor is left.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type NetworkNamespace,
  openKernel,
  type SocketId,
  type SocketName,
} from '../../runtime/kernel/index.js';
import { address, CLIENT4, CLIENT6, Net, SERVER4, SERVER6 } from './fixtures/net.js';
import { compileC } from './support.js';

const kernel = openKernel();
const test = suite('kernel door: sockets');
const OWN = readlinkSync('/proc/thread-self/ns/net');
const PORT = 8080;

const SERVER = `
import socket
s = socket.socket(socket.AF_INET6); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('::', ${PORT})); s.listen(16); s.settimeout(10)`;
const ACCEPT = `c = s.accept(); c[0].settimeout(10); c[1][0].replace('::ffff:', '')`;

const held = (): number => readdirSync('/proc/self/fd').length;
const isHome = (): void => assert.is(readlinkSync('/proc/thread-self/ns/net'), OWN);
const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;
const outcome = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.once('connect', () => resolve('connect'));
    socket.once('error', (error) => resolve(codeOf(error) ?? error.message));
  });
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve()).destroy();
  });

async function withNet(
  name: string,
  body: (net: Net, left: NetworkNamespace) => Promise<void>,
): Promise<void> {
  const net = new Net(name);
  try {
    using left = kernel.openNamespace(`/run/netns/${net.left}`);
    await body(net, left);
  } finally {
    await net.close();
  }
}

for (const [family, from, to] of [
  ['IPv4', CLIENT4, SERVER4],
  ['IPv6', CLIENT6, SERVER6],
] as const)
  test(`${family}: the server sees the address inside the namespace, and its bytes arrive`, () =>
    withNet('a', async (net, left) => {
      const server = net.peer(net.right, null);
      await server.value(SERVER);
      const before = held();
      const { socket, fd, cookie } = kernel.openStream(
        left,
        { address: address(from), port: 0 },
        { address: address(to), port: PORT },
      );
      isHome();
      assert.is(await outcome(socket), 'connect');
      assert.is(kernel.socketCookie(fd), cookie);
      assert.is(await server.value(ACCEPT), from);
      assert.is(kernel.sendNow(fd, Buffer.from('hello')), 5);
      assert.is(await server.value(`c[0].recv(5).decode()`), 'hello');
      await server.value(`c[0].sendall(b'world')`);
      const reply = await new Promise((resolve) => socket.once('data', (d) => resolve(String(d))));
      assert.is(reply, 'world');
      await closed(socket);
      assert.is(held(), before);
    }));

test('refused, an address of somebody else, and nobody who answers: an error each, nothing left', () =>
  withNet('b', async (_net, left) => {
    const before = held();
    const to = { address: address(SERVER4), port: PORT };
    const refused = kernel.openStream(left, { address: address(CLIENT4), port: 0 }, to);
    assert.is(await outcome(refused.socket), 'ECONNREFUSED');
    await closed(refused.socket);
    for (let again = 0; again < 3; again++)
      assert.throws(
        () => kernel.openStream(left, { address: address('10.9.9.9'), port: 0 }, to),
        (error: unknown) => codeOf(error) === 'KERNEL_EADDRNOTAVAIL',
      );
    isHome();
    // Nobody has this address, so the SYN stays unanswered for seconds; the caller gives up.
    const silent = kernel.openStream(
      left,
      { address: address(CLIENT4), port: 0 },
      { address: address('10.77.0.99'), port: PORT },
    );
    await closed(silent.socket);
    assert.is(held(), before);
  }));

test('a full peer takes no more, and a closed one is an error', () =>
  withNet('c', async (net, left) => {
    const server = net.peer(net.right, null);
    await server.value(SERVER);
    const { socket, fd } = kernel.openStream(
      left,
      { address: address(CLIENT4), port: 0 },
      { address: address(SERVER4), port: PORT },
    );
    assert.is(await outcome(socket), 'connect');
    await server.value(ACCEPT);
    const bytes = new Uint8Array(1 << 20);
    let sent = 0;
    for (let n = 1; n > 0; sent += n) n = kernel.sendNow(fd, bytes);
    assert.ok(sent > 0);
    const gone = outcome(socket);
    await server.value(
      `c[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\\1\\0\\0\\0\\0\\0\\0\\0'); c[0].close()`,
    );
    assert.is(await gone, 'ECONNRESET');
    assert.throws(
      () => kernel.sendNow(fd, bytes),
      (error: unknown) => codeOf(error)?.startsWith('KERNEL_E') === true,
    );
    await closed(socket);
  }));

test('the namespace of a cgroup is that of its processes, also of those further down', () =>
  withNet('d', async (net, left) => {
    const outer = net.cgroup('pod');
    const inner = net.cgroup('pod/container');
    const nobody = (error: unknown): boolean => codeOf(error) === 'KERNEL_NO_PROCESS';
    assert.throws(() => kernel.namespaceOfCgroup(outer.path, null), nobody);
    assert.throws(() => kernel.namespaceOfCgroup(`${outer.path}/nowhere`, null), nobody);
    const peer = net.peer(net.left, null);
    await peer.value('1'); // it is in its namespace once it answers
    peer.join(inner.path);
    const before = held();
    for (const inode of [null, left.inode]) {
      using found = kernel.namespaceOfCgroup(outer.path, inode);
      assert.is(found.inode, left.inode);
    }
    assert.throws(() => kernel.namespaceOfCgroup(outer.path, left.inode + 1n), nobody);
    assert.is(held(), before);
  }));

test('no namespace at a path, a file that is none, and a closed handle', () => {
  const before = held();
  assert.throws(
    () => kernel.openNamespace('/proc/0/ns/net'),
    (error: unknown) => codeOf(error) === 'KERNEL_ENOENT',
  );
  const to = { address: address(SERVER4), port: PORT };
  const from = { address: address(CLIENT4), port: 0 };
  const file = kernel.openNamespace('/proc/self/cmdline');
  assert.throws(
    () => kernel.openStream(file, from, to),
    (error: unknown) => codeOf(error) === 'KERNEL_EINVAL',
  );
  file[Symbol.dispose]();
  assert.throws(
    () => kernel.openStream(file, from, to),
    (error: unknown) => codeOf(error) === 'KERNEL_CLOSED',
  );
  isHome();
  assert.is(held(), before);
});

test('a connection is ended by its addresses and cookie, and no other', () =>
  withNet('e', async (net, left) => {
    const [client, server] = [net.peer(net.left, null), net.peer(net.right, null)];
    await server.value(SERVER);
    const [port, cookie] = (await client.value(
      `
import socket, struct
c = socket.create_connection(('${SERVER4}', ${PORT})); c.settimeout(10)
[c.getsockname()[1], struct.unpack('Q', c.getsockopt(1, 57, 8))[0]]`,
    )) as [number, number];
    const name: SocketName = {
      local: { address: address(CLIENT4), port },
      remote: { address: address(SERVER4), port: PORT },
      cookie: BigInt(cookie),
    };
    const before = held();
    assert.is(kernel.destroySocket(left, { ...name, cookie: name.cookie + 1n }), false);
    using right = kernel.openNamespace(`/run/netns/${net.right}`);
    assert.is(kernel.destroySocket(right, name), false);
    // Among others that are not there, also again.
    const others = { ...name, cookie: name.cookie + 1n };
    assert.is(kernel.destroySockets(left, [others, name, name]), 1);
    assert.is(kernel.destroySockets(left, []), 0);
    isHome();
    assert.is((await client.ask('c.recv(1)')).error, 'ECONNABORTED');
    assert.is(kernel.destroySocket(left, name), false);
    right[Symbol.dispose]();
    assert.is(held(), before);
  }));

test("a connection is shut down behind what has come, by its owner's cgroup and its numbers", () =>
  withNet('f', async (net) => {
    const [own, other] = [net.cgroup('own'), net.cgroup('other')];
    const [client, server] = [net.peer(net.left, own.path), net.peer(net.right, null)];
    await server.value(SERVER);
    const [inode, cookie] = (await client.value(
      `
import os, socket, struct
c = socket.create_connection(('${SERVER4}', ${PORT})); c.settimeout(10)
[os.fstat(c.fileno()).st_ino, struct.unpack('Q', c.getsockopt(1, 57, 8))[0]]`,
    )) as [number, number];
    await server.value('c = s.accept(); c[0].settimeout(10); c[0].sendall(b"last words")');
    await client.value('c.recv(10, socket.MSG_PEEK | socket.MSG_WAITALL).decode()');
    const id: SocketId = { inode: BigInt(inode), cookie: BigInt(cookie) };
    const before = held();
    assert.is(kernel.shutSocket(other.path, id), false);
    assert.is(kernel.shutSocket(own.path, { ...id, cookie: id.cookie + 1n }), false);
    assert.is(kernel.shutSocket(own.path, { ...id, inode: id.inode + 1n }), false);
    assert.is(await client.value('c.sendall(b"x"); 1'), 1);
    const noDelay = 'c.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)';
    for (const set of [0, 1]) {
      await client.value(`c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, ${set})`);
      assert.is(kernel.pushSocket(other.path, id), false);
      assert.is(kernel.pushSocket(own.path, id), true);
      assert.is(Math.sign(Number(await client.value(noDelay))), set);
    }
    assert.is(kernel.shutSocket(own.path, id), true);
    assert.is(held(), before);
    assert.is(
      await client.value('c.recv(100).decode() + "," + c.recv(100).decode()'),
      'last words,',
    );
    assert.is((await client.ask('c.sendall(b"x")')).error, 'EPIPE');
    assert.is(await server.value('c[0].recv(100).decode() + "," + c[0].recv(1).decode()'), 'x,');
    assert.is(await client.value('c.close(); 1'), 1);
    assert.is(kernel.shutSocket(own.path, id), false);
  }));

const MAPS = compileC(
  `
struct { __uint(type, BPF_MAP_TYPE_SOCKHASH); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } sockets SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_SK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, __u64); } notes SEC(".maps");
SEC("sk_msg") int all_to_one(struct sk_msg_md *m) { __u32 one = 1; bpf_sk_storage_get(&notes, m->sk, 0, 0); return bpf_msg_redirect_hash(m, &sockets, &one, BPF_F_INGRESS); }
SEC("tc") int no_message(struct __sk_buff *skb) { return 0; }
`,
  'sockets',
);

test('a program on a socket map redirects what its sockets send; entries go with the socket', async () => {
  using object = kernel.load({ name: 'sockets', bytes: MAPS });
  const map = object.map('sockets');
  kernel.attachMap(object.program('all_to_one'), map, 7);
  assert.throws(
    () => kernel.attachMap(object.program('no_message'), map, 7),
    (error: unknown) => codeOf(error)?.startsWith('KERNEL_E') === true,
  );
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect(port, '127.0.0.1');
  assert.is(await outcome(near), 'connect');
  const far = await accepted;
  const fdOf = (socket: Socket): number =>
    (socket as unknown as { _handle: { fd: number } })._handle.fd;
  const bytes = (value: bigint, size: number): Uint8Array => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, value, true);
    return new Uint8Array(view.buffer, 0, size);
  };
  const fd = bytes(BigInt(fdOf(near)), 8);
  map.update(bytes(1n, 4), fd);
  object.map('notes').update(bytes(BigInt(fdOf(near)), 4), bytes(77n, 8));
  assert.equal(object.map('notes').lookup(bytes(BigInt(fdOf(near)), 4)), bytes(77n, 8));
  const echo = new Promise((resolve) => near.once('data', (data) => resolve(String(data))));
  assert.is(kernel.sendNow(fdOf(near), Buffer.from('to myself')), 9);
  assert.is(await echo, 'to myself');
  await closed(near);
  await closed(far);
  for (let n = 0; n < 1000 && map.keys().length > 0; n++) await new Promise(setImmediate);
  assert.equal(map.keys(), []);
  await new Promise((resolve) => server.close(resolve));
});

test.run();
