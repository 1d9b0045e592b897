/** Machines that lack what a verb of a node needs: one error with its remedy, and the exit code of the contract. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { machinePaths } from '../../runtime/agent/index.js';
import { runCli } from '../../runtime/cli/run-cli.js';
import { KernelError } from '../../runtime/kernel/index.js';
import { eachInBuiltProject } from './built-project.js';
import { testEnv } from './harness.js';

const main = fileURLToPath(new URL('../../runtime/cli/main.js', import.meta.url));

const test = suite('bad machine');
let cwd = '';
eachInBuiltProject(test, 'good.weft', (folder) => {
  cwd = folder;
});

/** Verbs that need the kernel, as a user would call them. */
const NODE_VERBS = [
  ['load', 'good.weft', '--world', 'shop/world.yaml'],
  ['unload'],
  ['enrol', '--all'],
  ['unenrol', '--all'],
  ['status'],
  ['top', '--count', '1'],
  ['rollback'],
  ['record', '--out', 'r.ndjson'],
] as const;

test('without root: one error, exit 1, from each verb of a node', () => {
  spawnSync('chmod', ['-R', 'a+rX', cwd]);
  for (const args of NODE_VERBS) {
    const done = spawnSync(process.execPath, [main, ...args, '-o', 'json'], {
      ...{ cwd, uid: 65534, gid: 65534, encoding: 'utf8' },
    });
    assert.is(done.status, 1, done.stderr);
    const { diagnostics } = JSON.parse(String(done.stdout));
    assert.is(diagnostics.length, 1);
    assert.is(diagnostics[0].code, 'KERNEL_EPERM');
    assert.match(diagnostics[0].help, 'run as root');
  }
});

test('without root the agent says so in its log, with code and remedy', () => {
  const done = spawnSync(process.execPath, [main, 'agent', '--world', 'shop/world.yaml'], {
    ...{ cwd, uid: 65534, gid: 65534, encoding: 'utf8' },
  });
  assert.is(done.status, 1, done.stdout);
  const { code, help } = JSON.parse(String(done.stderr));
  assert.is(code, 'KERNEL_EPERM');
  assert.match(help, 'run as root');
});

test('a keeper without a program that can be started: usage, and nothing is tried again', () => {
  const words = ['keeper', '--', 'no-such-agent', '--world', 'x'];
  const done = spawnSync(process.execPath, [main, ...words], { cwd, encoding: 'utf8' });
  assert.is(done.status, 64, done.stdout);
  assert.match(
    done.stderr,
    /`no-such-agent` cannot be started: ENOENT[\s\S]*weft keeper -- weft agent/,
  );
});

test('not Linux, no libbpf, no bpf file system, no cgroup2: exit 4 with the remedy', async () => {
  const fields = { call: '', errno: 0, message: 'no', remedy: 'use another machine' };
  const doors = ['KERNEL_NOT_LINUX', 'KERNEL_NO_LIBBPF'].map((code) => ({
    code,
    openKernel: (): Promise<never> => Promise.reject(new KernelError({ code, ...fields })),
    nodePaths: async () => machinePaths({ bpffs: true, cgroup2: '/sys/fs/cgroup' }),
  }));
  const openKernel = async (): Promise<never> => ({}) as never;
  const nodes = [
    {
      code: 'A003',
      openKernel,
      nodePaths: async () => machinePaths({ bpffs: false, cgroup2: '/' }),
    },
    {
      code: 'A002',
      openKernel,
      nodePaths: async () => machinePaths({ bpffs: true, cgroup2: null }),
    },
  ];
  for (const { code, ...world } of [...doors, ...nodes]) {
    for (const args of NODE_VERBS) {
      const out: Buffer[] = [];
      const env = { ...testEnv({ cwd }, out), ...world };
      assert.is(await runCli([...args, '-o', 'json'], env), 4, `${code} ${args[0]}`);
      const [found] = JSON.parse(Buffer.concat(out).toString()).diagnostics;
      assert.is(found.code, code);
      assert.ok(found.help);
    }
  }
});

test.run();
