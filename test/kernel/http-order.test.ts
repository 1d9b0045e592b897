/**
 * A reply that is redirected comes whole before one that the bound server gives behind it, also where the client's
 * memory is full: then the rest of the first waits in the kernel's work queue, and TCP has room for the second sooner.
 */
import * as assert from 'uvu/assert';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';

const on = exchangeSuite('http exchanges: order of replies', 'o');
const { test } = on;

/** Asks for a redirected reply on `s` and waits until nothing of it is under way; `read`: the client has read it. */
async function redirected(read: boolean): Promise<void> {
  await on.open();
  assert.equal(await on.ask('/warm', true), text('v2', '/warm'));
  await on.settles();
  await on.net.client(`s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096); s.settimeout(30); data = b""
s.sendall(get("/pieces/60", ${CANARY}).encode()); 1`);
  assert.equal(await on.seenAll(['v2 GET /warm', 'v2 GET /pieces/60']), [
    'v2 GET /warm',
    'v2 GET /pieces/60',
  ]);
  if (read) await on.net.client('while data.count(b"v2") < 30000: data += s.recv(512)');
  await until(() => on.pools().leases === 0);
}

async function until(is: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !is() && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 5));
}

const doors = (): number => on.net.status().exchanges.doors;

/** The rest of both replies: are they whole, one behind the other? */
async function inOrder(): Promise<unknown> {
  return on.net.client(`while b"GET /a" not in data or len(data) < 60000: data += s.recv(512)
[data.count(b"v2"), data.index(b"HTTP/1.1 200 OK", 1) > 60000, data.index(b"v1 GET /a") > 60000]`);
}

for (let turn = 0; turn < 3; turn++)
  test(`what the client has not read yet: a request for the bound server goes by the agent (${turn})`, async () => {
    await redirected(false);
    await on.net.client('s.sendall(get("/a").encode()); 1');
    await until(() => doors() > 0);
    assert.is(doors(), 1, 'of two in ten the reply came amid the one before');
    assert.equal(await inOrder(), [30_000, true, true]);
    await on.settles();
  });

test('what the client has read: it goes to the bound server itself', async () => {
  await redirected(true);
  await on.net.client('s.sendall(get("/a").encode()); 1');
  assert.equal(await on.seenAll(['v2 GET /warm', 'v2 GET /pieces/60', 'v1 GET /a']), [
    'v2 GET /warm',
    'v2 GET /pieces/60',
    'v1 GET /a',
  ]);
  assert.is(doors(), 0);
  assert.equal(await inOrder(), [30_000, true, true]);
  await on.settles();
});

test.run();
