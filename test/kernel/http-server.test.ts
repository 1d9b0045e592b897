/** Requests that arrive from outside of the mesh are judged where they arrive, each on its own. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeEvent } from '../../runtime/agent/layout.js';
import { HTTP_PORT, HttpNet, OUTSIDER4, OUTSIDER6 } from './fixtures/http.js';
import { SERVER4, SERVER6 } from './fixtures/net.js';

const POLICY = `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict {
  if (request.path.startsWith("/private")) return Verdict.Deny;
  if (request.source.address.word(3) == 0x0a4d0001) return Verdict.Deny;
  return Verdict.Allow;
}
`;
const CONNECTION = `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict { return Verdict.Allow; }
`;
const ALLOWED = [200, 'GET /a 0\n', false];
const DENIED = [403, 'RBAC: access denied', false];
const CLOSED = [403, 'RBAC: access denied', true];
/** Makes a head longer than any reply. */
const LONG = `x-long: ${'y'.repeat(200)}\\r\\n`;

/** Waits with poll before it reads, as servers do that block in no read. */
const WAITING = 'Echo.timeout = 60';

const test = suite('http at the server');
let http: HttpNet;

test.before(async () => {
  http = await HttpNet.open('s');
  await http.load({ 'http.ts': POLICY });
  http.enrol();
  http.enrolServer();
  await http.server.value(WAITING);
});
test.after(async () => {
  await http?.close();
});
test.before.each(async () => {
  await http.server.value('seen.clear()');
});
const seen = (): Promise<unknown> => http.server.value('seen[:]');
const ask = (code: string): Promise<unknown> => http.outsider.value(code);
const open = (host = SERVER4): Promise<unknown> => ask(`s = open_to("${host}", ${HTTP_PORT})`);

for (const [host, from] of [
  [SERVER4, OUTSIDER4],
  [SERVER6, OUTSIDER6],
] as const)
  test(`${host}: each request is judged on its own`, async () => {
    await open(host);
    assert.is(await ask('s.getsockname()[0]'), from);
    assert.equal(await ask('ask(s, get("/a"))'), ALLOWED);
    assert.equal(await ask(`ask(s, get("/private", more="${LONG}"))`), DENIED);
    assert.equal(await ask('ask(s, get("/a"))'), ALLOWED);
    assert.equal(await ask('ask(s, get("/private"))'), CLOSED);
    assert.equal(await seen(), ['GET /a', 'GET /a']);
  });

test('a body goes where its head went, in however many packets', async () => {
  await open();
  const post = (path: string, size: number, more = ''): string =>
    `get("${path}", "POST", "content-length: ${size}\\r\\n${more}")`;
  const posted = (size: number): unknown => [200, `POST /a ${size}\n`, false];
  assert.equal(await ask(`ask(s, ${post('/a', 5)} + "hello")`), posted(5));
  assert.equal(await ask(`ask(s, ${post('/a', 5)}, *"hello")`), posted(5));
  assert.equal(await ask(`ask(s, ${post('/a', 300_000)}, *["x" * 1000] * 300)`), posted(300_000));
  const large = `ask(s, ${post('/private', 5000, LONG)}, *["x" * 1000] * 5)`;
  assert.equal(await ask(large), DENIED);
  assert.equal(await ask('ask(s, get("/a"))'), ALLOWED);
  assert.equal(await ask(`ask(s, ${post('/private', 60_000)} + "x" * 60000)`), CLOSED);
  assert.equal(await seen(), [...Array(3).fill('POST /a'), 'GET /a']);
});

test('a head split at any byte is judged whole', async () => {
  await open();
  const split = (path: string, connect: string): string =>
    `[(${connect}, ask(s, get("${path}")[:i], get("${path}")[i:]))[1][0] for i in range(1, len(get("${path}")))]`;
  const passed = (await ask(split('/a', '0'))) as number[];
  assert.equal([...new Set(passed)], [200]);
  const again = `globals().update(s=open_to("${SERVER4}", ${HTTP_PORT}))`;
  const refused = (await ask(split('/private', again))) as number[];
  assert.equal([...new Set(refused)], [403]);
  await open();
  assert.equal(await ask('ask(s, *get("/a"))'), ALLOWED, 'byte by byte');
  assert.equal(await ask('ask(s, *get("/private"))'), CLOSED, 'byte by byte');
  assert.equal([...new Set((await seen()) as string[])], ['GET /a']);
});

test('a chunked body is taken apart however it was cut; a bad one ends the connection', async () => {
  await open();
  const head = 'get("/a", "POST", "transfer-encoding: chunked\\r\\n")';
  const body = '"5\\r\\nhello\\r\\n" + "a\\r\\n0123456789\\r\\n" + "0\\r\\n\\r\\n"';
  const posted = [200, 'POST /a 15\n', false];
  const whole = await http.outsider.ask(`ask(s, ${head} + ${body})`);
  assert.equal(whole, { value: posted });
  assert.equal(await ask(`ask(s, ${head}, ${body})`), posted);
  assert.equal(await ask(`ask(s, *(${head} + ${body}))`), posted, 'byte by byte');
  assert.equal(await ask(`ask(s, ${head} + ${body} + get("/private"))`), posted);
  assert.is(((await ask('take(s)')) as unknown[])[0] !== 200, true, 'what hides behind it');
  await open();
  await ask(`s.sendall((${head} + "5 \\r\\nhello\\r\\n0\\r\\n\\r\\n" + get("/private")).encode())`);
  assert.is(((await ask('take(s)')) as unknown[])[0] !== 200, true);
  assert.equal(await seen(), Array(4).fill('POST /a'));
});

test('a mix of requests in random pieces: every answer is right, on one connection', async () => {
  await open();
  const mix = `import random
def mixed(seed, count):
    draw, wrong = random.Random(seed), []
    for i in range(count):
        size, kind = draw.choice([0, 5, 900, 3000, 20000]), draw.randrange(4)
        body, more = "x" * size, "x-pad: " + "p" * draw.randrange(600) + "\\r\\n"
        if kind == 0: text, want = get("/a", more=more), [200, "GET /a 0\\n", False]
        elif kind == 1: text, want = get("/a", "POST", more + f"content-length: {size}\\r\\n") + body, [200, f"POST /a {size}\\n", False]
        elif kind == 2:
            chunks = "".join(f"{len(c):x}\\r\\n{c}\\r\\n" for c in (body[j:j + 700] for j in range(0, size, 700)))
            text, want = get("/a", "POST", more + "transfer-encoding: chunked\\r\\n") + chunks + "0\\r\\n\\r\\n", [200, f"POST /a {size}\\n", False]
        else: text, want = get("/private", more=f"x-long: {'y' * 200}\\r\\n" + more), [403, "RBAC: access denied", False]
        cuts = sorted(draw.randrange(len(text)) for _ in range(draw.randrange(6)))
        got = ask(s, *[text[a:b] for a, b in zip([0] + cuts, cuts + [len(text)]) if b > a])
        if got != want: return [i, kind, size, cuts, got]
    return "right"`;
  await ask(mix);
  for (const seed of [1, 2, 3]) assert.is(await ask(`mixed(${seed}, 150)`), 'right');
});

test('pipelined requests: those that are allowed are answered in order, the first refused ends it', async () => {
  await open();
  assert.equal(await ask('ask(s, get("/a") * 20)'), ALLOWED);
  for (let i = 1; i < 20; i++) assert.equal(await ask('take(s)'), ALLOWED);
  assert.equal(await ask('ask(s, get("/a") + get("/private") + get("/a"))'), ALLOWED);
  assert.is(((await ask('take(s)')) as unknown[])[0] !== 200, true);
  await open();
  assert.equal(await ask('ask(s, get("/a") + get("/a")[:9], get("/a")[9:])'), ALLOWED);
  assert.equal(await ask('take(s)'), ALLOWED);
  assert.equal(await seen(), Array(23).fill('GET /a'));
});

test('a refusal does not overtake a reply that is still to come', async () => {
  await http.server.value(`
gate, began, plain = threading.Event(), threading.Event(), Echo.do_GET
def slow(self):
    if self.path == "/slow": began.set(); gate.wait(10)
    plain(self)
Echo.do_GET = slow`);
  await open();
  await ask('s.sendall(get("/slow").encode())');
  assert.is(await http.server.value('began.wait(10)'), true);
  await ask('s.sendall(get("/private").encode())');
  // A refusal that did not wait were under way by the time that later ones have come to others.
  for (let i = 0; i < 20; i += 1)
    assert.equal(
      await ask(`ask(open_to("${SERVER4}", ${HTTP_PORT}), get("/private", more="${LONG}"))`),
      DENIED,
    );
  await http.server.value('gate.set()');
  assert.equal(await ask('take(s)'), [200, 'GET /slow 0\n', false]);
  assert.is(((await ask('take(s)')) as unknown[])[0] !== 200, true);
  await http.server.value('Echo.do_GET = plain');
  assert.equal(await seen(), ['GET /slow']);
});

test('what is no HTTP is answered and ends the connection', async () => {
  for (const [text, status] of [
    ['"GET /\\0 HTTP/1.1\\r\\n\\r\\n"', 400],
    ['get("/a", more="x: " + "y" * 9000 + "\\r\\n")', 431],
    ['get("/a").replace("/1.1", "/3.0")', 505],
    ['get("/a", more="connection: upgrade\\r\\nupgrade: websocket\\r\\n")', 501],
  ] as const) {
    await open();
    const reply = (await ask(`ask(s, ${text})`)) as unknown[];
    assert.is(reply[0], status, text);
  }
  await open();
  assert.equal(await ask('ask(s, "GET /\\0 HTTP/1.1\\r\\n\\r\\n")'), [400, '', true]);
  await ask('s.sendall(get("/a").encode())');
  assert.equal(await http.outsider.ask('s.recv(1)'), { error: 'ETIMEDOUT' });
  assert.equal(await seen(), []);
});

test('HEAD is refused without a body', async () => {
  await open();
  const head = `s.sendall(get("/private", "HEAD", "${LONG}").encode()); s.recv(9999).decode().split("\\r\\n\\r\\n")[1]`;
  assert.is(await ask(head), '');
  assert.equal(await ask('ask(s, get("/a"))'), ALLOWED);
});

test('a workload is judged where it sends, and not again', async () => {
  await http.client.value(`s = open_to("${SERVER6}", ${HTTP_PORT})`);
  assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
  assert.equal(await http.client.value('ask(s, get("/private"))'), DENIED);
});

test('a server that blocks in its read loses the connection with a refusal', async () => {
  await http.server.value('Echo.timeout = None');
  await open();
  assert.equal(await ask('ask(s, get("/a"))'), ALLOWED);
  const reply = (await ask('ask(s, get("/private"))')) as unknown[];
  assert.ok(reply[0] === 0 || reply[0] === 403);
  assert.equal(await seen(), ['GET /a']);
  await http.server.value(WAITING);
});

/** Verdicts on requests that were judged at the server meanwhile. */
async function judgedHere(act: () => Promise<unknown>): Promise<readonly number[]> {
  using ring = http.kernel.openMap(`${http.paths.pins}/node/maps/weft_events`);
  using reader = http.kernel.ringReader(ring);
  reader.drain(() => undefined);
  await act();
  const verdicts: number[] = [];
  reader.drain((bytes) => {
    const { hook, verdict } = decodeEvent(bytes);
    if (hook === 'server') verdicts.push(verdict);
  });
  return verdicts;
}

const asWorkload = async (): Promise<unknown> => {
  await ask(`w = mesh_tcp(6); connect(w, "${SERVER6}", ${HTTP_PORT})`);
  return ask('ask(w, get("/private"))');
};

test('a workload of this node that is not enrolled is judged where its requests arrive', async () => {
  assert.equal(await asWorkload(), CLOSED);
  assert.equal(await seen(), []);
  // Who is enrolled has proved that it is judged already: once, and there.
  const again = await judgedHere(async () => {
    await http.client.value(`s = open_to("${SERVER6}", ${HTTP_PORT})`);
    assert.equal(await http.client.value('ask(s, get("/private"))'), DENIED);
    assert.equal(await http.client.value('ask(s, get("/a"))'), ALLOWED);
  });
  assert.equal(again, []);
});

test('who has the address of a workload of another node is taken for judged there', async () => {
  const elsewhere = http.world().replace(`, cgroup: ${http.cgroupName} }`, ' }');
  await http.load({ 'http.ts': POLICY }, elsewhere);
  assert.equal(await asWorkload(), [200, 'GET /private 0\n', false]);
  const unjudged = http.world().replace(`, cgroup: ${http.cgroupName} }`, ', enrolled: false }');
  await http.load({ 'http.ts': POLICY }, unjudged);
  assert.equal(await asWorkload(), CLOSED, 'where the world says that nobody judges it');
  await http.load({ 'http.ts': POLICY });
  await open();
  assert.equal(await ask('ask(s, get("/private"))'), CLOSED);
});

test('what comes before the server accepts is judged: in the handshake, and after it', async () => {
  await http.server.value('server.shutdown()');
  const accept = 'c, _ = server.socket.accept(); c.settimeout(LIMIT_MS / 1000)';
  for (const path of ['/a', '/private']) {
    await open();
    await ask(`s.sendall(get("${path}").encode())`);
    await http.server.value(accept);
    const got = await http.server.ask('c.recv(5).decode()');
    if (path === '/a') assert.equal(got, { value: 'GET /' });
    else assert.equal(got, { error: 'ETIMEDOUT' });
    if (path !== '/a') assert.equal(await ask('take(s)'), CLOSED);
    await http.server.value('c.close()');
  }
  const fast = 'os.system("sysctl -qw net.ipv4.tcp_fastopen=0x607 2>/dev/null")';
  await http.server.value(`${fast}; server.socket.setsockopt(socket.IPPROTO_TCP, 23, 16)`);
  for (const path of ['/a', '/private']) {
    await ask(`${fast}; f = tcp(); f.settimeout(LIMIT_MS / 1000)`);
    await ask(`f.sendto(get("${path}").encode(), 0x20000000, ("${SERVER4}", ${HTTP_PORT}))`);
    await http.server.value(accept);
    const got = await http.server.ask('c.recv(5).decode()');
    if (path === '/a') assert.equal(got, { value: 'GET /' });
    else assert.equal(got, { error: 'ETIMEDOUT' });
    if (path !== '/a') assert.equal(await ask('take(f)'), CLOSED);
    await http.server.value('c.close()');
  }
  const passive = `n = [l.split() for l in open("/proc/net/netstat") if l.startswith("TcpExt")]
int(dict(zip(*n))["TCPFastOpenPassive"])`;
  assert.is(await http.server.value(passive), 2);
  await http.server.value('threading.Thread(target=server.serve_forever, daemon=True).start()');
});

test('a connection that is older than the policies about requests lives on', async () => {
  await http.load({ 'tcp.ts': CONNECTION });
  await open();
  await http.load({ 'http.ts': POLICY });
  assert.equal(await ask('ask(s, get("/private"))'), [200, 'GET /private 0\n', false]);
  await open();
  assert.equal(await ask('ask(s, get("/private"))'), CLOSED);
});

test('verdicts are reported with the hook `server`', async () => {
  const verdicts = await judgedHere(async () => {
    await open();
    await ask('ask(s, get("/a"))');
    await ask('ask(s, get("/private"))');
  });
  assert.equal(verdicts, [1, 2]);
});

test('a later generation judges with its own policies, one without any lets all in, the next ends it', async () => {
  await open();
  assert.equal(await ask('ask(s, get("/a"))'), ALLOWED);
  await http.load({ 'http.ts': POLICY.replace('/private', '/a') });
  assert.equal(await ask('ask(s, get("/private"))'), [200, 'GET /private 0\n', false]);
  assert.equal(await ask('ask(s, get("/a"))'), CLOSED);
  await open();
  assert.equal(await ask('ask(s, get("/private"))'), [200, 'GET /private 0\n', false]);
  await http.load({ 'tcp.ts': CONNECTION });
  assert.equal(await ask('ask(s, get("/a"))'), ALLOWED);
  await http.load({ 'http.ts': POLICY });
  assert.is(((await ask('ask(s, get("/private"))')) as unknown[])[0] !== 200, true);
});

test.run();
