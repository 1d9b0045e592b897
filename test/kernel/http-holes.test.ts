/**
 * Replies of which packets are lost or come out of order: they are followed all the same, so that what
 * is refused next is answered in its turn. What the server says is lost while it has a wrong address of
 * the client's interface; TCP repeats it later.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type HttpNet, VIP4, VIP6 } from './fixtures/http.js';
import { CLIENT4, CLIENT6 } from './fixtures/net.js';
import { openShort } from './fixtures/short.js';

const DENIED = [403, 'RBAC: access denied', false];

const SERVER = `
def neighbours(last):
    for text in ("${CLIENT4}", "${CLIENT6}"):
        os.system(f"ip neigh replace {text} lladdr 02:00:00:00:77:{last} nud permanent dev v0")
def say(*pieces):
    """Sends pieces, each in packets of its own; those that are None lose the next one."""
    lost = False
    for piece in pieces:
        if piece is None:
            lost = True
            neighbours("77")
            continue
        a.sendall(piece)
        if lost:
            lost = False
            neighbours("01")
body = pattern(20000)
`;

const test = suite('http replies with holes');
let http: HttpNet;

test.before(async () => {
  http = await openShort('o', false);
  await http.server.value(SERVER);
});
test.after(async () => {
  await http?.close();
});

const client = (code: string): Promise<unknown> => http.client.value(code);
const server = (code: string): Promise<unknown> => http.server.value(code);

/** A connection on which so many requests have arrived. */
async function asked(host = VIP4, requests = 1): Promise<void> {
  await client(`s = open_to("${host}", 81); s.settimeout(10)`);
  await client(`[s.sendall(get("/x").encode()) for _ in range(${requests})]`);
  await server(
    `a = accept(); a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); [end_of_head(a) for _ in range(${requests})]`,
  );
}

const WHOLE = '[[status, body == pattern(len(body)).decode(), len(body)] for status, body, _ in';

for (const host of [VIP4, VIP6])
  for (const [name, pieces] of [
    ['its head', 'None, head_of(20000), body'],
    ['the second packet of its head', 'head_of(20000)[:9], None, head_of(20000)[9:], body'],
    ['its head and some of the body', 'None, head_of(20000) + body[:99], body[99:]'],
    [
      'its head, and later bytes too',
      'None, head_of(20000), body[:99], None, body[99:999], body[999:]',
    ],
    ['some of the body', 'head_of(20000), body[:99], None, body[99:999], body[999:]'],
    ['its end', 'head_of(20000), body[:19999], None, body[19999:]'],
  ] as const)
    test(`${host}: of a reply is lost ${name}`, async () => {
      await asked(host);
      await server(`say(${pieces})`);
      assert.equal(await client(`${WHOLE} [take(s)]]`), [[200, true, 20000]]);
      assert.equal(await client('ask(s, get("/private"))'), DENIED);
    });

for (const [name, pieces] of [
  ['the first half of a head', 'None, head_of(20000)[:9], head_of(20000)[9:] + body'],
  ['an interim reply', 'None, b"HTTP/1.1 103 Early Hints\\r\\n\\r\\n", head_of(20000) + body'],
] as const)
  test(`what came early is a head, behind ${name}: what is refused then ends the connection`, async () => {
    await asked();
    await server(`say(${pieces})`);
    if (pieces.includes('103')) assert.is(await client('take(s)[0]'), 103);
    assert.equal(await client(`${WHOLE} [take(s)]]`), [[200, true, 20000]]);
    assert.equal(await http.client.ask('ask(s, get("/private"))'), { error: 'EACCES' });
  });

for (const [name, pieces] of [
  ['the first head', 'None, head_of(20000), body + head_of(20000) + body'],
  ['the first reply', 'None, head_of(20000) + body, head_of(20000), body'],
  [
    'where one ends and the other begins',
    'head_of(20000), body[:99], None, body[99:] + head_of(20000), body',
  ],
  ['the second head', 'head_of(20000) + body, None, head_of(20000), body'],
] as const)
  test(`of two replies is lost ${name}`, async () => {
    await asked(VIP4, 2);
    await server(`say(${pieces})`);
    assert.equal(await client(`${WHOLE} [take(s), take(s)]]`), [
      [200, true, 20000],
      [200, true, 20000],
    ]);
    assert.equal(await client('ask(s, get("/private"))'), DENIED);
  });

test('chunks that begin in what came early are not known: what is refused then ends the connection', async () => {
  for (const [lost, expected] of [
    ['None, b"5\\r\\nhello\\r\\n", b"5\\r\\nworld\\r\\n0\\r\\n\\r\\n"', { error: 'EACCES' }],
    ['b"a\\r\\nhe", None, b"llo", b"world\\r\\n0\\r\\n\\r\\n"', { value: DENIED }],
  ] as const) {
    await asked();
    await server(`say(b"HTTP/1.1 200 OK\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n", ${lost})`);
    await client('data = b""');
    await client(`
while not data.endswith(b"0\\r\\n\\r\\n"): data += s.recv(65536)`);
    assert.equal(await http.client.ask('ask(s, get("/private"))'), expected);
  }
});

test.run();
