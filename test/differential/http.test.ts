/**
 * Generated policies and requests, decided by the simulator and by the data plane on real connections: the
 * client sends each head through sk_msg, pools and the agent, and hears what the simulator said that
 * it would. Served heads come back to it, byte for byte.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { startForwarding } from '../../runtime/agent/forwarding.js';
import { load } from '../../runtime/agent/index.js';
import { parseAddress, readWorld, type World } from '../../runtime/discovery/index.js';
import {
  createSimulator,
  type Outcome,
  type RequestText,
  requestHead,
} from '../../runtime/simulate/index.js';
import { HttpNet, VIP4, VIP6 } from '../kernel/fixtures/http.js';
import { CLIENT4, CLIENT6, SERVER4, SERVER6 } from '../kernel/fixtures/net.js';
import { mustCompile } from '../support/compile-texts.js';
import { generatePolicy } from '../support/generate-policy.js';
import { generateRequest } from '../support/generate-request.js';
import { Prng } from '../support/prng.js';

const SEED = Number(process.env['WEFT_SEED'] ?? 1);
const BUNDLES = Number(process.env['WEFT_HTTP_BUNDLES'] ?? 25);
const REQUESTS = 4000;
/** Connections at a time, over IPv4 and IPv6 by turns. */
const CONNECTIONS = 8;
const PORT = 8090;
const ENDPOINTS = [
  [SERVER4, SERVER6],
  ['10.77.0.3', 'fd77::3'],
  ['10.77.0.4', 'fd77::4'],
] as const;

/** Answers each head with the cluster that was asked and the head itself. */
const SERVER = `
TAGS = {${ENDPOINTS.map(([v4, v6], i) => `"::ffff:${v4}": "v${i + 1}", "${v6}": "v${i + 1}"`).join(', ')}}
for address in ("10.77.0.3/24", "10.77.0.4/24", "fd77::3/64", "fd77::4/64"):
    os.system(f"ip address add {address} dev v0" + (" nodad" if ":" in address else ""))
def serve(c):
    tag = TAGS[c.getsockname()[0]].encode()
    rest = b""
    try:
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while came := next_head(c, rest):
            head, rest = came
            c.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n" % (len(head) + 7) + tag + b" " + head + b"\\r\\n\\r\\n")
    except OSError: pass
    finally: c.close()
serve_each(${PORT}, serve)
`;

/** Sends heads one after the other; replies are [status, location, body], or the name of an errno. */
const CLIENT = `
import json
for n in ("10.77.0.3", "10.77.0.4", "fd77::3", "fd77::4"):
    os.system(f"ip neigh replace {n} lladdr 02:00:00:00:77:02 dev v0")
def once(s, head):
    s.sendall(head.encode("latin1"))
    data = b""
    while b"\\r\\n\\r\\n" not in data:
        more = s.recv(65536)
        if not more: return ["closed", None, ""], True
        data += more
    top, _, body = data.partition(b"\\r\\n\\r\\n")
    lines = top.decode("latin1").split("\\r\\n")
    fields = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
    while len(body) < int(fields.get("content-length", 0)): body += s.recv(65536)
    return [int(lines[0].split()[1]), fields.get("location"), body.decode("latin1")], fields.get("connection") == "close"
def work(k, heads, replies):
    s = None
    for i in range(k, len(heads), ${CONNECTIONS}):
        if s is None:
            s = tcp((4, 6)[k % 2]); s.settimeout(20)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.connect((("${VIP4}", "${VIP6}")[k % 2], 80))
        try: replies[i], over = once(s, heads[i])
        except OSError as e: replies[i], over = [errno.errorcode.get(e.errno, str(e)), None, ""], True
        if over: s.close(); s = None
def play(path):
    heads = json.load(open(path + ".heads")); replies = [None] * len(heads)
    all = [threading.Thread(target=work, args=(k, heads, replies)) for k in range(${CONNECTIONS})]
    for t in all: t.start()
    for t in all: t.join()
    json.dump(replies, open(path + ".replies", "w"))
`;
type Reply = readonly [status: number | string, location: string | null, body: string];

const world = (cgroup: string): string => `services:
  - name: reviews.prod
    addresses: [${VIP4}, "${VIP6}"]
    ports: [{ port: 80, target: ${PORT}, protocol: http }]
    clusters:
      - { name: reviews/v1, selector: { version: v1 } }
      - { name: reviews/v2, selector: { version: v2 } }
      - { name: reviews/v3, selector: { version: v3 } }
workloads:
${ENDPOINTS.map(([v4, v6], i) => `  - { name: reviews-${i + 1}.prod, addresses: [${v4}, "${v6}"], serviceAccount: api, labels: { version: v${i + 1}, app: api } }`).join('\n')}
  - { name: web.prod, addresses: [${CLIENT4}, "${CLIENT6}"], serviceAccount: web, labels: { app: web, tier: front }, cgroup: ${cgroup} }
`;

/**
 * Policies whose answer is the request's alone: no clock and no draw, which nobody could repeat. A split
 * by what a request lacks is a draw too, so all are by the path.
 */
function deterministic(text: string): string {
  return text
    .replaceAll('connection.now', '<u64>1700000000000000000')
    .replaceAll('split(', 'splitBy(request.path, ')
    .replace(/splitBy\(.*?, one, /g, 'splitBy(request.path, one, ');
}

/** A request; few lack the host, because each of those costs a connection. */
function request(random: Prng): RequestText {
  const made = generateRequest(random);
  const hasHost = made.headers.some(([name]) => name.toLowerCase() === 'host');
  return hasHost || random.oneIn(8) ? made : { ...made, headers: [['Host', 'a'], ...made.headers] };
}

/** What a client is to hear. */
function expected(outcome: Outcome, head: string): Reply {
  const { status, location, cluster, edits } = outcome;
  if (status !== 200 || cluster === null) return [status ?? 'no answer', location, ''];
  const set = edits.map((edit) => /^set (.*?): (.*)$/.exec(edit));
  const edited = set.reduce((text, match) => {
    if (match === null) throw new Error(`an edit of another kind: ${edits}`);
    const kept = text.split('\r\n').filter((l) => !l.toLowerCase().startsWith(`${match[1]}:`));
    return [...kept.slice(0, -2), `${match[1]}: ${match[2]}`, '', ''].join('\r\n');
  }, head);
  return [200, null, `${cluster.split('/')[1]} ${edited}`];
}

/** Most policies end in a denial; of these, most do not, so that much is forwarded. */
function generate(random: Prng, asks: 'authorize' | 'route'): string {
  const text = deterministic(generatePolicy(random, asks, true));
  if (asks === 'route' || random.oneIn(4)) return text;
  return text.replace(/return Verdict\.\w+;\n}\n$/, 'return Verdict.Allow;\n}\n');
}

/** Where requests go that no route speaks of: one place, since a cluster of all would be a draw. */
const BOUND = `import { cluster, Connection, Route } from "weft";
const bound = cluster("reviews", "v1");
export function routeConnection(connection: Connection): Route { return bound; }
`;

const test = suite('requests: the simulator and real connections');
const counts = { requests: 0, allowed: 0, denied: 0, answered: 0, malformed: 0, elsewhere: 0 };
let net: HttpNet;
let isEnrolled = false;

test.before(async () => {
  net = await HttpNet.open('d');
  const server = net.net.peer(net.net.right, null);
  await server.value(SERVER);
  await net.client.value(CLIENT);
});
test.after(async () => {
  await net?.close();
});

function count({ status, reason, routeKind, cluster }: Outcome): void {
  counts.requests++;
  if (reason === 'parse') counts.malformed++;
  else if (status === 200) counts.allowed++;
  else if (status === 403) counts.denied++;
  if (routeKind === 'reply' || routeKind === 'redirect') counts.answered++;
  if (status === 200 && cluster !== 'reviews/v1') counts.elsewhere++;
}

async function simulate(
  bundle: Bundle,
  mesh: World,
  requests: readonly RequestText[],
): Promise<readonly Outcome[]> {
  await using simulator = await createSimulator(bundle, { world: mesh });
  const workload = mesh.workloads.findIndex(({ name }) => name === 'web.prod');
  return simulator.simulateAll(
    requests.map((request, i) => {
      const isV4 = (i % CONNECTIONS) % 2 === 0;
      const [from, to] = isV4 ? [CLIENT4, VIP4] : [CLIENT6, VIP6];
      return {
        source: { workload, address: parseAddress(from) },
        destination: { address: mustParse(to), port: 80 },
        protocol: 6,
        random: 0,
        pick: 0,
        now: 0n,
        request,
      };
    }),
  );
}
function mustParse(text: string): NonNullable<ReturnType<typeof parseAddress>> {
  const address = parseAddress(text);
  if (address === null) throw new Error(`no address: ${text}`);
  return address;
}

async function compareBundle(seed: number): Promise<void> {
  const random = new Prng(seed);
  const kinds = ['authorize', 'route'] as const;
  const texts = new Map(kinds.map((asks, i) => [`g${i}.ts`, generate(random, asks)]));
  texts.set('bound.ts', BOUND);
  const bundle = await mustCompile(texts, { budget: { fuel: random.pick([100, 2000]) } });
  const mesh = readWorld(world(net.cgroupName), 'world.yaml').world;
  if (mesh === null) throw new Error('the world is not read');
  const requests = Array.from({ length: REQUESTS }, () => request(random));
  const outcomes = await simulate(bundle, mesh, requests);
  const { generation } = await load(net.kernel, net.paths, {
    ...{ bundle, digest: 'sha256:test', world: mesh, now: new Date(), clockOffset: 0n },
  });
  const faults: unknown[] = [];
  if (!isEnrolled) net.enrol();
  isEnrolled = true;
  await using _forwarding = await startForwarding(net.kernel, net.paths, {
    ...{ bundle, world: mesh, generation, onFault: (error) => faults.push(error) },
  });
  const heads = requests.map((one) => Buffer.from(requestHead(one)).toString('latin1'));
  const path = join(net.paths.run, 'play');
  writeFileSync(`${path}.heads`, JSON.stringify(heads));
  await net.client.value(`play("${path}")`);
  const replies = JSON.parse(readFileSync(`${path}.replies`, 'utf8')) as Reply[];
  const differences = outcomes.flatMap((outcome, i) => {
    count(outcome);
    const [status, location, body] = replies[i] ?? ['none', null, ''];
    const head = heads[i] ?? '';
    const want = expected(outcome, head);
    const got = [status, location, want[0] === 200 ? body : ''];
    if (JSON.stringify(got) === JSON.stringify(want)) return [];
    return [
      `${JSON.stringify(head)}\n  simulated ${JSON.stringify(want)} (${outcome.rule})\n  heard     ${JSON.stringify(got)}`,
    ];
  });
  assert.equal(faults.map(String), []);
  if (differences.length > 0)
    assert.unreachable(
      `${differences.length} differ in bundle ${seed}:\n${[...texts.values()].join('---\n')}${differences.slice(0, 10).join('\n')}`,
    );
}

for (let n = 0; n < BUNDLES; n++)
  test(`seed ${SEED * 100_000 + n}`, () => compareBundle(SEED * 100_000 + n));

test('enough was compared, and it was not all the same', () => {
  console.error(`compared ${JSON.stringify(counts)}`);
  assert.is(counts.requests, BUNDLES * REQUESTS);
  for (const [kind, n] of Object.entries(counts)) assert.ok(n > counts.requests / 1000, kind);
});

test.run();
