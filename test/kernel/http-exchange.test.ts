/** Requests that go elsewhere than their connection: each to its cluster, in order, by pooled connections and by the agent. */
import * as assert from 'uvu/assert';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';
import { VIP4, VIP6 } from './fixtures/http.js';
import { CLIENT4, CLIENT6 } from './fixtures/net.js';

const on = exchangeSuite('http exchanges', 'x');
const { test } = on;

for (const [family, host, from] of [
  ['IPv4', VIP4, CLIENT4],
  ['IPv6', VIP6, CLIENT6],
] as const)
  test(`${family}: each request goes to its cluster, from the client's address`, async () => {
    await on.open(host);
    for (let n = 0; n < 10; n++) {
      assert.equal(await on.ask(`/a${n}`), text('v1', `/a${n}`));
      assert.equal(await on.ask(`/b${n}`, true), text('v2', `/b${n}`));
      assert.equal(await on.ask(`/c${n}`, true), text('v2', `/c${n}`));
    }
    const peers = await on.net.server.value('sorted(map(list, state["peers"]))');
    assert.equal(peers, [
      ['v1', from],
      ['v2', from],
    ]);
  });

test('a pool grows by what it lacked, and then the kernel goes on alone', async () => {
  await on.open();
  await on.ask('/x', true);
  await on.settles();
  const before = on.pools();
  assert.ok(before.size > 0);
  for (let n = 0; n < 20; n++) assert.equal(await on.ask('/y', true), text('v2', '/y'));
  await on.settles();
  assert.equal(on.pools(), before);
});

test('long replies, in chunks, to HEAD, and the last of a connection', async () => {
  await on.open();
  const rounds: readonly [string, string][] = [
    ['ask(s, get("/size/2000000", more="x-canary: 1\\r\\n"))[1] == "v2" * 1000000', 'large'],
    [
      's.sendall(get("/chunked/2000", more="x-canary: 1\\r\\n").encode()); chunks(s) == ["v2 GET /chunked/2000 0 0\\n"] * 2000',
      'chunked',
    ],
    [
      's.sendall(get("/h", "HEAD", "x-canary: 1\\r\\n").encode()); head_of(s)[0] == "HTTP/1.1 200 OK"',
      'to HEAD',
    ],
    [
      'ask(s, get("/last", more="x-canary: 1\\r\\n")) == [200, "v2 GET /last 0 0\\n", True]',
      'last',
    ],
  ];
  await on.net.client(`
def one_line(s):
    text = b""
    while not text.endswith(b"\\r\\n"): text += s.recv(1)
    return text[:-2].decode()
def head_of(s):
    lines = []
    while not lines or lines[-1]: lines.append(one_line(s))
    return lines
def exactly(s, n):
    text = b""
    while len(text) < n: text += s.recv(n - len(text))
    return text
def chunks(s):
    head_of(s); found = []
    while True:
        n = int(one_line(s), 16); data = exactly(s, n + 2)[:-2].decode()
        if n == 0: return found
        found.append(data)
`);
  for (let again = 0; again < 2; again++) {
    for (const [code, what] of rounds) assert.is(await on.net.client(code), true, what);
    assert.equal(await on.ask('/a'), text('v1', '/a'));
  }
  await on.settles();
});

test('requests in one send keep their order, wherever they go', async () => {
  await on.open();
  const paths = ['/1', '/2!', '/3', '/private', '/5!', '/6!', '/7'];
  const sent = paths
    .map((path) => `get("${path.replace('!', '')}"${path.endsWith('!') ? `, ${CANARY}` : ''})`)
    .join(' + ');
  for (let again = 0; again < 5; again++) {
    const replies = await on.net.client(`s.sendall((${sent}).encode()); takes(s, ${paths.length})`);
    assert.equal(replies, [
      'v1 GET /1 0 0\n',
      'v2 GET /2 0 0\n',
      'v1 GET /3 0 0\n',
      'RBAC: access denied',
      'v2 GET /5 0 0\n',
      'v2 GET /6 0 0\n',
      'v1 GET /7 0 0\n',
    ]);
    assert.equal(await on.ask('/a', true), text('v2', '/a'));
  }
  await on.settles();
});

test('a client that reads nothing yet: its next requests are served all the same', async () => {
  await on.open();
  const paths = ['/1', '/2!', '/3', '/4!', '/5!', '/private', '/7'];
  const sent = paths
    .map((path) => `get("${path.replace('!', '')}"${path.endsWith('!') ? `, ${CANARY}` : ''})`)
    .join(' + ');
  await on.net.client(`s.sendall((${sent}).encode()); 1`);
  const want = ['v1 GET /1', 'v2 GET /2', 'v1 GET /3', 'v2 GET /4', 'v2 GET /5', 'v1 GET /7'];
  assert.equal(await on.seenAll(want), want);
  assert.equal(await on.net.client(`[text.split(" ")[0] for text in takes(s, ${paths.length})]`), [
    'v1',
    'v2',
    'v1',
    'v2',
    'v2',
    'RBAC:',
    'v1',
  ]);
  await on.settles();
});

test('a request is not sent on before the one before it is answered', async () => {
  await on.open();
  await on.net.server.value('gates["n"] = threading.Event()');
  await on.net.client(`s.sendall((get("/wait/n") + get("/then", ${CANARY})).encode()); 1`);
  assert.equal(await on.seenAll(['v1 GET /wait/n']), ['v1 GET /wait/n']);
  await on.net.client(`t = open_to("${VIP4}", 80); t.settimeout(10)`);
  assert.equal(await on.net.client('ask(t, get("/slow"))'), text('v1', '/slow'));
  assert.equal(await on.net.server.value('seen'), ['v1 GET /wait/n', 'v1 GET /slow']);
  await on.net.server.value('gates["n"].set()');
  assert.equal(await on.net.client('[text.split(" ")[0] for text in takes(s, 2)]'), ['v1', 'v2']);
  await on.settles();
});

test('a route that edits is taken by the agent', async () => {
  await on.open();
  assert.equal(await on.ask('/old/x'), text('v2', '/new/x'));
  assert.is(await on.net.server.value('"x-edited: yes" in heads[-1]'), true);
  assert.equal(await on.ask('/slow'), text('v1', '/slow'));
  assert.equal(await on.ask('/a'), text('v1', '/a'));
  await on.settles();
});

test('an upgrade goes to its cluster, whole', async () => {
  await on.open();
  const upgrade = `get("/upgrade", more="x-canary: 1\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n")`;
  assert.is(
    await on.net.client(`s.sendall(${upgrade}.encode()); s.recv(999).decode().split("\\r\\n")[0]`),
    'HTTP/1.1 101 Switching Protocols',
  );
  for (const word of ['ping', 'GET / HTTP/1.1'])
    assert.is(await on.net.client(`s.sendall(b"${word}"); s.recv(999).decode()`), `v2${word}`);
  await on.net.client('s.close()');
  await on.settles();
});

test('a request after one whose connection the agent has used since then is seen as one', async () => {
  await on.net.stopAgent();
  await on.net.startAgent(); // so there is one pooled connection
  await on.open();
  await on.ask('/warm', true);
  await on.settles();
  const post = `get("/p", "POST", "x-canary: 1\\r\\ncontent-length: 5000\\r\\n").encode() + b"x" * 5000`;
  const sum = (5000 * 'x'.charCodeAt(0)) % 65536;
  assert.equal(await on.net.client(`ask(s, ${post})`), [200, `v2 POST /p 5000 ${sum}\n`, false]);
  await on.net.client(`t = open_to("${VIP4}", 80); t.settimeout(10)`);
  assert.equal(await on.net.client('ask(t, get("/old/x"))'), text('v2', '/new/x'));
  await on.settles();
  assert.is(on.pools().size, 1);
  assert.equal(await on.ask('/a'), text('v1', '/a'));
  assert.equal(await on.ask('/b', true), text('v2', '/b'));
  await on.settles();
});

test.run();
