/** What becomes of a cluster's objects: workloads, services, and what is left out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { planGeneration } from '../../runtime/discovery/index.js';
import type { Service, Workload } from '../../runtime/discovery/types.js';
import {
  type ClusterWorld,
  clusterWorld,
  pictureLines,
  readPicture,
} from '../../runtime/kubernetes/index.js';
import { packItem, unpackItem } from '../../runtime/kubernetes/packed.js';
import { objectOf, Shared } from '../../runtime/kubernetes/raw.js';
import { ListReader } from '../../runtime/kubernetes/read-list.js';
import { readNamespace, readNode } from '../../runtime/kubernetes/read-place.js';
import { type PodFacts, readPod } from '../../runtime/kubernetes/read-pod.js';
import { readService, readSlice } from '../../runtime/kubernetes/read-service.js';
import { type MadePod, namespace, node, pod, service, slice } from '../support/cluster-objects.js';
import type { Stored } from '../support/fake-api-server.js';

const test = suite('kubernetes: the world of a cluster');
const CGROUPS = new Map([['uid-web', '/kubepods/poduid-web']]);

interface Objects {
  readonly pods?: readonly Stored[];
  readonly nodes?: readonly Stored[];
  readonly namespaces?: readonly Stored[];
  readonly services?: readonly Stored[];
  readonly slices?: readonly Stored[];
}

function worldOf(objects: Objects): ClusterWorld {
  const facts = <T>(list: readonly Stored[] = [], read: (raw: Stored) => T | null) =>
    new Map(
      list.flatMap((object) => {
        const fact = read(object);
        const { namespace: of = '', name } = object.metadata;
        return fact === null ? [] : [[`${of}/${name}`, fact] as const];
      }),
    );
  return clusterWorld(
    {
      pods: facts(objects.pods, (raw) => readPod(objectOf(raw))),
      nodes: facts(objects.nodes, (raw) => readNode(objectOf(raw))),
      namespaces: facts(objects.namespaces, (raw) => readNamespace(objectOf(raw))),
      services: facts(objects.services, (raw) => readService(objectOf(raw))),
      slices: facts(objects.slices, (raw) => readSlice(objectOf(raw))),
    },
    { node: 'n1', trustDomain: 'example.org', cgroups: CGROUPS },
  );
}

/** Addresses as text, without what is always the same. */
function shown({ addresses, at: _, weight: __, ...rest }: Workload): object {
  return { ...rest, addresses: addresses.map(({ text }) => text) };
}
const serviceOf = (objects: Objects): Service | undefined => worldOf(objects).world.services[0];
const names = ({ world }: ClusterWorld): string[] => world.workloads.map(({ name }) => name);

test('who a pod is: account, labels, addresses, place; its cgroup on this node alone', () => {
  const { world, left } = worldOf({
    nodes: [node('n1', 'eu-1'), node('n2', 'eu-2')],
    pods: [
      pod('web', { ips: ['10.1.0.1', 'fd00::1'] }),
      pod('api', { ips: ['10.1.0.2'], node: 'n2', isReady: false, uid: 'uid-web' }),
    ],
  });
  const common = { namespace: 'shop', trustDomain: 'example.org', enrolled: true };
  assert.equal(world.workloads.map(shown), [
    {
      ...common,
      ...{ name: 'api.shop', addresses: ['10.1.0.2'], labels: { app: 'api' } },
      ...{ serviceAccount: 'api-account', locality: { region: 'eu', zone: 'eu-2' } },
      ...{ node: 'n2', cgroup: null, healthy: false },
    },
    {
      ...common,
      ...{ name: 'web.shop', addresses: ['10.1.0.1', 'fd00::1'], labels: { app: 'web' } },
      ...{ serviceAccount: 'web-account', locality: { region: 'eu', zone: 'eu-1' } },
      ...{ node: 'n1', cgroup: '/kubepods/poduid-web', healthy: true },
    },
  ]);
  assert.equal(left, []);
});

const IPS = { ips: ['10.1.0.1'] };
for (const [why, made] of [
  ['no address yet', {}],
  ["on the node's network", { ...IPS, spec: { hostNetwork: true } }],
  ['not scheduled', { ...IPS, spec: { nodeName: undefined } }],
  ['ended', { ...IPS, status: { phase: 'Succeeded' } }],
  ['failed', { ...IPS, status: { phase: 'Failed' } }],
  ['an address that is none', { ips: ['10.1.0'] }],
] as const satisfies readonly (readonly [string, MadePod])[]) {
  test(`no workload: ${why}`, () => {
    assert.equal(names(worldOf({ pods: [pod('web', made), pod('api', { ips: ['10.1.0.2'] })] })), [
      'api.shop',
    ]);
  });
}

test('a pod that is being deleted is asked no more; a static one is known by the hash of kubelet', () => {
  const [leaving, still] = worldOf({
    pods: [
      pod('a', { ips: ['10.1.0.1'], metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      pod('b', {
        ips: ['10.1.0.2'],
        metadata: { annotations: { 'kubernetes.io/config.hash': 'uid-web' } },
      }),
    ],
  }).world.workloads;
  assert.equal([leaving?.healthy, leaving?.cgroup], [false, null]);
  assert.equal([still?.healthy, still?.cgroup], [true, '/kubepods/poduid-web']);
});

test('a label keeps a namespace or a pod out of the mesh, the own one first', () => {
  const out = { 'weft.dev/enrolled': 'false' };
  const pods = (labels: Readonly<Record<string, string>>): Stored[] => [
    pod('web', { ...IPS, labels }),
  ];
  const states = [
    worldOf({ pods: pods({}), namespaces: [namespace('shop', out)] }),
    worldOf({ pods: pods(out), namespaces: [namespace('shop')] }),
    worldOf({ pods: pods({ 'weft.dev/enrolled': 'true' }), namespaces: [namespace('shop', out)] }),
    worldOf({ pods: pods({}), namespaces: [namespace('other', out)] }),
  ].map(({ world }) => [world.workloads[0]?.enrolled, world.workloads[0]?.cgroup]);
  const cgroup = '/kubepods/poduid-web';
  assert.equal(states, [
    [false, null],
    [false, null],
    [true, cgroup],
    [true, cgroup],
  ]);
});

test('names have one dot, and an address one owner: the rest is left out and told', () => {
  const world = worldOf({
    pods: [
      pod('a.b', { ips: ['10.1.0.1'], uid: 'u1' }),
      pod('a-b', { ips: ['10.1.0.2'], uid: 'u2' }),
      pod('thief', { ips: ['10.1.0.1', '10.1.0.3', '10.1.0.3'] }),
    ],
  });
  assert.equal(names(world), ['a-b.shop', 'a-b-u1.shop', 'thief.shop']);
  assert.equal(
    world.world.workloads[2]?.addresses.map(({ text }) => text),
    ['10.1.0.3'],
  );
  assert.equal(world.left, ['`10.1.0.1` of `thief.shop` is that of `a-b-u1.shop`']);
});

test('a service: all that its selector matches, and subsets of that', () => {
  const found = serviceOf({
    services: [
      service('reviews', {
        ips: ['10.96.0.1', 'fd00:96::1'],
        selector: { app: 'reviews' },
        annotations: { 'weft.dev/subsets': '{"v1":{"version":"v1"},"v2":{"version":"v2"}}' },
      }),
    ],
  });
  assert.is(found?.name, 'reviews.shop');
  assert.equal(
    found?.addresses.map(({ text }) => text),
    ['10.96.0.1', 'fd00:96::1'],
  );
  assert.equal(found?.clusters, [
    { name: 'reviews/all', selector: { app: 'reviews' } },
    { name: 'reviews/v1', selector: { app: 'reviews', version: 'v1' } },
    { name: 'reviews/v2', selector: { app: 'reviews', version: 'v2' } },
  ]);
});

test('subsets that are no JSON are told', () => {
  const annotations = { 'weft.dev/subsets': 'v1: {version: v1}' };
  const { world, left } = worldOf({ services: [service('reviews', { annotations })] });
  assert.equal(left, ['`weft.dev/subsets` of `reviews.shop` is no JSON']);
  assert.is(world.services[0]?.clusters.length, 1);
});

for (const [port, protocol] of [
  [{ appProtocol: 'http' }, 'http'],
  [{ appProtocol: 'HTTP' }, 'http'],
  [{ name: 'http' }, 'http'],
  [{ name: 'http-admin' }, 'http'],
  [{}, 'tcp'],
  [{ name: 'http2-web' }, 'tcp'],
  [{ name: 'https' }, 'tcp'],
  [{ name: 'http', appProtocol: 'kubernetes.io/h2c' }, 'tcp'],
  [{ name: 'http', appProtocol: 'grpc' }, 'tcp'],
  [{ name: 'http', protocol: 'UDP' }, 'udp'],
] as const) {
  test(`a port of ${JSON.stringify(port)} is ${protocol}`, () => {
    const ports = [{ port: 80, targetPort: 8080, ...port }];
    assert.equal(serviceOf({ services: [service('web', { ports })] })?.ports, [
      { port: 80, target: 8080, protocol },
    ]);
  });
}

test('target ports: a number, the port itself, or what the slices say of a name', () => {
  const ports = [
    { name: 'a', port: 1, targetPort: 10 },
    { name: 'b', port: 2 },
    { name: 'c', port: 3, targetPort: 'named' },
    { name: 'd', port: 4, targetPort: 'unresolved' },
    { name: 'e', port: 5, protocol: 'SCTP' },
  ];
  const slices = [slice('web', 'web-1', { ports: [{ name: 'c', port: 30, protocol: 'TCP' }] })];
  const services = [service('web', { ports })];
  assert.equal(
    serviceOf({ services, slices })?.ports.map(({ port, target }) => [port, target]),
    [
      [1, 10],
      [2, 2],
      [3, 30],
    ],
  );
  const other = slice('web', 'web-2', { ports: [{ name: 'c', port: 31, protocol: 'TCP' }] });
  const { world, left } = worldOf({ services, slices: [...slices, other] });
  assert.equal(left, ['port 3 of `web.shop` leads to 30 and 31, by pod']);
  assert.is(world.services[0]?.ports.length, 2);
  const elsewhere = slice('web', 'web-2', { namespace: 'other', ports: [{ name: 'c', port: 31 }] });
  assert.equal(worldOf({ services, slices: [...slices, elsewhere] }).left, []);
});

test('a headless service has no address, a name of another host is none', () => {
  const services = [
    service('db', { spec: { clusterIPs: ['None'], clusterIP: 'None' }, selector: { app: 'db' } }),
    service('out', { spec: { type: 'ExternalName', externalName: 'example.org' } }),
  ];
  const { world } = worldOf({ services });
  assert.equal(
    world.services.map(({ name, addresses }) => [name, addresses]),
    [['db.shop', []]],
  );
});

test('endpoints that are no pods stand behind the services that name them', () => {
  const outside = {
    addresses: ['192.0.2.1'],
    conditions: { ready: false },
    zone: 'eu-1',
  };
  const ofPod = { addresses: ['10.1.0.9'], targetRef: { kind: 'Pod', name: 'x' } };
  const world = worldOf({
    services: [service('db', { ips: ['10.96.0.2'] }), service('db2', { ips: ['10.96.0.3'] })],
    slices: [
      slice('db', 'db-1', { endpoints: [outside, ofPod], ports: [{ port: 5432 }] }),
      slice('db2', 'db2-1', { endpoints: [{ addresses: ['192.0.2.1', '192.0.2.2'] }] }),
    ],
  });
  const [first, second] = world.world.workloads;
  assert.equal(first?.labels, { 'service.weft.dev/db': '', 'service.weft.dev/db2': '' });
  assert.equal(
    [first?.name, first?.healthy, first?.serviceAccount],
    ['db-192-0-2-1.shop', false, null],
  );
  assert.equal([second?.name, second?.healthy], ['db2-192-0-2-2.shop', true]);
  assert.equal(world.left, []);
  const manifest = {
    trust: 'address',
    policies: [],
    routes: [],
    symbols: [],
    attributes: [],
  } as const;
  const plan = planGeneration({ ...manifest, predicates: [] }, world.world);
  const led = plan.clusters.map(({ name, v4 }) => [
    name,
    v4.map(({ address, port }) => `${address.text}:${port}`),
  ]);
  assert.equal(led, [
    ['db/all', []],
    ['db2/all', ['192.0.2.2:8080']],
  ]);
});

test('objects of no form at all are nothing', () => {
  for (const raw of [{}, { metadata: null, spec: 7, status: [] }, { metadata: { name: 7 } }]) {
    assert.is(readPod(raw), null);
    assert.is(readNode(raw), null);
    assert.is(readNamespace(raw), null);
    assert.is(readService(raw), null);
    assert.is(readSlice(raw), null);
  }
  const odd = {
    metadata: { name: 'a', namespace: 'b' },
    spec: { ports: [{ port: 'x' }, 7, null] },
  };
  assert.equal(readService(odd)?.ports, []);
});

test('what is packed comes back as it was, and what many objects share is one object', () => {
  const shared = new Shared();
  const facts = (name: string) =>
    readPod(objectOf(pod(name, { ips: ['10.1.0.1', 'fd00::1'], labels: { b: '1', a: '2' } })));
  const [one, two] = ['x', 'y'].map((name) =>
    unpackItem<PodFacts>(packItem(facts(name) ?? {}), shared),
  );
  assert.equal(one, facts('x'));
  assert.equal(two, facts('y'));
  assert.is(one?.labels, two?.labels);
  assert.equal(Object.keys(one?.labels ?? {}), ['a', 'b']);
  const told = service('db', { ips: ['10.96.0.1'], selector: { addresses: 'x', labels: 'y' } });
  const db = readService(objectOf(told));
  assert.equal(unpackItem(packItem(db ?? {}), shared), db);
});

test('a list is read object by object, however it is cut', () => {
  const items = [{ a: [1, { b: ']}"\\\\' }] }, {}, { metadata: { name: 'ü{' } }];
  const documents = [
    { metadata: { resourceVersion: '7', items: [1, [2]] }, items },
    { items: [], kind: 'PodList' },
    { kind: 'PodList', items, metadata: { continue: '"items":[' } },
  ];
  for (const document of documents)
    for (const space of [0, 2])
      for (const size of [1, 7, 1000]) {
        const bytes = Buffer.from(JSON.stringify(document, null, space));
        const read: object[] = [];
        const reader = new ListReader((raw) => read.push(raw));
        for (let at = 0; at < bytes.length; at += size) reader.take(bytes.subarray(at, at + size));
        assert.equal({ ...reader.end(), items: read }, document);
      }
});

test('what is no list is refused', () => {
  for (const text of ['', '[]', '{"items":[{]}', '{"items":[[]]}', '{"items":[{}', 'null', '}'])
    assert.throws(() => {
      const reader = new ListReader(() => {});
      reader.take(Buffer.from(text));
      reader.end();
    }, /no JSON|no object/);
});

test('a picture is handed over line by line', () => {
  const none = new Map<string, string>();
  const facts = {
    ...{ nodes: none, namespaces: none, services: none, slices: none },
    pods: new Map([['a/b\t"\n', packItem({ name: 'b\tc\n' })]]),
  };
  const picture = { facts, cgroups: CGROUPS };
  assert.equal(readPicture([...pictureLines(picture)].join('\n').split('\n')), picture);
});

test.run();
