/** Replies of a pooled upstream, redirected into a client's socket; leases, pools, and the way of the agent. */
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ASKED_KIND } from '../../compiler/abi/index.js';
import { Forward, KEY, read, u32, u64 } from './fixtures/forward.js';

const test = suite('http replies');
let f: Forward;

test.before(async () => {
  f = new Forward();
  await f.open();
});
test.after(() => f?.close());
test.before.each(() => f.renew());

const OK = 'HTTP/1.1 200 OK\r\n';
const whole: readonly [string, string, number][] = [
  ['by length', `${OK}content-length: 5\r\n\r\nhello`, 0],
  ['of no length', `${OK}content-length: 0\r\n\r\n`, 0],
  ['in chunks', `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n`, 0],
  ['to HEAD', `${OK}content-length: 99\r\n\r\n`, ASKED_KIND.head],
  ['without content', 'HTTP/1.1 204 No Content\r\n\r\n', 0],
  ['not modified', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n', 0],
  ['after 100', `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 1\r\n\r\nx`, 0],
];
for (const [what, reply, kinds] of whole) {
  test(`a reply ${what} comes to the client, and its end ends the lease`, async () => {
    for (let again = 0; again < 3; again++) {
      f.lend(kinds);
      f.upstream.far.write(reply);
      assert.is(await read(f.client.near.socket, reply.length), reply);
      await f.reaches('idle');
    }
  });

  const head = reply.indexOf('\r\n\r\n', reply.lastIndexOf('HTTP/1.1')) + 4;

  test(`a reply ${what}, cut in its head, stays for the agent`, async () => {
    for (let at = 1; at < head; at++) {
      await f.renew();
      f.lend(kinds);
      f.upstream.far.write(reply.slice(0, at));
      assert.is(await read(f.upstream.near.socket, at), reply.slice(0, at));
      assert.is(f.state(), 'agent');
      assert.is(f.client.near.socket.readableLength, 0);
    }
    await f.renew();
  });

  test(`a reply ${what}, cut behind its head`, async () => {
    for (let at = head; at < reply.length; at++) {
      f.lend(kinds);
      f.upstream.far.write(reply.slice(0, at));
      assert.is(await read(f.client.near.socket, at), reply.slice(0, at));
      assert.is(f.state(), 'kernel');
      f.upstream.far.write(reply.slice(at));
      assert.is(await read(f.client.near.socket, reply.length - at), reply.slice(at));
      await f.reaches('idle');
    }
  });
}

test('a reply that ends the connection leaves it to the agent', async () => {
  const reply = `${OK}connection: close\r\ncontent-length: 2\r\n\r\nhi`;
  f.lend();
  f.upstream.far.write(reply);
  assert.is(await read(f.client.near.socket, reply.length), reply);
  await f.reaches('taken');
});

for (const [what, sent] of [
  ['that only the end ends', `${OK}\r\nhello`],
  ['with bytes behind it', `${OK}content-length: 1\r\n\r\nxHTTP/1.1 200`],
  ['that is none', 'SSH-2.0-x\r\n'],
] as const)
  test(`a reply ${what} stays for the agent`, async () => {
    f.lend();
    f.upstream.far.write(sent);
    assert.is(await read(f.upstream.near.socket, sent.length), sent);
    assert.is(f.state(), 'agent');
    assert.is(f.client.near.socket.readableLength, 0);
  });

test('of a large reply the rest stays, and no byte is lost between', async () => {
  const size = 3 << 20;
  const head = `${OK}content-length: ${size}\r\n\r\n`;
  f.lend();
  f.upstream.far.write(head + 'x'.repeat(size));
  await f.reaches('agent');
  const { forwarded } = f.words.lease(7);
  assert.ok(forwarded > 1n << 20n && forwarded < 2n << 20n, String(forwarded));
  const first = await read(f.client.near.socket, Number(forwarded));
  const rest = await read(f.upstream.near.socket, head.length + size - Number(forwarded));
  assert.ok(first + rest === head + 'x'.repeat(size));
});

test('bytes that nobody asked for, and the end, take an idle upstream out of its pool', async () => {
  f.upstream.far.write('stray');
  assert.is(await read(f.upstream.near.socket, 5), 'stray');
  assert.is(f.state(), 'taken');
  assert.is(f.words.step({ step: 'take', pool: KEY }), 0);
  assert.is(f.words.pool(KEY)?.misses, 1n);
  await f.renew();
  assert.is(f.state(), 'idle');
  f.upstream.far.end();
  await f.reaches('taken');
});

test('the reply of a client that is gone is forgotten, and the upstream is used again', async () => {
  f.lend();
  f.upstream.far.write(`${OK}content-length: 10\r\n\r\nhello`);
  await read(f.client.near.socket, 10);
  f.client.near.socket.destroy();
  await once(f.client.far, 'close');
  f.upstream.far.write('world');
  await f.reaches('idle');
});

test('a pool is found by its key alone', () => {
  assert.is(f.words.step({ step: 'take', pool: { ...KEY, cgroup: 43n } }), 0);
  const other = { ...KEY, cgroup: 43n };
  // As if the element of a removed pool had become another's: the lease tells whose it is.
  f.words.makePool(other);
  f.words.step({ step: 'slot', pool: other, index: 7, slot: 3 });
  const map = f.map('weft_pools');
  const keys = map.keys().filter((key) => key[0] === 43);
  const value = map.lookup(keys[0] ?? u32(0));
  if (!value) throw new Error('no pool');
  value[0] = 8;
  map.update(keys[0] ?? u32(0), value);
  assert.is(f.words.step({ step: 'take', pool: other }), 0);
  f.words.removePool(other);
  assert.is(f.words.step({ step: 'take', pool: KEY }), 8);
  assert.is(f.words.step({ step: 'claim', pool: KEY, index: 7 }), 0);
  f.words.step({ step: 'put', index: 7 });
  assert.is(f.words.step({ step: 'claim', pool: KEY, index: 7 }), 1);
  f.words.step({ step: 'drop', index: 7 });
  assert.is(f.state(), 'gone');
});

test('a connection is retired only where no exchange is under way, and then has none', () => {
  assert.is(f.words.step({ step: 'take', pool: KEY }), 8);
  assert.is(f.words.step({ step: 'retire', index: 7 }), 1);
  assert.is(f.state(), 'gone');
  assert.is(f.words.step({ step: 'retire', index: 7 }), 0);
});

test('an exchange that is under way is not retired', () => {
  f.lend();
  assert.is(f.words.step({ step: 'retire', index: 7 }), 0);
  assert.is(f.state(), 'kernel');
});

test('of a connection that was given up an idle slot means nothing', async () => {
  f.words.removeUpstream(7, f.upstream.near.cookie);
  assert.is(f.words.step({ step: 'take', pool: KEY }), 0);
  assert.equal(f.words.pool(KEY)?.idle, [0n, 0n, 0n, 0n], 'it is forgotten');
  await f.renew();
  assert.is(f.words.step({ step: 'take', pool: KEY }), 8);
});

test('what the agent sends comes to the client that it named, or back to it', async () => {
  const { cookie, fd } = f.client.near;
  assert.is(f.words.inject(f.agent.near.fd, cookie, Buffer.from('for you')), 7);
  assert.is(await read(f.client.near.socket, 7), 'for you');
  assert.is(f.words.inject(f.agent.near.fd, 1n, Buffer.from('for nobody')), 10);
  assert.is(await read(f.agent.far, 10), 'for nobody');
  assert.ok(fd > 0);
});

test('doors: bytes announced are bytes seen, or the client stays', async () => {
  const near = [{ fd: f.client.near.fd, cookie: f.client.near.cookie }];
  f.words.openDoors(near);
  const first = f.words.handover(0);
  assert.is(first.handed, 0);
  assert.equal(f.map('weft_door_idle').lookup(u32(0)), u64(1n));
  const back = (lending: number, bytes: number): number =>
    f.words.step({ step: 'return', index: 0, lending, bytes });
  assert.is(back(first.lending, 5), 0);
  assert.is(back(first.lending + 1, 0), 0);
  f.map('weft_door_idle').update(u32(0), u64(0n));
  assert.is(back(first.lending, 0), 1);
  assert.equal(f.map('weft_door_idle').lookup(u32(0)), u64(1n));
  assert.is(f.words.handover(0).lending, first.lending + 1);
});

test.run();
