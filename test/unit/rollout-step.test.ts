/** Rollouts step by step: each transition, and beside it what all but makes it happen. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decodeRollout,
  desired,
  encodeRollout,
  isOnNew,
  type NodeReport,
  progressOf,
  step,
} from '../../runtime/rollout/index.js';
import {
  NEW,
  nodeReport,
  nodeReports,
  OLD,
  rollout,
  running,
  START,
} from '../support/rollout-nodes.js';

import {
  ALL,
  CANARY,
  changed,
  JUST_ALL,
  MINUTE,
  obey,
  onNew,
  refusal,
  refused,
  SHADOW,
  seen,
  settle,
} from '../support/rollout-play.js';

const test = suite('rollout: steps');

test('from shadow by a canary to all, each stage held from when its nodes have taken the bundle', () => {
  let nodes = nodeReports(20);
  let it = rollout({ stages: [SHADOW, CANARY, ALL] }, nodes);
  assert.is(it.stage, 0);
  assert.equal(desired([it], nodes[0] as NodeReport), { name: 'shop', digest: OLD, shadow: NEW });
  // Nobody has taken it: nothing moves, however long it takes.
  let now = START + MINUTE;
  assert.is(
    settle(
      it,
      nodes.map((n) => ({ ...n, heard: now })),
      now,
    ).settled,
    null,
  );
  nodes = obey(it, nodes, now);
  it = settle(it, nodes, now);
  assert.is(it.settled, now);
  // A millisecond short of the hold, and the hold.
  nodes = obey(it, nodes, now + 5 * MINUTE);
  assert.is(settle(it, nodes, now + 5 * MINUTE - 1).stage, 0);
  now += 5 * MINUTE;
  it = settle(it, nodes, now);
  assert.is(it.stage, 1);
  assert.is(onNew(it, nodes).length, 2);
  assert.equal(desired([it], nodes.find((n) => !isOnNew(it, n)) as NodeReport), {
    name: 'shop',
    digest: OLD,
    shadow: null,
  });
  nodes = obey(it, nodes, now);
  it = settle(it, nodes, now);
  now += 2 * MINUTE;
  nodes = obey(it, nodes, now);
  const before = onNew(it, nodes);
  it = settle(it, nodes, now);
  assert.is(it.stage, 2);
  assert.is(onNew(it, nodes).length, 20);
  assert.ok(before.every((n) => onNew(it, nodes).includes(n)));
  nodes = obey(it, nodes, now);
  it = settle(it, nodes, now);
  assert.is(it.state, 'running');
  now += MINUTE;
  nodes = obey(it, nodes, now);
  it = settle(it, nodes, now);
  assert.is(it.state, 'done');
  assert.equal(it.marks, {});
  assert.equal(
    it.history.map((h) => `${h.what} ${h.text}`),
    [`begin ${NEW}, shadow`, 'stage canary 10 %', 'stage all', 'done every node is on it'],
  );
  assert.is(step(it, seen(nodes, now + MINUTE)), it);
  assert.equal(decodeRollout(encodeRollout(it), 'rollouts/shop'), it);
});

test('only nodes of the target are on the new bundle, also in the last stage', () => {
  const nodes = nodeReports(4);
  const it = rollout({ target: { zone: 'a' }, stages: [ALL] }, nodes);
  assert.equal(
    nodes.filter((node) => isOnNew(it, node)).map(({ node }) => node),
    ['node-1', 'node-3'],
  );
  const [, other] = nodes;
  assert.is(desired([it], other as NodeReport), null);
  const everywhere = rollout({ target: {}, stages: [ALL] }, nodes);
  assert.ok(nodes.every((node) => isOnNew(everywhere, node)));
});

test('one of the stage that has not taken it holds it, one outside of the stage does not', () => {
  let nodes = nodeReports(20);
  let it = rollout({ stages: [CANARY, ALL], gates: { confirm: '1h', silence: '1h' } }, nodes);
  const [late] = onNew(it, nodes);
  const others = obey(it, nodes, START).map((n, i) =>
    n.node === late ? (nodes[i] as NodeReport) : n,
  );
  assert.is(settle(it, others, START + 10 * MINUTE).settled, null);
  // Who is silent outside of the stage does not matter.
  const bystander = nodes.find((n) => !onNew(it, nodes).includes(n.node))?.node;
  nodes = obey(it, nodes, START + MINUTE).map((n) =>
    n.node === bystander ? { ...n, heard: START - 3 * 60 * MINUTE } : n,
  );
  it = settle(it, nodes, START + MINUTE);
  assert.is(it.settled, START + MINUTE);
});

test('a share of nodes: rounded up, never none, stable, and growing', () => {
  for (const [count, percent, want] of [
    [1, 1, 1],
    [8, 10, 1],
    [8, 50, 4],
    [20, 10, 2],
    [21, 10, 3],
    [8, 100, 8],
  ] as const) {
    const nodes = nodeReports(count);
    const it = rollout({ stages: [{ stage: 'canary', percent }, ALL] }, nodes);
    assert.is(onNew(it, nodes).length, want, `${percent} % of ${count}`);
    assert.equal(onNew(it, [...nodes].reverse()).sort(), onNew(it, nodes).sort());
  }
  // Of many nodes that join later about the same share.
  const few = nodeReports(100);
  const it = rollout({ stages: [{ stage: 'canary', percent: 20 }, ALL] }, few);
  const share = onNew(it, nodeReports(5000)).length / 5000;
  assert.ok(share > 0.12 && share < 0.3, String(share));
  // Another rollout begins with other nodes.
  const again = { ...it, number: it.number + 1 };
  assert.is.not(onNew(again, few).join(), onNew(it, few).join());
});

test('only nodes that are heard are chosen, and by labels those that have them', () => {
  const nodes = nodeReports(10).map((n, i) => (i < 8 ? { ...n, heard: START - 10 * MINUTE } : n));
  const it = rollout({ stages: [{ stage: 'canary', percent: 50 }, ALL] }, nodes);
  assert.ok(onNew(it, nodes).includes('node-9') || onNew(it, nodes).includes('node-10'));
  const zone = rollout({ stages: [{ stage: 'canary', labels: { zone: 'a' } }, ALL] }, nodes);
  assert.equal(
    onNew(zone, nodes),
    nodes.filter((n) => n.labels['zone'] === 'a').map((n) => n.node),
  );
  const wide = rollout({ target: { zone: 'b' }, stages: [ALL] }, nodes);
  assert.is(desired([wide], nodes[0] as NodeReport), null);
  assert.is(desired([wide], nodes[1] as NodeReport)?.digest, NEW);
});

test('a canary never shrinks, also where only its own nodes are left', () => {
  const nodes = nodeReports(40);
  const more = { stage: 'canary', percent: 11, for: '1h' };
  let it = rollout({ stages: [{ stage: 'canary', percent: 10, for: '0s' }, more, ALL] }, nodes);
  const first = onNew(it, nodes);
  assert.is(first.length, 4);
  const left = nodes.filter((n) => first.includes(n.node));
  it = settle(it, obey(it, left, START), START);
  assert.is(it.stage, 1);
  assert.equal(onNew(it, nodes), first);
});

test('a stage without any node waits', () => {
  const nodes = nodeReports(4);
  const it = rollout(
    { stages: [{ stage: 'canary', labels: { zone: 'z' }, for: '0s' }, ALL] },
    nodes,
  );
  assert.is(settle(it, nodes, START + MINUTE).stage, 0);
  const there = [...nodes, running(nodeReport({ node: 'z', labels: { zone: 'z' } }), NEW, START)];
  assert.is(settle(it, there, START).stage, 1);
});

test('an operator pauses, resumes and undoes; nothing moves in between', () => {
  const nodes = nodeReports(4);
  const it = rollout({ stages: [{ stage: 'canary', percent: 25, for: '0s' }, ALL] }, nodes);
  const paused = changed(it, 'pause', nodes, START + 1);
  assert.is(paused.reason, 'paused by ann');
  const done = obey(paused, nodes, START + 2);
  assert.is(settle(paused, done, START + 2), paused);
  assert.is(
    refused(paused, 'pause', nodes),
    'C108 rollout 2 of `shop` is paused: there is nothing to pause',
  );
  assert.match(refused(it, 'resume', nodes), 'C108');
  const resumed = changed(paused, 'resume', done, START + 3);
  assert.is(settle(resumed, done, START + 3).stage, 1);
  const undone = changed(resumed, 'undo', nodes, START + 4);
  assert.is(onNew(undone, nodes).length, 0);
  for (const what of ['pause', 'resume', 'undo'] as const)
    assert.match(
      refused(undone, what, nodes),
      `C108 rollout 2 of \`shop\` is undone: there is nothing to ${what}`,
    );
  assert.equal(
    undone.history.slice(1).map((h) => `${h.what} by ${h.by}`),
    ['pause by ann', 'resume by ann', 'undo by ann'],
  );
  // What is done can be undone, and not paused.
  const all = obey({ ...it, canary: { below: 2 ** 32, labels: [] } }, nodes, START);
  const finished = settle({ ...it, stage: 1, canary: { below: 2 ** 32, labels: [] } }, all, START);
  const over = settle(
    finished,
    all.map((n) => ({ ...n, heard: START + MINUTE })),
    START + MINUTE,
  );
  assert.is(over.state, 'done');
  assert.match(refused(over, 'pause', nodes), 'C108');
  assert.is(desired([changed(over, 'undo', nodes, START)], nodes[0] as NodeReport)?.digest, OLD);
});

test('the plan pauses behind a stage, once', () => {
  const nodes = nodeReports(4);
  const stages = [{ stage: 'canary', percent: 25, for: '1m', pause: true }, ALL];
  const it = rollout({ stages }, nodes);
  let now = START;
  let done = obey(it, nodes, now);
  let here = settle(it, done, now);
  assert.is(here.state, 'running');
  now += MINUTE;
  done = obey(it, nodes, now);
  here = settle(here, done, now);
  assert.is(here.state, 'paused');
  assert.is(here.reason, 'the plan pauses behind canary 25 %');
  assert.is(settle(changed(here, 'resume', done, now), done, now).stage, 1);
  // An operator's pause within the stage is no answer to it.
  const early = changed(changed(it, 'pause', done, START), 'resume', done, START);
  const settled = settle(early, obey(it, nodes, START), START);
  assert.is(settle(settled, done, now).pausedBy, 'plan');
});

test('progress tells who runs what', () => {
  const nodes = nodeReports(4);
  const it = rollout({ stages: [{ stage: 'canary', percent: 50 }, ALL] }, nodes);
  const [a = '', b = ''] = onNew(it, nodes);
  const now = START + 10_000;
  const heard = nodes.map((n) => ({ ...n, heard: now }));
  const found = heard.map((n) =>
    n.node === a
      ? { ...running(n, NEW, now), counters: { allowed: 1000, denied: 12, lost: 0 } }
      : n.node === b
        ? { ...n, refused: refusal }
        : n,
  );
  const stray = [...found, nodeReport({ node: 'stray', heard: START - MINUTE, active: null })];
  assert.equal(progressOf(it, seen(stray, now)), {
    ...{ targeted: 5, meant: isOnNew(it, { node: 'stray', labels: {} }) ? 3 : 2, taken: 1 },
    ...{ onNew: 1, onOld: 3, onOther: 1 },
    ...{ refused: [b], silent: ['stray'], leftMs: null },
    shadow: { same: 0, different: 0, lost: 0 },
    verdicts: { allowed: 10, denied: 2 },
    shut: `refused by ${b}: K007 too many instructions (a.ts:7)`,
  });
  const settled = { ...it, settled: START };
  assert.is(progressOf(settled, seen(heard, now)).leftMs, 50_000);
});

test('what is no rollout is not read as one', () => {
  const it = rollout(JUST_ALL, nodeReports(1));
  const text = new TextDecoder().decode(encodeRollout(it));
  for (const bad of [
    '',
    '{}',
    text.slice(0, -1),
    text.replace('"running"', '"sleeping"'),
    text.replace(NEW, 'sha256:short'),
    text.replace('"stage":0,"since"', '"stage":1,"since"'),
    text.replace('"schemaVersion":1', '"schemaVersion":2'),
    text.replace('"by":"ann"', '"by":"ann","more":1'),
  ]) {
    assert.throws(
      () => decodeRollout(new TextEncoder().encode(bad), 'rollouts/shop'),
      (e: unknown) =>
        e instanceof Error &&
        'code' in e &&
        e.code === 'C111' &&
        e.message.includes('`rollouts/shop`'),
      bad,
    );
  }
});

test.run();
