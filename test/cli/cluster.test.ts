/** The verbs that change what a control plane wants: deploy, rollout and rollback, with what they print. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FakeControl, FakeOptions } from '../support/fake-admin.js';
import { eachInBuiltProject } from './built-project.js';
import { type Transcript, weft } from './harness.js';
import { cluster, PLACE, plain, runIn } from './on-cluster.js';

const test = suite('cluster');
let folder = '';
eachInBuiltProject(test, 'shop.weft', (made) => {
  folder = made;
});

const run = (
  control: FakeControl,
  args: readonly string[],
  more: { readonly isTTY?: boolean } = {},
): Promise<Transcript> => runIn(folder, control, args, more);

test('deploy shows each step and ends when all nodes are on the bundle', async () => {
  const control = await cluster();
  const args = [
    'deploy',
    'shop.weft',
    '--shadow',
    '5s',
    '--canary',
    'zone=a',
    '--canary',
    '75%',
    '--hold',
    '2s',
  ];
  const { exit, stdout, stderr } = await run(control, args);
  assert.is(
    plain(stdout),
    `shop 1: done
  nothing -> DIGEST
  done  shadow
  done  canary zone=a
  done  canary 75 %
  done  all
  nodes: 4 on the new bundle, 0 on the old one
`,
  );
  assert.is(exit, 0);
  const lines = stderr.trim().split('\n');
  assert.is(lines[0], 'shop: shadow, 0 of 4 nodes');
  assert.ok(lines.includes('shop: canary zone=a, 2 of 2 nodes'), stderr);
  assert.is(new Set(lines).size, lines.length);
  assert.equal(control.asked.slice(0, 1), ['put shop']);
  assert.is(control.asked.at(-1), 'close');
  // Nothing to do a second time.
  const again = await run(control, ['deploy', 'shop.weft', '-o', 'json']);
  assert.is(again.exit, 3);
  assert.is(JSON.parse(again.stdout).diagnostics[0].code, 'C104');
});

test('on a terminal the view is drawn over itself', async () => {
  const { stdout, stderr } = await run(await cluster(), ['deploy', 'shop.weft', '--hold', '2s'], {
    isTTY: true,
  });
  assert.match(stderr, /now {2}all {2}4 of 4 nodes, [12]s to hold/);
  assert.ok(stderr.includes('\u001b[4A\u001b[J'));
  assert.ok(stderr.endsWith('\u001b[J'));
  assert.match(stdout, 'shop 1: done');
});

/** A node that refuses whatever it is told. */
const refusing =
  (code: string): NonNullable<FakeOptions['react']> =>
  (node, told, now) =>
    told === null || node.node !== 'node-1'
      ? null
      : {
          ...node,
          heard: now,
          refused: {
            digest: told,
            code,
            message: 'too many instructions',
            place: 'policies/a.ts:7',
            time: now,
          },
        };

test('a node that refuses it stops it: exit 5, and 6 where it is the signature', async () => {
  for (const [code, exit] of [
    ['K007', 5],
    ['V104', 6],
  ] as const) {
    const done = await run(await cluster(4, { react: refusing(code) }), ['deploy', 'shop.weft']);
    assert.is(done.exit, exit, done.stdout);
    assert.match(
      done.stdout,
      `shop 1: paused: refused by node-1: ${code} too many instructions (policies/a.ts:7)`,
    );
    assert.match(done.stdout, 'refused by node-1');
  }
});

test('a plan from a file, its faults at their lines, and options that contradict', async () => {
  writeFileSync(
    join(folder, 'plan.yaml'),
    'stages:\n  - { stage: canary, percent: 50, for: 1s, pause: true }\n  - { stage: all }\n',
  );
  const control = await cluster();
  const paused = await run(control, ['deploy', 'shop.weft', '--plan', 'plan.yaml']);
  assert.is(paused.exit, 0);
  assert.match(paused.stdout, 'shop 1: paused: the plan pauses behind canary 50 %');
  writeFileSync(join(folder, 'bad.yaml'), 'stages:\n  - { stage: canary, for: soon }\n');
  const bad = await run(control, ['deploy', 'shop.weft', '--plan', 'bad.yaml']);
  assert.is(bad.exit, 3);
  assert.match(bad.stderr, 'bad.yaml:2');
  assert.match(bad.stderr, 'error[C102]: `soon` is not a duration');
  for (const args of [
    ['--plan', 'plan.yaml', '--shadow', '5m'],
    ['--canary', 'ten'],
    ['--canary', '10 %'],
    ['--max-rise', '5'],
    ['--max-rise', '101%'],
    ['--at-least', 'few'],
    ['--control', 'nowhere'],
  ]) {
    const { exit, stderr } = await run(control, ['deploy', 'shop.weft', ...args]);
    assert.is(exit, 64, args.join(' '));
    assert.match(stderr, 'error[U004]');
  }
  assert.is((await run(control, ['deploy', 'shop.weft', '--canary', '120%'])).exit, 3);
  assert.is((await run(control, ['deploy', 'shop.weft', '--plan', 'none.yaml'])).exit, 1);
});

test('options become the plan that they stand for; --detach ends at its begin', async () => {
  const control = await cluster();
  const gates = [
    '--max-refusals',
    '1',
    '--max-rise',
    '10%',
    '--max-differences',
    '0.5%',
    '--at-least',
    '9',
    '--silence',
    '1m',
    '--confirm',
    '3m',
  ];
  const args = [
    'deploy',
    'shop.weft',
    '--target',
    'zone=b',
    '--canary',
    '50%',
    '--pause',
    '--on-shut',
    'pause',
    '--detach',
  ];
  const { exit, stdout } = await run(control, [...args, ...gates, '-o', 'json']);
  assert.is(exit, 0);
  const { rollout } = JSON.parse(stdout);
  assert.is(rollout.state, 'running');
  assert.is(rollout.marks, undefined);
  assert.is(rollout.progress.targeted, 2);
  assert.equal(rollout.spec, {
    target: { zone: 'b' },
    stages: [
      { kind: 'canary', percent: 50, labels: null, holdMs: 60_000, pause: true },
      { kind: 'all', percent: null, labels: null, holdMs: 60_000, pause: false },
    ],
    gates: {
      refusals: 1,
      rise: 0.1,
      differences: 0.005,
      atLeast: 9,
      silenceMs: 60_000,
      confirmMs: 180_000,
    },
    onShut: 'pause',
  });
});

test('without a control plane, or a file of its own, it says what is missing', async () => {
  for (const [env, want] of [
    [{}, 'no control plane is named'],
    [{ WEFT_CONTROL: '10.0.0.1:7443' }, 'a control plane is asked with `--ca`'],
    [
      { WEFT_CONTROL: '10.0.0.1:7443', WEFT_CA: 'ca.pem', WEFT_CERT: 'c.pem' },
      'a control plane is asked with `--key`',
    ],
  ] as const) {
    const { exit, stderr } = await weft(['deploy', 'shop.weft'], { cwd: folder, env });
    assert.is(exit, 64);
    assert.match(stderr, want);
  }
});

test('rollout status, pause, resume, undo and history', async () => {
  const control = await cluster();
  const nothing = await run(control, ['rollout', 'status']);
  assert.is(nothing.stdout, 'nothing has been rolled out\n');
  assert.is((await run(control, ['rollout', 'pause'])).exit, 3);
  await run(control, ['deploy', 'shop.weft', '--hold', '1s']);
  const first = (await control.state()).rollouts[0];
  // Another bundle: the same project with another default.
  const config = JSON.parse(readFileSync(join(folder, 'shop/weft.json'), 'utf8'));
  writeFileSync(
    join(folder, 'shop/weft.json'),
    JSON.stringify({ ...config, default: config.default === 'allow' ? 'deny' : 'allow' }),
  );
  assert.is((await run(control, ['deploy', 'shop', '--canary', '25%', '--detach'])).exit, 0);

  const paused = await run(control, ['rollout', 'pause', 'shop']);
  assert.is(paused.exit, 0);
  assert.match(paused.stdout, 'shop 2: paused: paused by ann');
  const twice = await run(control, ['rollout', 'pause', '-o', 'json']);
  assert.is(twice.exit, 3);
  assert.is(JSON.parse(twice.stdout).diagnostics[0].code, 'C108');
  assert.match((await run(control, ['rollout', 'resume'])).stdout, 'shop 2: running');
  const status = await run(control, ['rollout', 'status', '-o', 'json']);
  const { rollouts } = JSON.parse(status.stdout);
  assert.is(rollouts.length, 1);
  assert.is(rollouts[0].before, first?.digest);
  assert.is(rollouts[0].progress.meant, 1);
  await control.goOn(1000);
  assert.is(
    (await control.state()).nodes.filter((n) => n.active?.digest === rollouts[0].digest).length,
    1,
  );

  // Undone: it is shown until the canary is back.
  const undone = await run(control, ['rollback', 'shop']);
  assert.is(undone.exit, 0);
  assert.match(undone.stdout, 'shop 2: undone: undone by ann');
  assert.match(undone.stdout, 'nodes: 0 on the new bundle, 4 on the old one');
  assert.is((await run(control, ['rollout', 'undo'])).exit, 3);
  const history = await run(control, ['rollout', 'history']);
  assert.match(plain(history.stdout), /shop 2 .* undone .* DIGEST -> DIGEST/);
  assert.match(plain(history.stdout), /shop 1 .* done .* nothing -> DIGEST/);
  assert.match(history.stdout, /resume {2}resumed \(ann\)/);
  const listed = JSON.parse(
    (await run(control, ['rollout', 'history', '-o', 'json'])).stdout,
  ).rollouts;
  assert.equal(
    listed.map((r: { number: number; state: string }) => [r.number, r.state]),
    [
      [2, 'undone'],
      [1, 'done'],
    ],
  );
  assert.match(
    (await run(control, ['rollout', 'undo', 'other'])).stderr,
    'error[C114]: there is no rollout of `other`',
  );
});

test('what does not go together is usage', async () => {
  const control = await cluster();
  for (const args of [
    ['rollout', 'pause', '--watch'],
    ['rollout', 'status', '-o', 'ndjson'],
    ['rollout', 'status', '--watch', '-o', 'json'],
    ['rollout', 'begin'],
    ['rollback', '--to', '3'],
    ['top', '--interval', '1ms'],
    ['top', '--count', '0'],
  ]) {
    assert.is((await run(control, args)).exit, 64, args.join(' '));
  }
  assert.is((await weft(['rollback', 'shop'], { cwd: folder })).exit, 64);
  assert.is((await weft(['events', '--node', 'a'], { cwd: folder })).exit, 64);
});

test('rollout status --watch goes on until it is interrupted', async () => {
  const control = await cluster();
  await run(control, ['deploy', 'shop.weft', '--hold', '1s']);
  const stop = new AbortController();
  let looks = 0;
  const admin = {
    ...control.admin,
    async *watch(signal: AbortSignal) {
      for await (const watched of control.admin.watch(signal)) {
        looks += 1;
        if (looks === 3) stop.abort();
        yield watched;
      }
    },
  };
  const world = { cwd: folder, env: PLACE, openAdmin: async () => admin, signal: stop.signal };
  const watch = ['rollout', 'status', 'shop', '--watch', '-o', 'ndjson'];
  const { exit, stdout } = await weft(watch, world);
  assert.is(exit, 130);
  const [first = ''] = stdout.split('\n');
  assert.is(JSON.parse(first).rollouts[0].state, 'done');
});

test('a rollout that is not there is refused with the names that are, also when it is watched', async () => {
  const control = await cluster();
  await run(control, ['deploy', 'shop.weft', '--hold', '1s']);
  const admin = {
    ...control.admin,
    async *watch(signal: AbortSignal) {
      let looks = 0;
      for await (const watched of control.admin.watch(signal)) {
        looks += 1;
        if (looks === 3) return;
        yield watched;
      }
    },
  };
  const world = { cwd: folder, env: PLACE, openAdmin: async () => admin };
  for (const more of [[], ['--watch'], ['--watch', '-o', 'ndjson']]) {
    const { exit, stdout, stderr } = await weft(['rollout', 'status', 'shpo', ...more], world);
    const told = more.includes('ndjson') ? stdout : stderr;
    assert.is(exit, 3, more.join(' '));
    assert.match(told, 'there is no rollout of `shpo`');
    assert.match(told, 'name one of shop');
  }
});

test.run();
