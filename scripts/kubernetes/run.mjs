// What is tried against the real things of Kubernetes: Helm on the chart, its objects on a real API server,
// and the agent's way of following a cluster, with the account and the rights that the chart gives it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { ApiServer } from './api-server.mjs';
import { KUBERNETES, tools } from './tools.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { apiServerOfPod, clusterWorld, followCluster, unpackFacts } = await import(
  '../../dist/runtime/kubernetes/index.js'
);
const MANY = 600;
const PATIENCE_MS = 60_000;
const documentsOf = (text) =>
  parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((object) => object !== null);
const nameOf = ({ kind, metadata }) => `${kind}/${metadata.name}`;

let tried = 0;
async function step(name, run) {
  await run();
  tried += 1;
  console.log(`ok ${name}`);
}

const GROUPS = { v1: '/api/v1', 'apps/v1': '/apis/apps/v1' };
/** Where an object is created: the plural is regular for every kind that the chart has. */
function pathOf({ apiVersion, kind, metadata }) {
  const group = GROUPS[apiVersion] ?? `/apis/${apiVersion}`;
  const namespaced = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${group}${namespaced}/${kind.toLowerCase()}s`;
}

function helm(program, ...args) {
  const done = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`helm ${args[0]}: ${done.stdout}${done.stderr}`);
  return done.stdout;
}

async function until(holds) {
  const late = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > late) throw new Error(`never: ${holds}`);
    await wait(20);
  }
}

const ready = (status) => ({ type: 'Ready', status });
function statusOf(ip, isReady = true) {
  const status = { phase: 'Running', podIPs: [{ ip }], podIP: ip };
  return { status: { ...status, conditions: [ready(isReady ? 'True' : 'False')] } };
}
const MERGE = 'application/merge-patch+json';
const PODS = '/api/v1/namespaces/shop/pods';

async function makePod(api, name, ip, node = 'n1') {
  await api.must('POST', PODS, {
    metadata: { name, labels: { app: name } },
    spec: {
      nodeName: node,
      serviceAccountName: 'web',
      containers: [{ name: 'web', image: 'registry.example/web:1' }],
    },
  });
  await api.must('PATCH', `${PODS}/${name}/status`, statusOf(ip), MERGE);
}

/** Asked as the agent's account. */
async function asAgent(place, path) {
  const response = await apiServerOfPod(place).get(path, new AbortController().signal);
  response.resume();
  return response.statusCode;
}

async function follow(place) {
  const faults = [];
  const cluster = followCluster(apiServerOfPod(place), {
    ...{ node: 'n1', cgroups: () => new Map() },
    onChange: () => {},
    onFault: (error) => faults.push(`${error.code}: ${error.message}`),
  });
  await cluster.listed;
  const world = () => {
    const { facts, cgroups } = cluster.picture();
    const options = { node: 'n1', trustDomain: 'cluster.local', cgroups };
    return clusterWorld(unpackFacts(facts), options).world;
  };
  const workload = (name) => world().workloads.find((one) => one.name === name);
  return { cluster, faults, world, workload };
}

async function tryCluster(api) {
  const yaml = documentsOf(readFileSync(join(root, 'runtime/kubernetes/weft.yaml'), 'utf8'));
  await step('the API server takes each object of weft.yaml (server-side dry run)', async () => {
    const [namespace, ...rest] = yaml;
    await api.must('POST', pathOf(namespace), namespace);
    for (const object of rest) await api.must('POST', `${pathOf(object)}?dryRun=All`, object);
  });
  await step('it refuses one that the schema does not have', async () => {
    const daemonSet = yaml.find(({ kind }) => kind === 'DaemonSet');
    const odd = { ...daemonSet, spec: { ...daemonSet.spec, template: {} } };
    const { status } = await api.ask('POST', `${pathOf(daemonSet)}?dryRun=All`, odd);
    assert.equal(status, 422);
  });
  for (const object of yaml.slice(1)) await api.must('POST', pathOf(object), object);
  const folder = await api.mount('weft-system', 'weft-agent');
  const place = { host: '127.0.0.1', port: String(api.port), folder };

  await api.must('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  const accounts = '/api/v1/namespaces/shop/serviceaccounts';
  for (const name of ['default', 'web']) await api.must('POST', accounts, { metadata: { name } });
  const labels = { 'topology.kubernetes.io/zone': 'eu-1' };
  await api.must('POST', '/api/v1/nodes', { metadata: { name: 'n1', labels } });
  await makePod(api, 'web', '10.244.0.1');

  await step('the account of the chart may list and watch, and nothing else', async () => {
    assert.equal(await asAgent(place, '/api/v1/pods?limit=1'), 200);
    for (const path of [
      '/api/v1/secrets',
      `${PODS}/web`,
      '/api/v1/configmaps',
      '/apis/apps/v1/daemonsets',
    ])
      assert.equal(await asAgent(place, path), 403, path);
  });

  const { cluster, faults, world, workload } = await follow(place);
  try {
    await step('pods, their nodes and accounts', () => {
      const web = workload('web.shop');
      assert.equal(web.addresses[0].text, '10.244.0.1');
      assert.deepEqual([web.serviceAccount, web.healthy], ['web', true]);
      assert.equal(web.locality.zone, 'eu-1');
    });
    await step('a pod comes, is not ready, and goes', async () => {
      await makePod(api, 'late', '10.244.0.2');
      await until(() => workload('late.shop')?.healthy === true);
      await api.must('PATCH', `${PODS}/late/status`, statusOf('10.244.0.2', false), MERGE);
      await until(() => workload('late.shop')?.healthy === false);
      await api.must('DELETE', `${PODS}/late?gracePeriodSeconds=0`);
      await until(() => workload('late.shop') === undefined);
    });
    await step(
      'a service with the addresses that the API server gives, its named port by its slice',
      async () => {
        const made = await api.must('POST', '/api/v1/namespaces/shop/services', {
          metadata: { name: 'web', annotations: { 'weft.dev/subsets': '{"v1":{"version":"v1"}}' } },
          spec: {
            selector: { app: 'web' },
            ports: [{ name: 'http', port: 80, targetPort: 'web' }],
          },
        });
        await api.must('POST', '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices', {
          metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
          addressType: 'IPv4',
          ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
          endpoints: [{ addresses: ['10.244.0.1'], targetRef: { kind: 'Pod', name: 'web' } }],
        });
        const web = () => world().services.find(({ name }) => name === 'web.shop');
        await until(() => web()?.ports.length === 1);
        assert.deepEqual(web().ports, [{ port: 80, target: 8080, protocol: 'http' }]);
        assert.equal(web().addresses[0].text, made.spec.clusterIP);
        assert.deepEqual(
          web().clusters.map(({ name }) => name),
          ['web/all', 'web/v1'],
        );
      },
    );
    await step('a namespace is taken out of the mesh', async () => {
      assert.equal(workload('web.shop').enrolled, true);
      const change = { metadata: { labels: { 'weft.dev/enrolled': 'false' } } };
      await api.must('PATCH', '/api/v1/namespaces/shop', change, MERGE);
      await until(() => workload('web.shop').enrolled === false);
    });
    assert.deepEqual(faults, []);
    await step(
      'the API server ends (kill -9) and comes back: what was known stays, then all goes on',
      async () => {
        await api.end();
        await until(() => cluster.problem() !== null);
        assert.ok(workload('web.shop') !== undefined);
        await api.begin();
        await makePod(api, 'back', '10.244.0.3');
        await until(() => workload('back.shop') !== undefined);
        await until(() => cluster.problem() === null);
        // A server that has just begun knows no roles yet, and refuses for a moment.
        assert.ok(
          faults.every((fault) => /^N10[12]/.test(fault)),
          faults.join('\n'),
        );
      },
    );
  } finally {
    await cluster[Symbol.asyncDispose]();
  }

  await step(`${MANY} pods, listed in pages`, async () => {
    const ips = Array.from({ length: MANY }, (_, n) => `10.245.${n >> 8}.${n & 255}`);
    for (let n = 0; n < MANY; n += 20)
      await Promise.all(
        ips.slice(n, n + 20).map((ip, k) => makePod(api, `many-${n + k}`, ip, 'n2')),
      );
    const many = await follow(place);
    const found = many.world().workloads.filter(({ name }) => name.startsWith('many-'));
    await many.cluster[Symbol.asyncDispose]();
    assert.equal(found.length, MANY);
    assert.equal(new Set(found.map(({ labels: l }) => l.app)).size, MANY);
  });
}

/** Answers with the number of steps that held. */
export async function tryKubernetes() {
  const { apiServer, helm: program } = tools();
  const chart = 'runtime/kubernetes/chart';
  await step('helm lint --strict', () => helm(program, 'lint', '--strict', chart));
  await step('helm template gives the objects of weft.yaml', () => {
    const named = ['template', 'weft', chart, '--namespace', 'weft-system'];
    const rendered = documentsOf(helm(program, ...named, '--kube-version', KUBERNETES));
    const ours = documentsOf(readFileSync(join(root, 'runtime/kubernetes/weft.yaml'), 'utf8'));
    const byName = (list) => [...list].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    assert.deepEqual(byName(rendered), byName(ours.filter(({ kind }) => kind !== 'Namespace')));
  });
  const api = await ApiServer.start(apiServer);
  try {
    await tryCluster(api);
  } finally {
    await api.stop();
  }
  return tried;
}
