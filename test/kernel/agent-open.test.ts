/**
 * Open connections and a change of generation: what the new one refuses is ended, on both sides and in
 * both families, and told; its twins live on. Sockets are real, in namespaces of their own.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openNodeBundles } from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { KernelError } from '../../runtime/kernel/kernel-error.js';
import { CLIENT4, SERVER4 } from './fixtures/net.js';
import { MOVED_PORT, OPEN_PORT, OpenNode, SERVICE4, SHUT_PORT } from './fixtures/open-node.js';

const test = suite('open connections');
let at: OpenNode;

interface Told {
  readonly open: boolean;
  readonly hook: string;
  readonly verdict: string;
  readonly rule: string;
  readonly source: { readonly workload: string };
  readonly destination: { readonly workload: string; readonly address: string };
}
/** Of what was open, since the last look. */
const events = async (): Promise<readonly Told[]> => {
  const { stdout } = await at.node.run('events', '-o', 'ndjson');
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Told).filter(({ open }) => open);
};
/** The bundles of the node, as an agent that starts has them. */
const openBundles = (): ReturnType<typeof openNodeBundles> => {
  const text = readFileSync(join(at.node.cwd, 'shop/world.yaml'), 'utf8');
  const { world } = readWorld(text, 'shop/world.yaml');
  if (world === null) throw new Error('the world is not read');
  return openNodeBundles({
    ...{ kernel: openKernel(), paths: at.node.paths, world: () => world, trust: () => null },
    ...{ now: () => new Date(), clockOffset: () => 0n },
  });
};

test.before.each(async () => {
  at = await OpenNode.make('o');
  await at.load('old');
  assert.is((await at.node.run('enrol', '--all')).exit, 0);
});
test.after.each(async () => {
  await at?.close();
});

test('what the new bundle refuses is ended at both ends, IPv4 and IPv6; the others live on', async () => {
  for (const family of [4, 6] as const) {
    await at.open(`shut${family}`, SHUT_PORT, family);
    await at.open(`open${family}`, OPEN_PORT, family);
    await at.open(`moved${family}`, MOVED_PORT, family);
  }
  await at.openTo('service', [SERVICE4, 80], `4:${SHUT_PORT}`);
  await events();
  const open = await at.load('new');
  // Both ends of a connection are of this node, and judged; of one that is ended the other end is reset.
  assert.equal(open, { generation: 2, judged: 11, ended: 3, kept: 8, problem: null });
  for (const name of ['shut4', 'shut6', 'service'])
    assert.equal([...(await at.ended(name))].sort(), ['ECONNABORTED', 'ECONNRESET'], name);
  for (const name of ['open4', 'open6', 'moved4', 'moved6']) await at.isOpen(name);
  const told = await events();
  assert.is(told.length, 3);
  for (const { verdict, rule, source, destination } of told)
    assert.equal(
      [verdict, rule, source.workload, destination.workload],
      ['deny', 'isolation.ts:4', 'client.prod', 'server.prod'],
    );
  const status = await at.node.status();
  assert.equal(status['open'], open);
});

test('`onChange: "keep"` lets live what it refuses to new ones', async () => {
  await at.open('shut', SHUT_PORT);
  const open = await at.load('keep');
  assert.is(open, null);
  await at.isOpen('shut');
  const refused = `connect(tcp(), "${SERVER4}", ${SHUT_PORT})`;
  assert.equal(await at.client.ask(refused), { error: 'EPERM' });
  assert.equal(await events(), []);
});

test('what is enrolled nowhere is never touched; what comes in from outside is judged where it arrives', async () => {
  const { outsider } = at;
  // A listener and a client that are both of no workload, in the client's namespace.
  await outsider.value(
    `l = listen("${CLIENT4}", ${SHUT_PORT}); socks["own"] = tcp(); connect(socks["own"], "${CLIENT4}", ${SHUT_PORT}); a = l.accept()[0]`,
  );
  for (const family of [4, 6] as const) {
    await at.open(`outside${family}`, SHUT_PORT, family, outsider);
    await at.open(`inside${family}`, OPEN_PORT, family, outsider);
  }
  // Made before it came into the mesh, in a cgroup that is not of it.
  const late = at.net.peer(at.net.left, null);
  await at.open('before', OPEN_PORT, 4, late);
  late.join(at.cgroup);
  await events();
  const open = await at.load('new');
  assert.equal(open, { generation: 2, judged: 5, ended: 2, kept: 3, problem: null });
  for (const family of [4, 6]) {
    const ended = await at.ended(`outside${family}`, outsider);
    assert.equal(ended, ['ECONNRESET', 'ECONNABORTED']);
    await at.isOpen(`inside${family}`, outsider);
  }
  await at.isOpen('before', late);
  await outsider.value('socks["own"].send(b"z")');
  assert.is(await outsider.value('a.recv(1).decode()'), 'z');
  const told = await events();
  const ingress = ['ingress', 'isolation.ts:4'];
  assert.equal(
    told.map(({ hook, rule }) => [hook, rule]),
    [ingress, ingress],
  );
});

test('a way back judges them too, and by what it goes back to', async () => {
  await at.load('new');
  await at.open('open', OPEN_PORT);
  const back = await at.node.run('rollback', '-o', 'json');
  assert.is(back.exit, 0, back.stdout);
  const kept = { generation: 1, judged: 2, ended: 0, kept: 2, problem: null };
  assert.equal(JSON.parse(back.stdout).open, kept);
  await at.open('shut', SHUT_PORT);
  const forward = await at.node.run('rollback', '--to', '2');
  assert.match(forward.stdout, '3 open connections judged again: 1 ended, 2 kept');
  assert.equal([...(await at.ended('shut'))].sort(), ['ECONNABORTED', 'ECONNRESET']);
  await at.isOpen('open');
});

test('A022: a kernel that ends no connection is told; the next change or start makes up for it', async () => {
  await at.open('shut', SHUT_PORT);
  const kernel = openKernel();
  const unable = {
    ...kernel,
    destroySockets: () => {
      const [code, call, errno] = ['KERNEL_CALL', 'SOCK_DESTROY', 95] as const;
      throw new KernelError({
        code,
        call,
        errno,
        message: 'cannot end a connection',
        remedy: null,
      });
    },
  };
  const told = await at.node.runWith(unable, ['load', 'new.weft', '--world', 'shop/world.yaml']);
  assert.is(told.exit, 0, told.stderr);
  assert.match(
    told.stderr,
    'warning[A022]: not all open connections were judged again: cannot end a connection',
  );
  await at.isOpen('shut');
  assert.equal(await openBundles().boot(), { ok: true, generation: 2 });
  assert.equal([...(await at.ended('shut'))].sort(), ['ECONNABORTED', 'ECONNRESET']);
  // The same by a change.
  await at.node.run('rollback');
  await at.open('shut', SHUT_PORT);
  const again = ['load', 'new.weft', '--world', 'shop/world.yaml'];
  assert.match((await at.node.runWith(unable, again)).stderr, 'warning[A022]');
  await at.isOpen('shut');
  assert.is(((await at.load('new')) as { ended: number }).ended, 1);
  assert.equal([...(await at.ended('shut'))].sort(), ['ECONNABORTED', 'ECONNRESET']);
});

test('a load that is killed before it has judged them: the next start does, and no later one again', async () => {
  await at.open('shut', SHUT_PORT);
  await at.open('open', OPEN_PORT);
  const room = (path: string): string =>
    JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
  const script = `
    import { readFileSync } from 'node:fs';
    import { load, withLock } from ${room('runtime/agent/index.js')};
    import { decodeBundle } from ${room('compiler/index.js')};
    import { readWorld } from ${room('runtime/discovery/index.js')};
    import { openKernel } from ${room('runtime/kernel/index.js')};
    const paths = ${JSON.stringify(at.node.paths)};
    const { bundle, digest } = decodeBundle(readFileSync('new.weft'));
    const { world } = readWorld(readFileSync('shop/world.yaml', 'utf8'), 'shop/world.yaml');
    const onStep = (step) => {
      if (step === 'noted') process.kill(process.pid, 'SIGKILL');
    };
    const options = { bundle, digest, world, now: new Date(), clockOffset: 0n, onStep };
    await withLock(paths, () => load(openKernel(), paths, options));`;
  const words = ['--input-type=module', '--eval', script];
  const { signal, stderr } = spawnSync(process.execPath, words, {
    ...{ cwd: at.node.cwd, encoding: 'utf8' as const },
  });
  assert.is(signal, 'SIGKILL', stderr);
  await at.isOpen('shut');
  const bundles = openBundles();
  assert.equal(await bundles.boot(), { ok: true, generation: 2 });
  const open = { generation: 2, judged: 3, ended: 1, kept: 2, problem: null };
  assert.equal((await at.node.status())['open'], open);
  assert.equal([...(await at.ended('shut'))].sort(), ['ECONNABORTED', 'ECONNRESET']);
  await at.isOpen('open');
  await bundles.boot();
  assert.equal((await at.node.status())['open'], open, 'done once');
});

test.run();
