/** A cluster followed over HTTPS from a server that speaks the protocol of the real one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import type { World } from '../../runtime/discovery/types.js';
import {
  type ApiServer,
  apiServerOfKubeconfig,
  apiServerOfPod,
  type ClusterWorld,
  clusterWorld,
  followCluster,
  isKubernetesError,
  unpackFacts,
} from '../../runtime/kubernetes/index.js';
import { node, pod, service } from '../support/cluster-objects.js';
import { FakeApiServer, type Rule } from '../support/fake-api-server.js';

const test = suite('kubernetes: following a cluster');
const root = fileURLToPath(new URL('../../../', import.meta.url));
const web = (made: object = {}) => pod('web', { ips: ['10.1.0.1'], ...made });
const api = pod('api', { ips: ['10.1.0.2'] });

interface Following extends AsyncDisposable {
  readonly codes: string[];
  world(): World | null;
  names(): string;
  problem(): string | null;
  changes(): number;
  /** Waits until it holds; asked at each change, each fault, and between. */
  until(holds: () => boolean): Promise<void>;
}

function follow(server: ApiServer, cgroups: ReadonlyMap<string, string> = new Map()): Following {
  const codes: string[] = [];
  let changes = 0;
  const followed = followCluster(server, {
    ...{ node: 'n1', cgroups: () => new Map(cgroups) },
    pauses: { first: 5, longest: 50 },
    onChange: () => {
      changes += 1;
    },
    onFault: (error) => void codes.push(isKubernetesError(error) ? error.code : String(error)),
  });
  /** As the agent puts it together. */
  const made = (): ClusterWorld | null => {
    const picture = followed.picture();
    if (picture === null) return null;
    const options = { node: 'n1', trustDomain: 'cluster.local', cgroups: picture.cgroups };
    return clusterWorld(unpackFacts(picture.facts), options);
  };
  const world = (): World | null => made()?.world ?? null;
  return {
    ...{ codes, world },
    names: () => (world()?.workloads ?? []).map(({ name }) => name).join(' '),
    problem: () => followed.problem(),
    changes: () => changes,
    until: async (holds) => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
    },
    [Symbol.asyncDispose]: () => followed[Symbol.asyncDispose](),
  };
}

/** A server and whoever follows it, ended whatever happens. */
function both(
  name: string,
  run: (server: FakeApiServer, start: (from?: ApiServer) => Following) => Promise<void>,
): void {
  test(name, async () => {
    const server = await FakeApiServer.start();
    const started: Following[] = [];
    try {
      await run(server, (from = server.ofPod) => {
        const following = follow(from);
        started.push(following);
        return following;
      });
    } finally {
      for (const one of started) await one[Symbol.asyncDispose]();
      await server.stop();
    }
  });
}

const count = (server: FakeApiServer, line: string): number =>
  server.asked.filter((asked) => asked === line).length;

both(
  'a world is there once everything was listed, and follows what the watches tell',
  async (server, start) => {
    server.put('nodes', node('n1', 'eu-1'));
    server.put('pods', web());
    const following = start();
    assert.is(following.world(), null);
    assert.match(following.problem() ?? '', 'not whole yet');
    await following.until(() => following.names() === 'web.shop');
    assert.is(following.world()?.workloads[0]?.locality.zone, 'eu-1');
    assert.is(following.problem(), null);
    server.put('pods', web({ isReady: false }));
    await following.until(() => following.world()?.workloads[0]?.healthy === false);
    server.put('services', service('web', { ips: ['10.96.0.1'], selector: { app: 'web' } }));
    await following.until(() => following.world()?.services.length === 1);
    server.put('pods', api);
    await following.until(() => following.names() === 'api.shop web.shop');
    server.delete('pods', web());
    await following.until(() => following.names() === 'api.shop');
    assert.equal(following.codes, []);
  },
);

both('what changes nothing that matters changes nothing', async (server, start) => {
  server.put('pods', web());
  const following = start();
  await following.until(() => following.names() === 'web.shop');
  const [world, changes] = [following.world(), following.changes()];
  for (let n = 0; n < 20; n += 1) server.put('pods', web({ status: { startTime: String(n) } }));
  server.bookmark('pods');
  server.put('services', service('told', {}));
  await following.until(() => following.changes() > changes);
  assert.is(following.changes(), changes + 1, 'the service alone');
  assert.equal(following.world()?.workloads, world?.workloads);
});

both(
  'long lists come in pages; one that is forgotten in the middle is begun anew',
  async (server, start) => {
    server.page = 3;
    for (let n = 0; n < 10; n += 1) server.put('pods', pod(`p${n}`, { ips: [`10.1.0.${n + 1}`] }));
    const following = start();
    await following.until(() => following.world()?.workloads.length === 10);
    assert.equal(
      server.asked.filter((line) => line.startsWith('list pods')),
      ['list pods', 'list pods from 3', 'list pods from 6', 'list pods from 9'],
    );
    server.expireLists();
    server.setDown(true);
    server.compact();
    server.cut();
    server.put('pods', pod('p10', { ips: ['10.1.0.11'] }));
    server.setDown(false);
    await following.until(() => following.world()?.workloads.length === 11);
  },
);

both(
  'a watch that ends goes on from the last version, bookmarks too, without another list',
  async (server, start) => {
    const following = start();
    server.put('pods', web());
    await following.until(() => following.names() === 'web.shop');
    server.put('nodes', node('n9', 'eu-9'));
    server.bookmark('pods');
    // Forgotten is everything before the bookmark: only it lets the watch go on.
    await following.until(() => following.problem() === null);
    server.endWatches();
    server.put('pods', api);
    await following.until(() => following.names() === 'api.shop web.shop');
    assert.is(count(server, 'list pods'), 1);
  },
);

both('410 Gone: lists anew, and what went meanwhile is gone', async (server, start) => {
  server.put('pods', web());
  server.put('pods', api);
  const following = start();
  await following.until(() => following.names() === 'api.shop web.shop');
  server.setDown(true);
  server.cut();
  server.delete('pods', web());
  server.compact();
  server.setDown(false);
  await following.until(() => following.names() === 'api.shop');
  assert.is(count(server, 'list pods'), 2);
  assert.is(following.problem(), null);
});

both(
  'an event cut off in its middle is nothing; it comes whole with the next watch',
  async (server, start) => {
    server.put('pods', web());
    const following = start();
    await following.until(() => following.names() === 'web.shop');
    server.cut();
    server.put('pods', api);
    await following.until(() => following.names() === 'api.shop web.shop');
    assert.is(count(server, 'list pods'), 1);
  },
);

both(
  'a server that is away: what was known stays, it is said, and all goes on when it is back',
  async (server, start) => {
    server.put('pods', web());
    const following = start();
    await following.until(() => following.names() === 'web.shop');
    server.setDown(true);
    server.cut();
    server.put('pods', api);
    await following.until(() => following.problem() !== null && following.codes.length > 10);
    assert.equal([...new Set(following.codes)], ['N101']);
    assert.is(following.names(), 'web.shop');
    server.setDown(false);
    await following.until(() => following.names() === 'api.shop web.shop');
    await following.until(() => following.problem() === null);
  },
);

both('what is no answer of the API is told and read anew', async (server, start) => {
  server.put('pods', web());
  const following = start();
  await following.until(() => following.names() === 'web.shop');
  for (const text of ['<html>', '{"items":[]}', '{"type":"ADDED","object":{"metadata":{}}}\n']) {
    const seen = following.codes.filter((code) => code === 'N103').length;
    server.babble(text);
    server.endWatches();
    await following.until(
      () =>
        following.codes.filter((c) => c === 'N103').length > seen ||
        following.codes.includes('N101'),
    );
  }
  server.put('pods', api);
  await following.until(() => following.names() === 'api.shop web.shop');
});

both(
  'certificates and tokens that are renewed are read from their files',
  async (server, start) => {
    server.put('pods', web());
    const following = start();
    await following.until(() => following.names() === 'web.shop');
    await server.rotate({ mounted: false });
    server.put('pods', api);
    await following.until(() => following.codes.length > 5);
    assert.is(
      following.names(),
      'web.shop',
      'neither the authority nor the token is the known one',
    );
    server.mount();
    await following.until(() => following.names() === 'api.shop web.shop');
  },
);

both('a kubeconfig leads there as well', async (server, start) => {
  server.put('pods', web());
  const following = start(await apiServerOfKubeconfig(server.kubeconfig()));
  await following.until(() => following.names() === 'web.shop');
  server.put('pods', api);
  await following.until(() => following.names() === 'api.shop web.shop');
});

function clusterRole(): readonly Rule[] {
  const text = readFileSync(join(root, 'runtime/kubernetes/weft.yaml'), 'utf8');
  const documents = parseAllDocuments(text).map((document) => document.toJS());
  return documents.find(({ kind }) => kind === 'ClusterRole').rules;
}

both(
  'the ClusterRole of the chart allows what is asked, and nothing else',
  async (server, start) => {
    server.rules = clusterRole();
    server.put('pods', web());
    const following = start();
    await following.until(() => following.names() === 'web.shop');
    const isWatched = (resource: string): boolean =>
      server.asked.some((line) => line.startsWith(`watch ${resource} `));
    const kinds = ['pods', 'nodes', 'namespaces', 'services', 'endpointslices'];
    await following.until(() => kinds.every(isWatched));
    assert.equal(following.codes, []);
    const asked = new Set(server.asked.map((line) => line.split(' ').slice(0, 2).join(' ')));
    const allowed = server.rules.flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
    );
    assert.equal([...asked].sort(), allowed.sort());
  },
);

both('rights that lack are told, and there is no world', async (server, start) => {
  server.rules = clusterRole().map((rule) => ({ ...rule, verbs: ['list'] }));
  const following = start();
  await following.until(() => following.codes.length > 5);
  assert.equal([...new Set(following.codes)], ['N102']);
  await following.until(() => (following.problem() ?? '').includes('403: denied here'));
});

test('where no server is known', async () => {
  const codeOf = async (run: () => unknown): Promise<string> => {
    try {
      await run();
      return 'nothing thrown';
    } catch (error) {
      return isKubernetesError(error) ? error.code : String(error);
    }
  };
  const signal = new AbortController().signal;
  assert.is(await codeOf(() => apiServerOfPod({ host: undefined, port: '443' })), 'N104');
  const bare = apiServerOfPod({ host: '127.0.0.1', port: '9', folder: '/nowhere' });
  assert.is(await codeOf(() => bare.get('/api/v1/pods', signal)), 'N104');
  assert.is(await codeOf(() => apiServerOfKubeconfig('/nowhere')), 'N104');
});

test('a cgroup that kubelet makes later is found without word from the server', async () => {
  const server = await FakeApiServer.start();
  const cgroups = new Map<string, string>();
  const following = follow(server.ofPod, cgroups);
  try {
    server.put('pods', web());
    await following.until(() => following.names() === 'web.shop');
    assert.is(following.world()?.workloads[0]?.cgroup, null);
    const changes = following.changes();
    cgroups.set('uid-web', '/kubepods/poduid-web');
    await following.until(() => following.changes() > changes);
    assert.is(following.world()?.workloads[0]?.cgroup, '/kubepods/poduid-web');
  } finally {
    await following[Symbol.asyncDispose]();
    await server.stop();
  }
});

test.run();
