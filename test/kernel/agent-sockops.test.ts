/**
 * The sockops stub is attached to enrolled cgroups while a loaded generation has its program, and
 * only then. A pin in its place makes a generation one that has it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  cgroupId,
  cgroupWithId,
  type Kernel,
  openKernel,
  pinDirectory,
} from '../../runtime/kernel/index.js';
import { ShopNode } from './fixtures/shop-node.js';

const node = new ShopNode('sockops');
const { paths, run, runWith, status } = node;
const { cgroups } = paths;
const GROUPS = [`${node.name}/a`, `${node.name}/b`] as const;
const [A, B] = GROUPS;

const test = suite('agent sockops');
async function did(...args: string[]): Promise<void> {
  const { exit, stderr } = await run(...args);
  assert.is(exit, 0, stderr);
}
const load = (): Promise<void> => did('load', 'shop.weft', '--world', 'shop/world.yaml');
const enrol = (group: string): Promise<void> => did('enrol', '--cgroup', `/${group}`);
const active = async (): Promise<unknown> => (await status())['active'];
/** Lets a loaded generation pass for one with request policies. */
const need = (generation: number): string =>
  pinDirectory(join(paths.pins, 'generations', String(generation), 'programs', 'weft_request'));
const attachTypes = (group: string): readonly string[] => {
  const shown = execFileSync('bpftool', ['-j', 'cgroup', 'show', join(cgroups, group)]);
  const text = String(shown).trim();
  const list: readonly { attach_type: string }[] = text === '' ? [] : JSON.parse(text);
  return list.map((one) => one.attach_type).sort();
};
/** By the kernel's word, which the pins must agree with. */
const isAttached = (group: string): boolean => {
  const attached = attachTypes(group).some((type) => type.includes('sock_ops'));
  const links = join(paths.pins, 'links', String(cgroupId(join(cgroups, group))));
  assert.is(readdirSync(links).includes('sockops'), attached);
  return attached;
};

test.before(() => node.make('workloads: []\nservices: []\n'));
test.before.each(() => {
  for (const group of GROUPS) mkdirSync(join(cgroups, group));
});
test.after.each(() => {
  node.unload();
  for (const group of GROUPS) if (existsSync(join(cgroups, group))) rmdirSync(join(cgroups, group));
});
test.after(() => node.remove());

test('where no loaded generation judges requests, it is not attached', async () => {
  await enrol(A);
  await load();
  await enrol(B);
  assert.equal([isAttached(A), isAttached(B)], [false, false]);
});

test('enrol attaches it where one does; unenrol and unload take it away with the rest', async () => {
  await load();
  need(1);
  await enrol(A);
  await enrol(B);
  assert.equal([isAttached(A), isAttached(B)], [true, true]);
  await did('unenrol', '--cgroup', `/${A}`);
  await did('unload');
  assert.equal([attachTypes(A), attachTypes(B)], [[], []]);
});

test('load attaches it to all that are enrolled, and detaches it with the last generation', async () => {
  await load();
  await enrol(A);
  await enrol(B);
  need(1);
  await load();
  assert.equal([isAttached(A), isAttached(B)], [true, true]);
  await load();
  assert.equal([isAttached(A), isAttached(B)], [false, false]);
});

test('an enrolled cgroup that has gone does not matter', async () => {
  await load();
  await enrol(A);
  await enrol(B);
  rmdirSync(join(cgroups, A));
  need(1);
  await load();
  assert.is(isAttached(B), true);
});

/** A kernel that fails at one cgroup, as a process that dies there stops. */
function failingAt(group: string): Kernel {
  const kernel = openKernel();
  return {
    ...kernel,
    attachCgroup: (program, path, type) => {
      if (path.endsWith(group)) throw new Error('cut short');
      return kernel.attachCgroup(program, path, type);
    },
  };
}

for (const group of GROUPS) {
  test(`a load that cannot attach it to ${group.at(-1)} activates nothing; the next one does`, async () => {
    await load();
    await enrol(A);
    await enrol(B);
    need(1);
    const args = ['load', 'shop.weft', '--world', 'shop/world.yaml'];
    assert.is.not((await runWith(failingAt(group), args)).exit, 0);
    assert.is(await active(), 1);
    await load();
    assert.is(await active(), 2);
    assert.equal([isAttached(A), isAttached(B)], [true, true]);
  });
}

test('a cgroup is found by its id', () => {
  const path = join(cgroups, B);
  const id = cgroupId(path);
  assert.is(cgroupWithId(cgroups, id), path);
  assert.is(cgroupWithId(path, id), path);
  assert.is(cgroupWithId(join(cgroups, A), id), null);
  rmdirSync(path);
  assert.is(cgroupWithId(cgroups, id), null);
});

test.run();
