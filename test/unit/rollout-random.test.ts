/**
 * Rollouts under events in any order: nodes that take, refuse, fall silent, come and go, change labels, deny; clocks that
 * jump; operators who pause, resume, undo and deploy. Whatever happens, a node is told the old bundle or the new one,
 * and no rollout goes forward while a gate is shut.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  begin,
  CHANGES,
  change,
  decodeRollout,
  desired,
  encodeRollout,
  hasTaken,
  isHeard,
  isOfStage,
  isOnNew,
  isTargeted,
  type NodeReport,
  type Observed,
  type RolloutDocument,
  readPlan,
  settledDigest,
  shutGate,
  step,
} from '../../runtime/rollout/index.js';
import { Prng } from '../support/prng.js';
import { nodeReport, running, START } from '../support/rollout-nodes.js';

const test = suite('rollout: random');
const RUNS = 150;
const EVENTS = 100;

function randomPlan(random: Prng): string {
  const stages: Record<string, unknown>[] = [];
  const hold = (): string => random.pick(['0s', '10s', '1m']);
  if (random.chance(50)) stages.push({ stage: 'shadow', for: hold() });
  let percent = 0;
  for (let i = random.below(3); i > 0; i -= 1) {
    percent += 1 + random.below(30);
    const who = random.chance(70)
      ? { percent }
      : { labels: { zone: random.pick(['a', 'b', 'z']) } };
    stages.push({ stage: 'canary', ...who, for: hold(), pause: random.chance(20) });
  }
  stages.push({ stage: 'all', for: hold() });
  const target = random.chance(30) ? { target: { tier: 'web' } } : {};
  return JSON.stringify({ ...target, stages, onShut: random.pick(['rollback', 'pause']) });
}

interface World {
  nodes: NodeReport[];
  document: RolloutDocument | null;
  now: number;
  watchedSince: number;
  deploys: number;
}

function randomNode(random: Prng, name: string, now: number): NodeReport {
  const labels = { zone: random.pick(['a', 'b']), tier: random.pick(['web', 'data']) };
  const counters = { allowed: random.below(500), denied: random.below(20), lost: 0 };
  return nodeReport({ node: name, labels, counters, heard: now, active: null });
}

/** What a node does about what it is told: often the right thing. */
function react(random: Prng, world: World, node: NodeReport): NodeReport {
  const told = world.document === null ? null : desired([world.document], node);
  const { now } = world;
  if (told === null) return { ...node, heard: now };
  const wanted = told.shadow ?? told.digest;
  if (wanted !== null && random.oneIn(60)) {
    const refused = { digest: wanted, code: 'K001', message: 'no', place: null, time: now };
    return { ...node, heard: now, refused };
  }
  const taken = told.digest === null ? { ...node, heard: now } : running(node, told.digest, now);
  const bad = random.oneIn(20);
  const shadow = { same: 60, different: bad ? 9 : 0, lost: 0, rules: [] };
  const { allowed, denied, lost } = node.counters;
  return {
    ...taken,
    refused: null,
    counters: {
      allowed: allowed + random.below(80),
      denied: denied + random.below(bad ? 80 : 3),
      lost,
    },
    shadow: told.shadow === null ? null : { digest: told.shadow, ...shadow },
  };
}

function observe({ nodes, now, watchedSince }: World): Observed {
  return { nodes, now, watchedSince };
}

function digestOf(n: number): string {
  return `sha256:${n.toString(16).padStart(64, '0')}`;
}

function deploy(random: Prng, world: World): void {
  const { spec, hasTarget } = readPlan(randomPlan(random), 'plan.json');
  assert.ok(spec);
  if (spec === null) return;
  const digest = digestOf(world.deploys + 1);
  const documents = world.document === null ? [] : [world.document];
  const target = hasTarget ? spec.target : null;
  const asked = { name: 'shop', digest, spec: { ...spec, target }, documents, by: 'ann' };
  const made = begin({ ...asked, ...observe(world) });
  if (!made.ok) return;
  if (world.document !== null) assert.is(made.document.before, settledDigest(world.document));
  world.document = made.document;
  world.deploys += 1;
}

const EVENT: readonly ((random: Prng, world: World) => void)[] = [
  (random, world) => {
    world.nodes = world.nodes.map((n) => (random.chance(85) ? react(random, world, n) : n));
  },
  (random, world) => {
    const one = random.below(world.nodes.length);
    world.nodes = world.nodes.map((n, i) => (i === one ? react(random, world, n) : n));
  },
  (random, world) => {
    world.now += random.pick([1, 1000, 5000, 11_000]);
  },
  (random, world) => {
    if (random.oneIn(6)) world.now += 61_000;
  },
  (random, world) => {
    if (random.oneIn(3))
      world.nodes.push(randomNode(random, `late-${world.nodes.length}`, world.now));
  },
  (random, world) => {
    if (random.oneIn(6) && world.nodes.length > 1) world.nodes = world.nodes.slice(1);
  },
  (random, world) => {
    const one = random.oneIn(6) ? random.below(world.nodes.length) : -1;
    world.nodes = world.nodes.map((n, i) =>
      i === one ? { ...n, labels: { ...n.labels, zone: random.pick(['a', 'b', 'z']) } } : n,
    );
  },
  (_, world) => {
    world.watchedSince = world.now;
  },
  deploy,
  (random, world) => {
    if (world.document === null || random.chance(50)) return;
    const made = change(world.document, random.pick(CHANGES), { ...observe(world), by: 'ann' });
    if (made.ok) world.document = made.document;
  },
];

/** What must hold of one step. */
function stepOnce(world: World, seen: Set<string>): void {
  const from = world.document;
  if (from === null) return;
  const observed = observe(world);
  const to = step(from, observed);
  assert.ok(
    to.stage === from.stage || to.stage === from.stage + 1,
    'one stage at a time, never back',
  );
  const isForward = to.stage > from.stage || (to.state === 'done' && from.state !== 'done');
  if (isForward) {
    seen.add('forward');
    assert.is(from.state, 'running');
    assert.is(shutGate(from, observed), null, 'forward through a shut gate');
    const watched = world.nodes.filter(
      (n) => isOfStage(from, n) && from.marks[n.node] !== undefined,
    );
    assert.ok(watched.length > 0);
    assert.ok(watched.every((n) => hasTaken(from, n) && isHeard(from, n, world.now)));
    const hold = from.spec.stages[from.stage]?.holdMs ?? 0;
    assert.ok(from.settled !== null && world.now - from.settled >= hold, 'before its time');
    for (const node of world.nodes)
      assert.ok(!isOnNew(from, node) || isOnNew(to, node), 'a canary goes back');
  } else if (to.state !== 'undone') {
    assert.equal(to.canary, from.canary);
  }
  if (to.state !== from.state) seen.add(to.state);
  if (to !== from) assert.ok(decodeRollout(encodeRollout(to), 'rollouts/shop'));
  world.document = to;
}

function check(world: World): void {
  const { document } = world;
  if (document === null) return;
  for (const node of world.nodes) {
    const told = desired([document], node);
    assert.is(told !== null, isTargeted(document, node));
    if (told === null) continue;
    assert.ok([document.digest, document.before].includes(told.digest), 'neither old nor new');
    assert.ok(
      told.shadow === null || (told.shadow === document.digest && told.digest === document.before),
    );
    if (document.state === 'undone')
      assert.equal([told.digest, told.shadow], [document.before, null]);
    if (document.state === 'done')
      assert.equal([told.digest, told.shadow], [document.digest, null]);
  }
}

test('any order of events keeps nodes on the old bundle or the new one, behind gates', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < RUNS; seed += 1) {
    const random = new Prng(seed);
    const world: World = { nodes: [], document: null, now: START, watchedSince: START, deploys: 0 };
    world.nodes = Array.from({ length: 1 + random.below(12) }, (_, i) =>
      randomNode(random, `node-${i}`, START),
    );
    try {
      for (let i = 0; i < EVENTS; i += 1) {
        random.pick(EVENT)(random, world);
        check(world);
        stepOnce(world, seen);
        check(world);
      }
    } catch (error) {
      console.error(`seed ${seed}`);
      throw error;
    }
  }
  // The runs reach what they are about.
  assert.equal([...seen].sort(), ['done', 'forward', 'paused', 'undone']);
});

test.run();
