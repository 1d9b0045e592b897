import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openKernel } from '../../runtime/kernel/index.js';

const test = suite('kernel door: opening');
const door = fileURLToPath(new URL('../../runtime/kernel/index.js', import.meta.url));

/** Runs a script without capabilities (still able to read our files) and gives what it printed. */
const withoutCapabilities = (script: string): string =>
  execFileSync(
    'setpriv',
    [
      ...['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--securebits=+noroot'],
      ...['--', process.execPath, '--input-type=module', '-e', script],
    ],
    { encoding: 'utf8' },
  ).trim();

test('without privileges the error says so and what to do', () => {
  const said = withoutCapabilities(`
    import { openKernel, isKernelError } from ${JSON.stringify(door)};
    try { openKernel(); } catch (e) { console.log(JSON.stringify([isKernelError(e), e.code, e.message, e.remedy])); }`);
  assert.equal(JSON.parse(said), [
    true,
    'KERNEL_EPERM',
    'this process may not use eBPF: bpf failed with EPERM',
    'run as root, or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON',
  ]);
});

test('features can be asked without privileges, and say what is missing', () => {
  const said = withoutCapabilities(`
    import { openKernel } from ${JSON.stringify(door)};
    const rows = openKernel({ unprivileged: true }).features();
    console.log(JSON.stringify(rows.filter((row) => ['privileges', 'program tc'].includes(row.name)).map((row) => [row.name, row.present, row.remedy])));`);
  const remedy = 'run as root, or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON';
  assert.equal(JSON.parse(said), [
    ['privileges', false, remedy],
    ['program tc', false, remedy],
  ]);
});

test('a missing library is named with the package that has it', () => {
  assert.throws(
    () => openKernel({ library: 'libnowhere.so.9' }),
    (error: { code?: string; message: string; remedy?: string }) =>
      error.code === 'KERNEL_NO_LIBBPF' &&
      error.message.includes('libnowhere.so.9') &&
      error.remedy?.includes('apt-get install libbpf1') === true,
  );
});

test('here everything required is present, each row with its detail', () => {
  const rows = openKernel().features();
  assert.ok(rows.length > 20);
  for (const row of rows.filter((each) => each.required && each.name !== 'bpffs'))
    assert.ok(row.present, `${row.name}: ${row.detail}`);
  for (const row of rows) assert.is(row.remedy === null, row.present, row.name);
  assert.is(openKernel().hasMayGoto(), rows.find((row) => row.name === 'may_goto')?.present);
});

test.run();
