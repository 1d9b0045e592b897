// Bookinfo under Weft: real processes, real connections, and beside each observed verdict the
// simulated one. Uses the commands that a user would.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { flows } from './flows.mjs';
import { startEvents, startHost } from './processes.mjs';
import { table as newTable } from './table.mjs';
import { create, remove } from './topology.mjs';
import { Undo } from './undo.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(root, 'dist/cli.mjs');
const EXAMPLE = join(root, 'policies/examples/bookinfo');
const OUTSIDER = {
  name: 'outsider',
  label: 'outsider',
  addresses: ['203.0.113.9', 'fd00:203::9'],
  cgroup: null,
  listen: [],
};
/** How many connections show the 90/10 split. */
const DRAWS = 1000;
/** A SYN or datagram that is refused at the receiving side has no answer; this long the client waits. */
const NO_ANSWER_MS = 400;

/** Name of the example's bundle. */
const NAME = 'bookinfo';

const short = (name) => name.split('.')[0];
const say = (text) => process.stdout.write(`${text}\n`);

/** Runs weft; throws with what it said where the exit code is not one of `allowed`. */
function weft(args, allowed = [0]) {
  const done = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (!allowed.includes(done.status))
    throw new Error(`weft ${args.join(' ')} exited ${done.status}: ${done.stderr}${done.stdout}`);
  return done.stdout;
}

function hostsOf(world) {
  const servers = new Map(
    world.services.map((s) => [
      short(s.name),
      s.ports.map((p) => `${p.protocol === 'udp' ? 'udp' : 'tcp'}:${p.target}`),
    ]),
  );
  const inMesh = world.workloads.map((w) => ({
    name: short(w.name),
    label: w.name,
    addresses: w.addresses,
    cgroup: w.cgroup,
    listen: servers.get(w.labels.app) ?? [],
  }));
  return [...inMesh, OUTSIDER];
}

/** The verdicts of the simulator for flows whose draws are known. */
function simulate(bundle, folder, cases) {
  const file = join(folder, 'flows.yaml');
  writeFileSync(file, stringify({ world: 'world.yaml', cases }));
  const out = weft(['simulate', bundle, file, '-o', 'json'], [0, 2]);
  return new Map(JSON.parse(out).results.map((r) => [r.id, r]));
}

const toCase = ({ flow, draw }) => ({
  id: flow.id,
  connect: {
    from: flow.source ?? flow.workload,
    to: flow.family === 6 ? `[${flow.address}]:${flow.port}` : `${flow.address}:${flow.port}`,
    protocol: flow.protocol,
  },
  ...(draw ? { random: draw.random, pick: draw.pick } : {}),
});

/** One flow on real sockets: what the client saw and what the kernel said about it. */
async function observe(flow, host, events) {
  const mark = events.mark();
  const reply = await host.ask({ ...flow, limit: NO_ANSWER_MS });
  const own = (e) =>
    flow.source
      ? e.source.address.startsWith(flow.source) || e.source.address.startsWith(`[${flow.source}]`)
      : e.source.workload === flow.workload;
  const judged = await events.find(
    mark,
    own,
    (found) =>
      found.some((e) => e.verdict === 'deny') ||
      (reply.from !== undefined &&
        found.length > 0 &&
        (flow.connected || found.some((e) => e.hook === 'ingress'))),
  );
  const denied = judged.find((e) => e.verdict === 'deny');
  const first = judged.find((e) => e.hook !== 'ingress') ?? null;
  return {
    flow,
    draw: first?.draw ?? null,
    verdict: reply.from === undefined ? 'deny' : 'allow',
    said: denied ? 'deny' : 'allow',
    rule: (denied ?? first ?? judged[0]).rule,
    cluster: first?.cluster ?? null,
    from: reply.from ?? null,
    error: reply.error ?? null,
  };
}

/** Where simulated and observed differ, in words; null where they agree. */
function difference(seen, simulated) {
  if (simulated === undefined) return 'not simulated';
  if (seen.verdict !== seen.said)
    return `the client saw ${seen.verdict} (${seen.error ?? seen.from}), the kernel said ${seen.said}`;
  if (seen.verdict !== simulated.verdict)
    return `${seen.verdict} observed, ${simulated.verdict} simulated`;
  if (seen.rule !== simulated.rule) return `${seen.rule} observed, ${simulated.rule} simulated`;
  if (seen.verdict === 'allow' && seen.cluster !== simulated.cluster)
    return `${seen.cluster} observed, ${simulated.cluster} simulated`;
  return null;
}

function printFlows(rows) {
  const table = newTable(['flow', 'IP', 'simulated', 'observed', 'site', 'answered by']);
  for (const { seen, simulated, wrong } of rows) {
    const { flow } = seen;
    table.push([
      `${flow.from} -> ${flow.label}${flow.protocol === 'udp' ? ` (udp${flow.connected ? ', connected' : ''})` : ''}`,
      flow.family,
      simulated?.verdict ?? '-',
      wrong ? `${seen.verdict} !` : seen.verdict,
      seen.rule,
      seen.from ?? seen.error,
    ]);
  }
  say(table.toString());
}

async function split(bundle, folder, flow, host, events) {
  const mark = events.mark();
  const servers = [];
  for (let i = 0; i < DRAWS; i++)
    servers.push((await host.ask({ ...flow, limit: NO_ANSWER_MS })).from ?? null);
  const judged = await events.find(
    mark,
    (e) => e.hook === 'connect4' && e.source.workload === flow.workload,
    (found) => found.length >= DRAWS,
    10000,
  );
  const cases = judged.map((event, i) =>
    toCase({ flow: { ...flow, id: `draw-${i}` }, draw: event.draw }),
  );
  const simulated = simulate(bundle, folder, cases);
  let agree = 0;
  const count = new Map();
  judged.forEach((event, i) => {
    const answer = simulated.get(`draw-${i}`);
    const server = servers[i]?.replace('.prod', '').replace('-', '/') ?? 'none';
    count.set(server, (count.get(server) ?? 0) + 1);
    if (answer?.cluster === event.cluster && server === event.cluster) agree++;
  });
  const table = newTable(['split of reviews', 'asked', 'observed']);
  const share = (name) => `${(((count.get(name) ?? 0) / DRAWS) * 100).toFixed(1)} %`;
  table.push(
    ['reviews/v1', '90 %', share('reviews/v1')],
    ['reviews/v2', '10 %', share('reviews/v2')],
  );
  say(table.toString());
  say(`draw by draw: ${agree} of ${DRAWS} connections went where the simulator says`);
  return agree === DRAWS;
}

/** What this node enforces that is not the demo's, in words; null where there is no such thing. */
export function foreign(status) {
  const bundles = status.generations.map((g) => g.name).filter((name) => name !== NAME);
  if (bundles.length > 0) return `the bundle \`${bundles[0]}\` is loaded`;
  // A cgroup that is gone has no path: a demo that died left it.
  const cgroups = status.enrolled.map((e) => e.cgroup).filter(Boolean);
  const other = cgroups.find((path) => !path.includes('/weft-demo/'));
  return other === undefined ? null : `\`${other}\` is enrolled`;
}

/** Clears away what a demo that died left; throws Refused where the node runs somebody's mesh. */
function takeNode() {
  const status = JSON.parse(weft(['status', '-o', 'json']));
  const why = foreign(status);
  if (why !== null) throw new Refused(why);
  if (status.generations.length + status.enrolled.length > 0) weft(['unload']);
}

class Refused extends Error {}

/** Takes the mesh down. In a session of its own, so that a second Ctrl-C does not stop it. */
function unload() {
  spawnSync(process.execPath, [CLI, 'unload'], { stdio: 'ignore', detached: true });
}

async function onRealTraffic(bundle, folder, undo) {
  takeNode();
  const world = parse(readFileSync(join(EXAMPLE, 'world.yaml'), 'utf8'));
  const hosts = hostsOf(world);
  remove();
  const end = undo.push(remove);
  try {
    create(hosts);
    const started = new Map(hosts.map((host) => [host.name, startHost(host)]));
    for (const host of started.values()) undo.push(host.stop);
    await Promise.all([...started.values()].map((h) => h.ready));
    undo.push(unload);
    weft(['load', bundle, '--world', join(EXAMPLE, 'world.yaml')]);
    weft(['enrol', '--all']);
    const events = startEvents(CLI);
    undo.push(events.stop);

    const list = flows(world, OUTSIDER).map((flow) => ({
      ...flow,
      workload: world.workloads.find((w) => short(w.name) === flow.from)?.name ?? null,
    }));
    const observed = [];
    for (const flow of list) observed.push(await observe(flow, started.get(flow.from), events));
    const simulated = simulate(bundle, folder, observed.map(toCase));
    const rows = observed.map((seen) => ({
      seen,
      simulated: simulated.get(seen.flow.id),
      wrong: difference(seen, simulated.get(seen.flow.id)),
    }));
    printFlows(rows);
    const flow = list.find(
      (f) => f.from === 'productpage' && f.label === 'reviews' && f.family === 4,
    );
    const splitAgrees = await split(bundle, folder, flow, started.get('productpage'), events);
    if (events.lost() > 0) say(`${events.lost()} events lost`);
    for (const { seen, wrong } of rows) if (wrong) say(`differs: ${seen.flow.id}: ${wrong}`);
    const agree = rows.filter((r) => r.wrong === null).length;
    const denials = rows.filter((r) => r.seen.verdict === 'deny').length;
    return { agree, total: rows.length, denials, splitAgrees };
  } finally {
    await pendingSignal();
    end();
  }
}

/**
 * Ctrl-C ends the demo's children too, and what they then fail at is not the news: some turns of the
 * event loop, in which a signal that waits is taken; it does not come back then.
 */
const pendingSignal = () => setTimeout(20);

/** Runs the demo; answers with the exit code. */
export async function runDemo({ kernel, why }) {
  const undo = new Undo();
  undo.onSignals();
  const folder = mkdtempSync(join(tmpdir(), 'weft-demo-'));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const bundle = join(folder, 'bookinfo.weft');
    weft(['build', EXAMPLE, '--out', bundle]);
    execFileSync('cp', [join(EXAMPLE, 'world.yaml'), folder]);
    say(weft(['inspect', bundle]));
    if (!kernel) {
      const passed = JSON.parse(
        weft(['simulate', bundle, join(EXAMPLE, 'scenario.yaml'), '-o', 'json'], [0, 2]),
      ).summary;
      say(`simulated only (${why}): ${passed.passed} passed, ${passed.failed} failed`);
      return passed.failed === 0 ? 0 : 2;
    }
    const { agree, total, denials, splitAgrees } = await onRealTraffic(bundle, folder, undo);
    const { printCost } = await import('./cost.mjs');
    await printCost(bundle, join(EXAMPLE, 'world.yaml'), say);
    say(`${denials} of ${total} flows were denials`);
    say(`simulated and observed agree: ${agree} of ${total}`);
    return agree === total && splitAgrees ? 0 : 5;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.error(`error: this node is in use: ${error.message}`);
    console.error(
      '  help: see `weft status`; `weft unload` frees the node, or use another machine',
    );
    return 1;
  } finally {
    await pendingSignal();
    undo.all();
  }
}
