/** Rollouts step by step: each transition, and beside it what all but makes it happen. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Change,
  change,
  decodeRollout,
  desired,
  encodeRollout,
  isOnNew,
  type NodeReport,
  type Observed,
  progressOf,
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

const test = suite('rollout: steps');
const MINUTE = 60_000;
const SHADOW = { stage: 'shadow', for: '5m' };
const CANARY = { stage: 'canary', percent: 10, for: '2m' };
const ALL = { stage: 'all', for: '1m' };

function seen(nodes: readonly NodeReport[], now = START): Observed {
  return { nodes, now, watchedSince: 0 };
}
/** Everything that is desired of the nodes is done by them, and they are heard. */
function obey(document: RolloutDocument, nodes: readonly NodeReport[], now: number): NodeReport[] {
  return nodes.map((node) => {
    const asked = desired([document], node);
    const shadow = asked?.shadow ?? null;
    const counts = { same: 0, different: 0, lost: 0, rules: [] };
    const active = asked?.digest ?? node.active?.digest;
    const next = active === undefined ? { ...node, heard: now } : running(node, active, now);
    return { ...next, shadow: shadow === null ? null : { digest: shadow, ...counts } };
  });
}
/** Does it until nothing moves any more at this moment. */
function settle(
  document: RolloutDocument,
  nodes: readonly NodeReport[],
  now: number,
): RolloutDocument {
  const next = step(document, seen(nodes, now));
  return next === document ? document : settle(next, nodes, now);
}
function changed(
  document: RolloutDocument,
  what: Change,
  nodes: readonly NodeReport[],
  now: number,
): RolloutDocument {
  const made = change(document, what, { ...seen(nodes, now), by: 'ann' });
  if (!made.ok) throw new Error(made.diagnostics[0]?.message);
  return made.document;
}
function refused(
  document: RolloutDocument,
  what: Change,
  nodes: readonly NodeReport[],
  now = START,
): string {
  const made = change(document, what, { ...seen(nodes, now), by: 'ann' });
  return made.ok ? 'done' : `${made.diagnostics[0]?.code} ${made.diagnostics[0]?.message}`;
}
const onNew = (document: RolloutDocument, nodes: readonly NodeReport[]): string[] =>
  nodes.filter((n) => desired([document], n)?.digest === NEW).map((n) => n.node);

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
const JUST_ALL = { stages: [ALL] };
const refusal = {
  digest: NEW,
  code: 'K007',
  message: 'too many instructions',
  place: 'a.ts:7',
  time: START,
};

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
