/** Real traffic, decided by the kernel and beside it by a bundle that does not hold yet: what is counted as different. */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createShadow,
  readSeen,
  readSource,
  type Seen,
  type Shadow,
} from '../../runtime/agent/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { HTTP_PORT, HttpNet, VIP4, VIP6 } from './fixtures/http.js';
import { SERVER4 } from './fixtures/net.js';

const POLICY = `import { Request, respond, Route, Verdict } from "weft";
const teapot = respond(202, "taken");
export function routeRequest(request: Request): Route {
  return request.path.is("/taken") ? teapot : Route.None;
}
export function authorizeRequest(request: Request): Verdict {
  if (request.path.startsWith("/private")) return Verdict.Deny;
  if (request.header("x-key").is("wrong")) return Verdict.Deny;
  return Verdict.Allow;
}
`;
/** One rule is another, and one reply. */
const RULE = POLICY.replace('"/private"', '"/a"');
const REPLY = POLICY.replace('respond(202', 'respond(203');
/** One request goes elsewhere, and what was answered is forwarded: both reply with 200. */
const CLUSTERS = POLICY.replace('import {', 'import { cluster,')
  .replace('const teapot', 'const second = cluster("shop", "v2");\nconst teapot')
  .replace(
    'request.path.is("/taken") ?',
    'request.path.is("/b") ? second : request.path.is("/taken") ?',
  );
const OKAY = POLICY.replace('respond(202', 'respond(200');
const SENT = [
  'get("/a")',
  'get("/a?token=secret")',
  'get("/private/x")',
  'get("/a", more="x-key: wrong\\r\\n")',
  'get("/b", more="x-key: wrong\\r\\n")',
  'get("/taken")',
  'get("/b")',
];
const PLACES = [
  [VIP4, 80],
  [VIP6, 80],
  [SERVER4, HTTP_PORT],
] as const;
const COUNT = PLACES.length * SENT.length;

const test = suite('shadow');
let http: HttpNet;
let seen: Seen[] = [];
test.before(async () => {
  http = await HttpNet.open('shd');
  // A second cluster with the same endpoint, to which nothing goes.
  const world = http
    .world()
    .replace(
      '[{ name: shop/v1, selector: { app: shop } }]',
      '[{ name: shop/v1, selector: { app: shop } }, { name: shop/v2, selector: { app: shop } }]',
    );
  await http.load({ 'http.ts': POLICY }, world);
  http.enrol();
  seen = await watchTraffic();
});
test.after(async () => {
  await http?.close();
});

/** Every event of the traffic, as the agent's reader of the ring gives it. */
async function watchTraffic(): Promise<Seen[]> {
  const found: Seen[] = [];
  const stop = new AbortController();
  let isReady = false;
  const done = readSeen(http.kernel, http.paths, {
    signal: stop.signal,
    onReady: () => {
      isReady = true;
    },
    onSeen: (one) => {
      found.push(one);
      return found.filter(({ head }) => head !== null).length >= COUNT;
    },
  });
  while (!isReady) await turn();
  for (const [host, port] of PLACES) {
    await http.client.value(`s = open_to("${host}", ${port})`);
    for (const text of SENT) await http.client.value(`ask(s, ${text})`);
  }
  const { lost } = await done;
  assert.is(lost, 0);
  return found;
}

async function shadowOf(policy: string): Promise<Shadow> {
  const source = [1, 2, 3].map((n) => readSource(http.paths, n)).find((found) => found !== null);
  if (source == null) throw new Error('nothing was kept of the generation');
  const bundle = await mustCompile(new Map([['http.ts', policy]]));
  return createShadow({ bundle, digest: 'sha256:shadow', world: source.world });
}
async function counted(policy: string): Promise<ReturnType<Shadow['counts']>> {
  const shadow = await shadowOf(policy);
  for (const one of seen) shadow.take(one);
  return shadow.counts();
}

test('the bundle that holds decides every event the same', async () => {
  const { same, different, lost, rules } = await counted(POLICY);
  // Connections that are judged are events too.
  assert.ok(same >= COUNT, String(same));
  assert.equal([different, lost, rules], [0, 0, []]);
});

test('a rule that is another is counted by the lines of both', async () => {
  const { same } = await counted(POLICY);
  const found = await counted(RULE);
  // /a twice is refused and /private let in; what the key refuses is refused by either.
  assert.is(found.different, 3 * PLACES.length);
  assert.is(found.same, same - found.different);
  assert.is(found.lost, 0);
  assert.equal(found.rules, [
    { old: 'http.ts:9', new: 'http.ts:7', count: 2 * PLACES.length },
    { old: 'http.ts:7', new: 'http.ts:9', count: PLACES.length },
  ]);
});

test('a reply that is another is a difference', async () => {
  const { different } = await counted(REPLY);
  // Routes are of services: what goes to an endpoint itself asks none.
  assert.is(different, PLACES.length - 1);
});

test('another cluster is a difference, also where verdict and status are the same', async () => {
  const { different, rules } = await counted(CLUSTERS);
  assert.is(different, PLACES.length - 1);
  assert.equal(rules, [{ old: 'http.ts:9', new: 'http.ts:10', count: PLACES.length - 1 }]);
});

test('what is forwarded and what is answered with 200 are not the same', async () => {
  const shadow = await shadowOf(OKAY);
  for (const one of seen) {
    // As if the route had not been there: forwarded, with no status of its own.
    const { event } = one;
    const isTaken = event.request?.status === 202;
    const request = event.request === null ? null : { ...event.request, status: 0 };
    shadow.take(isTaken ? { ...one, event: { ...event, request } } : one);
  }
  assert.is(shadow.counts().different, PLACES.length - 1);
});

test('what cannot be decided again is lost, not the same', async () => {
  const shadow = await shadowOf(POLICY);
  const [request] = seen.filter(({ head }) => head !== null);
  if (request === undefined) throw new Error('no request was seen');
  shadow.take({ ...request, head: null });
  // A connection of an address that the world does not know.
  shadow.take(
    {
      ...request,
      event: {
        ...request.event,
        hook: 'connect4',
        sourceWorkload: 999,
        source: new Uint8Array(16).fill(9),
        destination: new Uint8Array(16).fill(9),
      },
      head: null,
    },
    5,
  );
  const { same, different, lost } = shadow.counts();
  assert.equal([same, different], [0, 0]);
  assert.is(lost, 7);
});

test.run();
