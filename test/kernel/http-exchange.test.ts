/** Requests that go elsewhere than their connection: by pooled connections and by the agent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ExchangeNet, POLICY } from './fixtures/exchange.js';
import { VIP4, VIP6 } from './fixtures/http.js';
import { CLIENT4, CLIENT6 } from './fixtures/net.js';

const test = suite('http exchanges');
let net: ExchangeNet;

test.before(async () => {
  net = await ExchangeNet.open('x');
});
test.after(async () => {
  await net?.close();
});
test.before.each(async () => {
  await net.server.value('seen.clear(); heads.clear(); state["peers"].clear()');
});
test.after.each(() => {
  assert.equal(net.faults.splice(0).map(String), []);
});

const CANARY = 'more="x-canary: 1\\r\\n"';
const open = (host = VIP4): Promise<unknown> =>
  net.client(`s = open_to("${host}", 80); s.settimeout(10)`);
const ask = (path: string, canary = false): Promise<unknown> =>
  net.client(`ask(s, get("${path}"${canary ? `, ${CANARY}` : ''}))`);
const text = (tag: string, path: string): unknown => [200, `${tag} GET ${path} 0 0\n`, false];

for (const [family, host, from] of [
  ['IPv4', VIP4, CLIENT4],
  ['IPv6', VIP6, CLIENT6],
] as const)
  test(`${family}: each request goes to its cluster, from the client's address`, async () => {
    await open(host);
    for (let n = 0; n < 10; n++) {
      assert.equal(await ask(`/a${n}`), text('v1', `/a${n}`));
      assert.equal(await ask(`/b${n}`, true), text('v2', `/b${n}`));
      assert.equal(await ask(`/c${n}`, true), text('v2', `/c${n}`));
    }
    const peers = await net.server.value('sorted(map(list, state["peers"]))');
    assert.equal(peers, [
      ['v1', from],
      ['v2', from],
    ]);
  });

/** Idle connections and misses of all pools. */
const pools = (): { size: number; idle: number; leases: number } => {
  const { exchanges } = net.status();
  return {
    size: exchanges.pools.reduce((all, pool) => all + pool.size, 0),
    idle: exchanges.pools.reduce((all, pool) => all + pool.idle, 0),
    leases: exchanges.leases,
  };
};
async function settles(): Promise<void> {
  for (let n = 0; n < 5000; n++) {
    const { size, idle, leases } = pools();
    if (size === idle && leases === 0 && net.status().exchanges.doors === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.unreachable(JSON.stringify(net.status().exchanges, (_, v) => String(v)));
}

test('a pool grows by what it lacked, and then the kernel goes on alone', async () => {
  await open();
  await ask('/x', true);
  await settles();
  const before = pools();
  assert.ok(before.size > 0);
  for (let n = 0; n < 20; n++) assert.equal(await ask('/y', true), text('v2', '/y'));
  await settles();
  assert.equal(pools(), before);
});

test('bodies go where their heads went: by length and in chunks, blocking and not', async () => {
  await open();
  const post = (more: string): string => `get("/p", "POST", "x-canary: 1\\r\\n${more}\\r\\n")`;
  const body = 'bytes(i % 251 for i in range(1000000))';
  const want = await net.client(`sum(${body}) % 65536`);
  const reply = [200, `v2 POST /p 1000000 ${want}\n`, false];
  const head = post('content-length: 1000000').replaceAll('\\r\\n\\r\\n")', '\\r\\n")');
  assert.equal(await net.client(`ask(s, ${head}.encode() + ${body})`), reply);
  assert.equal(await net.client(`ask(s, ${head}, ${body})`), reply);
  await net.client(`b = ${body}`);
  assert.equal(
    await net.client(`push(s, ${head}.encode() + b); s.settimeout(10); take(s)`),
    reply,
    'a sender that does not wait',
  );
  const chunks =
    'b"".join(b"%x\\r\\n" % 1000 + b[i:i+1000] + b"\\r\\n" for i in range(0, 1000000, 1000)) + b"0\\r\\n\\r\\n"';
  const chunked = post('transfer-encoding: chunked').replaceAll('\\r\\n\\r\\n")', '\\r\\n")');
  assert.equal(await net.client(`ask(s, ${chunked}.encode() + ${chunks})`), reply);
  assert.equal(await ask('/a'), text('v1', '/a'));
  await settles();
});

test('a body behind a head that was held back comes whole', async () => {
  const body = 'bytes(i % 251 for i in range(400000))';
  const sum = await net.client(`sum(${body}) % 65536`);
  const head = `get("/p", "POST", "x-canary: 1\\r\\ncontent-length: 400000\\r\\n").encode()`;
  const reply = [200, `v2 POST /p 400000 ${sum}\n`, false];
  for (let again = 0; again < 3; again++) {
    // Connections that nothing was sent on: their send buffers have not grown yet.
    await net.stopAgent();
    await net.startAgent();
    await open();
    await ask('/warm', true);
    await settles();
    await net.client(`h = ${head}; s.sendall(h[:30])`);
    const push = `push(s, h[30:] + ${body}); s.settimeout(10); take(s)`;
    assert.equal(await net.client(push), reply);
  }
  await settles();
});

test('after an upstream that was reset in the middle of a body, the next body comes whole', async () => {
  const body = 'bytes(i % 251 for i in range(400000))';
  const sum = await net.client(`sum(${body}) % 65536`);
  const post = (path: string): string =>
    `get("${path}", "POST", "x-canary: 1\\r\\ncontent-length: 400000\\r\\n").encode()`;
  const send = (path: string): string =>
    `push(s, ${post(path)} + ${body}); s.settimeout(10); take(s)`;
  for (let again = 0; again < 3; again++) {
    await open();
    await ask('/warm', true);
    await settles();
    await net.client(`s.sendall(${post('/abort')} + b"x" * 1000)`);
    assert.equal(await net.client('take(s)'), [503, '', false]);
    await net.client('s.sendall(b"x" * 399000)');
    assert.equal(await ask('/warm', true), text('v2', '/warm'));
    await settles();
    assert.equal(await net.client(send('/p')), [200, `v2 POST /p 400000 ${sum}\n`, false]);
    assert.equal(await ask('/a'), text('v1', '/a'));
  }
  await settles();
});

test('long replies, in chunks, to HEAD, and the last of a connection', async () => {
  await open();
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
  await net.client(`
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
    for (const [code, what] of rounds) assert.is(await net.client(code), true, what);
    assert.equal(await ask('/a'), text('v1', '/a'));
  }
  await settles();
});

test('requests in one send keep their order, wherever they go', async () => {
  await open();
  const paths = ['/1', '/2!', '/3', '/private', '/5!', '/6!', '/7'];
  const sent = paths
    .map((path) => `get("${path.replace('!', '')}"${path.endsWith('!') ? `, ${CANARY}` : ''})`)
    .join(' + ');
  await net.client(`
def takes(s, n):
    data = b""; found = []
    while len(found) < n:
        while b"\\r\\n\\r\\n" not in data: data += s.recv(65536)
        head, _, data = data.partition(b"\\r\\n\\r\\n")
        size = int(head.lower().split(b"content-length: ")[1].split(b"\\r\\n")[0])
        while len(data) < size: data += s.recv(65536)
        found.append(data[:size].decode()); data = data[size:]
    return found`);
  for (let again = 0; again < 5; again++) {
    const replies = await net.client(`s.sendall((${sent}).encode()); takes(s, ${paths.length})`);
    assert.equal(replies, [
      'v1 GET /1 0 0\n',
      'v2 GET /2 0 0\n',
      'v1 GET /3 0 0\n',
      'RBAC: access denied',
      'v2 GET /5 0 0\n',
      'v2 GET /6 0 0\n',
      'v1 GET /7 0 0\n',
    ]);
    assert.equal(await ask('/a', true), text('v2', '/a'));
  }
  await settles();
});

const seenAll = (want: readonly string[]): Promise<unknown> =>
  net.server.value(
    `until = time.monotonic() + 5
while len(seen) < ${want.length} and time.monotonic() < until: time.sleep(0.001)
list(seen)`,
  );

test('a client that reads nothing yet: its next requests are served all the same', async () => {
  await open();
  const paths = ['/1', '/2!', '/3', '/4!', '/5!', '/private', '/7'];
  const sent = paths
    .map((path) => `get("${path.replace('!', '')}"${path.endsWith('!') ? `, ${CANARY}` : ''})`)
    .join(' + ');
  await net.client(`s.sendall((${sent}).encode()); 1`);
  const want = ['v1 GET /1', 'v2 GET /2', 'v1 GET /3', 'v2 GET /4', 'v2 GET /5', 'v1 GET /7'];
  assert.equal(await seenAll(want), want);
  assert.equal(await net.client(`[text.split(" ")[0] for text in takes(s, ${paths.length})]`), [
    'v1',
    'v2',
    'v1',
    'v2',
    'v2',
    'RBAC:',
    'v1',
  ]);
  await settles();
});

test('a request is not sent on before the one before it is answered', async () => {
  await open();
  await net.server.value('gates["n"] = threading.Event()');
  await net.client(`s.sendall((get("/wait/n") + get("/then", ${CANARY})).encode()); 1`);
  assert.equal(await seenAll(['v1 GET /wait/n']), ['v1 GET /wait/n']);
  await net.client(`t = open_to("${VIP4}", 80); t.settimeout(10)`);
  assert.equal(await net.client('ask(t, get("/slow"))'), text('v1', '/slow'));
  assert.equal(await net.server.value('seen'), ['v1 GET /wait/n', 'v1 GET /slow']);
  await net.server.value('gates["n"].set()');
  assert.equal(await net.client('[text.split(" ")[0] for text in takes(s, 2)]'), ['v1', 'v2']);
  await settles();
});

test('what stands behind a body in one send goes its own way', async () => {
  await open();
  await ask('/warm', true);
  const post = `get("/p", "POST", "x-canary: 1\\r\\ncontent-length: 9000\\r\\n").encode() + b"x" * 9000`;
  const sum = (9000 * 'x'.charCodeAt(0)) % 65536;
  const next = `get("/n").encode() + get("/m", ${CANARY}).encode()`;
  for (const held of [0, 10]) {
    await settles();
    await net.client(`d = ${post} + ${next}; n = len(d) - ${held}; s.sendall(d[:5000])`);
    await net.client('s.sendall(d[5000:n])');
    const rest = held > 0 ? 's.sendall(d[n:]); ' : '';
    assert.equal(await net.client(`${rest}takes(s, 3)`), [
      `v2 POST /p 9000 ${sum}\n`,
      'v1 GET /n 0 0\n',
      'v2 GET /m 0 0\n',
    ]);
  }
  assert.equal(await ask('/a'), text('v1', '/a'));
  await settles();
});

test('a route that edits is taken by the agent', async () => {
  await open();
  assert.equal(await ask('/old/x'), text('v2', '/new/x'));
  assert.is(await net.server.value('"x-edited: yes" in heads[-1]'), true);
  assert.equal(await ask('/slow'), text('v1', '/slow'));
  assert.equal(await ask('/a'), text('v1', '/a'));
  await settles();
});

const TO_END = `
def to_end(s):
    data = b""
    while True:
        more = s.recv(65536)
        if not more: return data.decode()
        data += more`;

test("a reply that ends with its connection ends the client's, byte for byte", async () => {
  await net.client(TO_END);
  for (let again = 0; again < 2; again++) {
    await open();
    await net.client(`s.sendall(get("/open", ${CANARY}).encode())`);
    assert.equal(await net.http.client.ask('to_end(s)'), {
      value: 'HTTP/1.1 200 OK\r\n\r\nv2 GET /open 0 0\n',
    });
    await settles();
  }
});

test('an upstream that dies: 503 before its first byte, the end of the connection after it', async () => {
  await open();
  await ask('/warm', true);
  await settles();
  assert.equal(await ask('/die', true), [503, '', false]);
  assert.equal(await ask('/a', true), text('v2', '/a'));
  await settles();
  await net.client(`s.sendall(get("/cut", ${CANARY}).encode())`);
  assert.match(
    String(await net.client('to_end(s)')),
    /^HTTP\/1.1 200 OK\r\ncontent-length: 999\r\n\r\nv2$/,
  );
  await settles();
});

test('the bound server ends its connection while another replies: nothing is cut', async () => {
  await open();
  await ask('/a');
  await net.server.value('gates["g"] = threading.Event()');
  await net.client(`s.sendall(get("/half/g", ${CANARY}).encode()); first = s.recv(9999)`);
  await net.server.value(
    '[c.shutdown(1) for c in list(conns) if c.getsockname()[0] not in CANARY and c.getpeername()[0].endswith("' +
      CLIENT4 +
      '")]; 1',
  );
  await net.server.value('gates["g"].set()');
  assert.is(await net.client('(first + s.recv(9999)).decode().split("\\r\\n\\r\\n")[1]'), 'v2v2');
  assert.is(await net.client('s.settimeout(5); s.recv(1).decode()'), '');
  await settles();
});

test('a client that goes in the middle leaves nothing behind', async () => {
  for (const path of ['/size/4000000', '/chunked/90000', '/size/100000']) {
    await open();
    await net.client(`s.sendall(get("${path}", ${CANARY}).encode()); s.recv(100); s.close()`);
  }
  await settles();
  await open();
  assert.equal(await ask('/a', true), text('v2', '/a'));
});

test('an answer before the body is asked for, or read', async () => {
  await open();
  await ask('/warm', true);
  const expecting = `get("/e", "POST", "x-canary: 1\\r\\nexpect: 100-continue\\r\\ncontent-length: 5\\r\\n")`;
  assert.is(
    await net.client(`s.sendall(${expecting}.encode()); s.recv(999).decode()`),
    'HTTP/1.1 100 Continue\r\n\r\n',
  );
  const sum = [...'hello'].reduce((all, c) => all + c.charCodeAt(0), 0);
  assert.equal(await net.client('ask(s, "hello")'), [200, `v2 POST /e 5 ${sum}\n`, false]);
  const early = `get("/early", "POST", "x-canary: 1\\r\\ncontent-length: 3\\r\\n")`;
  assert.equal(await net.client(`ask(s, ${early})`), [200, 'v2', false]);
  await net.client('s.sendall(b"abc")');
  assert.equal(await ask('/a', true), text('v2', '/a'));
  await settles();
});

test('an urgent byte of a request that is lent a connection does not leave', async () => {
  const before = net.http.denied('requests');
  const post = `get("/urgent", "POST", "x-canary: 1\\r\\ncontent-length: 3\\r\\n")`;
  for (const [flag, answer] of [
    ['0', { value: 'HTTP/1.1 200 OK' }],
    ['socket.MSG_OOB', { error: 'ETIMEDOUT' }],
  ] as const) {
    await open();
    await ask('/warm', true);
    await settles();
    await net.client(`s.sendall(${post}.encode()); [s.send(b"x", ${flag}) for _ in range(3)]`);
    const first = 's.settimeout(0.5); s.recv(999).decode().split("\\r\\n")[0]';
    assert.equal(await net.http.client.ask(first), answer);
    await net.client('s.close()');
  }
  assert.ok(net.http.denied('requests') > before);
  await settles();
  await open();
  assert.equal(await ask('/a', true), text('v2', '/a'));
});

test('a server that answers first gets the rest of the body, and then the next request', async () => {
  await open();
  await ask('/warm', true);
  await settles();
  const early = `get("/early", "POST", "x-canary: 1\\r\\ncontent-length: 300000\\r\\n")`;
  for (let again = 0; again < 3; again++) {
    await net.server.value('gates["rest"] = threading.Event(); state["late"] = 0');
    assert.equal(await net.client(`ask(s, ${early})`), [200, 'v2', false]);
    assert.is(pools().leases, 1);
    await net.server.value('gates["rest"].set()');
    await net.client('s.sendall(b"b" * 300000)');
    assert.equal(await ask('/a', true), text('v2', '/a'));
    await settles();
    assert.is(await net.server.value('state["late"]'), 300000);
  }
});

/** Half of a request that the kernel has lent a connection for. */
const halfPost = async (): Promise<void> => {
  await open();
  await ask('/warm', true);
  await settles();
  const head = `get("/half", "POST", "x-canary: 1\\r\\ncontent-length: 1000\\r\\n")`;
  await net.client(`s.sendall((${head} + "b" * 500).encode())`);
  assert.is(pools().leases, 1);
};

for (const [how, code] of [
  ['ends', 's.close()'],
  ['is reset', 's.setsockopt(1, 13, struct.pack("ii", 1, 0)); s.close()'],
] as const)
  test(`a client that ${how} in the middle of its request holds no connection`, async () => {
    await halfPost();
    const { size } = pools();
    await net.client(code);
    await settles();
    assert.is(pools().size, size - 1);
  });

test('a client that shuts its side: in the middle of a request it is the end, after it not', async () => {
  await net.client(TO_END);
  await halfPost();
  await net.client('s.shutdown(1)');
  assert.equal(await net.http.client.ask('to_end(s)'), { value: '' });
  await settles();
  await open();
  await net.server.value('gates["shut"] = threading.Event()');
  await net.client(`s.sendall(get("/wait/shut", ${CANARY}).encode()); s.shutdown(1)`);
  assert.equal(await seenAll(['v2 GET /warm', 'v2 GET /half', 'v2 GET /wait/shut']), [
    'v2 GET /warm',
    'v2 POST /half',
    'v2 GET /wait/shut',
  ]);
  await net.server.value('gates["shut"].set()');
  assert.equal(await net.client('take(s)'), text('v2', '/wait/shut'));
  await net.client('s.close()');
  await settles();
});

test('an upgrade goes to its cluster, whole', async () => {
  await open();
  const upgrade = `get("/upgrade", more="x-canary: 1\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n")`;
  assert.is(
    await net.client(`s.sendall(${upgrade}.encode()); s.recv(999).decode().split("\\r\\n")[0]`),
    'HTTP/1.1 101 Switching Protocols',
  );
  for (const word of ['ping', 'GET / HTTP/1.1'])
    assert.is(await net.client(`s.sendall(b"${word}"); s.recv(999).decode()`), `v2${word}`);
  await net.client('s.close()');
  await settles();
});

test('without an agent: 503 where it is needed, all else goes on; with the next one all again', async () => {
  await open();
  await ask('/warm', true);
  await settles();
  await net.stopAgent();
  assert.equal(await ask('/b', true), [503, '', false]);
  assert.equal(await ask('/a'), text('v1', '/a'));
  assert.equal(await ask('/old'), [503, '', false]);
  assert.equal(await ask('/private'), [403, 'RBAC: access denied', false]);
  await net.startAgent();
  assert.equal(await ask('/b', true), text('v2', '/b'));
  await settles();
});

test('a request after one whose connection the agent has used since then is seen as one', async () => {
  await net.stopAgent();
  await net.startAgent(); // so there is one pooled connection
  await open();
  await ask('/warm', true);
  await settles();
  const post = `get("/p", "POST", "x-canary: 1\\r\\ncontent-length: 5000\\r\\n").encode() + b"x" * 5000`;
  const sum = (5000 * 'x'.charCodeAt(0)) % 65536;
  assert.equal(await net.client(`ask(s, ${post})`), [200, `v2 POST /p 5000 ${sum}\n`, false]);
  await net.client(`t = open_to("${VIP4}", 80); t.settimeout(10)`);
  assert.equal(await net.client('ask(t, get("/old/x"))'), text('v2', '/new/x'));
  await settles();
  assert.is(pools().size, 1);
  assert.equal(await ask('/a'), text('v1', '/a'));
  assert.equal(await ask('/b', true), text('v2', '/b'));
  await settles();
});

test('a sender that waits for edges is woken, by whatever way its body goes', async () => {
  await net.client(`
def edge(s, data):
    s.setblocking(False)
    e = select.epoll()
    e.register(s.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
    data = memoryview(data)
    e.poll(0.05)
    while data:
        try: data = data[s.send(data):]
        except BlockingIOError:
            if not e.poll(10): return "hangs"
    e.close(); s.settimeout(20)
    return "sent"`);
  const size = 8_000_000;
  for (const [path, more] of [
    ['/p', 'x-canary: 1\\r\\n'],
    ['/slow', ''],
  ]) {
    await open();
    await ask('/warm', true);
    await settles();
    const head = `get("${path}", "POST", "${more}content-length: ${size}\\r\\n").encode()`;
    await net.client(`waited = edge(s, ${head} + bytes(${size}))`);
    assert.is(await net.client('waited'), 'sent', path);
    const tag = more === '' ? 'v1' : 'v2';
    assert.equal(await net.client('take(s)'), [200, `${tag} POST ${path} ${size} 0\n`, false]);
  }
  await settles();
});

test('a bundle that another process loads: the agent judges by it at once, and by the next', async () => {
  const [bundles, pins] = [
    `${net.http.paths.run}/generations`,
    `${net.http.paths.pins}/generations`,
  ];
  const kept = (): readonly string[] => readdirSync(bundles).sort();
  await open();
  assert.equal(await ask('/old/x'), text('v2', '/new/x'));
  for (const word of ['newer', 'newest', 'new']) {
    await net.load(POLICY.replace('"/new"', `"/${word}"`));
    assert.equal(await ask('/old/x'), text('v2', `/${word}/x`));
    assert.equal(await ask('/b', true), text('v2', '/b'));
    assert.equal(kept(), readdirSync(pins).sort(), 'as long as its generation, no longer');
  }
  // One of which nothing was kept: nobody knows what it says.
  await net.load();
  rmSync(`${bundles}/${kept().at(-1)}`, { recursive: true });
  assert.equal(await ask('/old/x'), [503, '', false]);
  assert.equal(await ask('/a'), text('v1', '/a'));
  await net.load();
  assert.equal(await ask('/old/x'), text('v2', '/new/x'));
  await settles();
});

/** An agent in a process of its own; resolves once it serves. */
async function agentProcess(): Promise<ChildProcess> {
  const room = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
  const script = `
    import { startForwarding } from ${room('runtime/agent/forwarding.js')};
    import { openKernel } from ${room('runtime/kernel/index.js')};
    const onFault = (error) => console.error(error);
    await startForwarding(openKernel(), ${JSON.stringify(net.http.paths)}, { onFault });
    console.log('ready');`;
  const words = ['--input-type=module', '--eval', script];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve);
    child.once('exit', reject);
  });
  return child;
}

test('an agent that is killed: what needs it is refused, what was under way ends, and the next one has it all', async () => {
  const pins = (): readonly string[] =>
    readdirSync(net.http.paths.pins, { recursive: true, encoding: 'utf8' }).sort();
  const before = pins();
  await net.stopAgent();
  const child = await agentProcess();
  const dead = new Promise((resolve) => child.once('exit', resolve));
  try {
    await net.server.value('gates["k"] = threading.Event()');
    await open();
    assert.equal(await ask('/warm', true), text('v2', '/warm'));
    assert.equal(await ask('/old/x'), text('v2', '/new/x'));
    await settles();
    // One in the middle of a reply of a pooled connection, one in a door.
    await net.client(`t = open_to("${VIP4}", 80); t.settimeout(10)
u = open_to("${VIP4}", 80); u.settimeout(10)
t.sendall(get("/half/k", ${CANARY}).encode()); u.sendall(get("/upgrade", more="x-canary: 1\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n").encode())
[t.recv(99), u.recv(99)]; 1`);
  } finally {
    child.kill('SIGKILL');
    await dead;
  }
  assert.equal(await ask('/b', true), [503, '', false]);
  assert.equal(await ask('/old'), [503, '', false]);
  assert.equal(await ask('/a'), text('v1', '/a'));
  assert.equal(await ask('/private'), [403, 'RBAC: access denied', false]);
  await net.startAgent();
  for (const socket of ['t', 'u'])
    assert.equal(await net.http.client.ask(`[${socket}.recv(99), ${socket}.recv(99)]`), {
      error: 'ECONNABORTED',
    });
  assert.equal(await ask('/b', true), text('v2', '/b'));
  assert.equal(await ask('/old/x'), text('v2', '/new/x'));
  await settles();
  assert.equal(pins(), before);
  assert.is(net.entries('weft_upstream_index'), pools().size);
  await net.server.value('[gate.set() for gate in gates.values()]; 1');
});

test.run();
