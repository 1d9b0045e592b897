/** Whatever is wrong with a load: the running generation, its pins and its verdicts stay as they were. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeBundle, encodeBundle } from '../../compiler/bundle/index.js';
import { enrolAll, type Paths, unload } from '../../runtime/agent/index.js';
import { findCgroup2, type Kernel, KernelError, openKernel } from '../../runtime/kernel/index.js';
import { type Transcript, weft } from '../cli/harness.js';
import { breakObject } from '../support/break-object.js';
import { nodeFolders } from '../support/node-folders.js';

const NAME = `weft-bad-${process.pid}`;
const WORLD = `services: []
workloads:
  - name: reviews.prod
    addresses: [127.0.0.1]
    labels: { app: reviews }
    cgroup: /${NAME}
  - name: peer.prod
    addresses: [127.0.0.2]
  - name: elsewhere.prod
    addresses: [10.1.0.9]
    cgroup: /${NAME}-elsewhere
`;

const test = suite('bad load');
let cwd = '';
let paths: Paths;
let cgroup = '';
const run = (args: readonly string[], kernel?: () => Promise<Kernel>): Promise<Transcript> =>
  weft(args, { cwd, paths, openKernel: kernel ?? (async () => openKernel()) });
const write = (name: string, data: string | Uint8Array): void =>
  writeFileSync(join(cwd, name), data);

function connectFrom(host: string): string {
  const script = `
    require('fs').writeFileSync(${JSON.stringify(join(cgroup, 'cgroup.procs'))}, String(process.pid));
    const socket = require('net').connect(9, ${JSON.stringify(host)});
    socket.on('error', (error) => console.log(error.code));
    socket.on('connect', () => { console.log('connected'); socket.destroy(); });`;
  return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim();
}

/** All that a failed load must leave alone, asked of the node and of two connections. */
async function enforced(): Promise<unknown> {
  const { active, generations, enrolled } = JSON.parse(
    (await run(['status', '-o', 'json'])).stdout,
  );
  return {
    ...{ active, generations, enrolled },
    pins: readdirSync(join(paths.pins, 'generations')),
    verdicts: [connectFrom('127.0.0.2'), connectFrom('127.0.0.9')],
  };
}

test.before(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-bad-'));
  const cgroups = findCgroup2();
  if (cgroups === null) throw new Error('no cgroup2 mount');
  paths = { pins: `/sys/fs/bpf/${NAME}`, ...nodeFolders(join(cwd, 'run')), cgroups };
  cgroup = join(cgroups, NAME);
  mkdirSync(cgroup);
  await run(['init', 'shop']);
  write('shop/world.yaml', WORLD);
  write('notes.txt', 'what is no bundle');
  const built = await run(['build', 'shop', '--out', 'good.weft']);
  assert.is(built.exit, 0, built.stderr);
  const bytes = readFileSync(join(cwd, 'good.weft'));
  const decoded = decodeBundle(bytes);
  if (!decoded.ok) throw new Error('the bundle does not decode');
  const broken = breakObject(decoded.bundle.objects.base);
  const objects = { base: broken, mayGoto: broken };
  write('refused.weft', encodeBundle({ ...decoded.bundle, objects }));
  write('cut.weft', bytes.subarray(0, bytes.length - 512));
  write('empty.weft', '');
  const altered = Uint8Array.from(bytes);
  const at = Math.floor(altered.length / 2);
  altered[at] = (altered[at] ?? 0) ^ 1;
  write('altered.weft', altered);
  await run(['init', 'routes']);
  write('routes/policies/isolation.ts', ROUTES);
  const routes = await run(['build', 'routes', '--out', 'routes.weft']);
  assert.is(routes.exit, 0, routes.stderr);
  await run(['load', 'good.weft', '--world', 'shop/world.yaml']);
  const all = await run(['enrol', '--all', '-o', 'json']);
  assert.is(all.exit, 0, all.stdout);
});
test.after(() => {
  unload(openKernel(), paths);
  rmdirSync(cgroup);
  rmSync(cwd, { recursive: true, force: true });
});

const ROUTES = `import { cluster, Connection, Route } from "weft";
const stable = cluster("ratings.prod/v1");
export function routeConnection(connection: Connection): Route {
  return connection.destination.port == 80 ? stable : Route.None;
}
`;

/** A kernel that lacks something: what it says to the load is what an old kernel says. */
const lacking = async (): Promise<Kernel> =>
  new Proxy(openKernel(), {
    get(kernel, key) {
      const value: unknown = Reflect.get(kernel, key);
      if (key !== 'load') return typeof value === 'function' ? value.bind(kernel) : value;
      return () => {
        const [message, remedy] = ['this kernel has no such map type', 'use a newer kernel'];
        throw new KernelError({ code: 'KERNEL_EINVAL', call: 'bpf', errno: 22, message, remedy });
      };
    },
  });

interface Row {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: string;
  readonly exit: number;
  readonly kernel?: () => Promise<Kernel>;
}
const world = ['--world', 'shop/world.yaml'];
const ROWS: readonly Row[] = [
  { name: 'a cut bundle', args: ['cut.weft', ...world], code: 'B102', exit: 6 },
  { name: 'an empty file', args: ['empty.weft', ...world], code: 'B102', exit: 6 },
  { name: 'an altered bundle', args: ['altered.weft', ...world], code: 'B103', exit: 6 },
  { name: 'no bundle', args: ['notes.txt', ...world], code: 'B101', exit: 6 },
  { name: 'a file of a project', args: ['shop/world.yaml', ...world], code: 'U013', exit: 64 },
  { name: 'a missing file', args: ['nowhere.weft', ...world], code: 'U010', exit: 1 },
  { name: 'no world', args: ['good.weft'], code: 'U003', exit: 64 },
  {
    name: 'a bad world',
    args: ['good.weft', '--world', 'shop/weft.json'],
    code: 'W010',
    exit: 3,
  },
  { name: 'a world without the cluster', args: ['routes.weft', ...world], code: 'W120', exit: 3 },
  {
    name: 'a refusing verifier',
    args: ['refused.weft', ...world],
    code: 'KERNEL_VERIFIER',
    exit: 1,
  },
  {
    name: 'a kernel without a feature',
    args: ['good.weft', ...world],
    code: 'KERNEL_EINVAL',
    exit: 1,
    kernel: lacking,
  },
];

for (const { name, args, code, exit, kernel } of ROWS) {
  test(`${name}: ${code}, and nothing changes`, async () => {
    const before = await enforced();
    const json = await run(['load', ...args, '-o', 'json'], kernel);
    const [found] = JSON.parse(json.stdout).diagnostics;
    assert.is(found?.code, code, json.stdout);
    assert.is(json.exit, exit);
    assert.is(json.stderr, '');
    assert.ok(found.help, 'a remedy');
    const text = await run(['load', ...args], kernel);
    assert.is(text.exit, exit);
    assert.is(text.stdout, '');
    assert.match(text.stderr, `error[${code}]`);
    assert.equal(await enforced(), before);
  });
}

test('the generation that stayed is the first, and decides', async () => {
  const state = (await enforced()) as { active: number; verdicts: string[] };
  assert.is(state.active, 1);
  assert.equal(state.verdicts, ['ECONNREFUSED', 'EPERM']);
});

test('enrol --all: what runs here is enrolled once, what does not is named', async () => {
  const { enrolled, already, absent } = enrolAll(openKernel(), paths);
  assert.equal([enrolled, already], [[], ['reviews.prod']]);
  assert.equal(absent, ['peer.prod', 'elsewhere.prod']);
  const again = await run(['enrol', '--all']);
  assert.is(again.exit, 0);
  assert.match(again.stdout, 'enrolled already: reviews.prod\n');
  assert.match(again.stdout, 'not on this node (no cgroup): elsewhere.prod\n');
  assert.match(again.stdout, `cgroups are looked for below ${paths.cgroups}`);
  assert.is((await run(['enrol', 'reviews.prod', '--all'])).exit, 64);
});

test('unenrol --all: nobody is judged; enrol --all takes them in again', async () => {
  const out = await run(['unenrol', '--all']);
  assert.is(out.exit, 0, out.stderr);
  assert.match(out.stdout, `no longer enrolled: ${cgroup}\n`);
  assert.is(connectFrom('127.0.0.9'), 'ECONNREFUSED');
  assert.is((await run(['unenrol', '--all'])).exit, 0, 'harmless where nobody is');
  const back = await run(['enrol', '--all']);
  assert.match(back.stdout, `enrolled ${cgroup} as reviews.prod\n`);
  assert.is(connectFrom('127.0.0.9'), 'EPERM');
});

test('a first load that fails leaves no pin, and says why to `status`', async () => {
  assert.is((await run(['unload'])).exit, 0);
  const { exit } = await run(['load', 'refused.weft', ...world]);
  assert.is(exit, 1);
  assert.not.ok(existsSync(paths.pins));
  const status = JSON.parse((await run(['status', '-o', 'json'])).stdout);
  assert.is(status.active, null);
  assert.match(status.lastError.message, 'the verifier refused');
});

test.run();
