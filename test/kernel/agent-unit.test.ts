/** The systemd unit: an agent with exactly its capabilities and system calls does all its work; with one fewer it does not. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { startAgentProcess } from './fixtures/agent-process.js';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';
import { VIP4 } from './fixtures/http.js';

const on = exchangeSuite('agent unit', 'y');
const { test } = on;

const root = fileURLToPath(new URL('../../../', import.meta.url));
const UNIT = `${root}runtime/agent/weft-agent.service`;
const CONFINE = `${root}test/kernel/fixtures/confine.py`;

/** The words of a setting of the unit. */
function setting(name: string): readonly string[] {
  const line = readFileSync(UNIT, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}=`));
  return (line ?? '').slice(name.length + 1).split(' ');
}

/** A group of system calls as systemd has it, with the groups in it. */
function expand(name: string): readonly string[] {
  if (!name.startsWith('@')) return [name];
  const said = execFileSync('systemd-analyze', ['syscall-filter', name], { encoding: 'utf8' });
  return said
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap(expand);
}

const capabilities = setting('CapabilityBoundingSet').map((name) =>
  name.replace(/^CAP_/, '').toLowerCase(),
);
const calls = [...new Set(setting('SystemCallFilter').flatMap(expand))];

/** Words before a command that confine it. */
function confined(may: readonly string[], calls: readonly string[]): readonly string[] {
  const all = ['-all', ...may.map((name) => `+${name}`)].join(',');
  const filter = ['python3', CONFINE, ...calls, '--'];
  return [
    'setpriv',
    `--bounding-set=${all}`,
    `--inh-caps=${all}`,
    '--no-new-privs',
    '--',
    ...filter,
  ];
}

test('all of an agent, with what the unit gives it', async () => {
  await on.net.stopAgent();
  const agent = await startAgentProcess(on.net.http.paths, confined(capabilities, calls));
  try {
    await on.open();
    assert.equal(await on.ask('/warm', true), text('v2', '/warm'), 'in the name of the workload');
    assert.equal(await on.ask('/old/x'), text('v2', '/new/x'), 'edited');
    assert.equal(await on.ask('/b', true), text('v2', '/b'));
    // A connection that the agent ends: it reaches into the client's process.
    await on.open();
    await on.net.client(`s.sendall(get("/open", ${CANARY}).encode())`);
    assert.equal(await on.net.client('to_end(s)'), 'HTTP/1.1 200 OK\r\n\r\nv2 GET /open 0 0\n');
    // One that it destroys: its upstream was reset in the middle.
    await on.net.client(`u = open_to("${VIP4}", 80); u.settimeout(10)`);
    await on.net.client(
      `u.sendall(get("/upgrade", more="x-canary: 1\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n").encode()); u.recv(99); 1`,
    );
    await on.net.client('u.sendall(b"x"); u.recv(9); u.close()');
    await on.settles();
  } finally {
    await agent.kill();
  }
});

test('without a capability or a system call of the unit it does not serve', async () => {
  for (const missing of ['bpf', 'sys_ptrace']) {
    const fewer = capabilities.filter((name) => name !== missing && name !== 'sys_admin');
    const before = confined(fewer, calls);
    const outcome = await startAgentProcess(on.net.http.paths, before).then(
      async (agent) => {
        await agent.kill();
        return 'it started';
      },
      () => 'refused',
    );
    assert.is(outcome, 'refused', missing);
  }
  const less = calls.filter((name) => name !== 'bpf');
  const outcome = await startAgentProcess(on.net.http.paths, confined(capabilities, less)).then(
    () => 'it started',
    () => 'refused',
  );
  assert.is(outcome, 'refused');
  await on.net.startAgent();
});

test('systemd reads the unit', () => {
  // The program is installed elsewhere: only what it says of the file counts.
  const said = execFileSync(
    'sh',
    ['-c', `systemd-analyze verify --man=no "${UNIT}" 2>&1 || true`],
    { encoding: 'utf8' },
  );
  assert.equal(
    said
      .split('\n')
      .filter((line) => line.includes('weft-agent.service') && !line.includes('is not executable')),
    [],
  );
});

test.run();
