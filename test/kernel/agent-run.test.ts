/** The agent itself: loads, enrols what is here, streams verdicts, ends on a signal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AGENT_HELP, runAgent } from '../../runtime/agent/run-agent.js';
import { agentEnv } from '../support/agent-env.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('agent run');
const node = new ShopNode('run');
const { name, cwd, paths, connectFrom } = node;
const WORLD = `workloads:
  - name: reviews.prod
    addresses: [10.250.0.1]
    cgroup: /${name}
  - name: elsewhere.prod
    addresses: [10.250.0.2]
    cgroup: /${name}-elsewhere
`;

test.before(() => node.make(WORLD));
test.after.each(() => node.unload());
test.after(() => node.remove());

interface Ended {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the agent; `onLine` sees each line of stderr and may stop it. */
async function agent(
  args: readonly string[],
  react: {
    onLog?: (text: string, stop: () => void) => void;
    onEvent?: (stop: () => void) => void;
  } = {},
): Promise<Ended> {
  const stop = new AbortController();
  let stdout = '';
  let stderr = '';
  const env = agentEnv(paths, stop.signal, {
    stdout: (text) => {
      stdout += text;
      react.onEvent?.(() => stop.abort());
    },
    stderr: (text) => {
      stderr += text;
      react.onLog?.(text, () => stop.abort());
    },
    now: () => new Date(0),
  });
  const exit = await runAgent(['--log', 'text', ...args], env);
  return { exit, stdout, stderr };
}

const given = (): string[] => [
  ...['--bundle', join(cwd, 'shop.weft'), '--world', join(cwd, 'shop/world.yaml')],
];

test('verdicts are streamed until it is told to stop; then all stays in force', async () => {
  let result = '';
  const { exit, stdout, stderr } = await agent([...given(), '--enrol', 'all'], {
    onLog: (text) => {
      if (text.startsWith('enrolled ')) result = connectFrom('127.0.0.1', 9);
    },
    onEvent: (stop) => stop(),
  });
  assert.is(exit, 0, stderr);
  assert.is(result, 'EPERM');
  const event = JSON.parse(stdout.split('\n')[0] ?? '');
  assert.equal([event.verdict, event.source.workload], ['deny', 'reviews.prod']);
  assert.not.match(stderr, 'elsewhere', 'its cgroup is not here');
  assert.is(connectFrom('127.0.0.1', 9), 'EPERM');
});

test('--unload-on-exit leaves nothing', async () => {
  const { exit, stderr } = await agent([...given(), '--enrol', 'all', '--unload-on-exit'], {
    onLog: (text) => {
      if (text.startsWith('enrolled ')) connectFrom('127.0.0.1', 9);
    },
    onEvent: (stop) => stop(),
  });
  assert.is(exit, 0, stderr);
  assert.match(stderr, 'unloaded\n');
  assert.is(connectFrom('127.0.0.1', 9), 'ECONNREFUSED');
});

test('what it says of itself is a line of JSON each, unless a person asks for text', async () => {
  const lines: { level: string; message: string; time: string; generation?: number }[] = [];
  const { exit } = await agent([...given(), '--log', 'json', '--unload-on-exit'], {
    onLog: (text, stop) => {
      lines.push(JSON.parse(text));
      if (text.includes('local API')) stop();
    },
  });
  assert.is(exit, 0);
  const active = lines.find(({ generation }) => generation !== undefined);
  assert.match(active?.message ?? '', /^generation 1 is active: shop sha256:/);
  assert.equal([active?.level, active?.time], ['info', '1970-01-01T00:00:00.000Z']);
  const refused: { code?: string; level: string }[] = [];
  const onLog = (text: string) => void refused.push(JSON.parse(text));
  const bad = ['--bundle', join(cwd, 'shop.weft'), '--world', join(cwd, 'shop/weft.json')];
  assert.is((await agent([...bad, '--log', 'json'], { onLog })).exit, 3);
  assert.match(refused[0]?.code ?? '', /^[A-Z]\d{3}$/);
});

test('usage, help, and inputs that are at fault', async () => {
  assert.is((await agent([])).exit, 64);
  assert.is((await agent(['--bogus'])).exit, 64);
  assert.is((await agent([...given(), '--enrol', 'some'])).exit, 64);
  const help = await agent(['--help']);
  assert.is(help.exit, 0);
  assert.is(help.stdout, AGENT_HELP);
  assert.match(help.stdout, 'What it does not do yet');
  assert.is((await agent(['--bundle', '/nowhere', '--world', '/nowhere'])).exit, 1);
  const bytes = readFileSync(join(cwd, 'shop.weft'));
  writeFileSync(join(cwd, 'cut.weft'), bytes.subarray(0, 100));
  const cut = ['--bundle', join(cwd, 'cut.weft'), '--world', join(cwd, 'shop/world.yaml')];
  assert.is((await agent(cut)).exit, 6);
  const bad = ['--bundle', join(cwd, 'shop.weft'), '--world', join(cwd, 'shop/weft.json')];
  assert.is((await agent(bad)).exit, 3);
});

test.run();
