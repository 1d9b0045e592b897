/** An agent that is told to hand over: its successor serves the node, and the one before ends. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentApi } from '../../runtime/agent/api/index.js';
import { runAgent } from '../../runtime/agent/run-agent.js';
import { agentEnv } from '../support/agent-env.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('agent upgrade');
const node = new ShopNode('heir');
const api = agentApi(join(node.paths.run, 'agent.sock'));

test.before(() => node.make());
test.after(() => {
  node.unload();
  node.remove();
});

/** The same agent as a process of its own, which says its number first. */
function heirCommand(args: readonly string[], said: string): readonly string[] {
  const room = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
  const script = `
    import { writeFileSync } from 'node:fs';
    import { processChannel } from ${room('runtime/agent/process-channel.js')};
    import { runAgent } from ${room('runtime/agent/run-agent.js')};
    import { agentEnv } from ${room('test/support/agent-env.js')};
    writeFileSync(${JSON.stringify(said)}, String(process.pid));
    const stop = new AbortController();
    process.on('SIGTERM', () => stop.abort());
    const env = agentEnv(${JSON.stringify(node.paths)}, stop.signal);
    process.exitCode = await runAgent(${JSON.stringify(args)}, { ...env, channel: processChannel(process) });
    process.exit();`;
  return [process.execPath, '--input-type=module', '--eval', script];
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); ) {
    if (Date.now() > end) assert.unreachable('it never came');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('the successor serves, the one before ends, nothing is loaded again', async () => {
  const args = [
    ...['--bundle', join(node.cwd, 'shop.weft'), '--world', join(node.cwd, 'shop/world.yaml')],
    ...['--enrol', 'all', '--quiet', '--unload-on-exit'],
  ];
  const said = join(node.cwd, 'heir');
  const ending = new AbortController();
  const logs: { message: string; pid?: number; code?: string }[] = [];
  let tell: () => void = () => {};
  const env = {
    ...agentEnv(node.paths, ending.signal, { stderr: (text) => void logs.push(JSON.parse(text)) }),
    onHandOver: (handler: () => void) => {
      tell = handler;
    },
  };
  // First one that cannot start: the agent goes on.
  let command: readonly string[] = [process.execPath, '--eval', 'process.exit(1)'];
  const exit = runAgent(args, Object.defineProperty(env, 'command', { get: () => command }));
  await until(async () => logs.some(({ message }) => message.startsWith('enrolled')));
  tell();
  await until(async () => logs.some(({ code }) => code === 'A041'));
  assert.is((await api.get('/v1/ready')).status, 200);
  command = heirCommand(args, said);
  tell();
  assert.is(await exit, 0, JSON.stringify(logs));
  const pid = Number(readFileSync(said, 'utf8'));
  assert.ok(logs.some((line) => line.pid === pid));
  const status = JSON.parse((await api.get('/v1/status')).text);
  assert.is(status.active, 1, 'the same generation');
  assert.is(status.enrolled.length, 1);
  assert.is((await api.get('/v1/ready')).status, 200);
  process.kill(pid, 'SIGTERM');
  await until(async () => (await node.status())['active'] === null);
});

test.run();
