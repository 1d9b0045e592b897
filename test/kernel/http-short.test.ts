/**
 * The short circuit between two workloads of a node: the same HTTP as by TCP, in TCP's order, and
 * bounded. Each case is also played with the short circuit off; where the two differ it says how, and
 * docs/limits.md does.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HTTP_PORT, type HttpNet, VIP4, VIP6 } from './fixtures/http.js';
import { SERVER4 } from './fixtures/net.js';
import { openShort, SHORT_POLICY } from './fixtures/short.js';

const ALLOWED = [200, 'GET /a 0\n', false];
const DENIED = [403, 'RBAC: access denied', false];

const SERVER = `
class Kept(Echo):
    def setup(self):
        super().setup()
        sockets.append(self.request)
    def do_PUT(self):
        may_read.wait(10)
        body = self.rfile.read(int(self.headers["content-length"]))
        text = hashlib.sha1(body).hexdigest().encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
sockets = []
may_read = threading.Event()
server.RequestHandlerClass = Kept
`;
const CLIENT = `
def put(size, path="/p"): return get(path, "PUT", f"content-length: {size}\\r\\n").encode()
def rounds(s, seed, count):
    """Pipelined bodies of any size, no more than 8 without a reply: how many answers are right."""
    import random
    pick, right = random.Random(seed), 0
    for _ in range(count):
        bodies = [pick.randbytes(pick.choice([1, 100, 4000, 70000, 250000])) for _ in range(pick.randint(1, 8))]
        def send():
            for body in bodies:
                if pick.random() < 0.5: s.sendall(put(len(body)) + body)
                else: s.sendall(put(len(body))), s.sendall(body)
        sender = threading.Thread(target=send)
        sender.start()
        for body in bodies: right += take(s)[1] == hashlib.sha1(body).hexdigest()
        sender.join()
    return right
`;

for (const isShort of [false, true]) {
  const test = suite(`http on one node, short circuit ${isShort ? 'on' : 'off'}`);
  let http: HttpNet;

  test.before(async () => {
    http = await openShort(isShort ? 's' : 't', isShort);
    await http.client.value(CLIENT);
    await http.server.value(SERVER);
  });
  test.after(async () => {
    await http?.close();
  });
  const received = (): Promise<unknown> => http.server.value('by_tcp(sockets[-1])');
  const client = (code: string): Promise<unknown> => http.client.value(code);
  const server = (code: string): Promise<unknown> => http.server.value(code);
  /** A connection whose ends are both in the test's hands; each case says what it asks of each. */
  const open = async (): Promise<void> => {
    await client(`s = open_to("${VIP4}", 81); s.settimeout(3)`);
    await server('a = accept()');
  };
  const either = <T>(past: T, by: T): T => (isShort ? past : by);

  for (const [what, host, port] of [
    ['a service over IPv4', VIP4, 80],
    ['a service over IPv6', VIP6, 80],
    ['its endpoint itself', SERVER4, HTTP_PORT],
  ] as const)
    test(`${what}: requests are judged, and go ${either('past', 'by')} TCP`, async () => {
      await client(`s = open_to("${host}", ${port})`);
      const taken = port === 80 ? [202, 'taken', false] : [200, 'GET /taken 0\n', false];
      for (let i = 0; i < 3; i++) {
        assert.equal(await client('ask(s, get("/a"))'), ALLOWED);
        assert.equal(await client('ask(s, get("/private/x"))'), DENIED);
        assert.equal(await client('ask(s, get("/taken"))'), taken);
        assert.equal(await client('ask(s, get("/a")[:9], get("/a")[9:])'), ALLOWED);
      }
      assert.is((await received()) === 0, isShort);
    });

  test('a reply as long as those before is framed by its own head', async () => {
    const reply = (length: number): string =>
      `b"HTTP/1.1 200 OK\\r\\ncontent-length: ${length}\\r\\n\\r\\nhello"`;
    const answer = (length: number): Promise<unknown> =>
      server(`[end_of_head(a), a.sendall(${reply(length)})][0]`);
    await open();
    for (let i = 0; i < 3; i++) {
      await client('s.sendall(get("/a").encode())');
      await answer(5);
      assert.equal(await client('take(s)'), [200, 'hello', false]);
      assert.equal(await client('ask(s, get("/private"))'), DENIED);
    }
    await client('s.sendall(get("/a").encode())');
    await answer(7);
    assert.is(await client(`s.recv(len(${reply(7)}), socket.MSG_WAITALL)[-5:].decode()`), 'hello');
    // Two bytes of that reply are still to come: nothing may be answered before them.
    assert.equal(await http.client.ask('s.sendall(get("/private").encode())'), { error: 'EACCES' });
  });

  test('a small request does not overtake one that went by TCP', async () => {
    await open();
    const reply = 'b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok"';
    for (let i = 0; i < 3; i++) {
      await client('s.sendall(get("/a").encode())');
      await server(`[end_of_head(a), a.sendall(${reply})][0]`);
      assert.equal(await client('take(s)'), [200, 'ok', false]);
    }
    await server('a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 999)');
    await client('s.sendall(get("/first").encode())');
    await server('a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)');
    await client('s.sendall(get("/second").encode())');
    const both = (await client('get("/first") + get("/second")')) as string;
    assert.is(await server(`exactly(a, ${both.length}).decode()`), both);
  });

  test('bodies that go now this way now that arrive in order', async () => {
    await client(`s = open_to("${VIP4}", 80); s.settimeout(5)`);
    await server('may_read.clear(); seen.clear()');
    // Nothing is read at first: what finds no room past TCP waits there.
    const first = 'put(900000) + pattern(900000)';
    await client(
      `t = threading.Thread(target=lambda: [s.sendall(${first}) for _ in range(4)]); t.start()`,
    );
    for (let n = 0; ((await received()) as number) === 0; n++) assert.ok(n < 20_000, 'none by TCP');
    await server('may_read.set()');
    const sum = await client('hashlib.sha1(pattern(900000)).hexdigest()');
    assert.equal(await client('[take(s)[1] for _ in range(4)]'), [sum, sum, sum, sum]);
    await client('t.join()');
    const bytes = (await received()) as number;
    assert.ok(bytes > 0 && bytes < 3_600_000 === isShort, `${bytes} by TCP`);
    const before = (await received()) as number;
    assert.equal(await client('rounds(s, 5, 30) > 60'), true);
    assert.is(((await received()) as number) - before < 5_000_000, isShort);
    assert.equal(await client('ask(s, get("/private"))'), DENIED);
  });

  test('a receiver that does not read stops the sender, and loses nothing', async () => {
    await open();
    await client('s.sendall(put(1 << 30))');
    const sent = (await client('fill(s)')) as number;
    assert.ok(sent < 1 << 25, `${sent} taken`);
    await server('end_of_head(a)');
    await server(`got = exactly(a, ${sent})`);
    assert.equal(await server(`got == (pattern(1 << 20) * 33)[:${sent}]`), true);
    await client('s.setblocking(False)');
    assert.equal(await client('len(select.select([], [s], [], 3)[1])'), 1, 'it may go on');
  });

  test('a close, a half close and a lingering one come after the data', async () => {
    for (const end of [
      's.close()',
      's.shutdown(socket.SHUT_WR)',
      's.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 2)); s.close()',
    ])
      for (const size of [1, 5000, 300_000]) {
        await open();
        await client(`s.sendall(put(${size}) + pattern(${size})); ${end}`);
        assert.equal(await server('got = all_of(a); body_of(got[0]) + got[1:]'), [
          size,
          true,
          'end',
        ]);
      }
    await open();
    await client('s.sendall(put(5000) + pattern(5000)); s.shutdown(socket.SHUT_WR)');
    await server('all_of(a); a.sendall(b"HTTP/1.1 204 No\\r\\n\\r\\n"); a.close()');
    assert.equal(await client('[take(s)[0], s.recv(1)]'), [204, "b''"]);
  });

  test('a reset comes after the data, and is seen', async () => {
    await open();
    const linger = 's.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))';
    await client(`s.sendall(put(5000) + pattern(5000)); ${linger}; s.close()`);
    assert.equal(await server('ready(a)'), 1);
    assert.equal(await server('got = all_of(a); body_of(got[0]) + got[1:]'), [
      5000,
      true,
      'ECONNRESET',
    ]);
    // The other way: a server that closes with unread data says so, where the data came by TCP.
    await open();
    await client('s.sendall(put(5000) + pattern(5000))');
    await server('[ready(a), a.close()]');
    assert.equal(
      await http.client.ask('s.recv(1)'),
      either({ value: "b''" }, { error: 'ECONNRESET' }),
    );
  });

  test('MSG_PEEK shows what comes, and MSG_WAITALL waits for it', async () => {
    await open();
    await client('s.sendall(put(10))');
    await server('end_of_head(a)');
    await client('s.sendall(b"hello")');
    assert.equal(
      await server(
        '[ready(a), a.recv(9, socket.MSG_PEEK).decode(), a.recv(9, socket.MSG_PEEK).decode()]',
      ),
      [1, 'hello', 'hello'],
    );
    const wait =
      'a.settimeout(None); box = []; t = threading.Thread(target=lambda: box.append(a.recv(10, socket.MSG_WAITALL).decode())); t.start(); t.join(0.2)';
    await server(wait);
    await client('s.sendall(b"world")');
    await server('t.join(1)');
    assert.equal(await server('box'), either(['hello'], ['helloworld']));
  });

  test('FIONREAD and SO_RCVLOWAT', async () => {
    await open();
    await client('s.sendall(put(20) + b"0123456789")');
    await server('[ready(a), end_of_head(a)]');
    assert.equal(await server('unread(a)'), 10);
    await open();
    await server('a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 200)');
    await client('s.sendall(put(300))');
    assert.equal(await server('ready(a)'), 0, 'less than asked for');
    await client('s.sendall(b"x" * 300)');
    assert.equal(await server('[ready(a), by_tcp(a) > 300]'), [1, true]);
  });

  test('epoll, edge-triggered, tells of each piece', async () => {
    await open();
    await server(
      'e = select.epoll(); e.register(a, select.EPOLLIN | select.EPOLLET); a.setblocking(False)',
    );
    await client('s.sendall(put(30))');
    assert.equal(await server('[len(e.poll(3)), len(a.recv(999)) > 0, len(e.poll(0.05))]'), [
      1,
      true,
      0,
    ]);
    for (const piece of ['0123456789', 'abcdefghij']) {
      await client(`s.sendall(b"${piece}")`);
      assert.equal(await server('[len(e.poll(3)), a.recv(4).decode(), len(e.poll(0.05))]'), [
        1,
        piece.slice(0, 4),
        0,
      ]);
      assert.equal(await server('a.recv(99).decode()'), piece.slice(4));
    }
  });

  test('sendfile, MSG_ZEROCOPY and splice send bodies whole', async () => {
    await client('f = os.memfd_create("f"); os.write(f, pattern(1000000)); os.lseek(f, 0, 0)');
    for (const send of [
      '[os.sendfile(s.fileno(), f, at, 50000) for at in range(0, 1000000, 50000)]',
      's.setsockopt(socket.SOL_SOCKET, 60, 1); [s.send(pattern(1000000)[at:at + 50000], 0x4000000) for at in range(0, 1000000, 50000)]',
      'p = os.pipe(); [(os.splice(f, p[1], 50000, offset_src=at), os.splice(p[0], s.fileno(), 50000)) for at in range(0, 1000000, 50000)]',
    ]) {
      await open();
      await server(
        'box = []; t = threading.Thread(target=lambda: box.append(all_of(a))); t.start()',
      );
      await client(`s.settimeout(None); s.sendall(put(1000000)); ${send}; s.close()`);
      await server('t.join(5)');
      assert.equal(await server('body_of(box[0][0]) + box[0][1:]'), [1_000_000, true, 'end'], send);
    }
  });

  test('splice from a socket', async () => {
    await open();
    await client('s.sendall(put(5))');
    await server('end_of_head(a)');
    await client('s.sendall(b"hello")');
    await server('p = os.pipe(); [ready(a), a.setblocking(False)]');
    const spliced = await http.server.ask('os.splice(a.fileno(), p[1], 99)');
    assert.equal(spliced, either({ error: 'EAGAIN' }, { value: 5 }));
  });

  test.run();
}

const apart = suite('http on one node, what stays on TCP');
let http: HttpNet;
apart.before(async () => {
  http = await openShort('u', true, { servers: false });
  await http.client.value(CLIENT);
  await http.server.value(SERVER);
});
apart.after(async () => {
  await http?.close();
});
const byTcp = (): Promise<unknown> => http.server.value('by_tcp(sockets[-1])');

apart('a server that is not enrolled', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  assert.equal(await http.client.value('[ask(s, get("/a")), ask(s, get("/a"))]'), [
    ALLOWED,
    ALLOWED,
  ]);
  assert.is(await byTcp(), (await http.client.value('2 * len(get("/a"))')) as number);
  assert.equal(await http.client.value('ask(s, get("/private"))'), DENIED);
});

apart('a connection of two enrolled ends, from when a load no longer asks for it', async () => {
  http.enrolServer();
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
  assert.is(await byTcp(), 0, 'past TCP first');
  await http.load({ 'http.ts': SHORT_POLICY }, http.world(), false);
  assert.equal(await http.client.value('[ask(s, get("/a")), ask(s, get("/private"))]'), [
    ALLOWED,
    DENIED,
  ]);
  assert.is(await byTcp(), (await http.client.value('len(get("/a"))')) as number);
  await http.load({ 'http.ts': SHORT_POLICY }, http.world(), true);
  assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
  assert.is(await byTcp(), (await http.client.value('len(get("/a"))')) as number, 'and again');
});

apart.run();
