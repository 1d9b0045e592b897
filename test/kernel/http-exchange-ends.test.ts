/** Exchanges elsewhere that an end cuts short: of the client, of the server that replies, of the bound one. */
import * as assert from 'uvu/assert';
import { CANARY4, POLICY } from './fixtures/exchange.js';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';
import { VIP4 } from './fixtures/http.js';
import { CLIENT4 } from './fixtures/net.js';

const on = exchangeSuite('http exchanges: ends', 'z');
const { test } = on;

test("a reply that ends with its connection ends the client's, byte for byte", async () => {
  for (let again = 0; again < 2; again++) {
    await on.open();
    await on.net.client(`s.sendall(get("/open", ${CANARY}).encode())`);
    assert.equal(await on.net.http.client.ask('to_end(s)'), {
      value: 'HTTP/1.1 200 OK\r\n\r\nv2 GET /open 0 0\n',
    });
    await on.settles();
  }
});

test('an upstream that dies: 503 before its first byte, the end of the connection after it', async () => {
  await on.open();
  await on.ask('/warm', true);
  await on.settles();
  assert.equal(await on.ask('/die', true), [503, '', false]);
  assert.equal(await on.ask('/a', true), text('v2', '/a'));
  await on.settles();
  await on.net.client(`s.sendall(get("/cut", ${CANARY}).encode())`);
  assert.match(
    String(await on.net.client('to_end(s)')),
    /^HTTP\/1.1 200 OK\r\ncontent-length: 999\r\n\r\nv2$/,
  );
  await on.settles();
});

test('the bound server ends its connection while another replies: nothing is cut', async () => {
  await on.open();
  await on.ask('/a');
  await on.net.server.value('gates["g"] = threading.Event()');
  await on.net.client(`s.sendall(get("/half/g", ${CANARY}).encode()); first = s.recv(9999)`);
  await on.net.server.value(
    '[c.shutdown(1) for c in list(conns) if c.getsockname()[0] not in CANARY and c.getpeername()[0].endswith("' +
      CLIENT4 +
      '")]; 1',
  );
  await on.net.server.value('gates["g"].set()');
  assert.is(
    await on.net.client('(first + s.recv(9999)).decode().split("\\r\\n\\r\\n")[1]'),
    'v2v2',
  );
  assert.is(await on.net.client('s.settimeout(5); s.recv(1).decode()'), '');
  await on.settles();
});

/** Waits until all pools together have so many connections. */
async function poolsReach(size: number): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (on.pools().size === size) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.is(on.pools().size, size);
}

test('an endpoint that leaves the world: what is under way ends whole, what is idle is closed', async () => {
  await on.open();
  await on.ask('/warm', true);
  await on.settles();
  await on.net.server.value('gates["l"] = threading.Event()');
  await on.net.client(`t = open_to("${VIP4}", 80); t.settimeout(10)`);
  await on.net.client(`t.sendall(get("/half/l", ${CANARY}).encode()); first = t.recv(9999)`);
  assert.equal(await on.ask('/b', true), text('v2', '/b'), 'by one more connection');
  await on.net.load(POLICY, on.net.world({ canary: false }));
  await poolsReach(1);
  assert.equal(await on.ask('/b', true), [503, 'no healthy upstream', false]);
  assert.equal(await on.ask('/a'), text('v1', '/a'));
  await on.net.server.value('gates["l"].set()');
  assert.is(
    await on.net.client('(first + t.recv(9999)).decode().split("\\r\\n\\r\\n")[1]'),
    'v2v2',
  );
  await poolsReach(0);
  await on.net.load();
  assert.equal(await on.ask('/b', true), text('v2', '/b'));
  await on.settles();
});

test('an endpoint that does not answer: 503, once the agent has waited for it', async () => {
  // Its packets come to a host that has no such address and sends nothing on.
  const world = on.net.world().replaceAll(CANARY4, '10.77.0.99');
  await on.net.client(
    'import os; os.system("ip neigh replace 10.77.0.99 lladdr 02:00:00:00:77:02 dev v0")',
  );
  await on.net.load(POLICY, world);
  await on.open();
  await on.net.client('s.settimeout(60)');
  assert.equal(await on.ask('/b', true), [503, '', false]);
  assert.equal(await on.ask('/a'), text('v1', '/a'));
  await on.net.load();
  assert.equal(await on.ask('/b', true), text('v2', '/b'));
  await on.settles();
});

test('a client that goes in the middle leaves nothing behind', async () => {
  for (const path of ['/size/4000000', '/chunked/90000', '/size/100000']) {
    await on.open();
    await on.net.client(`s.sendall(get("${path}", ${CANARY}).encode()); s.recv(100); s.close()`);
  }
  await on.settles();
  await on.open();
  assert.equal(await on.ask('/a', true), text('v2', '/a'));
});

/** Half of a request that the kernel has lent a connection for. */
const halfPost = async (): Promise<void> => {
  await on.open();
  await on.ask('/warm', true);
  await on.settles();
  const head = `get("/half", "POST", "x-canary: 1\\r\\ncontent-length: 1000\\r\\n")`;
  await on.net.client(`s.sendall((${head} + "b" * 500).encode())`);
  assert.is(on.pools().leases, 1);
};

for (const [how, code] of [
  ['ends', 's.close()'],
  ['is reset', 's.setsockopt(1, 13, struct.pack("ii", 1, 0)); s.close()'],
] as const)
  test(`a client that ${how} in the middle of its request holds no connection`, async () => {
    await halfPost();
    const { size } = on.pools();
    await on.net.client(code);
    await on.settles();
    assert.is(on.pools().size, size - 1);
  });

test('a client that shuts its side: in the middle of a request it is the end, after it not', async () => {
  await halfPost();
  await on.net.client('s.shutdown(1)');
  assert.equal(await on.net.http.client.ask('to_end(s)'), { value: '' });
  await on.settles();
  await on.open();
  await on.net.server.value('gates["shut"] = threading.Event()');
  await on.net.client(`s.sendall(get("/wait/shut", ${CANARY}).encode()); s.shutdown(1)`);
  assert.equal(await on.seenAll(['v2 GET /warm', 'v2 GET /half', 'v2 GET /wait/shut']), [
    'v2 GET /warm',
    'v2 POST /half',
    'v2 GET /wait/shut',
  ]);
  await on.net.server.value('gates["shut"].set()');
  assert.equal(await on.net.client('take(s)'), text('v2', '/wait/shut'));
  await on.net.client('s.close()');
  await on.settles();
});

test.run();
