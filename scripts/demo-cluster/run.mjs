// A rollout in stages, on eight nodes, under traffic; on the way one member of the store, the control
// plane that drives the rollout, and one agent are killed. Uses the commands that a user would.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cgroupRoot, create, remove } from '../demo/topology.mjs';
import { Undo } from '../demo/undo.mjs';
import { CENTER, CONTROLS, REGISTRY, startControl, startRegistry, startStore } from './center.mjs';
import { Node } from './nodes.mjs';
import { Processes, runIn, until } from './processes.mjs';
import { addressOf, cgroupOf, NODES, PROJECT, policyOf, worldOf } from './shop.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(root, 'dist/cli.mjs');
const AGENT = join(root, 'dist/agent.mjs');

const started = performance.now();
const say = (text) =>
  process.stdout.write(
    `${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}\n`,
  );

/** Runs weft on a host; throws with what it said where it fails. */
const weft = (host, args, options = {}) => runIn(host, [process.execPath, CLI, ...args], options);

/** Both versions of the bundle, signed and in the registry. */
function publish(folder) {
  weft(CENTER.name, ['keygen', '--out', join(folder, 'signer')]);
  for (const version of [1, 2]) {
    const project = join(folder, `project-${version}`);
    mkdirSync(project);
    writeFileSync(join(project, 'weft.json'), JSON.stringify(PROJECT));
    writeFileSync(join(project, 'world.yaml'), JSON.stringify(worldOf(null)));
    writeFileSync(join(project, 'policy.ts'), policyOf(version));
    const bundle = join(folder, `shop-${version}.weft`);
    weft(CENTER.name, ['build', project, '--out', bundle]);
    weft(CENTER.name, [
      ...['sign', bundle, '--key', join(folder, 'signer.key')],
      ...['--as-version', String(version)],
    ]);
    weft(CENTER.name, ['push', bundle, `${REGISTRY}/shop:${version}`, '--plain-http']);
  }
}

/** An authority and a certificate for everybody. Returns the folder of each by name. */
function certificates(folder) {
  const authority = join(folder, 'ca');
  weft(CENTER.name, ['control', 'ca', 'init', '--trust-domain', 'demo.weft', '--out', authority]);
  return (kind, name) => {
    const out = join(folder, `keys-${kind}-${name}`);
    weft(CENTER.name, [
      ...['control', 'ca', 'issue', `${kind}/${name}`, '--authority', authority, '--out', out],
    ]);
    return out;
  };
}

/** The rollout as the control planes see it; whichever answers. */
const rollout = (env) =>
  JSON.parse(weft(CENTER.name, ['rollout', 'status', '-o', 'json'], { env })).rollouts[0];

async function onCluster(folder, undo) {
  const processes = new Processes(folder);
  undo.push(() => processes.killAll());
  await startRegistry(processes, folder);
  publish(folder);
  const keysFor = certificates(folder);
  const operator = keysFor('operator', 'demo');
  const env = {
    WEFT_CONTROL: Object.values(CONTROLS).join(','),
    WEFT_CA: join(operator, 'ca.pem'),
    WEFT_CERT: join(operator, 'cert.pem'),
    WEFT_KEY: join(operator, 'key.pem'),
  };
  const deploy = (version, plan) => {
    const bundle = `${REGISTRY}/shop:${version}`;
    const words = ['deploy', bundle, '--plain-http', '--detach', '--plan', join(folder, plan)];
    weft(CENTER.name, words, { env });
    return rollout(env).digest;
  };
  const stateIs = (state) =>
    until(`rollout ${state}`, () => {
      const found = rollout(env);
      if (['undone', 'paused'].includes(found.state))
        throw new Error(`the rollout is ${found.state}: ${found.reason}`);
      return found.state === state;
    });

  await startStore(processes, folder);
  for (const name of Object.keys(CONTROLS))
    startControl(processes, CLI, name, keysFor('control', name));
  say('three members of etcd, a registry, two control planes');

  const nodes = NODES.map((name) => new Node(name, folder, processes, AGENT));
  for (const node of nodes) {
    await node.start(worldOf(node.name), join(folder, 'signer.pub'));
    node.keys = keysFor('node', node.name);
    node.startAgent(node.keys);
  }
  await until(
    'the nodes',
    () =>
      JSON.parse(weft(CENTER.name, ['status', '-o', 'json'], { env })).nodes.length ===
      NODES.length,
  );
  say(`${NODES.length} nodes, each with an agent`);

  const first = deploy(1, 'first.yaml');
  await stateIs('done');
  for (const node of nodes) node.mustRun(weft, first);
  say(`every node runs ${first.slice(0, 19)}…`);

  const ends = [];
  for (const node of nodes) ends.push(await node.startTraffic());
  say('traffic from each node to all');

  const second = deploy(2, 'stages.yaml');
  const stage = (index) =>
    until(`stage ${index}`, () => {
      const found = rollout(env);
      return found.stage >= index || found.state === 'done';
    });
  await processes.kill('etcd-m2');
  say('killed one member of etcd');
  await stage(1);
  const leader = Object.keys(CONTROLS)
    .filter((name) => processes.logText(`control-${name}`).includes('"drives rollouts"'))
    .at(-1);
  await processes.kill(`control-${leader}`);
  say(`the canaries begin; killed control plane ${leader}, which drove the rollout`);
  await stage(2);
  const [victim] = nodes;
  await processes.kill(`agent-${victim.name}`);
  say(`the others follow; killed the agent of ${victim.name}`);
  victim.startAgent(victim.keys);
  await stateIs('done');
  for (const node of nodes) node.mustRun(weft, second);
  say(`every node runs ${second.slice(0, 19)}…`);

  const counts = await Promise.all(ends.map((end) => end()));
  const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
  for (const { faults } of counts)
    for (const [fault, n] of Object.entries(faults)) say(`${n} × ${fault}`);
  process.stdout.write(`${sum('failed')} failed requests of ${sum('requests')}\n`);
  return sum('failed') === 0 && sum('requests') > 0 ? 0 : 5;
}

const AT_ONCE = `stages:
  - { stage: all, for: 1s }
gates: { silence: 2m, confirm: 2m }
`;
const IN_STAGES = `stages:
  - { stage: shadow, for: 3s }
  - { stage: canary, percent: 25, for: 3s }
  - { stage: all, for: 3s }
gates: { silence: 2m, confirm: 2m }
`;

/** Runs the demo; answers with the exit code. */
export async function runClusterDemo() {
  const undo = new Undo();
  undo.onSignals();
  const folder = mkdtempSync(join(tmpdir(), 'weft-demo-cluster-'));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  try {
    remove();
    undo.push(remove);
    create([
      CENTER,
      ...NODES.map((name) => ({
        name,
        addresses: [addressOf(name, 'web'), addressOf(name, 'api')],
        cgroup: `weft-demo/${name}`,
      })),
    ]);
    for (const name of NODES)
      for (const app of ['web', 'api'])
        mkdirSync(join(cgroupRoot(), cgroupOf(name, app)), { recursive: true });
    writeFileSync(join(folder, 'first.yaml'), AT_ONCE);
    writeFileSync(join(folder, 'stages.yaml'), IN_STAGES);
    return await onCluster(folder, undo);
  } catch (error) {
    // What the parts said of themselves tells why.
    if (process.env.WEFT_DEMO_KEEP) execFileSync('cp', ['-r', folder, process.env.WEFT_DEMO_KEEP]);
    throw error;
  } finally {
    undo.all();
  }
}
