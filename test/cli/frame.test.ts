import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMANDS } from '../../runtime/cli/command/index.js';
import { VERSION } from '../../runtime/cli/version.js';
import { KernelError } from '../../runtime/kernel/index.js';
import { weft, withFolder } from './harness.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const test = suite('cli frame');

test('each verb has its own file and a help with a worked example', async () => {
  const files = readdirSync(join(root, 'runtime/cli/command')).filter((f) => f !== 'index.ts');
  assert.equal(files.map((f) => f.replace('.ts', '')).sort(), COMMANDS.map((c) => c.name).sort());
  for (const command of COMMANDS) {
    const { exit, stdout, stderr } = await weft([command.name, '--help']);
    assert.is(exit, 0, command.name);
    assert.is(stderr, '');
    assert.match(stdout, `Usage: weft ${command.name}`);
    assert.match(stdout, new RegExp(`Example:\\n  \\$ (sudo )?weft ${command.name}`));
  }
});

test('the help of the program lists every verb', async () => {
  const { exit, stdout } = await weft(['--help']);
  assert.is(exit, 0);
  for (const command of COMMANDS) assert.match(stdout, `\n  ${command.name} `);
});

test('every help fits 80 columns', async () => {
  for (const verb of [[], ...COMMANDS.map((c) => [c.name])]) {
    const { stdout } = await weft([...verb, '--help']);
    const wide = stdout.split('\n').filter((line) => line.length > 80);
    assert.equal(wide, [], verb.join(' '));
  }
});

test('no verb at all is a usage fault with the help on stderr', async () => {
  const { exit, stdout, stderr } = await weft([]);
  assert.is(exit, 64);
  assert.is(stdout, '');
  assert.match(stderr, 'Usage: weft');
});

test('version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.is(VERSION, version);
  assert.equal(await weft(['--version']).then((t) => t.stdout), `${version}\n`);
  const { exit, stdout } = await weft(['version', '-o', 'json']);
  assert.is(exit, 0);
  assert.is(JSON.parse(stdout).version, version);
});

test('an unknown verb is refused with the nearest one', async () => {
  const { exit, stdout, stderr } = await weft(['docter']);
  assert.is(exit, 64);
  assert.is(stdout, '');
  assert.match(stderr, 'error[U001]: unknown command `docter`');
  assert.match(stderr, 'did you mean `doctor`?');
});

test('a verb far from every known one gets no guess', async () => {
  const { exit, stderr } = await weft(['quarterback']);
  assert.is(exit, 64);
  assert.not.match(stderr, 'did you mean');
});

test('an unknown flag is refused with the nearest one', async () => {
  const { exit, stderr } = await weft(['doctor', '--outputt', 'json']);
  assert.is(exit, 64);
  assert.match(stderr, 'unknown option `--outputt`');
  assert.match(stderr, 'did you mean `--output`?');
});

for (const [code, ...args] of [
  ['error[U004]: option `-o, --output <FORMAT>`', 'doctor', '-o', 'yaml'],
  ['error[U003]: too many arguments', 'version', 'extra'],
  ['error[U003]: missing required argument `SHELL`', 'completion'],
  ['error[U004]: command-argument', 'completion', 'tcsh'],
] as const) {
  test(`usage: ${args.join(' ')}`, async () => {
    const { exit, stdout, stderr } = await weft(args);
    assert.is(exit, 64);
    assert.is(stdout, '');
    assert.match(stderr, code);
  });
}

test('a usage fault under -o json is one document on stdout', async () => {
  const { exit, stdout, stderr } = await weft(['doctor', '-o', 'json', '--nope']);
  assert.is(exit, 64);
  assert.is(stderr, '');
  const document = JSON.parse(stdout);
  assert.is(document.schemaVersion, 1);
  assert.is(document.diagnostics[0].code, 'U002');
});

test('colours: on a terminal, not in a pipe, not with NO_COLOR', async () => {
  const plain = await weft(['nope']);
  const terminal = await weft(['nope'], { isTTY: true });
  const refused = await weft(['nope'], { isTTY: true, env: { NO_COLOR: '1' } });
  assert.not.match(plain.stderr, '\u001b');
  assert.match(terminal.stderr, '\u001b[1;31m');
  assert.not.match(refused.stderr, '\u001b');
});

test('an interruption is exit 130', async () => {
  const { exit } = await weft(['version'], { signal: AbortSignal.abort() });
  assert.is(exit, 130);
});

test('init writes a project once and never overwrites', async () => {
  await withFolder(async (folder) => {
    const first = await weft(['init', 'shop'], { cwd: folder });
    assert.is(first.exit, 0);
    assert.match(first.stdout, 'created shop/weft.json\n');
    assert.match(first.stdout, 'created shop/.vscode/settings.json\n');
    const before = readFileSync(join(folder, 'shop/weft.json'));
    const second = await weft(['init', 'shop'], { cwd: folder });
    assert.is(second.exit, 1);
    assert.match(second.stderr, '`shop/weft.json` exists already');
    assert.equal(readFileSync(join(folder, 'shop/weft.json')), before);
    const json = await weft(['init', 'shop', '-o', 'json'], { cwd: folder });
    assert.is(json.exit, 1);
    assert.is(JSON.parse(json.stdout).diagnostics[0].code, 'U012');
  });
});

test('doctor without a kernel door says what is missing and answers 4', async () => {
  const { exit, stdout } = await weft(['doctor']);
  assert.is(exit, 4);
  assert.match(stdout, /^no {3}libbpf /);
  const json = await weft(['doctor', '-o', 'json'], { platform: 'darwin' });
  assert.is(json.exit, 4);
  assert.is(JSON.parse(json.stdout).features[0].name, 'linux');
});

test('doctor without root needs no privileges and names the remedy', () => {
  const main = join(root, 'dist/runtime/cli/main.js');
  const nobody = { uid: 65534, gid: 65534, encoding: 'utf8' } as const;
  const done = spawnSync(process.execPath, [main, 'doctor'], nobody);
  assert.is(done.status, 4, done.stderr);
  assert.match(done.stdout, /^no {3}privileges /m);
  assert.match(done.stdout, 'run as root');
});

test('unload without root is one clear error', async () => {
  const main = join(root, 'dist/runtime/cli/main.js');
  const nobody = { uid: 65534, gid: 65534, encoding: 'utf8' } as const;
  const done = spawnSync(process.execPath, [main, 'unload', '-o', 'json'], nobody);
  assert.is(done.status, 1, done.stderr);
  assert.is(JSON.parse(done.stdout).diagnostics[0].code, 'KERNEL_EPERM');
  assert.is(done.stderr, '');
});

test('an internal fault says so, with its stack on stderr, as one document', async () => {
  const openKernel = (): Promise<never> => Promise.reject(new Error('broken inside'));
  const { exit, stdout, stderr } = await weft(['unload', '-o', 'json'], { openKernel });
  assert.is(exit, 1);
  const [found] = JSON.parse(stdout).diagnostics;
  assert.is(found.code, 'U021');
  assert.match(found.message, 'broken inside');
  assert.match(stderr, 'frame.test');
});

test('a typed error of the kernel door keeps its code and remedy', async () => {
  const fields = { code: 'KERNEL_NOT_LINUX', call: '', errno: 0, message: 'no', remedy: 'yes' };
  const openKernel = (): Promise<never> => Promise.reject(new KernelError(fields));
  const { exit, stderr } = await weft(['unload'], { openKernel });
  assert.is(exit, 4, 'not supported here');
  assert.match(stderr, 'error[KERNEL_NOT_LINUX]: no\n = help: yes');
});

test('completion names every verb in each shell', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { exit, stdout } = await weft(['completion', shell]);
    assert.is(exit, 0);
    for (const { name } of COMMANDS) assert.match(stdout, new RegExp(`\\b${name}\\b`), shell);
  }
});

test.run();
