/** What the agent decides is told as what the kernel decides: once, with its line, counted; and is decided alike. */
import * as assert from 'uvu/assert';
import { POLICY } from './fixtures/exchange.js';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';
import { VIP4 } from './fixtures/http.js';

const on = exchangeSuite('verdicts of the agent', 'av');
const { test } = on;

const send = (paths: readonly string[]): string =>
  paths
    .map((path) => `get("${path.replace('!', '')}"${path.endsWith('!') ? `, ${CANARY}` : ''})`)
    .join(' + ');

/** How often each rule of the policy decided, by line. */
function rules(): Readonly<Record<string, bigint>> {
  const counts = on.net
    .status()
    .policies.flatMap(({ sites }) =>
      sites.map(({ rule, count, verdict }) => [`${rule} ${verdict}`, count] as const),
    );
  return Object.fromEntries(counts);
}

test('of requests in one send each is told once, by its line, and counted once', async () => {
  await on.open();
  const before = rules();
  const paths = ['/1', '/2!', '/4', '/old/5', '/private/last'];
  const events = await on.net.http.follow(true, () =>
    on.net.client(`s.sendall((${send(paths)}).encode()); takes(s, 5); 1`),
  );
  assert.equal(
    events.map((e) => [e.path, e.verdict, e.rule, e.cluster, e.route, e.status]),
    [
      ['/1', 'allow', 'shop.ts:7', 'shop/v1', 'shop.ts:12', null],
      ['/2', 'allow', 'shop.ts:7', 'shop/v2', 'shop.ts:12', null],
      ['/4', 'allow', 'shop.ts:7', 'shop/v1', 'shop.ts:12', null],
      ['/old/5', 'allow', 'shop.ts:7', 'shop/v2', 'shop.ts:10', null],
      ['/private/last', 'deny', 'shop.ts:7', 'shop/v1', 'shop.ts:12', 403],
    ],
  );
  const after = rules();
  const gained = Object.entries(after).map(([rule, count]) => count - (before[rule] ?? 0n));
  assert.is(
    gained.reduce((sum, n) => sum + n, 0n),
    BigInt(paths.length),
  );
  await on.settles();
});

test('a head that the agent cannot read is told as one', async () => {
  await on.open();
  await on.net.http.requests();
  const parse = (): bigint => on.net.http.denied('parse');
  const before = parse();
  await on.net.client(
    `s.sendall((${send(['/1', '/2!'])} + "GET /\\0 HTTP/1.1\\r\\n\\r\\n").encode()); takes(s, 3); 1`,
  );
  const told = (await on.net.http.requests()).map((e) => [e.reason, e.status, e.verdict]);
  assert.equal(told, [['parse', 400, 'deny']]);
  assert.is(parse() - before, 1n);
  await on.settles();
});

test('a request whose route edits is decided by the agent and told by the kernel, once', async () => {
  await on.open();
  const before = rules();
  assert.equal(await on.ask('/old/x'), text('v2', '/new/x'));
  const after = rules();
  const gained = Object.entries(after).map(([rule, count]) => count - (before[rule] ?? 0n));
  assert.is(
    gained.reduce((sum, n) => sum + n, 0n),
    1n,
  );
  await on.settles();
});

const SPLIT = `import { cluster, Connection, Request, Route, split, Verdict } from "weft";
const stable = cluster("shop", "v1");
const canary = cluster("shop", "v2");
export function routeRequest(request: Request): Route {
  return request.header("x-canary").is("1") ? canary : Route.None;
}
export function routeConnection(connection: Connection): Route { return split(stable, 50, canary, 50); }
export function authorizeConnection(connection: Connection): Verdict { return Verdict.Allow; }
`;

test('a request without a route of its own goes where its connection goes, by the agent too', async () => {
  await on.net.load(SPLIT);
  try {
    const places = new Set<unknown>();
    for (let n = 0; n < 8; n++) {
      await on.net.client(`s = open_to("${VIP4}", 80); s.settimeout(10)`);
      const [, first] = (await on.ask('/0')) as [number, string];
      const place = first.slice(0, 2);
      places.add(place);
      const sent = send(['/1', '/2!', '/3', '/4', '/5!', '/6']);
      const found = await on.net.client(
        `s.sendall((${sent}).encode()); [text.split(" ")[0] for text in takes(s, 6)]`,
      );
      assert.equal(found, [place, 'v2', place, place, 'v2', place], `connection ${n}`);
    }
    await on.settles();
    // Of eight draws one would show a route that is drawn anew.
    assert.ok(places.size > 0);
  } finally {
    await on.net.load(POLICY);
  }
});

test.run();
