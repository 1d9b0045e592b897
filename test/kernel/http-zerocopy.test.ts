/**
 * Bodies that a client sends with MSG_ZEROCOPY: whole. They are copied all the same, and what the error
 * queue tells is not what TCP would: docs/limits.md.
 */
import * as assert from 'uvu/assert';
import { exchangeSuite } from './fixtures/exchange-suite.js';

const on = exchangeSuite('http exchanges: MSG_ZEROCOPY', 'c');
const { test } = on;

test.before(async () => {
  await on.net.client(`
import struct as packing
def send_zerocopy(s, data):
    """How many sends there were."""
    s.setsockopt(socket.SOL_SOCKET, 60, 1)
    s.settimeout(None)
    data, sends = memoryview(data), 0
    while data:
        data = data[s.send(data[:100000], 0x4000000):]
        sends += 1
    s.settimeout(10)
    return sends
def notices(s, sends, patience):
    """Of how many of them the error queue says that their memory is free."""
    told, p = 0, select.poll()
    p.register(s, 0)
    while told < sends and p.poll(patience):
        try: _, control, _, _ = s.recvmsg(0, 200, socket.MSG_ERRQUEUE)
        except BlockingIOError: continue
        for _, _, data in control:
            first, last = packing.unpack_from("II", data, 8)
            told += last - first + 1
    return told`);
});

const size = 1_000_000;
for (const [way, path, more, tag, isTold] of [
  ['to the bound server', '/p', '', 'v1', true],
  ['by a pooled connection', '/p', 'x-canary: 1\\r\\n', 'v2', false],
  ['by the agent', '/slow', '', 'v1', false],
] as const)
  test(`${way}: ${isTold ? 'a notice for each send, or more' : 'no notice'}`, async () => {
    await on.open();
    await on.ask('/warm', true);
    await on.settles();
    const head = `get("${path}", "POST", "${more}content-length: ${size}\\r\\n").encode()`;
    await on.net.client(
      `b = bytes(i % 251 for i in range(${size})); s.sendall(${head}); n = send_zerocopy(s, b)`,
    );
    const sum = await on.net.client('sum(b) % 65536');
    assert.equal(await on.net.client('take(s)'), [
      200,
      `${tag} POST ${path} ${size} ${sum}\n`,
      false,
    ]);
    const [sends, told] = (await on.net.client(`[n, notices(s, n, ${isTold ? 5000 : 100})]`)) as [
      number,
      number,
    ];
    assert.ok(isTold ? told >= sends : told === 0, `${told} notices of ${sends} sends`);
    await on.settles();
  });

test.run();
