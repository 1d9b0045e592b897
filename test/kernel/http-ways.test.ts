/** Ways in which a client could get bytes to the server that no request was judged for: none does. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HttpNet, VIP4 } from './fixtures/http.js';
import { SERVER4 } from './fixtures/net.js';

const POLICY = {
  'http.ts':
    'import { Request, Verdict } from "weft";\n' +
    'export function authorizeRequest(request: Request): Verdict {\n' +
    '  return request.path.startsWith("/private") ? Verdict.Deny : Verdict.Allow;\n}\n',
};
const NO_REQUESTS = {
  'tcp.ts':
    'import { Connection, Verdict } from "weft";\n' +
    'export function authorizeConnection(c: Connection): Verdict { return Verdict.Allow; }\n',
};
const BOTH = { ...POLICY, ...NO_REQUESTS };
const DENIED = [403, 'RBAC: access denied', false];

const test = suite('ways round the judging of requests');
let http: HttpNet;

test.before(async () => {
  http = await HttpNet.open('w');
  await http.load(BOTH);
  http.enrol();
});
test.after(async () => {
  await http?.close();
});
test.before.each(async () => {
  await http.server.value('seen.clear()');
});
const seen = (): Promise<unknown> => http.server.value('seen[:]');

test('an urgent byte, which the server would not read where it was judged, does not leave', async () => {
  const before = http.denied('requests');
  await http.client.value(`s = open_to("${VIP4}", 80)
prefix = "GET /a HTTP/1.1\\r\\nx: "
s.sendall(get("/a", "POST", f"content-length: {len(prefix)}\\r\\n").encode())
for _ in prefix: s.send(b"x", socket.MSG_OOB)
s.sendall((prefix + get("/private")).encode())`);
  assert.equal(await http.client.ask('s.recv(1)'), { error: 'ETIMEDOUT' });
  assert.equal(await seen(), []);
  const reset =
    's.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); s.close()';
  await http.client.value(reset); // else it is sent again and again
  assert.ok(http.denied('requests') > before);
});

test('messages of several pieces, of which TCP takes a part, are passed exactly', async () => {
  const before = http.denied('requests');
  for (const [sndbuf, chunk, count] of [
    [4096, '"10;" + "e" * 240 + "\\r\\n" + "d" * 16 + "\\r\\n"', 5000],
    [30000, '"10;" + "e" * 240 + "\\r\\n" + "d" * 16 + "\\r\\n"', 20000],
    [30000, '"5\\r\\nhello\\r\\n" * 700', 50],
  ] as const) {
    await http.client.value(`s = open_to("${VIP4}", 80, ${sndbuf}); chunk = ${chunk}
push(s, get("/a", "POST", "transfer-encoding: chunked\\r\\n"))
partial = 0
for _ in range(20):  # until the server is slower than the client
  partial += sum(push(s, chunk) for _ in range(${count}))
  if partial > 0: break
push(s, "0\\r\\n\\r\\n"); s.settimeout(20)`);
    assert.ok(((await http.client.value('partial')) as number) > 0, 'TCP took all at once');
    assert.is(await http.client.value('take(s)[0]'), 200);
    assert.equal(await http.client.value('ask(s, get("/private"))'), DENIED);
  }
  assert.is(http.denied('requests'), before);
});

test('who leaves refusals unread is not given more without end', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  const refusals = '[s.sendall(get("/private").encode()) for _ in range(20000)] and None';
  assert.equal(await http.client.ask(refusals), { error: 'EACCES' });
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  const read = '[ask(s, get("/private"))[0] for _ in range(5000)]';
  assert.equal(new Set((await http.client.value(read)) as number[]), new Set([403]));
});

test('who connects its socket again is judged again', async () => {
  await http.client.value(`import ctypes
s = open_to("${VIP4}", 80)
ask(s, get("/a"))
ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16)
connect(s, "${VIP4}", 80)`);
  assert.equal(await http.client.value('ask(s, get("/private"))'), DENIED);
  assert.is(await http.client.value('ask(s, get("/a"))[0]'), 200);
});

test('who connects its socket again to where no requests are judged is not judged', async () => {
  await http.server.value(`plain = listen("0.0.0.0", 7777)`);
  await http.client.value(`def again():
    s = open_to("${VIP4}", 80)
    ask(s, get("/a"))
    ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16)
    connect(s, "${SERVER4}", 7777)
    s.sendall(b"hello"); s.sendall(b"you")
    return s`);
  for (let i = 0; i < 8; i++) {
    await http.client.value('s = again()'); // numbers of TCP differ each time
    assert.is(
      await http.server.value('c = plain.accept()[0]; c.recv(8, socket.MSG_WAITALL).decode()'),
      'helloyou',
    );
  }
});

test('the beginning of a head that was held back goes nowhere else', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)
s.sendall(b"GET /half")
ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16)`);
  const again = (host: string, port: number): string => `connect(s, "${host}", ${port})`;
  assert.equal(await http.client.ask(again(SERVER4, 7777)), { error: 'ENOTSUP' });
  assert.equal(await http.client.ask(again(VIP4, 80)), { error: 'ENOTSUP' });
  await http.client.value('s.close()');
});

test('a connection of which a generation judged nothing is not trusted by the next that judges', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  await http.load(NO_REQUESTS);
  assert.is(await http.client.value('ask(s, get("/private"))[0]'), 200);
  await http.load(POLICY);
  assert.equal(await http.client.ask('ask(s, get("/private"))'), { error: 'EACCES' });
  assert.equal(await seen(), ['GET /private']);
});

test.run();
