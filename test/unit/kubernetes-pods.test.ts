/** Facts of pods and nodes over the watch of an API server that speaks the real protocol. */
import { KubeConfig, type V1Node, type V1Pod } from '@kubernetes/client-node';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { followPods, podWorkload, type WorkloadFacts } from '../../runtime/kubernetes/index.js';
import { FakeApiServer } from '../support/fake-api-server.js';

const test = suite('kubernetes: pods');
const TRUST = { trustDomain: 'cluster.local', cgroup: null };

function node(name: string, zone: string): V1Node {
  const labels = { 'topology.kubernetes.io/region': 'eu', 'topology.kubernetes.io/zone': zone };
  return { metadata: { name, labels } };
}

interface Made {
  readonly node?: string;
  readonly ip?: string;
  readonly isReady?: boolean;
  readonly uid?: string;
}
function pod(name: string, made: Made = {}): V1Pod {
  const ready = { type: 'Ready', status: made.isReady === false ? 'False' : 'True' };
  return {
    metadata: { name, namespace: 'shop', uid: made.uid ?? `uid-${name}`, labels: { app: name } },
    spec: { nodeName: made.node ?? 'n1', serviceAccountName: `${name}-account`, containers: [] },
    status: {
      phase: 'Running',
      podIPs: made.ip === undefined ? [] : [{ ip: made.ip }],
      conditions: [ready],
    },
  };
}

interface Following {
  readonly seen: (readonly WorkloadFacts[])[];
  readonly faults: unknown[];
  /** Waits until what was told last fits. */
  until(fits: (workloads: readonly WorkloadFacts[]) => boolean): Promise<readonly WorkloadFacts[]>;
  stop(): Promise<void>;
}

function follow(api: FakeApiServer): Following {
  const config = new KubeConfig();
  config.loadFromOptions({
    // Plain HTTP on loopback: the client wants to be told that this is meant.
    clusters: [{ name: 'fake', server: api.url, skipTLSVerify: true }],
    users: [{ name: 'agent' }],
    contexts: [{ name: 'fake', cluster: 'fake', user: 'agent' }],
    currentContext: 'fake',
  });
  const stop = new AbortController();
  const seen: (readonly WorkloadFacts[])[] = [];
  const faults: unknown[] = [];
  let check = (): void => undefined;
  const done = followPods(
    config,
    {
      node: 'n1',
      trustDomain: 'cluster.local',
      cgroups: () => new Map([['uid-web', '/kubepods/poduid-web']]),
      onChange: (workloads) => {
        seen.push(workloads);
        check();
      },
      onFault: (error) => {
        faults.push(error);
        check();
      },
    },
    stop.signal,
  );
  return {
    seen,
    faults,
    until: (fits) =>
      new Promise((resolve) => {
        check = (): void => {
          const last = seen.at(-1);
          if (last !== undefined && fits(last)) resolve(last);
        };
        check();
      }),
    async stop() {
      stop.abort();
      await done;
      await api.stop();
    },
  };
}

const names = (workloads: readonly WorkloadFacts[]): string =>
  workloads.map(({ name }) => name.split('.')[0]).join(' ');

test('who a pod is: account, labels, addresses, place; its cgroup on this node alone', async () => {
  const api = await FakeApiServer.start();
  api.put('nodes', node('n1', 'eu-1'));
  api.put('nodes', node('n2', 'eu-2'));
  api.put('pods', pod('web', { ip: '10.1.0.1' }));
  api.put('pods', pod('api', { ip: '10.1.0.2', node: 'n2' }));
  const following = follow(api);
  const workloads = await following.until((all) => all.length === 2);
  assert.equal(workloads, [
    {
      name: 'api.shop',
      addresses: ['10.1.0.2'],
      labels: { app: 'api' },
      serviceAccount: 'api-account',
      trustDomain: 'cluster.local',
      locality: { region: 'eu', zone: 'eu-2' },
      node: 'n2',
      healthy: true,
    },
    {
      name: 'web.shop',
      addresses: ['10.1.0.1'],
      labels: { app: 'web' },
      serviceAccount: 'web-account',
      trustDomain: 'cluster.local',
      locality: { region: 'eu', zone: 'eu-1' },
      node: 'n1',
      cgroup: '/kubepods/poduid-web',
      healthy: true,
    },
  ]);
  await following.stop();
});

test('pods come, change and go as the watch tells, bookmarks between', async () => {
  const api = await FakeApiServer.start();
  const following = follow(api);
  await following.until((all) => all.length === 0);
  api.put('pods', pod('web', { ip: '10.1.0.1' }));
  await following.until((all) => names(all) === 'web');
  api.bookmark('pods');
  api.put('pods', pod('web', { ip: '10.1.0.1', isReady: false }));
  await following.until((all) => all[0]?.healthy === false);
  api.put('pods', pod('api', { ip: '10.1.0.2' }));
  await following.until((all) => names(all) === 'api web');
  api.delete('pods', pod('web', { ip: '10.1.0.1' }));
  await following.until((all) => names(all) === 'api');
  assert.equal(following.faults, []);
  await following.stop();
});

test('a watch that ends goes on from the last version, without another list', async () => {
  const api = await FakeApiServer.start();
  const following = follow(api);
  api.put('pods', pod('web', { ip: '10.1.0.1' }));
  await following.until((all) => names(all) === 'web');
  const lists = api.asked.filter((line) => line === 'list pods').length;
  api.endWatches();
  api.put('pods', pod('api', { ip: '10.1.0.2' }));
  await following.until((all) => names(all) === 'api web');
  assert.is(api.asked.filter((line) => line === 'list pods').length, lists);
  await following.stop();
});

test('410 Gone: lists anew, and what went meanwhile is gone', async () => {
  const api = await FakeApiServer.start();
  api.put('pods', pod('web', { ip: '10.1.0.1' }));
  api.put('pods', pod('api', { ip: '10.1.0.2' }));
  const following = follow(api);
  await following.until((all) => names(all) === 'api web');
  api.setDown(true);
  api.endWatches();
  api.delete('pods', pod('web'));
  api.compact();
  api.setDown(false);
  await following.until((all) => names(all) === 'api');
  await following.stop();
});

test('an API server that is away: what was known stays, and it goes on when it is back', async () => {
  const api = await FakeApiServer.start();
  api.put('pods', pod('web', { ip: '10.1.0.1' }));
  const following = follow(api);
  await following.until((all) => names(all) === 'web');
  api.setDown(true);
  api.endWatches();
  api.put('pods', pod('api', { ip: '10.1.0.2' }));
  await following.until(() => following.faults.length > 0);
  assert.is(names(following.seen.at(-1) ?? []), 'web');
  api.setDown(false);
  await following.until((all) => names(all) === 'api web');
  await following.stop();
});

test('pods without an address of their own are no workloads', () => {
  const plain = pod('web', { ip: '10.1.0.1' });
  assert.ok(podWorkload(plain, null, TRUST) !== null);
  const others: readonly (readonly [string, V1Pod])[] = [
    ['no address yet', pod('web')],
    [
      "on the node's network",
      { ...plain, spec: { ...plain.spec, hostNetwork: true, containers: [] } },
    ],
    ['not scheduled', { ...plain, spec: { containers: [] } }],
    ['ended', { ...plain, status: { ...plain.status, phase: 'Succeeded' } }],
    ['failed', { ...plain, status: { ...plain.status, phase: 'Failed' } }],
  ];
  for (const [name, other] of others) assert.is(podWorkload(other, null, TRUST), null, name);
  const leaving = { ...plain, metadata: { ...plain.metadata, deletionTimestamp: new Date() } };
  assert.is(podWorkload(leaving, null, TRUST)?.healthy, false);
});

test('a static pod is known by the hash that kubelet names its cgroup by', async () => {
  const api = await FakeApiServer.start();
  const made = pod('web', { ip: '10.1.0.1', uid: 'mirror' });
  const annotations = { 'kubernetes.io/config.hash': 'uid-web' };
  api.put('pods', { ...made, metadata: { ...made.metadata, annotations } });
  const following = follow(api);
  const [web] = await following.until((all) => all.length === 1);
  assert.is(web?.cgroup, '/kubepods/poduid-web');
  await following.stop();
});

test.run();
