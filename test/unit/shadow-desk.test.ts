/** A node says that it is in shadow when it counts, not when it was told to: a rollout's stage holds from then on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle } from '../../compiler/bundle/index.js';
import type { EventHub } from '../../runtime/agent/event-hub.js';
import { openShadowDesk } from '../../runtime/agent/shadow-desk.js';
import type { World } from '../../runtime/discovery/index.js';
import { sampleBundle } from '../support/sample-bundle.js';

const test = suite('shadow desk');
const WORLD = { workloads: [], services: [] } as unknown as World;
const EMPTY = { same: 0, different: 0, lost: 0, rules: [] };
// No policy: nothing has to start.
const sample = sampleBundle();
const GOOD = encodeBundle({ ...sample, manifest: { ...sample.manifest, policies: [] } });
const BAD = encodeBundle(sample);

/** A desk whose worlds come when the test says so. */
function desk() {
  const faults: unknown[] = [];
  const comings: ((world: World) => void)[] = [];
  let followers = 0;
  const opened = openShadowDesk({
    world: () => new Promise((resolve) => comings.push(resolve)),
    onFault: (error) => faults.push(error),
  });
  const hub: Pick<EventHub, 'follow'> = {
    follow: () => {
      followers += 1;
      return {
        [Symbol.dispose]: () => {
          followers -= 1;
        },
      };
    },
  };
  opened.follow(hub as EventHub);
  return { ...opened, faults, come: () => comings.shift()?.(WORLD), followers: () => followers };
}

test('it says nothing while it opens, and its counts from then on', async () => {
  const one = desk();
  assert.is(one.counts(), null);
  const begun = one.begin(GOOD, 'sha256:a');
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(one.counts(), null, 'it opens');
  while (one.followers() === 0 && one.faults.length === 0) {
    one.come();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await begun;
  assert.equal(one.faults, []);
  assert.equal(one.counts(), { digest: 'sha256:a', ...EMPTY });
  one.end('sha256:b');
  assert.equal(one.counts(), { digest: 'sha256:a', ...EMPTY }, 'it is not its turn');
  one.end('sha256:a');
  assert.is(one.counts(), null);
  assert.is(one.followers(), 0);
});

test('one that cannot be opened counts nothing, is told, and holds no stage', async () => {
  const one = desk();
  let isOver = false;
  const begun = one.begin(BAD, 'sha256:b').then(() => {
    isOver = true;
  });
  assert.is(one.counts(), null);
  while (!isOver) {
    one.come();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await begun;
  assert.is(one.faults.length, 1);
  assert.is(one.followers(), 0);
  assert.equal(one.counts(), { digest: 'sha256:b', ...EMPTY });
});

test.run();
