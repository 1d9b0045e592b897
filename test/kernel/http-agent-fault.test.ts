/** A fault of the agent's own in the middle of an exchange: that ends, as declared, and nothing else. */
import * as assert from 'uvu/assert';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';
import { type FailingKernel, failingKernel } from './fixtures/failing-kernel.js';

const on = exchangeSuite('http exchanges: faults of the agent', 'v');
const { test } = on;
let failing: FailingKernel;

test.before(async () => {
  failing = failingKernel(on.net.http.kernel);
  await on.net.stopAgent();
  await on.net.startAgent(failing.kernel);
});

const counted = (): bigint => on.net.status().reasons['fault']?.deny ?? 0n;

/** The exchange of `s` has failed, once: it was told and counted, and the next ones are as ever. */
async function isOver(before: bigint, what: string): Promise<void> {
  await on.settles();
  assert.equal(on.net.faults.splice(0).map(String), [`Error: ${what} fails`]);
  assert.is(counted(), before + 1n);
  await on.open();
  assert.equal(await on.ask('/old/x'), text('v2', '/new/x'));
  assert.equal(await on.ask('/a', true), text('v2', '/a'));
  await on.settles();
}

test('while nothing fails an exchange goes on, and nothing is counted', async () => {
  const before = counted();
  await on.open();
  for (const path of ['/old/x', '/old/y'])
    assert.equal(await on.ask(path), text('v2', path.replace('old', 'new')));
  await on.settles();
  assert.is(counted(), before);
  assert.equal(on.net.faults, []);
});

for (const method of ['GET', 'HEAD'])
  test(`${method}: before the first byte of its reply the client gets 503, then the end`, async () => {
    const before = counted();
    await on.open();
    failing.failAfter('agent_probe', 0);
    await on.net.client(`s.sendall(get("/old/x", "${method}").encode())`);
    const { value, error } = await on.net.http.client.ask('to_end(s)');
    assert.is(error, undefined);
    assert.match(String(value), /^HTTP\/1.1 503 .*\r\n\r\n$/s);
    await isOver(before, 'agent_probe');
  });

test('after it, by a door: the connection ends with an error', async () => {
  const before = counted();
  await on.open();
  failing.failAfter('sendNow', 2);
  await on.net.client(
    's.sendall(get("/slow/x").encode() + get("/size/2000000", more="x-canary: 1\\r\\n").encode())',
  );
  assert.equal(await on.net.http.client.ask('to_end(s)'), { error: 'ECONNABORTED' });
  await isOver(before, 'sendNow');
});

test('after it, by a pooled connection: both end, and the connection is not used again', async () => {
  await on.open();
  await on.ask('/warm', true);
  await on.settles();
  const [before, { size }] = [counted(), on.pools()];
  failing.failAfter('sendNow', 2);
  await on.net.client(`s.sendall(get("/size/2000000", ${CANARY}).encode())`);
  assert.equal(await on.net.http.client.ask('to_end(s)'), { error: 'ECONNABORTED' });
  await on.settles();
  assert.is(on.pools().size, size - 1);
  await isOver(before, 'sendNow');
});

test('when the exchange is over, but not yet for the agent', async () => {
  const before = counted();
  await on.open();
  await on.net.client('s.sendall(get("/old/x").encode())');
  assert.equal(await on.net.client('take(s)'), text('v2', '/new/x'));
  await on.settles();
  failing.failAfter('put', 0);
  await on.net.client('s.sendall(get("/old/y").encode())');
  assert.equal(await on.net.client('take(s)'), text('v2', '/new/y'));
  assert.equal(await on.net.http.client.ask('s.recv(1).decode()'), { error: 'ECONNABORTED' });
  await isOver(before, 'put');
});

test.run();
