/** What shuts a rollout's gate, each beside what all but does, and what a shut gate does. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  desired,
  type NodeReport,
  type RolloutDocument,
  shutGate,
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

const test = suite('rollout: gates');

/** What is said of one node, changed; and whether the gate is shut by it. */
function gateOf(
  plan: Readonly<Record<string, unknown>>,
  alter: (node: NodeReport, now: number) => NodeReport,
  at = START + 1000,
): string | null {
  const nodes = nodeReports(4);
  const it = rollout(plan, nodes);
  const done = obey(it, nodes, at);
  return shutGate(
    it,
    seen(
      done.map((n, i) => (i === 0 ? alter(n, at) : n)),
      at,
    ),
  );
}
test('gate: refusals', () => {
  assert.is(
    gateOf(JUST_ALL, (n) => n),
    null,
  );
  assert.is(
    gateOf(JUST_ALL, (n) => ({ ...n, refused: refusal })),
    'refused by node-1: K007 too many instructions (a.ts:7)',
  );
  assert.is(
    gateOf(JUST_ALL, (n) => ({ ...n, refused: { ...refusal, digest: OLD } })),
    null,
  );
  assert.is(
    gateOf({ ...JUST_ALL, gates: { refusals: 1 } }, (n) => ({ ...n, refused: refusal })),
    null,
  );
  assert.is(
    gateOf({ ...JUST_ALL, target: { zone: 'b' } }, (n) => ({ ...n, refused: refusal })),
    null,
  );
});

test("gate: denials beside the node's own before", () => {
  const more =
    (allowed: number, denied: number) =>
    (n: NodeReport): NodeReport => ({
      ...n,
      counters: {
        ...n.counters,
        allowed: n.counters.allowed + allowed,
        denied: n.counters.denied + denied,
      },
    });
  // Before 1 %; five points of a hundred more are let pass, and no more.
  assert.is(gateOf(JUST_ALL, more(94, 6)), null);
  assert.is(gateOf(JUST_ALL, more(93, 7)), 'node-1 denies 7 %, before 1 %');
  // Too few to say, and just enough.
  assert.is(gateOf(JUST_ALL, more(0, 49)), null);
  assert.is(gateOf(JUST_ALL, more(0, 50)), 'node-1 denies 100 %, before 1 %');
  assert.is(gateOf({ ...JUST_ALL, gates: { rise: 0.99 } }, more(0, 50)), null);
  // Counters that begin anew are counted from nought.
  assert.is(
    gateOf(JUST_ALL, (n) => ({ ...n, counters: { allowed: 93, denied: 7, lost: 0 } })),
    'node-1 denies 7 %, before 1 %',
  );
  assert.is(
    gateOf(JUST_ALL, (n) => ({ ...n, counters: { allowed: 94, denied: 6, lost: 0 } })),
    null,
  );
  // Of a node that still runs the old one it says nothing; nor without a before.
  assert.is(
    gateOf(JUST_ALL, (n) => more(0, 100)(running(n, OLD, START + 1000))),
    null,
  );
  const nodes = [nodeReport({ node: 'new', counters: { allowed: 5, denied: 0, lost: 0 } })];
  const it = rollout(JUST_ALL, nodes);
  const done = obey(it, nodes, START).map(more(0, 100));
  assert.is(shutGate(it, seen(done)), null);
});

test('gate: shadow differences', () => {
  const plan = { stages: [SHADOW, ALL] };
  const counted =
    (same: number, different: number, digest = NEW) =>
    (n: NodeReport): NodeReport => ({
      ...n,
      shadow: {
        digest,
        same,
        different,
        lost: 0,
        rules: [{ old: 'a.ts:1', new: 'a.ts:2', count: different }],
      },
    });
  assert.is(gateOf(plan, counted(99, 1)), null);
  assert.is(
    gateOf(plan, counted(98, 2)),
    'node-1 differs in 2 % of 100 verdicts, mostly a.ts:2 where a.ts:1 decided',
  );
  assert.is(gateOf(plan, counted(0, 49)), null);
  assert.is(gateOf(plan, counted(0, 50, OLD)), null);
  assert.is(gateOf({ ...plan, gates: { differences: 1 } }, counted(0, 100)), null);
  // Outside of the shadow stage the counts are of the past.
  assert.is(gateOf(JUST_ALL, counted(0, 100)), null);
});

test('gate: silence, by a clock that watches long enough', () => {
  const at = START + 31_000;
  const silent = (n: NodeReport): NodeReport => ({ ...n, heard: START });
  assert.is(gateOf(JUST_ALL, silent, at), 'node-1 silent for more than 30s');
  assert.is(gateOf(JUST_ALL, silent, START + 30_000), null);
  assert.is(gateOf({ ...JUST_ALL, gates: { silence: '1m' } }, silent, at), null);
  assert.is(gateOf({ ...JUST_ALL, target: { zone: 'b' } }, silent, at), null);
  // A control plane that has only just begun to listen waits as long as the nodes may be silent.
  const nodes = nodeReports(2);
  const it = rollout(JUST_ALL, nodes);
  assert.is(shutGate(it, { nodes, now: at, watchedSince: START + 1001 }), null);
  assert.ok(shutGate(it, { nodes, now: at, watchedSince: START + 999 }));
  // But nobody goes forward on what was said long ago.
  const before = nodes.map((n) => running(n, NEW, START));
  assert.is(step(it, { nodes: before, now: at, watchedSince: at }).settled, null);
  assert.is(
    step(it, { nodes: before, now: START + 30_000, watchedSince: at }).settled,
    START + 30_000,
  );
});

test('a node that was silent before the stage began does not hold it; once it is back it counts', () => {
  const gone = nodeReport({ node: 'gone', heard: START - 31_000 });
  const nodes = [...nodeReports(2), gone];
  let it = rollout({ stages: [{ stage: 'all', for: '10m' }] }, nodes);
  const done = [...obey(it, nodes.slice(0, 2), START), gone];
  it = settle(it, done, START);
  assert.is(it.settled, START);
  assert.is(shutGate(it, seen(done, START)), null);
  const back = START + 1000;
  it = settle(it, [...done.slice(0, 2), { ...gone, heard: back }], back);
  assert.is(it.marks['gone']?.at, back);
  const late = back + 2 * MINUTE + 1;
  const heard = [...obey(it, nodes.slice(0, 2), late), { ...gone, heard: late }];
  assert.is(shutGate(it, seen(heard, late)), 'gone without the bundle after 2m');
});

test('gate: a node that is heard and does not take it', () => {
  const at = START + 2 * MINUTE;
  const late = (n: NodeReport, now: number): NodeReport => running(n, OLD, now);
  assert.is(gateOf(JUST_ALL, late, at), null);
  assert.is(gateOf(JUST_ALL, late, at + 1), 'node-1 without the bundle after 2m');
  assert.is(gateOf({ ...JUST_ALL, gates: { confirm: '3m' } }, late, at + 1), null);
});

test('a shut gate goes back, or pauses where the plan says so or nothing ran before', () => {
  const nodes = nodeReports(4);
  const bad = (it: RolloutDocument): NodeReport[] =>
    obey(it, nodes, START).map((n, i) => (i === 0 ? { ...n, refused: refusal } : n));
  const it = rollout(JUST_ALL, nodes);
  const back = step(it, seen(bad(it)));
  assert.is(back.state, 'undone');
  assert.match(back.reason ?? '', 'refused by node-1');
  assert.equal(back.history.at(-1), {
    time: START,
    what: 'undo',
    stage: 0,
    by: null,
    text: back.reason,
  });
  assert.equal(
    nodes.map((n) => desired([back], n)?.digest),
    [OLD, OLD, OLD, OLD],
  );
  assert.is(step(back, seen(nodes, START + MINUTE)), back);

  const held = rollout({ ...JUST_ALL, onShut: 'pause' }, nodes);
  const paused = step(held, seen(bad(held)));
  assert.is(paused.state, 'paused');
  assert.is(paused.pausedBy, 'gate');
  assert.is(onNew(paused, nodes).length, 4);
  assert.is(step(paused, seen(bad(held), START + 1)), paused);
  assert.match(refused(paused, 'resume', bad(held)), 'C109 refused by node-1');
  const healed = obey(held, nodes, START + 1000);
  assert.is(step(paused, seen(healed, START + 1000)), paused);
  assert.is(changed(paused, 'resume', healed, START + 1000).state, 'running');

  const first = rollout(JUST_ALL, nodes, { first: true });
  assert.is(step(first, seen(bad(first))).state, 'paused');
  assert.match(refused(first, 'undo', nodes), 'C110 nothing ran on the nodes of `shop` before');
});

test('gates hold for a rollout that an operator has paused', () => {
  const nodes = nodeReports(4);
  const it = changed(rollout(JUST_ALL, nodes), 'pause', nodes, START);
  const bad = obey(it, nodes, START).map((n) => ({ ...n, refused: refusal }));
  assert.is(step(it, seen(bad)).state, 'undone');
});

test.run();
