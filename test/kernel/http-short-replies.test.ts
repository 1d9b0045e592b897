/**
 * Replies past TCP between two workloads of a node: the same bytes as by TCP, in TCP's order, and
 * bounded; and what servers and clients that wait in their own ways see. Each case is also played with
 * the short circuit off; where the two differ it says how, and docs/limits.md does. A FIN counts as a
 * byte that came by TCP.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type HttpNet, VIP4, VIP6 } from './fixtures/http.js';
import { openShort } from './fixtures/short.js';

const ALLOWED = [200, 'GET /a 0\n', false];
const DENIED = [403, 'RBAC: access denied', false];

for (const isShort of [false, true]) {
  const test = suite(`replies on one node, short circuit ${isShort ? 'on' : 'off'}`);
  let http: HttpNet;

  test.before(async () => {
    http = await openShort(isShort ? 'p' : 'q', isShort);
  });
  test.after(async () => {
    await http?.close();
  });
  const client = (code: string): Promise<unknown> => http.client.value(code);
  const server = (code: string): Promise<unknown> => http.server.value(code);
  const either = <T>(past: T, by: T): T => (isShort ? past : by);
  /** A connection whose ends are both in the test's hands, and a request that has arrived. */
  const asked = async (method = 'GET'): Promise<void> => {
    await client(`s = open_to("${VIP4}", 81); s.settimeout(3)`);
    await client(`s.sendall(get("/x", "${method}").encode())`);
    await server('a = accept(); end_of_head(a)');
  };

  for (const host of [VIP4, VIP6])
    test(`${host}: replies come ${either('past', 'by')} TCP, refusals between them`, async () => {
      await client(`s = open_to("${host}", 80)`);
      for (let i = 0; i < 3; i++) {
        assert.equal(await client('ask(s, get("/a"))'), ALLOWED);
        assert.equal(await client('ask(s, get("/private/x"))'), DENIED);
        assert.equal(await client('ask(s, get("/taken"))'), [202, 'taken', false]);
        await client('s.sendall(get("/a", "HEAD").encode()); end_of_head(s)');
      }
      assert.is((await client('by_tcp(s)')) === 0, isShort);
    });

  test('a reply in pieces, in chunks, after a 100, of unknown length', async () => {
    await asked();
    await server('[a.sendall(bytes([byte])) for byte in head_of(5) + b"hello"]');
    assert.equal(await client('take(s)'), [200, 'hello', false]);
    assert.equal(await client('ask(s, get("/private"))'), DENIED);
    await client('s.sendall(get("/x").encode())');
    await server(
      'end_of_head(a); a.sendall(b"HTTP/1.1 100 Continue\\r\\n\\r\\n"); a.sendall(head_of(2) + b"ok")',
    );
    assert.equal(await client('[take(s)[0], take(s)]'), [100, [200, 'ok', false]]);
    assert.equal(await client('ask(s, get("/private"))'), DENIED);
    await client('s.sendall(get("/x").encode())');
    const chunks = 'b"HTTP/1.1 200 OK\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n"';
    await server(
      `end_of_head(a); a.sendall(${chunks} + b"5\\r\\nhel"); a.sendall(b"lo\\r\\n0\\r\\n")`,
    );
    await server('a.sendall(b"\\r\\n")');
    assert.equal(await client('take(s)[0]'), 200);
    await client('exactly(s, 15 - len(ahead.pop(s, b"")))');
    assert.equal(await client('ask(s, get("/private"))'), DENIED);
    await client('s.sendall(get("/x").encode())');
    await server(
      'end_of_head(a); a.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n" + pattern(70000)); a.close()',
    );
    assert.equal(await client('got = all_of(s); body_of(got[0]) + got[1:]'), [70000, true, 'end']);
    assert.is(((await client('by_tcp(s)')) as number) < 2, isShort);
  });

  test('replies that go now this way now that arrive in order', async () => {
    await asked();
    await client('[s.sendall(get("/x").encode()) for _ in range(15)]');
    // Nothing is read at first: what finds no room past TCP waits there.
    await server(
      't, box = in_thread(lambda: [a.sendall(head_of(size) + pattern(size)) for size in [900000, 3, 70000, 400000] * 4])',
    );
    await client('until(lambda: by_tcp(s) > 0)');
    const sizes = '[900000, 3, 70000, 400000] * 4';
    assert.equal(
      await client(`[take(s)[1] == pattern(size).decode() for size in ${sizes}] == [True] * 16`),
      true,
    );
    await server('[t.join(3), [end_of_head(a) for _ in range(15)]]');
    const bytes = (await client('by_tcp(s)')) as number;
    assert.ok(bytes > 0 && bytes < 5_480_676 === isShort, `${bytes} by TCP`);
    assert.equal(await client('ask(s, get("/private"))'), DENIED);
    // From the next request on they go past TCP again.
    await client('s.sendall(get("/x").encode())');
    await server('end_of_head(a); a.sendall(head_of(100000) + pattern(100000))');
    assert.equal(await client('take(s)[1] == pattern(100000).decode()'), true);
    assert.is((await client('by_tcp(s)')) === bytes, isShort);
  });

  test('a client that does not read stops the server, and loses nothing', async () => {
    await asked();
    await server('a.sendall(head_of(1 << 30))');
    const sent = (await server('fill(a)')) as number;
    assert.ok(sent < 1 << 25, `${sent} taken`);
    await client('end_of_head(s)');
    await client(`got = exactly(s, ${sent})`);
    assert.equal(await client(`got == (pattern(1 << 20) * 33)[:${sent}]`), true);
    await server('a.setblocking(False)');
    assert.equal(await server('len(select.select([], [a], [], 3)[1])'), 1, 'it may go on');
  });

  test('a reply that begins as one before, but ends later, is waited for', async () => {
    for (const begins of ['head_of(10) + b"hello"', 'head_of(15) + b"helloworld"']) {
      await asked();
      for (let i = 0; i < 3; i++) {
        await server('a.sendall(head_of(10) + b"helloworld")');
        assert.equal(await client('take(s)[1]'), 'helloworld');
        await client('s.sendall(get("/x").encode())');
        await server('end_of_head(a)');
      }
      await server(`a.sendall(${begins})`);
      await client('end_of_head(s)');
      assert.equal(await client('exactly(s, 5).decode()'), 'hello');
      // No agent runs here, which could keep the order.
      assert.equal(await http.client.ask('s.sendall(get("/private").encode())'), {
        error: 'EACCES',
      });
    }
  });

  test('a server that stays behind with small replies is stopped too', async () => {
    await asked();
    await server('a.sendall(head_of(1 << 30))');
    await client('end_of_head(s)');
    const sent = (await server('fill(a, piece=4000)')) as number;
    assert.ok(sent > 4000 && sent < 1 << 25, `${sent} taken`);
    await client(`got = exactly(s, ${sent})`);
    assert.equal(await client(`got == (pattern(1 << 20) * 33)[:${sent}]`), true);
  });

  test('small pieces do not overtake what went by TCP between them', async () => {
    await asked();
    await server('a.sendall(head_of(3600))');
    await client('end_of_head(s)');
    for (let i = 0; i < 9; i++) {
      await server('a.sendall(b"1" * 100)');
      await client('s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 150)');
      await server('a.sendall(b"2" * 100)');
      await client('s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)');
      await server('[a.sendall(b"3" * 100), a.sendall(b"4" * 100)]');
      assert.equal(
        await client('exactly(s, 400) == b"".join(b"%d" % i * 100 for i in range(1, 5))'),
        true,
      );
    }
    assert.ok(((await client('by_tcp(s)')) as number) >= 900);
  });

  test('a close, a half close and a lingering one come after the reply', async () => {
    for (const end of [
      'a.close()',
      'a.shutdown(socket.SHUT_WR)',
      'a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 2)); a.close()',
    ])
      for (const size of [1, 5000, 300_000]) {
        await asked();
        await server(`a.sendall(head_of(${size}) + pattern(${size})); ${end}`);
        assert.equal(await client('got = all_of(s); body_of(got[0]) + got[1:]'), [
          size,
          true,
          'end',
        ]);
      }
    await asked();
    await client('s.shutdown(socket.SHUT_WR)');
    assert.equal(await server('a.recv(1).decode()'), '');
    await server('a.sendall(head_of(5) + b"later"); a.close()');
    assert.equal(await client('[take(s)[1], s.recv(1).decode()]'), ['later', '']);
  });

  test('a server that may not send any more is told', async () => {
    await asked();
    await server('a.shutdown(socket.SHUT_WR)');
    assert.equal(await http.server.ask('a.sendall(head_of(1))'), { error: 'EPIPE' });
  });

  test('a reset comes after the reply, and is seen', async () => {
    await asked();
    const linger = 'a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))';
    await server(`a.sendall(head_of(5000) + pattern(5000)); ${linger}; a.close()`);
    assert.equal(await client('ready(s)'), 1);
    assert.equal(await client('got = all_of(s); body_of(got[0]) + got[1:]'), [
      5000,
      true,
      'ECONNRESET',
    ]);
    // The other way: a client that closes with an unread reply says so, where it came by TCP.
    await asked();
    await server('a.sendall(head_of(5000) + pattern(5000))');
    await client('[ready(s), s.close()]');
    assert.equal(
      await http.server.ask('a.recv(1).decode()'),
      either({ value: '' }, { error: 'ECONNRESET' }),
    );
  });

  test('MSG_PEEK, MSG_WAITALL, FIONREAD and SO_RCVLOWAT of the client', async () => {
    await asked();
    await server('a.sendall(head_of(10)); a.sendall(b"hello")');
    await client('end_of_head(s)');
    assert.equal(await client('[ready(s), s.recv(9, socket.MSG_PEEK).decode(), unread(s)]'), [
      1,
      'hello',
      either(5, 0),
    ]);
    await client('s.settimeout(None)');
    await client(
      't, box = in_thread(lambda: s.recv(10, socket.MSG_WAITALL).decode()); t.join(0.2)',
    );
    await server('a.sendall(b"world")');
    await client('t.join(1)');
    assert.equal(await client('box'), either(['hello'], ['helloworld']));
    await asked();
    await client('s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 200)');
    await server('a.sendall(head_of(300))');
    assert.equal(await client('ready(s, 0.1)'), 0, 'less than asked for');
    await server('a.sendall(b"x" * 300)');
    assert.equal(await client('[ready(s), by_tcp(s) > 300]'), [1, true]);
  });

  test('epoll, edge-triggered, tells of each piece; level-triggered rests when all is read', async () => {
    await asked();
    await client(
      'e = select.epoll(); e.register(s, select.EPOLLIN | select.EPOLLET); s.setblocking(False)',
    );
    await server('a.sendall(head_of(30))');
    assert.equal(await client('[len(e.poll(3)), len(s.recv(999)) > 0, len(e.poll(0.05))]'), [
      1,
      true,
      0,
    ]);
    for (const piece of ['0123456789', 'abcdefghij']) {
      await server(`a.sendall(b"${piece}")`);
      assert.equal(await client('[len(e.poll(3)), s.recv(4).decode(), len(e.poll(0.05))]'), [
        1,
        piece.slice(0, 4),
        0,
      ]);
      assert.equal(await client('s.recv(99).decode()'), piece.slice(4));
    }
    for (const [end, socket] of [
      [client, 's'],
      [server, 'a'],
    ] as const)
      assert.equal(await end(`ready(${socket}, 0.05)`), 0, 'nothing to read');
    await server('a.sendall(b"0123456789")');
    assert.equal(await client('[ready(s), s.recv(99).decode(), ready(s, 0.05)]'), [
      1,
      '0123456789',
      0,
    ]);
    await client('s.sendall(get("/x").encode())');
    assert.equal(await server('[ready(a), len(a.recv(999)) > 0, ready(a, 0.05)]'), [1, true, 0]);
  });

  test('ends that block in recv wait for what comes, and io_uring too', async () => {
    await asked();
    await client('s.settimeout(None)');
    for (const receive of ['s.recv(99).decode()', 'ring_receive(s, 99)']) {
      await client(`t, box = in_thread(lambda: ${receive}); t.join(0.1)`);
      await server('text = head_of(2) + b"ok"; a.sendall(text)');
      await client('t.join(3)');
      assert.equal(await client('box'), [await server('text.decode()')], receive);
      const wait = receive.replace('(s,', '(a,').replace('s.', 'a.').replace('99', '999');
      await server(`a.settimeout(None); t, box = in_thread(lambda: ${wait}); t.join(0.1)`);
      await client('text = get("/y"); s.sendall(text.encode())');
      await server('t.join(3)');
      assert.equal(await server('box'), [await client('text')], wait);
    }
    assert.is((await client('by_tcp(s)')) === 0, isShort);
  });

  test('sendfile and splice send replies whole', async () => {
    await server('f = os.memfd_create("f"); os.write(f, pattern(1000000)); os.lseek(f, 0, 0)');
    for (const send of [
      '[os.sendfile(a.fileno(), f, at, 50000) for at in range(0, 1000000, 50000)]',
      'p = os.pipe(); [(os.splice(f, p[1], 50000, offset_src=at), os.splice(p[0], a.fileno(), 50000)) for at in range(0, 1000000, 50000)]',
    ]) {
      await asked();
      await client('t, box = in_thread(lambda: all_of(s))');
      await server(`a.settimeout(None); a.sendall(head_of(1000000)); ${send}; a.close()`);
      await client('t.join(5)');
      assert.equal(await client('body_of(box[0][0]) + box[0][1:]'), [1_000_000, true, 'end'], send);
      assert.is(((await client('by_tcp(s)')) as number) < 2, isShort);
    }
  });

  test('MSG_ZEROCOPY stays on TCP, which tells when its memory is free', async () => {
    await asked();
    await server('a.setsockopt(socket.SOL_SOCKET, 60, 1)');
    await server('a.sendall(head_of(100000))');
    await client('end_of_head(s)');
    await client('t, box = in_thread(lambda: exactly(s, 100000) == pattern(100000))');
    // What TCP has not sent yet it reads from there.
    await server('z = pattern(100000); a.settimeout(None); n = a.send(z, 0x4000000)');
    await server('a.sendall(z[n:])');
    await client('t.join(3)');
    assert.equal(await client('box'), [true]);
    await server('p = select.poll(); p.register(a, 0)');
    assert.equal(await server('len(p.poll(3000))'), 1, 'the error queue has a notice');
    assert.ok((await client('by_tcp(s)')) as number);
  });

  test("splice from the client's socket", async () => {
    await asked();
    await server('a.sendall(head_of(5)); a.sendall(b"hello")');
    await client('end_of_head(s)');
    await client('p = os.pipe(); [ready(s), s.setblocking(False)]');
    const spliced = await http.client.ask('os.splice(s.fileno(), p[1], 99)');
    assert.equal(spliced, either({ error: 'EAGAIN' }, { value: 5 }));
  });

  test.run();
}
