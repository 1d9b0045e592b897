// What one decision costs here: the demo's bundle joined with the test harness, run by test-run, with
// the empty harness subtracted; not of all of connect, for which the harness reads and writes other things. A figure
// of this machine and moment, not a promise: see npm run bench.
import { readFileSync } from 'node:fs';
import { table as newTable } from './table.mjs';

const REPEAT = 50_000;
/** By turns, so that all meet the same machine; of each the least, which nobody else took time from. */
const ROUNDS = 15;
const dist = (path) => import(new URL(`../../dist/${path}`, import.meta.url));

/** Prints nanoseconds and worst-case instructions of the parts of a decision: productpage to reviews. */
export async function printCost(bundlePath, worldPath, say) {
  const { decodeBundle } = await dist('compiler/index.js');
  const { readWorld, parseAddress } = await dist('runtime/discovery/index.js');
  const { openKernel } = await dist('runtime/kernel/index.js');
  const { createKernelSimulator } = await dist('runtime/agent/index.js');
  const { encodePolicyPacket, encodeDecidePacket, TEST_MODE } = await dist(
    'runtime/agent/harness-codec.js',
  );
  const { encodeConnections } = await dist('runtime/simulate/index.js');

  const { bundle } = decodeBundle(new Uint8Array(readFileSync(bundlePath)));
  const { world } = readWorld(readFileSync(worldPath, 'utf8'), worldPath);
  const kernel = openKernel();
  const simulator = createKernelSimulator(kernel, bundle, world);
  try {
    const { workloads, services } = simulator.plan;
    const source = workloads.find((w) => w.workload.name === 'productpage.prod');
    const target = workloads.find((w) => w.workload.name === 'reviews-v1.prod');
    const policies = target.policies | services.find((s) => s.name === 'reviews.prod').policies;
    const connection = encodeConnections([
      {
        source: { address: source.v4.bytes, identity: source.source },
        destination: { address: target.v4.bytes, identity: target.destination },
        policies,
        now: 0n,
        random: 1,
        destinationPort: 9080,
        protocol: 6,
        family: 4,
      },
    ]);
    const policyPacket = (mode) => encodePolicyPacket(connection, mode);
    const connect = encodeDecidePacket({
      now: 0n,
      workload: source.index,
      destination: parseAddress('10.96.0.12').bytes,
      random: 1,
      pick: 0,
      port: 80,
      protocol: 6,
    });
    const timed = [
      ['weft_test_empty', policyPacket(0)],
      ['weft_test_policy', policyPacket(TEST_MODE.route)],
      ['weft_test_policy', policyPacket(TEST_MODE.authorize)],
      ['weft_test_connect', connect],
    ].map(([name, packet]) => ({
      program: simulator.staged.object.program(name),
      packet,
      least: Number.POSITIVE_INFINITY,
    }));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const one of timed) {
        const { program, packet } = one;
        const { durationNs } = program.testRun(packet, { repeat: REPEAT, outSize: packet.length });
        one.least = Math.min(one.least, durationNs);
      }
    }
    const [empty, route, authorize, all] = timed.map(({ least }) => least);
    const above = (least) => (least > empty ? least - empty : 'below 1');
    const { functions } = bundle.manifest.cost;
    // Policies as small as these are part of the function that joins them.
    const worst = (name) => functions.find((f) => f.name === name)?.worstInstructions ?? 0;
    const table = newTable([
      'cost of a decision (productpage -> reviews)',
      'ns',
      'instructions, worst case',
    ]);
    table.push(
      ['route: which version', above(route), worst('weft_route_connection')],
      ['authorize: three policies', above(authorize), worst('weft_authorize_connection')],
      ['all of connect: service, route, endpoint, identity, authorize', `at most ${all}`, '-'],
    );
    say(table.toString());
  } finally {
    simulator[Symbol.dispose]();
  }
}
