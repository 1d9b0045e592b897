/** Requests on the client's own connection: each judged, those refused answered on it, none lost. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PROJECT_DEFAULTS } from '../../runtime/config/index.js';
import { HTTP_PORT, HttpNet, VIP4, VIP6 } from './fixtures/http.js';
import { CLIENT4, SERVER4 } from './fixtures/net.js';

const POLICY = `import { Request, respond, Route, Verdict } from "weft";
const teapot = respond(202, "taken");
export function routeRequest(request: Request): Route {
  return request.path.is("/taken") ? teapot : Route.None;
}
export function authorizeRequest(request: Request): Verdict {
  if (request.path.startsWith("/private")) return Verdict.Deny;
  if (request.header("x-key").is("wrong")) return Verdict.Deny;
  return request.method.is("DELETE") ? Verdict.Pass : Verdict.Allow;
}
`;
const ALLOWED = [200, 'GET /a 0\n', false];
const DENIED = [403, 'RBAC: access denied', false];

const test = suite('http on the bound connection');
let http: HttpNet;

test.before(async () => {
  http = await HttpNet.open('h');
  await http.load({ 'http.ts': POLICY });
  http.enrol();
});
test.after(async () => {
  await http?.close();
});
test.before.each(async () => {
  await http.server.value('seen.clear()');
});
const seen = (): Promise<unknown> => http.server.value('seen[:]');

for (const [what, host, port] of [
  ['a service over IPv4', VIP4, 80],
  ['a service over IPv6', VIP6, 80],
  ['its endpoint itself', SERVER4, HTTP_PORT],
] as const)
  test(`${what}: each request of a connection is judged on its own`, async () => {
    await http.client.value(`s = open_to("${host}", ${port})`);
    assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
    assert.equal(await http.client.value('ask(s, get("/private/x"))'), DENIED);
    assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
    assert.equal(await http.client.value('ask(s, get("/a", more="x-key: wrong\\r\\n"))'), DENIED);
    assert.equal(await http.client.value('ask(s, get("/a", "DELETE"))'), DENIED);
    assert.equal(await http.client.value('ask(s, get("/a", more="x-key: right\\r\\n"))'), ALLOWED);
    assert.equal(await seen(), ['GET /a', 'GET /a', 'GET /a']);
  });

test('a body goes where its head went, in however many sends', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  const post = (path: string, size: number): string =>
    `get("${path}", "POST", "content-length: ${size}\\r\\n")`;
  assert.equal(await http.client.value(`ask(s, ${post('/a', 5)} + "hello")`), [
    200,
    'POST /a 5\n',
    false,
  ]);
  assert.equal(await http.client.value(`ask(s, ${post('/a', 5)}, "he", "llo")`), [
    200,
    'POST /a 5\n',
    false,
  ]);
  const large = `ask(s, ${post('/a', 300_000)}, *["x" * 1000] * 300)`;
  assert.equal(await http.client.value(large), [200, 'POST /a 300000\n', false]);
  for (const parts of ['+ "hello"', ', "he", "llo"', ', *"hello"']) {
    assert.equal(await http.client.value(`ask(s, ${post('/private', 5)} ${parts})`), DENIED, parts);
    assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED, parts);
  }
  const refused = `ask(s, ${post('/private', 300_000)}, *["x" * 1000] * 300)`;
  assert.equal(await http.client.value(refused), DENIED);
  assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
  assert.equal(await seen(), ['POST /a', 'POST /a', 'POST /a', ...Array(4).fill('GET /a')]);
});

test('what follows a refused request in the same send is never redirected with it', async () => {
  // No agent runs, which would keep the order: so the refusal ends the connection, and says so.
  for (const more of ['get("/a")', 'get("/a")[:9]']) {
    await http.client.value(`s = open_to("${VIP4}", 80)`);
    const refused = await http.client.value(`ask(s, get("/private") + ${more})`);
    assert.equal(refused, [403, 'RBAC: access denied', true], more);
    await http.client.value('s.close()');
  }
  assert.equal(await seen(), []);
});

test('what TCP takes in pieces is judged no less, and no more', async () => {
  const size = 3_000_000;
  const post = `get("/a", "POST", "content-length: ${size}\\r\\n") + "x" * ${size}`;
  const both = `push(s, ${post} + get("/b")), take(s), take(s)`;
  for (const sndbuf of [4096, 65536, 0]) {
    await http.client.value(`s = open_to("${VIP4}", 80, ${sndbuf})`);
    const answer = (await http.client.value(both)) as [number, unknown, unknown];
    assert.ok(answer[0] > 0, 'TCP took all at once');
    assert.equal(answer.slice(1), [
      [200, `POST /a ${size}\n`, false],
      [200, 'GET /b 0\n', false],
    ]);
    assert.equal(await http.client.value('ask(s, get("/private"))'), DENIED);
    assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
  }
});

test('a head of which TCP took a part goes on as it was judged', async () => {
  const host = `open_to("${VIP4}", 80`;
  const padded = '(get("/a")[:-2] + "x-pad: " + "p" * 7000 + "\\r\\n\\r\\n").encode()';
  // In small packets, and what the server says of them is lost: so the client's buffer is full.
  await http.client.value('os.system("ip link set v0 gso_max_segs 1")');
  const begin = async (): Promise<void> => {
    await http.client.value(`s = ${host}, 4096); s.setblocking(False); head = ${padded}`);
    await http.server.value(`os.system("ip route add blackhole ${CLIENT4}/32")`);
    const sent = await http.client.ask('n = s.send(head); 0 < n < len(head) - 4');
    await http.server.value(`os.system("ip route del blackhole ${CLIENT4}/32")`);
    assert.equal(sent, { value: true }, 'TCP took all at once, or nothing');
  };
  await begin();
  await http.client.value('push(s, head[n:])');
  assert.equal(await http.client.value('s.settimeout(5); take(s)'), ALLOWED);
  await begin();
  const other = 'push(s, b"\\r\\n\\r\\n" + get("/private").encode())';
  assert.equal(await http.client.ask(other), { error: 'EACCES' });
  assert.equal(await http.client.value(`ask(${host}), get("/b"))`), [200, 'GET /b 0\n', false]);
  assert.equal(await seen(), ['GET /a', 'GET /b']);
  await http.client.value('os.system("ip link set v0 gso_max_segs 65535")');
});

test('a chunked body passes by its chunks, however it is cut', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  const head = 'get("/a", "POST", "transfer-encoding: chunked\\r\\n")';
  const body = '"5;x=y\\r\\nhello\\r\\n" + "1\\r\\n!\\r\\n" + "0\\r\\nt: 1\\r\\n\\r\\n"';
  await http.client.value(`body = ${body}`);
  const ok = [200, 'POST /a 6\n', false];
  assert.equal(await http.client.value(`ask(s, ${head} + body)`), ok);
  assert.equal(await http.client.value('ask(s, get("/private"))'), DENIED);
  assert.equal(await http.client.value(`ask(s, ${head}, *body)`), ok, 'byte by byte');
  const cut = `[ask(s, ${head} + body[:i], body[i:])[1] for i in range(len(body))]`;
  assert.equal(new Set((await http.client.value(cut)) as string[]), new Set(['POST /a 6\n']));
  const large = `ask(s, ${head}, *["10000\\r\\n" + "x" * 65536 + "\\r\\n"] * 20, "0\\r\\n\\r\\n")`;
  assert.equal(await http.client.value(large), [200, `POST /a ${20 * 65536}\n`, false]);
  assert.equal(await http.client.value('ask(s, get("/private"))'), DENIED);
  const bad = await http.client.ask(`ask(s, ${head} + "5\\r\\nhello0\\r\\n")`);
  assert.equal(bad, { error: 'EACCES' });
});

test('a refused body in chunks is swallowed to its end, however it is cut', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  const head = 'get("/private", "POST", "transfer-encoding: chunked\\r\\n")';
  const next = 'ask(s, get("/a"))';
  await http.client.value(
    'body = "5;x=y\\r\\nhello\\r\\n" + "1\\r\\n!\\r\\n" + "0\\r\\nt: 1\\r\\n\\r\\n"',
  );
  assert.equal(await http.client.value(`ask(s, ${head} + body), ${next}`), [DENIED, ALLOWED]);
  assert.equal(await http.client.value(`ask(s, ${head}, *body), ${next}`), [DENIED, ALLOWED]);
  const cut = `[ask(s, ${head} + body[:i], body[i:])[0] for i in range(len(body))]`;
  assert.equal(new Set((await http.client.value(cut)) as number[]), new Set([403]));
  // The end of the body and the next request in one send.
  const both = `ask(s, ${head}, body[:9]), ask(s, body[9:] + get("/a"))`;
  assert.equal(await http.client.value(both), [DENIED, ALLOWED]);
  const small = `ask(s, ${head} + "1\\r\\nx\\r\\n" * 40000 + "0\\r\\n\\r\\n"), ${next}`;
  assert.equal(await http.client.value(small), [DENIED, ALLOWED]);
  const large = `ask(s, ${head}, *["10000\\r\\n" + "x" * 65536 + "\\r\\n"] * 20, "0\\r\\n\\r\\n"), ${next}`;
  assert.equal(await http.client.value(large), [DENIED, ALLOWED]);
  assert.equal(await seen(), Array(5).fill('GET /a'));
});

test('a malformed chunk of a refused body ends the connection', async () => {
  const head = 'get("/private", "POST", "transfer-encoding: chunked\\r\\n")';
  const inner = 'get("/a")';
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  assert.equal(await http.client.value(`ask(s, ${head})`), DENIED);
  assert.equal(
    await http.client.ask(`s.sendall(("5\\r\\nhello0\\r\\n\\r\\n" + ${inner}).encode())`),
    {
      error: 'EACCES',
    },
  );
  assert.equal(await http.client.ask(`s.sendall(${inner}.encode())`), { error: 'EACCES' });
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  const one = `ask(s, ${head} + "5\\r\\nhello0\\r\\n\\r\\n" + ${inner})`;
  assert.equal(await http.client.value(one), [403, 'RBAC: access denied', true]);
  await http.client.value(`s.sendall(${inner}.encode())`);
  assert.equal(await seen(), []);
});

test('a route that answers is answered in the kernel', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  assert.equal(await http.client.value('ask(s, get("/taken"))'), [202, 'taken', false]);
  const denied = 'ask(s, get("/taken", more="x-key: wrong\\r\\n"))';
  assert.equal(await http.client.value(denied), DENIED);
  assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
  assert.equal(await seen(), ['GET /a']);
});

test('a head split at any byte is judged whole', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  const split = (path: string): string =>
    `[ask(s, get("${path}")[:i], get("${path}")[i:])[0] for i in range(1, len(get("${path}")))]`;
  const passed = (await http.client.value(split('/a'))) as number[];
  assert.equal([...new Set(passed)], [200]);
  const refused = (await http.client.value(split('/private'))) as number[];
  assert.equal([...new Set(refused)], [403]);
  assert.equal(await http.client.value('ask(s, *get("/private"))'), DENIED, 'byte by byte');
  assert.equal(await http.client.value('ask(s, *get("/a"))'), ALLOWED, 'byte by byte');
});

test('requests that come again are judged each, and what differs from them in a byte too', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  const statuses = (paths: string, times: number): Promise<unknown> =>
    http.client.value(`[ask(s, get(path))[0] for path in ${paths} * ${times}]`);
  const times = <T>(values: readonly T[], count: number): T[] =>
    Array.from({ length: count }, () => values).flat();
  const alike = '["/privat1", "/privat1", "/private", "/privat1", "/private"]';
  assert.equal(await statuses(alike, 9), times([200, 200, 403, 200, 403], 9));
  // The parser writes the normalised path over the one that was sent: the second is what is left then.
  assert.equal(await statuses('["/x/../taken", "/takentaken"]', 17), times([202, 200], 17));
  const post = 'get("/a", "POST", "content-length: 5\\r\\n")';
  for (let i = 0; i < 9; i++)
    assert.equal(await http.client.value(`ask(s, ${post} + "hello")`), [200, 'POST /a 5\n', false]);
  assert.equal(await http.client.value(`ask(s, ${post} + "he", "llo")`), [
    200,
    'POST /a 5\n',
    false,
  ]);
});

test('a part of a request that came before is no request', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  await http.client.value('text = get("/a", more="x-fill: 0123456789abcdef0123456789\\r\\n")');
  for (let i = 0; i < 9; i++) {
    await http.server.value('seen.clear()');
    assert.equal(await http.client.value('[ask(s, text)[0] for _ in range(3)]'), [200, 200, 200]);
    await http.client.value('s.sendall(text[:-8].encode())');
    assert.equal(await http.client.value('ask(s, text[-8:])'), ALLOWED);
    assert.equal(await seen(), Array(4).fill('GET /a'));
  }
});

test('HEAD is refused without a body, and what is no HTTP ends the connection', async () => {
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  const head =
    's.sendall(get("/private", "HEAD").encode()); s.recv(9999).decode().split("\\r\\n\\r\\n")[1]';
  assert.is(await http.client.value(head), '');
  assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
  assert.equal(await http.client.value('ask(s, "GET /\\0 HTTP/1.1\\r\\n\\r\\n")'), [400, '', true]);
  await http.client.value('s.sendall(get("/a").encode())');
  assert.equal(await http.client.ask('s.recv(1)'), { error: 'ETIMEDOUT' });
  assert.equal(await seen(), ['GET /a']);
});

test('a refused request is reported with what was asked, answered and decided', async () => {
  await http.requests();
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  await http.client.value('ask(s, get("/a")), ask(s, get("/private/x/../y?z", "POST"))');
  await http.client.value('ask(s, "GET /\\0 HTTP/1.1\\r\\n\\r\\n")');
  const seen = (await http.requests()).map((e) => [e.method, e.path, e.status, e.rule, e.verdict]);
  assert.equal(seen, [
    ['POST', '/private/y', 403, 'http.ts:7', 'deny'],
    ['', '', 400, 'parse', 'deny'],
  ]);
});

for (const [what, passing, paths] of [
  ['a follower of every request is told of those that pass', true, ['/a', '/private']],
  ['a follower is told of refusals only', false, ['/private']],
] as const)
  test(what, async () => {
    await http.client.value(`s = open_to("${VIP4}", 80)`);
    const events = await http.follow(passing, () =>
      http.client.value('ask(s, get("/a")), ask(s, get("/private"))'),
    );
    assert.equal(
      events.map(({ path }) => path),
      paths,
    );
  });

test('what no request was judged for does not leave: data in a SYN', async () => {
  const fast = `f = tcp(); f.settimeout(0.3); f.sendto(get("/private").encode(), 0x20000000, ("${VIP4}", 80))`;
  assert.equal(await http.client.ask(fast), { error: 'ENOTSUP' });
  assert.equal(await seen(), []);
});

test('what no request was judged for does not leave: a send that waits for its connect', async () => {
  // The server's answer to the first SYN is lost: the second is sent a second later.
  await http.server.value(`os.system("ip route add blackhole ${CLIENT4}/32")`);
  const blocked = `import threading
w = tcp(); w.setblocking(False); w.connect_ex(("${VIP4}", 80)); w.setblocking(True)
box = []
sender = threading.Thread(target=lambda: box.append(w.send(get("/private").encode())))
sender.start()`;
  await http.client.value(blocked);
  await http.server.value(`os.system("ip route del blackhole ${CLIENT4}/32")`);
  assert.is(await http.client.value('sender.join(10); w.settimeout(0.3); box[0] > 0'), true);
  assert.equal(await http.client.ask('w.recv(1)'), { error: 'ETIMEDOUT' });
  assert.equal(await seen(), []);
  assert.ok(http.denied('requests') > 0n);
});

test('refusals have the texts of weft.json', async () => {
  const deny = { status: 451, body: 'never', type: 'text/plain' };
  const parse = { status: 418, body: 'tea', type: 'text/plain' };
  const refusals = { ...PROJECT_DEFAULTS.refusals, deny, parse };
  await http.load({ 'http.ts': POLICY }, http.world(), false, { refusals });
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  assert.equal(await http.client.value('ask(s, get("/private"))'), [451, 'never', false]);
  assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
  const bad = await http.client.value('ask(s, "GET /\\0 HTTP/1.1\\r\\n\\r\\n")');
  assert.equal((bad as unknown[]).slice(0, 2), [418, 'tea']);
});

test('without policies about requests nothing is looked at', async () => {
  const connection =
    'import { Connection, Verdict } from "weft";\n' +
    'export function authorizeConnection(c: Connection): Verdict { return Verdict.Allow; }\n';
  await http.load({ 'tcp.ts': connection });
  await http.client.value(`s = open_to("${VIP4}", 80)`);
  assert.equal(await http.client.value('ask(s, get("/private"))'), [
    200,
    'GET /private 0\n',
    false,
  ]);
});

test.run();
