/** The harness runs the core with a generation's maps: inputs in, every branch of the decision out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION, REASON } from '../../compiler/abi/index.js';
import {
  clusterIndex,
  type DecideInput,
  type DecideResult,
  decodeDecidePacket,
  decodePolicyPacket,
  encodeCluster,
  encodeDecidePacket,
  encodeEndpoint,
  encodePolicyPacket,
  encodeService,
  encodeServiceKey,
  encodeU32,
  NONE,
  TEST_MODE,
} from '../../runtime/agent/layout.js';
import type { KernelObject } from '../../runtime/kernel/index.js';
import { Mesh } from './fixtures/mesh.js';
import { address, CLIENT4, SERVER4, SERVER6 } from './fixtures/net.js';
import {
  CLIENT,
  DENIED_PORT,
  OPEN_PORT,
  SERVER,
  SERVICE4,
  SERVICE6,
  world,
} from './fixtures/world.js';

const ALLOW = 1;
const DENY = 2;
/** Draws at which the fixture policy's route has no opinion, takes route 1, traps, is out of fuel. */
const DRAW = { none: 0, one: 1, trap: 0xfffffffe, fuel: 0xfffffffc };
/** A service whose policies are asked for a route, with default cluster 1 (denied port). */
const ROUTED = 90;
/** A service on whose port the fixture policy answers a route that no cluster has. */
const LOST = 9099;
/** A service of two endpoints. */
const TWO = 91;

const test = suite('harness');
let mesh: Mesh;
let plain: KernelObject;
let lenient: KernelObject;

test.before(() => {
  mesh = new Mesh();
  const tables = world(1001n, 1002n);
  const service = (port: number, cluster: number) =>
    [
      encodeServiceKey({ address: address(SERVICE4), port, protocol: 6 }),
      encodeService({ service: port, cluster, policies: 1n }),
    ] as const;
  const more = {
    ...tables,
    weft_services: [
      ...(tables['weft_services'] ?? []),
      service(ROUTED, 1),
      service(LOST, 0),
      service(TWO, 3),
    ],
    weft_clusters: [
      ...(tables['weft_clusters'] ?? []),
      [
        encodeU32(clusterIndex(3, 4)),
        encodeCluster({ first: 4, count: 2, balance: 'round-robin' }),
      ] as const,
    ],
    weft_endpoints: [
      ...(tables['weft_endpoints'] ?? []),
      ...[0, 1].map(
        (n) =>
          [
            encodeU32(4 + n),
            encodeEndpoint({ address: address(`192.0.2.${n}`), port: 5000 + n, workload: NONE }),
          ] as const,
      ),
    ],
  };
  plain = mesh.stage(more, {}, 'bpf/harness').object;
  lenient = mesh.stage(
    more,
    { weft_on_trap: ALLOW, weft_on_fuel: ALLOW, weft_on_unknown_identity: ALLOW },
    'bpf/harness',
  ).object;
});
test.after(() => mesh?.close());

const INPUT: DecideInput = {
  destination: address(SERVICE4),
  now: 5n,
  workload: CLIENT,
  random: DRAW.none,
  pick: 0,
  port: 80,
  protocol: 6,
};

function decide(
  input: Partial<DecideInput>,
  object = plain,
  program = 'weft_test_connect',
): DecideResult {
  const packet = encodeDecidePacket({ ...INPUT, ...input });
  const run = object.program(program).testRun(packet, { outSize: packet.length });
  assert.is(run.retval, 0);
  return decodeDecidePacket(run.dataOut);
}
const brief = (r: DecideResult) => [r.verdict, r.reason, r.cluster, r.endpointPort];

const rows: readonly {
  readonly name: string;
  readonly have: Partial<DecideInput>;
  readonly want: readonly number[];
  readonly lenient?: readonly number[];
}[] = [
  {
    name: 'a service leads to its default cluster',
    have: {},
    want: [ALLOW, REASON.policy, 0, OPEN_PORT],
  },
  {
    name: 'IPv6 takes the endpoints of its family',
    have: { destination: address(SERVICE6) },
    want: [ALLOW, REASON.policy, 0, OPEN_PORT],
  },
  {
    name: 'the endpoint decides the verdict',
    have: { port: 81 },
    want: [DENY, REASON.policy, 1, DENIED_PORT],
  },
  {
    name: 'a cluster without endpoints is a refusal',
    have: { port: 82 },
    want: [DENY, REASON.noEndpoint, 2, 82],
  },
  {
    name: 'no opinion takes the default cluster',
    have: { port: ROUTED },
    want: [DENY, REASON.policy, 1, DENIED_PORT],
  },
  {
    name: 'a route takes its cluster',
    have: { port: ROUTED, random: DRAW.one },
    want: [ALLOW, REASON.policy, 0, OPEN_PORT],
  },
  {
    name: 'a route that traps',
    have: { port: ROUTED, random: DRAW.trap },
    want: [DENY, REASON.trap, 1, ROUTED],
    lenient: [DENY, REASON.policy, 1, DENIED_PORT],
  },
  {
    name: 'a route out of fuel',
    have: { port: ROUTED, random: DRAW.fuel },
    want: [DENY, REASON.fuel, 1, ROUTED],
    lenient: [DENY, REASON.policy, 1, DENIED_PORT],
  },
  { name: 'a route to no cluster', have: { port: LOST }, want: [DENY, REASON.noRoute, 0, LOST] },
  {
    name: 'an address that is no service is asked for itself',
    have: { destination: address(SERVER4), port: OPEN_PORT },
    want: [ALLOW, REASON.policy, NONE, OPEN_PORT],
  },
  {
    name: 'a service is one protocol',
    have: { protocol: 17, port: ROUTED },
    want: [ALLOW, REASON.policy, NONE, ROUTED],
  },
  {
    name: 'an answer that is no verdict is a trap',
    have: { destination: address(SERVER4), port: 6701 },
    want: [DENY, REASON.trap, NONE, 6701],
    lenient: [ALLOW, REASON.trap, NONE, 6701],
  },
  {
    name: 'an unknown workload',
    have: { workload: NONE, cgroup: 77n },
    want: [DENY, REASON.unknownIdentity, NONE, 80],
    lenient: [ALLOW, REASON.unknownIdentity, 0, OPEN_PORT],
  },
  {
    name: 'a workload known by its cgroup',
    have: { workload: NONE, cgroup: 1001n },
    want: [ALLOW, REASON.policy, 0, OPEN_PORT],
  },
];
for (const row of rows)
  test(row.name, () => {
    assert.equal(brief(decide(row.have)), row.want);
    assert.equal(brief(decide(row.have, lenient)), row.lenient ?? row.want, 'lenient');
  });

test('picks go round and are told', () => {
  const ports = [4, 5, 6].map((pick) => decide({ port: TWO, pick }).endpointPort);
  assert.equal(ports, [5000, 5001, 5000]);
  const own = [0, 1, 2, 3].map(() => decide({ port: TWO, pick: null }));
  assert.equal(
    own.map((r) => r.pick),
    [0, 1, 2, 3],
  );
  assert.equal(
    own.map((r) => r.endpointPort),
    [5000, 5001, 5000, 5001],
  );
  assert.equal(own[0]?.destination, NONE);
});

test('ingress asks for the receiving workload, whatever the source', () => {
  const arrive = (source: string, port: number) =>
    decide(
      { source: address(source), destination: address(SERVER4), workload: SERVER, port },
      plain,
      'weft_test_ingress',
    );
  const known = arrive(CLIENT4, OPEN_PORT);
  assert.equal([known.verdict, known.source, known.destination], [ALLOW, CLIENT, SERVER]);
  const unknown = arrive('203.0.113.9', DENIED_PORT);
  assert.equal([unknown.verdict, unknown.source, unknown.destination], [DENY, NONE, SERVER]);
  const nobody = decide(
    { source: address(CLIENT4), destination: address(SERVER6), workload: NONE, cgroup: 5n },
    plain,
    'weft_test_ingress',
  );
  assert.equal([nobody.verdict, nobody.reason], [DENY, REASON.unknownIdentity]);
});

test('a policy is asked directly with a connection', () => {
  const connection = new Uint8Array(CONNECTION.size);
  const view = new DataView(connection.buffer);
  view.setUint16(CONNECTION.destinationPort, DENIED_PORT, true);
  view.setUint32(CONNECTION.random, DRAW.one, true);
  const ask = (program: string, mode: number) => {
    const packet = encodePolicyPacket(connection, mode);
    return plain.program(program).testRun(packet, { outSize: packet.length });
  };
  const both = decodePolicyPacket(
    ask('weft_test_policy', TEST_MODE.route | TEST_MODE.authorize).dataOut,
  );
  assert.equal([both.route, both.verdict], [(3 << 16) | 1, DENY]);
  const routed = decodePolicyPacket(ask('weft_test_policy', TEST_MODE.route).dataOut);
  assert.equal([routed.route, routed.verdict], [(3 << 16) | 1, 0]);
  const empty = decodePolicyPacket(
    ask('weft_test_empty', TEST_MODE.route | TEST_MODE.authorize).dataOut,
  );
  assert.equal([empty.route, empty.verdict], [0, 0]);
  assert.is(ask('weft_test_authorize_only', 0).retval, DENY);
});

test.run();
