/**
 * The path of a connection (service, route, cluster, endpoint, both ends) is written twice: in
 * bpf/decide.h and in the simulator. Here both take the examples, and seeded connections between
 * every kind of place, and must agree in everything that they say.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createKernelSimulator } from '../../runtime/agent/index.js';
import { buildProject } from '../../runtime/cli/build-project.js';
import { type Address, parseAddress, type World } from '../../runtime/discovery/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import {
  createSimulator,
  DEFAULT_NOW,
  type DecideInput,
  type Outcome,
} from '../../runtime/simulate/index.js';
import { testEnv, weft } from '../cli/harness.js';
import { Prng } from '../support/prng.js';

const examples = fileURLToPath(new URL('../../../policies/examples/', import.meta.url));
const SEED = 20260101;
const CONNECTIONS = 3000;

const test = suite('agent path');

for (const name of readdirSync(examples).sort()) {
  const folder = join(examples, name);
  test(`${name}: both engines hold the scenario and agree`, async () => {
    const scenario = join(folder, 'scenario.yaml');
    const run = await weft(['simulate', folder, scenario, '--engine', 'both', '-o', 'json'], {
      openKernel: async () => openKernel(),
    });
    assert.is(run.exit, 0, run.stdout + run.stderr);
    assert.equal(JSON.parse(run.stdout).differences, []);
  });
}

/** Places that a world knows and some that it does not, of one family. */
function places(world: World, family: 4 | 6): { addresses: Address[]; ports: number[] } {
  const strangers = family === 4 ? ['203.0.113.9', '10.66.1.1'] : ['2001:db8::9'];
  const all = [
    ...world.workloads.flatMap((w) => w.addresses),
    ...world.services.flatMap((s) => s.addresses),
    ...strangers.flatMap((text) => parseAddress(text) ?? []),
  ];
  const ports = world.services.flatMap((s) => s.ports.flatMap((p) => [p.port, p.target]));
  return { addresses: all.filter((a) => a.family === family), ports: [...ports, 9, 65535] };
}

/** A workload or a stranger to anywhere; a stranger only to a workload. */
function connection(world: World, prng: Prng): DecideInput {
  const family = prng.pick([4, 6] as const);
  const { addresses, ports } = places(world, family);
  const sources = world.workloads.flatMap((w, workload) => {
    const address = w.addresses.find((a) => a.family === family);
    return address === undefined ? [] : [{ workload, address }];
  });
  const stranger = parseAddress(family === 4 ? '10.66.1.1' : 'fd00:66::1');
  const isStranger = prng.oneIn(5);
  const targets = isStranger ? sources.map((s) => s.address) : addresses;
  return {
    source: isStranger ? { workload: null, address: stranger } : prng.pick(sources),
    destination: { address: prng.pick(targets), port: prng.pick(ports) },
    protocol: prng.oneIn(4) ? 17 : 6,
    random: prng.u32(),
    pick: prng.u32(),
    now: DEFAULT_NOW,
  };
}

/** Everything but fuel and the words of a trap, which only the simulator knows. */
function comparable({ fuel: _, trap: __, ...rest }: Outcome): unknown {
  return rest;
}

test(`${CONNECTIONS} seeded connections of bookinfo end alike`, async () => {
  const built = await buildProject(testEnv(), join(examples, 'bookinfo'), { isKept: false });
  if (built.world === null) throw new Error('bookinfo has no world');
  const { world } = built;
  const prng = new Prng(SEED);
  const inputs = Array.from({ length: CONNECTIONS }, () => connection(world, prng));
  await using wasm = await createSimulator(built.bundle, { world });
  using kernel = createKernelSimulator(openKernel(), built.bundle, world);
  const [left, right] = [await wasm.simulateAll(inputs), await kernel.simulateAll(inputs)];
  for (const [n, outcome] of left.entries()) {
    const other = right[n];
    assert.ok(other);
    assert.equal(other && comparable(other), comparable(outcome), `seed ${SEED}, connection ${n}`);
  }
  const kinds = new Set(left.map((o) => `${o.verdict} ${o.reason} ${o.side}`));
  for (const kind of ['allow policy client', 'deny policy client', 'deny policy server'])
    assert.ok(kinds.has(kind), [...kinds].join(', '));
});

test.run();
