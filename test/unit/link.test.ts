/** The agent's side without a network: waits, what is held, and how a response is taken. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  create,
  DeltaDiscoveryResponseSchema,
  encodeItem,
  type FromNode,
  fromBinary,
  type Item,
  NODE_BUNDLE_URL,
  RefusedSchema,
} from '../../runtime/control/wire/index.js';
import { createEventBatch, MAX_BATCH } from '../../runtime/link/event-batch.js';
import { openHeld } from '../../runtime/link/held.js';
import { createBackoff, FIRST_MS, type LinkHooks, MOST_MS } from '../../runtime/link/index.js';
import type { Session } from '../../runtime/link/session.js';
import { takeResponse } from '../../runtime/link/take-response.js';
import { TestClock } from '../support/test-clock.js';

const test = suite('link');

test('waits are uniform below a bound that doubles up to the most', () => {
  const bounds = (random: number): number[] => {
    const backoff = createBackoff({ random: () => random });
    return Array.from({ length: 8 }, () => backoff.next());
  };
  assert.equal(bounds(0), [0, 0, 0, 0, 0, 0, 0, 0]);
  const most = bounds(1).map((ms) => ms / FIRST_MS);
  assert.equal(most, [1, 2, 4, 8, 16, MOST_MS / FIRST_MS, 30, 30]);
  assert.equal(
    bounds(0.5),
    bounds(1).map((ms) => ms / 2),
  );
});

test('a good connection makes the next wait a first one', () => {
  const backoff = createBackoff({ random: () => 1 });
  backoff.next();
  backoff.next();
  backoff.reset();
  assert.is(backoff.next(), FIRST_MS);
});

const ITEM: Item = {
  ...{ name: 'shop', digest: 'sha256:aa', mode: 'enforce', signatures: null },
  bundle: new Uint8Array([1, 2, 3]),
};

function hooks(answer: (item: Item) => Awaited<ReturnType<LinkHooks['apply']>>): {
  readonly hooks: LinkHooks;
  readonly calls: string[];
} {
  const calls: string[] = [];
  return {
    calls,
    hooks: {
      async apply(item) {
        calls.push(`apply ${item.name} ${item.mode}`);
        return answer(item);
      },
      async withdraw(name, mode) {
        calls.push(`withdraw ${name} ${mode}`);
      },
      running: () => [],
      report: async () => ({}),
      events: () => {},
    },
  };
}

function response(name: string, value: Uint8Array, typeUrl: string = NODE_BUNDLE_URL) {
  return create(DeltaDiscoveryResponseSchema, {
    resources: [{ name, version: 'v1', resource: { typeUrl, value } }],
    removedResources: ['old', 'old/shadow'],
  });
}

test('what is taken is held, what is gone is withdrawn', async () => {
  const held = openHeld(null, () => {});
  const { hooks: node, calls } = hooks(() => ({ ok: true, generation: 4 }));
  assert.is(await takeResponse(response('shop', encodeItem(ITEM)), held, node), null);
  assert.equal(calls, ['apply shop enforce', 'withdraw old enforce', 'withdraw old shadow']);
  assert.equal(held.versions([{ name: 'shop', digest: 'sha256:aa', mode: 'enforce' }]), {
    shop: 'v1',
  });
  // Another bundle runs by now: the version says nothing.
  assert.equal(held.versions([{ name: 'shop', digest: 'sha256:bb', mode: 'enforce' }]), {});
});

test('a refusal is told in words and in parts, and nothing is held', async () => {
  const held = openHeld(null, () => {});
  const { hooks: node } = hooks(() => ({
    ...{ ok: false, code: 'A030', message: 'case 3 differs', place: 'a.ts:4' },
  }));
  const status = await takeResponse(response('shop', encodeItem(ITEM)), held, node);
  assert.is(status?.message, 'A030 case 3 differs (a.ts:4)');
  const detail = status?.details[0]?.value ?? new Uint8Array();
  const { digest, code, place } = fromBinary(RefusedSchema, detail);
  assert.equal([digest, code, place], ['sha256:aa', 'A030', 'a.ts:4']);
  assert.equal(held.versions([{ name: 'shop', digest: 'sha256:aa', mode: 'enforce' }]), {});
});

test('of two refusals the first is told, and what is good beside them is taken', async () => {
  const held = openHeld(null, () => {});
  const { hooks: node } = hooks(({ name }) =>
    name === 'shop'
      ? { ok: true, generation: 1 }
      : { ok: false, code: 'A030', message: name, place: null },
  );
  const message = create(DeltaDiscoveryResponseSchema, {
    resources: ['first', 'second', 'shop'].map((name) => ({
      ...{ name, version: 'v2' },
      resource: { typeUrl: NODE_BUNDLE_URL, value: encodeItem({ ...ITEM, name }) },
    })),
  });
  assert.is((await takeResponse(message, held, node))?.message, 'A030 first');
  const running = ['first', 'shop'].map((name) => ({
    ...{ name, digest: 'sha256:aa', mode: 'enforce' as const },
  }));
  assert.equal(held.versions(running), { shop: 'v2' });
});

test('verdicts go out together; what finds no room is counted until it is told', () => {
  const clock = new TestClock(0);
  const sent: string[] = [];
  let hasRoom = true;
  const session = {
    tell: ({ case: kind, value }: FromNode['message']): boolean => {
      if (hasRoom && kind === 'events') sent.push(`${value.records.length} ${value.lost}`);
      return hasRoom;
    },
  };
  const batch = createEventBatch(clock, session as Session);
  const take = (count: number): void => {
    for (let i = 0; i < count; i++) batch.take(`${i}`);
    clock.advance(100);
  };
  take(3);
  assert.equal(sent, ['3 0']);
  take(MAX_BATCH + 2);
  assert.equal(sent, ['3 0', `${MAX_BATCH} 2`]);
  hasRoom = false;
  take(4);
  take(1);
  hasRoom = true;
  take(1);
  take(1);
  assert.equal(sent.slice(2), ['1 5', '1 0']);
  batch.take('x');
  batch.close();
  clock.advance(100);
  assert.is(sent.length, 4);
});

test('what is no bundle never reaches the node', async () => {
  const held = openHeld(null, () => {});
  const { hooks: node, calls } = hooks(() => ({ ok: true, generation: 1 }));
  const body = encodeItem(ITEM);
  const bad = [
    response('shop', body, 'type.googleapis.com/other'),
    response('other', body),
    response('shop/shadow', body),
    response('shop', body.subarray(0, body.length - 1)),
    response('shop', Buffer.from([0xff, 0xff, 0xff])),
    response('shop', new Uint8Array()),
  ];
  for (const message of bad) {
    const status = await takeResponse(message, held, node);
    assert.match(status?.message ?? '', /^C030 /);
  }
  assert.equal(
    calls.filter((call) => call.startsWith('apply')),
    [],
  );
});

const never = (error: unknown): void => {
  throw error;
};

test('what is held outlives a restart; a damaged file costs a transfer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-held-'));
  const path = join(folder, 'control', 'held.json');
  const running = [{ name: 'shop', digest: 'sha256:aa', mode: 'shadow' as const }];
  try {
    openHeld(path, never).put('shop/shadow', 'v2', 'sha256:aa');
    assert.equal(openHeld(path, never).versions(running), { 'shop/shadow': 'v2' });
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, -4));
    assert.equal(openHeld(path, never).versions(running), {});
    writeFileSync(path, '{"shop/shadow":null}');
    assert.equal(openHeld(path, never).versions(running), {});
    const faults: unknown[] = [];
    const nowhere = openHeld(join(path, 'below-a-file', 'held.json'), (e) => faults.push(e));
    nowhere.put('shop', 'v1', 'sha256:aa');
    assert.is(faults.length, 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
