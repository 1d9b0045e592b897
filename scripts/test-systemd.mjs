// The systemd unit under a real systemd as process 1: start and readiness, the descriptor store over restarts, reloads
// and deaths, the watchdog, stop, and an uninstall that leaves nothing. systemd has a root, a /tmp, cgroups and processes
// of its own (scripts/systemd/boot.sh); of this machine it uses the programs and the kernel. Some 40 s.
// usage: npm run test:systemd [-- --no-build]; as root, on Linux with systemd's package installed
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readWords } from './read-words.mjs';
import { setUpAndBuild } from './set-up-and-build.mjs';

const UNSUPPORTED = 4;
const PATIENCE_MS = 120_000;
const GROUP = 'weft:x:995:';
const root = fileURLToPath(new URL('..', import.meta.url));
const weft = join(root, 'dist/cli.mjs');
const UNIT = join(root, 'runtime/agent/weft-agent.service');

if (process.getuid?.() !== 0 || !existsSync('/lib/systemd/systemd')) {
  console.error('error: this needs root and systemd\n  help: apt-get install systemd, and sudo');
  process.exit(UNSUPPORTED);
}
const WORDS = 'npm run test:systemd [-- --no-build]';
const { values } = readWords(WORDS, { 'no-build': { type: 'boolean', default: false } });
if (!values['no-build']) setUpAndBuild();

function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout.trim();
}

/** Files over those of this machine: the package as docs/howto/run-the-agent.md installs it, and a bundle. */
function layOver(work) {
  const over = join(work, 'over');
  const shop = join(work, 'shop');
  run(process.execPath, [weft, 'init', shop]);
  run(process.execPath, [weft, 'build', shop, '--out', join(work, 'shop.weft')]);
  const put = (path, text) => {
    mkdirSync(dirname(join(over, path)), { recursive: true });
    writeFileSync(join(over, path), text);
  };
  put('etc/weft/world.yaml', readFileSync(join(shop, 'world.yaml')));
  put('etc/weft/shop.weft', readFileSync(join(work, 'shop.weft')));
  put('etc/systemd/system/weft-test.target', '[Unit]\nRequires=basic.target\nAfter=basic.target\n');
  const lines = readFileSync('/etc/group', 'utf8').split('\n');
  put('etc/group', [...lines.filter((line) => !/^weft:|^$/.test(line)), GROUP, ''].join('\n'));
  mkdirSync(join(over, 'usr/bin'), { recursive: true });
  symlinkSync(weft, join(over, 'usr/bin/weft'));
  copyFileSync(UNIT, join(over, 'weft-agent.service'));
  return over;
}

/** Where cgroup2 is mounted: systemd gets a part of it as its whole. */
function cgroup2() {
  const line = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .find((text) => text.split(' ')[2] === 'cgroup2');
  if (line === undefined) throw new Error('no cgroup2 is mounted');
  return line.split(' ')[1] ?? '';
}

function removeCgroup(path) {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  rmdirSync(path);
}

async function until(what, holds) {
  const late = Date.now() + PATIENCE_MS;
  for (let found = holds(); ; found = holds()) {
    if (found) return found;
    if (Date.now() > late) throw new Error(`never: ${what}`);
    await wait(100);
  }
}

const work = mkdtempSync(join(tmpdir(), 'weft-systemd-'));
const cgroup = join(cgroup2(), work.split('/').at(-1));
mkdirSync(join(work, 'root'));
const over = layOver(work);
mkdirSync(cgroup);
const boot = [
  `echo $$ > ${cgroup}/cgroup.procs`,
  `exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc --net sh ${root}scripts/systemd/boot.sh ${work}/root`,
].join(' && ');
const machine = spawn('sh', ['-c', boot], {
  env: { ...process.env, OVER: over },
  stdio: ['ignore', 'ignore', 'inherit'],
});
let processOne = 0;
/** A command in that machine; what it printed, or null where it failed. */
function inside(...command) {
  const go = ['sh', '-c', 'cd / && exec "$@"', 'sh', ...command];
  const env = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
  const args = ['--target', String(processOne), '--all', '--wd=/', ...env, ...go];
  const { status, stdout } = spawnSync('nsenter', args, { encoding: 'utf8', cwd: '/' });
  return status === 0 ? stdout.trim() : null;
}
const must = (...command) => {
  const said = inside(...command);
  if (said === null) throw new Error(`${command.join(' ')}\n${inside('journalctl', '--no-pager')}`);
  return said;
};
const shown = (name) => inside('systemctl', 'show', 'weft-agent', '-p', name, '--value');
const kept = () => Number(shown('NFileDescriptorStore'));
const main = () => Number(shown('MainPID'));
const isReady = () => {
  const url = 'http://weft/v1/ready';
  const said = inside('curl', '-s', '--unix-socket', '/run/weft/agent.sock', url);
  return said !== null && said !== '' && JSON.parse(said).ok;
};
/** Another process serves, and all is well. */
const another = (before) =>
  until('another agent serves', () => main() > 0 && main() !== before && isReady());

let tried = 0;
async function step(name, test) {
  await test();
  tried += 1;
  console.log(`ok ${name}`);
}

try {
  await step('systemd is process 1 of a machine that is up', async () => {
    processOne = await until('systemd runs', () => {
      const children = `/proc/${machine.pid}/task/${machine.pid}/children`;
      const pid = existsSync(children) ? Number(readFileSync(children, 'utf8')) : 0;
      if (pid === 0 || !existsSync(`/proc/${pid}/comm`)) return 0;
      return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'systemd\n' ? pid : 0;
    });
    await until(
      'it is up',
      () => inside('systemctl', 'is-active', 'weft-test.target') === 'active',
    );
    assert.equal(must('systemctl', 'is-system-running'), 'running');
    assert.equal(must('ls', '/tmp'), '', 'a /tmp of its own');
  });
  await step('install, and the first bundle of the node by hand', async () => {
    must('install', '-m', '644', '/weft-agent.service', '/etc/systemd/system/weft-agent.service');
    must('systemctl', 'daemon-reload');
    must('weft', 'load', '/etc/weft/shop.weft', '--world', '/etc/weft/world.yaml');
  });
  await step('enable --now comes back when the agent is ready, and not before', async () => {
    must('systemctl', 'enable', '--now', 'weft-agent');
    assert.equal(shown('ActiveState'), 'active');
    assert.ok(isReady());
    assert.equal(must('stat', '-c', '%G %a', '/run/weft/agent.sock'), 'weft 660');
    assert.equal(kept(), 1, 'the folder of the pins');
  });
  await step('restart: another process, given what was kept', async () => {
    const before = main();
    must('systemctl', 'restart', 'weft-agent');
    assert.ok(isReady());
    assert.notEqual(main(), before);
    assert.match(must('cat', `/proc/${main()}/environ`), /LISTEN_FDNAMES=pins\0/);
    assert.equal(kept(), 1);
  });
  await step('kill -9: started again, given what was kept', async () => {
    const before = main();
    must('kill', '-9', String(before));
    await another(before);
    assert.equal(shown('NRestarts'), '1');
    assert.match(must('cat', `/proc/${main()}/environ`), /LISTEN_FDNAMES=pins\0/);
  });
  await step('reload: a successor serves, and what is kept does not grow', async () => {
    for (let n = 0; n < 3; n += 1) {
      const before = main();
      must('systemctl', 'reload', 'weft-agent');
      await another(before);
      await until(
        'the one before has ended',
        () => inside('test', '-e', `/proc/${before}`) === null,
      );
      assert.equal(shown('ActiveState'), 'active');
    }
    await until('one is kept', () => kept() === 1);
    assert.equal(shown('NRestarts'), '1');
  });
  await step('kill -9 of a successor: systemd notices, and starts another', async () => {
    const before = main();
    must('kill', '-9', String(before));
    await another(before);
    assert.equal(shown('NRestarts'), '2');
  });
  await step('watchdog: one that stands still is ended, and another serves', async () => {
    must('mkdir', '-p', '/run/systemd/system/weft-agent.service.d');
    const dropIn = '/run/systemd/system/weft-agent.service.d/watchdog.conf';
    must('sh', '-c', `printf '[Service]\\nWatchdogSec=5\\n' > ${dropIn}`);
    must('systemctl', 'daemon-reload');
    must('systemctl', 'restart', 'weft-agent');
    const before = main();
    await wait(7000);
    assert.equal(main(), before, 'one that beats stays');
    must('kill', '-STOP', String(before));
    await another(before);
    assert.match(must('journalctl', '-u', 'weft-agent', '--no-pager'), /result 'watchdog'/);
  });
  await step('stop: the agent ends, what is in force stays', async () => {
    must('systemctl', 'stop', 'weft-agent');
    assert.equal(shown('ActiveState'), 'inactive');
    assert.equal(shown('Result'), 'success');
    assert.equal(kept(), 0);
    assert.equal(JSON.parse(must('weft', 'status', '-o', 'json')).active, 1);
  });
  await step('uninstall leaves nothing', async () => {
    must('weft', 'unload');
    must('systemctl', 'disable', 'weft-agent');
    must('rm', '/etc/systemd/system/weft-agent.service');
    must('systemctl', 'daemon-reload');
    assert.equal(inside('ls', '-A', '/sys/fs/bpf/weft') ?? '', '');
    const left = inside('find', '/run/weft', '/var/lib/weft', '-type', 'f');
    assert.equal(left ?? '', '', 'no file is left');
    assert.equal(inside('systemctl', 'cat', 'weft-agent'), null);
  });
  console.log(`${tried} passed, 0 failed`);
} catch (error) {
  console.error(`FAIL behind ${tried} steps: ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
} finally {
  if (processOne > 0) process.kill(processOne, 'SIGKILL');
  machine.kill('SIGKILL');
  await until('its cgroups are empty', () => {
    try {
      removeCgroup(cgroup);
      return true;
    } catch {
      return false;
    }
  });
  rmSync(work, { recursive: true, force: true });
}
