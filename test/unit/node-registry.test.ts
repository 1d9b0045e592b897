/** How old the store's word of a node may be: the gate of silence is judged by it. */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openNodeRegistry } from '../../runtime/control/node-registry.js';
import { REPORT_MS } from '../../runtime/control/serve-reports.js';
import { type NodeReport, PLAN_DEFAULTS, readDuration } from '../../runtime/rollout/index.js';
import { memoryStore } from '../../runtime/store/index.js';
import { Prng } from '../support/prng.js';
import { TestClock } from '../support/test-clock.js';

const test = suite('node registry');
const START = 1_000_000;
const SECOND = 1000;
/** A node that works hard (a bundle is verified on a machine that others load too) says nothing for so long. */
const STALL_MS = 15 * SECOND;
const NODE = { node: 'n1', labels: {} };

function said(allowed: number): string {
  return JSON.stringify({
    ...{ agent: '1', kernel: '6', active: null, shadow: null, drift: null, rules: [] },
    counters: { allowed, denied: 0, lost: 0 },
  });
}

function open() {
  const [clock, store] = [new TestClock(START), memoryStore()];
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  const registry = openNodeRegistry({ store, control: 'one', clock, onFault });
  const heard = async (): Promise<number> => {
    const entry = await store.get('nodes/n1');
    if (entry === null) throw new Error('nothing is known of the node');
    const report: NodeReport = JSON.parse(new TextDecoder().decode(entry.value));
    return report.heard;
  };
  return { clock, store, registry, faults, heard };
}

test('a node that reports as it should is never half as silent as the gate allows', async () => {
  const { clock, registry, heard, faults } = open();
  const random = new Prng(1);
  registry.joined(NODE);
  assert.ok(registry.reported('n1', said(0)));
  let next = START;
  let oldest = 0;
  for (let second = 0; second < 600; second += 1) {
    if (clock.now() >= next) {
      assert.ok(registry.reported('n1', said(second)));
      // As runtime/link does: between a half and the whole.
      next = clock.now() + REPORT_MS / 2 + random.below(REPORT_MS / 2);
    }
    clock.advance(SECOND);
    await turn();
    oldest = Math.max(oldest, clock.now() - (await heard()));
  }
  const silence = readDuration(PLAN_DEFAULTS.silence) ?? 0;
  assert.ok(oldest + STALL_MS < silence, `${oldest} ms old`);
  assert.ok(oldest <= REPORT_MS + 2 * SECOND, `${oldest} ms old`);
  assert.equal(faults, []);
  await registry.close();
});

test('what says often that nothing but its counts changed is not written each time', async () => {
  const { clock, store, registry } = open();
  registry.joined(NODE);
  let written = 0;
  const stop = new AbortController();
  const { revision } = await store.list('nodes/');
  const counting = (async () => {
    for await (const changes of store.watch('nodes/', revision, stop.signal))
      written += changes.length;
  })();
  for (let second = 0; second < 40; second += 1) {
    registry.reported('n1', said(second));
    clock.advance(SECOND);
    await turn();
  }
  await registry.close();
  stop.abort();
  await counting;
  assert.ok(written > 5 && written < 15, String(written));
});

test('an answer to a bundle is a sign of life', async () => {
  const { clock, registry, heard } = open();
  registry.joined(NODE);
  registry.reported('n1', said(0));
  clock.advance(20 * SECOND);
  registry.told(NODE, [{ name: 'shop', version: 'v1', refused: null }]);
  clock.advance(SECOND);
  await registry.close();
  assert.is(await heard(), START + 20 * SECOND);
});

test.run();
