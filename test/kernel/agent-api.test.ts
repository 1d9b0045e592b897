/** The local API of a running agent: who may ask, what it answers, what it says of itself when something is wrong. */
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, rmSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentApi, groupId, READERS_GROUP } from '../../runtime/agent/api/index.js';
import { runAgent } from '../../runtime/agent/run-agent.js';
import { agentEnv } from '../support/agent-env.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('agent api');
const node = new ShopNode('api');
const socket = join(node.paths.run, 'agent.sock');
const api = agentApi(socket);
const NOBODY = 65534;

const given = [
  ...['--bundle', join(node.cwd, 'shop.weft'), '--world', join(node.cwd, 'shop/world.yaml')],
  ...['--enrol', 'all', '--log', 'text', '--quiet'],
];

interface Running {
  stop(): Promise<number>;
  readonly said: () => string;
}

/** Resolves once it has enrolled. */
async function start(): Promise<Running> {
  const ending = new AbortController();
  let said = '';
  let served: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    served = resolve;
  });
  const exit = runAgent(
    given,
    agentEnv(node.paths, ending.signal, {
      stderr: (text) => {
        said += text;
        if (text.startsWith('enrolled')) served();
      },
    }),
  );
  const ended = exit.then((code) => Promise.reject(new Error(`exit ${code}: ${said}`)));
  ended.catch(() => {});
  await Promise.race([ready, ended]);
  return {
    stop: () => {
      ending.abort();
      return exit;
    },
    said: () => said,
  };
}

interface Checks {
  readonly ok: boolean;
  readonly checks: readonly { name: string; ok: boolean; detail: string | null }[];
}

/** Which checks fail, and what the answer's status was. */
async function failing(path: string): Promise<readonly [number, ...string[]]> {
  const { status, text } = await api.get(path);
  const { checks }: Checks = JSON.parse(text);
  return [status, ...checks.filter(({ ok }) => !ok).map(({ name }) => name)];
}

let running: Running;
/** Made where the machine has none, and taken away again. */
let isOurGroup = false;
test.before(async () => {
  isOurGroup = groupId(READERS_GROUP) === null;
  if (isOurGroup) assert.is(spawnSync('groupadd', ['--system', READERS_GROUP]).status, 0);
  await node.make(`workloads:
  - name: reviews.prod
    addresses: [10.250.0.1]
    cgroup: /${node.name}
`);
  running = await start();
});
test.after(async () => {
  assert.is(await running.stop(), 0, running.said());
  assert.throws(() => statSync(socket), 'ENOENT', 'nothing is left of it');
  node.unload();
  node.remove();
  if (isOurGroup) spawnSync('groupdel', [READERS_GROUP]);
});

test('status, rules, health and readiness of a node that is well', async () => {
  const status = JSON.parse((await api.get('/v1/status')).text);
  const byVerb = await node.status();
  for (const key of ['active', 'generations', 'policies', 'enrolled', 'exchanges'])
    assert.equal(status[key], byVerb[key], key);
  assert.is(node.connectFrom('127.0.0.1', 9), 'EPERM');
  const rules = JSON.parse((await api.get('/v1/rules')).text);
  assert.is(rules.generation, status.active);
  assert.ok(rules.rules.length > 0);
  assert.ok(rules.defaulted > 0, 'no line speaks of that connection');
  assert.equal(await failing('/v1/health'), [200]);
  assert.equal(await failing('/v1/ready'), [200]);
});

test('metrics in the text format of Prometheus', async () => {
  const { status, text } = await api.get('/v1/metrics');
  assert.is(status, 200);
  for (const line of [
    /^weft_verdicts_total\{reason="\w+",verdict="deny"\} [1-9]/m,
    /^weft_rule_hits_total\{.*rule="[a-z/]*isolation.ts:\d+".*\} \d+$/m,
    /^weft_generation 1$/m,
    /^weft_ready 1$/m,
    /^weft_check\{check="hooks"\} 1$/m,
    /^process_resident_memory_bytes [1-9]/m,
    /^# TYPE weft_verdicts_total counter$/m,
  ])
    assert.match(text, line);
});

test('events come as they happen, those that were asked for', async () => {
  const ending = new AbortController();
  const lines = api.lines('/v1/events?verdict=deny&hook=connect4&limit=2', ending.signal);
  const seen: { rule: string; source: { workload: string } }[] = [];
  const reading = (async () => {
    for await (const line of lines) seen.push(JSON.parse(line));
  })();
  // Until it follows nothing is told to it: ask until both have come.
  while (seen.length < 2) {
    node.connectFrom('127.0.0.1', 9);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await reading;
  assert.is(seen.length, 2);
  assert.is(seen[0]?.source.workload, 'reviews.prod');
  const none = new AbortController();
  const others: string[] = [];
  const quiet = (async () => {
    for await (const line of api.lines('/v1/events?workload=nobody.prod', none.signal))
      others.push(line);
  })();
  node.connectFrom('127.0.0.1', 9);
  assert.equal(await failing('/v1/health'), [200]);
  none.abort();
  await quiet;
  assert.equal(others, []);
});

test('what cannot be read is refused in words', async () => {
  for (const [path, status] of [
    ['/v1/nothing', 404],
    ['/v1/events?verdict=maybe', 400],
    ['/v1/events?colour=red', 400],
    ['/v1/status?x=1', 400],
    [`/v1/events?rule=${'x'.repeat(3000)}`, 414],
  ] as const)
    assert.is((await api.get(path)).status, status, path.slice(0, 40));
  assert.is((await api.post('/v1/status', {})).status, 405);
  assert.is((await api.post('/v1/rollback', { to: -1 })).status, 400);
  assert.is((await api.post('/v1/rollback', { to: 'x'.repeat(9000) })).status, 413);
  const gone = await api.post('/v1/rollback', { to: 77 });
  assert.is(gone.status, 500);
  assert.is(JSON.parse(gone.text).error.code, 'A029');
});

test('a caller that sends no end is not waited for', async () => {
  const told = await new Promise<string>((resolve) => {
    let text = '';
    const caller = createConnection(socket, () => caller.write(`GET /${'x'.repeat(20000)}`));
    caller.on('data', (data) => {
      text += data;
    });
    caller.on('close', () => resolve(text));
    caller.on('error', () => {});
  });
  assert.match(told, /^HTTP\/1.1 431 /);
});

/** What curl is answered as another user; status 000 where it cannot connect. */
function as(gid: number, ...words: readonly string[]): Promise<readonly [string, string]> {
  const all = ['-s', '-w', '\\n%{http_code}', '--unix-socket', socket, ...words];
  // Not synchronous: the agent is in this process.
  return new Promise((resolve) => {
    execFile('curl', all, { uid: NOBODY, gid }, (_, stdout) => {
      const at = stdout.lastIndexOf('\n');
      resolve([stdout.slice(at + 1), stdout.slice(0, at)]);
    });
  });
}
const HEALTH = 'http://weft/v1/health';
const CHANGE = ['-d', '{"milliseconds":1}', 'http://weft/v1/drain'];

test('nobody but root and the group of readers is answered', async () => {
  assert.is(statSync(socket).mode & 0o777, 0o660);
  assert.equal(await as(NOBODY, HEALTH), ['000', ''], 'another user cannot even connect');
});

test('a member of the group may read, and change nothing', async () => {
  const group = groupId(READERS_GROUP) ?? 0;
  const [status, text] = await as(group, HEALTH);
  assert.equal([status, JSON.parse(text).ok], ['200', true]);
  assert.is((await as(group, 'http://weft/v1/status'))[0], '200');
  for (const words of [CHANGE, ['-d', '{}', 'http://weft/v1/rollback']]) {
    const [refused, why] = await as(group, ...words);
    assert.is(refused, '403');
    assert.match(why, 'only root changes this node');
  }
  assert.equal(await failing('/v1/ready'), [200], 'it does not drain');
  // Whoever gets hold of the socket by other means is still asked who it is.
  chmodSync(socket, 0o666);
  const [other, told] = await as(NOBODY, HEALTH);
  chmodSync(socket, 0o660);
  assert.is(other, '403');
  assert.match(told, 'root and members of the group `weft` may read');
});

test('a second agent is refused, the first goes on', async () => {
  let said = '';
  const env = agentEnv(node.paths, new AbortController().signal, {
    stderr: (text) => {
      said += text;
    },
  });
  assert.is(await runAgent([...given, '--log', 'json'], env), 1);
  assert.is(JSON.parse(said).code, 'A040');
  assert.equal(await failing('/v1/health'), [200]);
});

test('a hook that somebody took away: the agent is well, the node is not ready', async () => {
  const { paths } = node;
  const [id] = (await node.status())['enrolled'] as { cgroupId: string }[];
  rmSync(join(paths.pins, 'links', id?.cgroupId ?? '', 'egress'));
  assert.equal(await failing('/v1/health'), [200]);
  assert.equal(await failing('/v1/ready'), [503, 'hooks']);
  assert.match((await api.get('/v1/metrics')).text, /^weft_check\{check="hooks"\} 0$/m);
  await node.run('unenrol', '--all');
  assert.equal(await failing('/v1/ready'), [200]);
});

test('a drained agent says so', async () => {
  const { status, text } = await api.post('/v1/drain', { milliseconds: 10 });
  assert.equal([status, JSON.parse(text).drained], [200, true]);
  assert.equal(await failing('/v1/ready'), [503, 'drain']);
  assert.equal(await failing('/v1/health'), [200]);
});

test.run();
