// What one decision costs here: the demo's bundle joined with the test harness, run by test-run, with
// the empty harness subtracted. A figure of this machine and moment, not a promise: see npm run bench.
import { readFileSync } from 'node:fs';
import { table as newTable } from './table.mjs';

const REPEAT = 200_000;
const dist = (path) => import(new URL(`../../dist/${path}`, import.meta.url));

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

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
    const nanoseconds = (name, packet) => {
      const program = simulator.staged.object.program(name);
      const once = () =>
        program.testRun(packet, { repeat: REPEAT, outSize: packet.length }).durationNs;
      return median(Array.from({ length: 5 }, once));
    };
    const policyPacket = (mode) => encodePolicyPacket(connection, mode);
    const connect = encodeDecidePacket({
      cgroup: 0n,
      now: 0n,
      workload: source.index,
      source: new Uint8Array(16),
      destination: parseAddress('10.96.0.12').bytes,
      random: 1,
      pick: 0,
      port: 80,
      protocol: 6,
    });
    const empty = nanoseconds('weft_test_empty', policyPacket(0));
    const { functions } = bundle.manifest.cost;
    // Policies as small as these are part of the function that joins them.
    const worst = (name) => functions.find((f) => f.name === name)?.worstInstructions ?? 0;
    const table = newTable([
      'cost of a decision (productpage -> reviews)',
      'ns',
      'instructions, worst case',
    ]);
    table.push(
      [
        'route: which version',
        Math.max(0, nanoseconds('weft_test_policy', policyPacket(TEST_MODE.route)) - empty),
        worst('weft_route_connection'),
      ],
      [
        'authorize: three policies',
        Math.max(0, nanoseconds('weft_test_policy', policyPacket(TEST_MODE.authorize)) - empty),
        worst('weft_authorize_connection'),
      ],
      [
        'all of connect: service, route, endpoint, identity, authorize',
        Math.max(0, nanoseconds('weft_test_connect', connect) - empty),
        '-',
      ],
    );
    say(table.toString());
  } finally {
    simulator[Symbol.dispose]();
  }
}
