/** Bodies of requests that go elsewhere than their connection: whole, behind their heads, and what stands behind them. */
import * as assert from 'uvu/assert';
import { EDGE, edgeBodies } from './fixtures/edge-sender.js';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';

const on = exchangeSuite('http exchanges: bodies', 'y');
const { test } = on;

test('bodies go where their heads went: by length and in chunks, blocking and not', async () => {
  await on.open();
  const post = (more: string): string => `get("/p", "POST", "x-canary: 1\\r\\n${more}\\r\\n")`;
  const body = 'bytes(i % 251 for i in range(1000000))';
  const want = await on.net.client(`sum(${body}) % 65536`);
  const reply = [200, `v2 POST /p 1000000 ${want}\n`, false];
  const head = post('content-length: 1000000').replaceAll('\\r\\n\\r\\n")', '\\r\\n")');
  assert.equal(await on.net.client(`ask(s, ${head}.encode() + ${body})`), reply);
  assert.equal(await on.net.client(`ask(s, ${head}, ${body})`), reply);
  await on.net.client(`b = ${body}`);
  assert.equal(
    await on.net.client(`push(s, ${head}.encode() + b); s.settimeout(10); take(s)`),
    reply,
    'a sender that does not wait',
  );
  const chunks =
    'b"".join(b"%x\\r\\n" % 1000 + b[i:i+1000] + b"\\r\\n" for i in range(0, 1000000, 1000)) + b"0\\r\\n\\r\\n"';
  const chunked = post('transfer-encoding: chunked').replaceAll('\\r\\n\\r\\n")', '\\r\\n")');
  assert.equal(await on.net.client(`ask(s, ${chunked}.encode() + ${chunks})`), reply);
  assert.equal(await on.ask('/a'), text('v1', '/a'));
  await on.settles();
});

test('a body behind a head that was held back comes whole', async () => {
  const body = 'bytes(i % 251 for i in range(400000))';
  const sum = await on.net.client(`sum(${body}) % 65536`);
  const head = `get("/p", "POST", "x-canary: 1\\r\\ncontent-length: 400000\\r\\n").encode()`;
  const reply = [200, `v2 POST /p 400000 ${sum}\n`, false];
  for (let again = 0; again < 3; again++) {
    // Connections that nothing was sent on: their send buffers have not grown yet.
    await on.net.stopAgent();
    await on.net.startAgent();
    await on.open();
    await on.ask('/warm', true);
    await on.settles();
    await on.net.client(`h = ${head}; s.sendall(h[:30])`);
    const push = `push(s, h[30:] + ${body}); s.settimeout(10); take(s)`;
    assert.equal(await on.net.client(push), reply);
  }
  await on.settles();
});

test('after an upstream that was reset in the middle of a body, the next body comes whole', async () => {
  const body = 'bytes(i % 251 for i in range(400000))';
  const sum = await on.net.client(`sum(${body}) % 65536`);
  const post = (path: string): string =>
    `get("${path}", "POST", "x-canary: 1\\r\\ncontent-length: 400000\\r\\n").encode()`;
  const send = (path: string): string =>
    `push(s, ${post(path)} + ${body}); s.settimeout(10); take(s)`;
  for (let again = 0; again < 3; again++) {
    await on.open();
    await on.ask('/warm', true);
    await on.settles();
    await on.net.client(`s.sendall(${post('/abort')} + b"x" * 1000)`);
    assert.equal(await on.net.client('take(s)'), [503, '', false]);
    await on.net.client('s.sendall(b"x" * 399000)');
    assert.equal(await on.ask('/warm', true), text('v2', '/warm'));
    await on.settles();
    assert.equal(await on.net.client(send('/p')), [200, `v2 POST /p 400000 ${sum}\n`, false]);
    assert.equal(await on.ask('/a'), text('v1', '/a'));
  }
  await on.settles();
});

test('what stands behind a body in one send goes its own way', async () => {
  await on.open();
  await on.ask('/warm', true);
  const post = `get("/p", "POST", "x-canary: 1\\r\\ncontent-length: 9000\\r\\n").encode() + b"x" * 9000`;
  const sum = (9000 * 'x'.charCodeAt(0)) % 65536;
  const next = `get("/n").encode() + get("/m", ${CANARY}).encode()`;
  for (const held of [0, 10]) {
    await on.settles();
    await on.net.client(`d = ${post} + ${next}; n = len(d) - ${held}; s.sendall(d[:5000])`);
    await on.net.client('s.sendall(d[5000:n])');
    const rest = held > 0 ? 's.sendall(d[n:]); ' : '';
    assert.equal(await on.net.client(`${rest}takes(s, 3)`), [
      `v2 POST /p 9000 ${sum}\n`,
      'v1 GET /n 0 0\n',
      'v2 GET /m 0 0\n',
    ]);
  }
  assert.equal(await on.ask('/a'), text('v1', '/a'));
  await on.settles();
});

test('an answer before the body is asked for, or read', async () => {
  await on.open();
  await on.ask('/warm', true);
  const expecting = `get("/e", "POST", "x-canary: 1\\r\\nexpect: 100-continue\\r\\ncontent-length: 5\\r\\n")`;
  assert.is(
    await on.net.client(`s.sendall(${expecting}.encode()); s.recv(999).decode()`),
    'HTTP/1.1 100 Continue\r\n\r\n',
  );
  const sum = [...'hello'].reduce((all, c) => all + c.charCodeAt(0), 0);
  assert.equal(await on.net.client('ask(s, "hello")'), [200, `v2 POST /e 5 ${sum}\n`, false]);
  const early = `get("/early", "POST", "x-canary: 1\\r\\ncontent-length: 3\\r\\n")`;
  assert.equal(await on.net.client(`ask(s, ${early})`), [200, 'v2', false]);
  await on.net.client('s.sendall(b"abc")');
  assert.equal(await on.ask('/a', true), text('v2', '/a'));
  await on.settles();
});

test('an urgent byte of a request that is lent a connection does not leave', async () => {
  const before = on.net.http.denied('requests');
  const post = `get("/urgent", "POST", "x-canary: 1\\r\\ncontent-length: 3\\r\\n")`;
  for (const [flag, answer] of [
    ['0', { value: 'HTTP/1.1 200 OK' }],
    ['socket.MSG_OOB', { error: 'ETIMEDOUT' }],
  ] as const) {
    await on.open();
    await on.ask('/warm', true);
    await on.settles();
    await on.net.client(`s.sendall(${post}.encode()); [s.send(b"x", ${flag}) for _ in range(3)]`);
    const first = 's.settimeout(0.5); s.recv(999).decode().split("\\r\\n")[0]';
    assert.equal(await on.net.http.client.ask(first), answer);
    await on.net.client('s.close()');
  }
  assert.ok(on.net.http.denied('requests') > before);
  await on.settles();
  await on.open();
  assert.equal(await on.ask('/a', true), text('v2', '/a'));
});

test('urgent bytes of a request in the hands of the agent are bytes as others', async () => {
  await on.open();
  const post = `get("/slow", "POST", "content-length: 6\\r\\n")`;
  for (const flag of ['0', 'socket.MSG_OOB']) {
    await on.net.client(`s.sendall(${post}.encode()); [s.send(b"xyz", ${flag}) for _ in range(2)]`);
    const sum = 2 * [...'xyz'].reduce((all, c) => all + c.charCodeAt(0), 0);
    assert.equal(await on.net.client('take(s)'), [200, `v1 POST /slow 6 ${sum}\n`, false]);
    assert.equal(await on.ask('/old/x'), text('v2', '/new/x'));
    await on.settles();
  }
});

test('a client that goes with an urgent byte on its way leaves its door free', async () => {
  for (const flag of ['0', 'socket.MSG_OOB']) {
    await on.open();
    const post = `get("/slow", "POST", "content-length: 6\\r\\n")`;
    await on.net.client(`s.sendall(${post}.encode()); s.send(b"x", ${flag}); s.close()`);
    await on.settles();
  }
});

test('a server that answers first gets the rest of the body, and then the next request', async () => {
  await on.open();
  await on.ask('/warm', true);
  await on.settles();
  const early = `get("/early", "POST", "x-canary: 1\\r\\ncontent-length: 300000\\r\\n")`;
  for (let again = 0; again < 3; again++) {
    await on.net.server.value('gates["rest"] = threading.Event(); state["late"] = 0');
    assert.equal(await on.net.client(`ask(s, ${early})`), [200, 'v2', false]);
    assert.is(on.pools().leases, 1);
    await on.net.server.value('gates["rest"].set()');
    await on.net.client('s.sendall(b"b" * 300000)');
    assert.equal(await on.ask('/a', true), text('v2', '/a'));
    await on.settles();
    assert.is(await on.net.server.value('state["late"]'), 300000);
  }
});

test('a sender that waits for edges is woken, by whatever way its body goes', async () => {
  await on.net.client(EDGE);
  for (const { path, tag, head, size } of edgeBodies()) {
    await on.open();
    await on.ask('/warm', true);
    await on.settles();
    assert.is(await on.net.client(`edge(s, ${head} + bytes(${size}), 10)`), 'sent', path);
    assert.equal(await on.net.client('take(s)'), [200, `${tag} POST ${path} ${size} 0\n`, false]);
  }
  await on.settles();
});

test.run();
