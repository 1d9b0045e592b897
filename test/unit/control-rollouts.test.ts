/** Rollouts in a store that several control planes share: one leads, none overwrites another, and nothing is lost. */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BEGUN, keyOf, LEADER } from '../../runtime/control/keys.js';
import { lead } from '../../runtime/control/lead.js';
import { openRollouts, type Rollouts } from '../../runtime/control/rollouts.js';
import {
  decodeRollout,
  desired,
  encodeRollout,
  type NodeReport,
  type RolloutDocument,
} from '../../runtime/rollout/index.js';
import { memoryStore, type Store } from '../../runtime/store/index.js';
import { NEW, nodeReports, OLD, OTHER, running, START } from '../support/rollout-nodes.js';
import { TestClock } from '../support/test-clock.js';

const test = suite('control: rollouts');
const PLAN = JSON.stringify({
  stages: [
    { stage: 'canary', percent: 25, for: '10s' },
    { stage: 'all', for: '10s' },
  ],
});
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

async function write(store: Store, nodes: readonly NodeReport[]): Promise<void> {
  await store.commit(
    [],
    nodes.map((n) => ({ key: keyOf.node(n.node), value: bytes(n) })),
  );
}
async function storeWith(nodes: readonly NodeReport[]): Promise<Store> {
  const store = memoryStore();
  await write(store, nodes);
  await store.commit(
    [],
    [OLD, NEW, OTHER].map((digest) => ({ key: keyOf.bundle(digest), value: bytes({}) })),
  );
  return store;
}
function rolloutsOf(store: Store, now: () => number = () => START): Rollouts {
  return openRollouts({ store, now, watchedSince: () => 0 });
}
async function read(store: Store, name = 'shop'): Promise<RolloutDocument> {
  const entry = await store.get(keyOf.rollout(name));
  if (entry === null) throw new Error('no rollout');
  return decodeRollout(entry.value, entry.key);
}
/** Waits for a condition of the store, turn by turn. */
async function until(
  holds: () => Promise<boolean>,
  each: () => Promise<void> = turn,
): Promise<void> {
  for (let i = 0; i < 20_000; i += 1) {
    if (await holds()) return;
    await each();
  }
  throw new Error('it did not come to that');
}
async function codeOf(made: Promise<unknown>): Promise<string> {
  try {
    await made;
    return 'done';
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !('diagnostics' in error)) throw error;
    assert.is(error.code, 'REFUSED');
    return (error.diagnostics as readonly { readonly code: string }[])[0]?.code ?? '';
  }
}

test('a rollout is begun, changed and followed by another, which keeps it in the history', async () => {
  const store = await storeWith(nodeReports(4));
  const rollouts = rolloutsOf(store);
  const one = await rollouts.apply({ name: 'shop', digest: OLD, plan: PLAN }, 'ann');
  assert.equal(await read(store), one);
  assert.is((await rollouts.change('shop', 'pause', 'bob')).reason, 'paused by bob');
  const done: RolloutDocument = { ...(await read(store)), state: 'done', pausedBy: null };
  await store.commit([], [{ key: keyOf.rollout('shop'), value: encodeRollout(done) }]);
  const two = await rollouts.apply({ name: 'shop', digest: NEW, plan: PLAN }, 'ann');
  assert.is(two.before, OLD);
  assert.equal(await rollouts.history('shop'), [done]);
  assert.equal(await rollouts.history('sho'), []);
});

test('what is refused changes nothing', async () => {
  const store = await storeWith(nodeReports(4));
  const rollouts = rolloutsOf(store);
  const asked = { name: 'shop', digest: NEW, plan: PLAN };
  assert.is(await codeOf(rollouts.change('shop', 'pause', 'ann')), 'C114');
  const missing = `sha256:${'00'.repeat(32)}`;
  assert.is(await codeOf(rollouts.apply({ ...asked, digest: missing }, 'ann')), 'C112');
  assert.is(
    await codeOf(rollouts.apply({ ...asked, plan: '{"stages":[{"stage":"canary"}]}' }, 'ann')),
    'C101',
  );
  assert.is(await store.get(keyOf.rollout('shop')), null);
  await rollouts.apply(asked, 'ann');
  const { revision } = await store.list('');
  assert.is(await codeOf(rollouts.apply({ ...asked, digest: OLD }, 'ann')), 'C103');
  assert.is(await codeOf(rollouts.change('shop', 'resume', 'ann')), 'C108');
  assert.is((await store.list('')).revision, revision);
});

test('two that begin at once: one name once, the same nodes once', async () => {
  const store = await storeWith(nodeReports(4));
  const [a, b] = [rolloutsOf(store), rolloutsOf(store)];
  const asked = { name: 'shop', digest: NEW, plan: PLAN };
  const same = await Promise.all([codeOf(a.apply(asked, 'ann')), codeOf(b.apply(asked, 'bob'))]);
  assert.equal(same.sort(), ['C103', 'done']);
  const other = await storeWith(nodeReports(4));
  const [c, d] = [rolloutsOf(other), rolloutsOf(other)];
  const names = await Promise.all([
    codeOf(c.apply(asked, 'ann')),
    codeOf(d.apply({ ...asked, name: 'web' }, 'bob')),
  ]);
  assert.equal(names.sort(), ['C105', 'done']);
});

test('one who is never first says so', async () => {
  const store = await storeWith(nodeReports(4));
  // Somebody else begins a rollout whenever this one is about to.
  const busy: Store = new Proxy(store, {
    get: (of, key) =>
      key === 'commit'
        ? async (...parts: Parameters<Store['commit']>) => {
            await of.commit([], [{ key: BEGUN, value: bytes({}) }]);
            return of.commit(...parts);
          }
        : Reflect.get(of, key).bind(of),
  });
  const asked = { name: 'shop', digest: NEW, plan: PLAN };
  assert.is(await codeOf(rolloutsOf(busy).apply(asked, 'ann')), 'C113');
  assert.is(await store.get(keyOf.rollout('shop')), null);
});

/** Nodes that do what the store says, and are heard. */
async function obey(store: Store, clock: TestClock): Promise<void> {
  const document = await read(store);
  const { entries } = await store.list('nodes/');
  const nodes = entries.map((e) => JSON.parse(new TextDecoder().decode(e.value)) as NodeReport);
  await write(
    store,
    nodes.map((n) => running(n, desired([document], n)?.digest ?? OLD, clock.now())),
  );
}

interface Plane {
  readonly stop: AbortController;
  readonly done: Promise<void>;
  leads: boolean;
}
function plane(store: Store, name: string, clock: TestClock, errors: unknown[] = []): Plane {
  const stop = new AbortController();
  const made: { -readonly [K in keyof Plane]: Plane[K] } = {
    stop,
    leads: false,
    done: Promise.resolve(),
  };
  made.done = lead({
    ...{ store, name, clock, signal: stop.signal },
    onError: (error) => errors.push(error),
    onLead: (leads) => {
      made.leads = leads;
    },
  });
  return made;
}

test('one of two leads; when it is gone the other goes on to the end', async () => {
  const clock = new TestClock(START);
  const store = await storeWith(nodeReports(8));
  const planes = [plane(store, 'a', clock), plane(store, 'b', clock)];
  await until(async () => planes.some((p) => p.leads));
  await rolloutsOf(store, clock.now).apply({ name: 'shop', digest: NEW, plan: PLAN }, 'ann');
  let most = 0;
  const goOn = async (): Promise<void> => {
    clock.advance(1000);
    await obey(store, clock);
    for (let i = 0; i < 20; i += 1) await turn();
    most = Math.max(most, planes.filter((p) => p.leads).length);
  };
  await until(async () => (await read(store)).stage === 1, goOn);
  const first = planes.find((p) => p.leads);
  first?.stop.abort();
  await first?.done;
  assert.is(first?.leads, false);
  await until(async () => (await read(store)).state === 'done', goOn);
  assert.is(most, 1);
  const { history } = await read(store);
  assert.equal(
    history.map((h) => h.what),
    ['begin', 'stage', 'done'],
  );
  for (const p of planes) p.stop.abort();
  await Promise.all(planes.map((p) => p.done));
  assert.is(await store.get(LEADER), null);
});

test('a leader that was deposed unawares changes nothing', async () => {
  const clock = new TestClock(START);
  const store = await storeWith(nodeReports(4));
  await rolloutsOf(store, clock.now).apply({ name: 'shop', digest: NEW, plan: PLAN }, 'ann');
  await obey(store, clock);
  // The lease is another's by the time of its first commit about a rollout.
  let tried = 0;
  const late: Store = new Proxy(store, {
    get: (of, key) =>
      key === 'commit'
        ? async (...parts: Parameters<Store['commit']>) => {
            const isStep = parts[1].some((w) => w.key === keyOf.rollout('shop'));
            if (isStep) await of.commit([], [{ key: LEADER, value: bytes({ name: 'other' }) }]);
            tried += isStep ? 1 : 0;
            return of.commit(...parts);
          }
        : Reflect.get(of, key).bind(of),
  });
  const before = await store.get(keyOf.rollout('shop'));
  const one = plane(late, 'a', clock);
  await until(
    async () => tried > 2,
    async () => {
      clock.advance(1000);
      await turn();
    },
  );
  assert.equal(await store.get(keyOf.rollout('shop')), before);
  one.stop.abort();
  await one.done;
});

test('a damaged rollout is told and left, and the others go on', async () => {
  const clock = new TestClock(START);
  const errors: unknown[] = [];
  const store = await storeWith(nodeReports(4));
  await rolloutsOf(store, clock.now).apply({ name: 'shop', digest: NEW, plan: PLAN }, 'ann');
  const damaged = new TextEncoder().encode('{"schemaVersion":1}');
  await store.commit([], [{ key: keyOf.rollout('bad'), value: damaged }]);
  const one = plane(store, 'a', clock, errors);
  await until(
    async () => (await read(store)).state === 'done',
    async () => {
      clock.advance(1000);
      await obey(store, clock);
      for (let i = 0; i < 5; i += 1) await turn();
    },
  );
  assert.match(String(errors[0]), '`rollouts/bad` of the store holds no rollout');
  assert.equal((await store.get(keyOf.rollout('bad')))?.value, damaged);
  one.stop.abort();
  await one.done;
});

test('a store that fails is tried again', async () => {
  const clock = new TestClock(START);
  const errors: unknown[] = [];
  const store = await storeWith(nodeReports(4));
  let left = 3;
  const faulty: Store = new Proxy(store, {
    get: (of, key) => {
      if (key === 'list' && left > 0) {
        left -= 1;
        return () => Promise.reject(new Error('gone'));
      }
      return Reflect.get(of, key).bind(of);
    },
  });
  const one = plane(faulty, 'a', clock, errors);
  await until(
    async () => left === 0 && one.leads,
    async () => {
      clock.advance(1000);
      await turn();
    },
  );
  assert.ok(errors.length >= 3 && errors.every((e) => String(e) === 'Error: gone'));
  one.stop.abort();
  await one.done;
});

test.run();
