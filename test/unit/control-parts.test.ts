/** Parts of the control plane without a network: its gate, its desk of events, who a stream speaks for, what a report may hold. */
import { X509Certificate } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAdmit, isRefused } from '../../runtime/control/admit.js';
import { createEventDesk } from '../../runtime/control/event-desk.js';
import { beforeExpiry } from '../../runtime/control/expiry.js';
import { readNode } from '../../runtime/control/read-node.js';
import { MAX_RULES, readReport } from '../../runtime/control/read-report.js';
import { createSendGate } from '../../runtime/control/send-gate.js';
import {
  type Clock,
  create,
  type EventFilter,
  EventFilterSchema,
  EventsSchema,
  MAX_LABELS,
  NodeSchema,
} from '../../runtime/control/wire/index.js';
import { createAuthority, issue } from '../../runtime/spiffe/authority.js';
import type { Kind, SpiffeId } from '../../runtime/spiffe/index.js';
import { TestClock } from '../support/test-clock.js';

const test = suite('parts of a control plane');
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('messages pass the gate in order, within its bytes; a larger one alone', async () => {
  const clock = new TestClock(0);
  const gate = createSendGate(clock, 10);
  const passed: string[] = [];
  const leave = new Map<string, () => void>();
  for (const [name, bytes] of [
    ['a', 6],
    ['b', 4],
    ['c', 1],
    ['huge', 99],
    ['d', 1],
  ] as const) {
    void gate.enter(bytes).then((left) => {
      passed.push(name);
      leave.set(name, left);
    });
  }
  await settled();
  assert.equal(passed, ['a', 'b']);
  leave.get('b')?.();
  // Twice is once: there is room for 4 bytes, not for 8.
  leave.get('b')?.();
  await settled();
  assert.equal(passed, ['a', 'b', 'c'], 'what is behind a larger one waits for it');
  leave.get('a')?.();
  await settled();
  assert.equal(passed, ['a', 'b', 'c'], 'it does not go beside others');
  leave.get('c')?.();
  await settled();
  assert.equal(passed, ['a', 'b', 'c', 'huge']);
  clock.advance(999);
  await settled();
  assert.is(passed.length, 4);
  clock.advance(1);
  await settled();
  assert.equal(
    passed,
    ['a', 'b', 'c', 'huge', 'd'],
    'who does not read holds its share for a second',
  );
});

const filter = (verdict: string, workload: string): EventFilter =>
  create(EventFilterSchema, { wanted: true, verdict, workload });
const record = (verdict: string, from: string, to: string): string =>
  JSON.stringify({ verdict, source: { workload: from }, destination: { workload: to } });

test('a node is asked for what all its watchers want, and each gets its own', () => {
  const desk = createEventDesk();
  const told: string[] = [];
  desk.join('n1', ({ wanted, verdict, workload }) => told.push(`${wanted} ${verdict} ${workload}`));
  const got: string[] = [];
  const watch = (name: string, node: string, asked: EventFilter): (() => void) =>
    desk.watch({
      ...{ node, filter: asked },
      take: ({ records, lost }) => got.push(`${name} ${records.length} ${lost}`),
    });
  const leave = watch('denials', 'n1', filter('deny', 'a.prod'));
  watch('elsewhere', 'n2', filter('', ''));
  const leaveAll = watch('allowed', '', filter('allow', 'a.prod'));
  assert.equal(told, ['false  ', 'true deny a.prod', 'true  a.prod']);
  const records = [
    record('deny', 'a.prod', 'b.prod'),
    record('deny', 'b.prod', 'a.prod'),
    record('deny', 'b.prod', 'c.prod'),
    record('allow', 'a.prod', 'b.prod'),
    'no record',
  ];
  desk.take('n1', create(EventsSchema, { records, lost: 0 }));
  assert.equal(got, ['denials 2 0', 'allowed 1 0']);
  desk.take('n1', create(EventsSchema, { records: records.slice(2, 3), lost: 0 }));
  assert.is(got.length, 2, 'nothing for anybody');
  desk.take('n1', create(EventsSchema, { records: [], lost: 3 }));
  assert.equal(got.slice(2), ['denials 0 3', 'allowed 0 3']);
  leaveAll();
  leave();
  assert.equal(told.slice(3), ['true deny a.prod', 'false  ']);
});

test('a stream ends before its certificate does, not behind it', () => {
  for (const random of [0, 1]) {
    const steps = new TestClock(1_000);
    const clock: Clock = { now: steps.now, after: steps.after, random: () => random };
    let ended = 0;
    const goOn = (ms: number): void => {
      steps.advance(ms);
      steps.advance(0); // for what was asked for at that moment
    };
    const leave = beforeExpiry(clock, 101_000, () => {
      ended += 1;
    });
    goOn(89_999);
    assert.is(ended, 0);
    goOn(1);
    assert.is(ended, random, 'a tenth of what is left before it at the earliest');
    goOn(9_999);
    assert.is(ended, random);
    goOn(1);
    assert.is(ended, 1, 'at its end at the latest');
    leave();
  }
});

test('who is let in is of this mesh, of the kind that is asked for, and in its time', async () => {
  const now = Date.now();
  const root = await createAuthority('test.example', { now, lifetimeMs: 100_000_000 });
  const caller = async (kind: Kind, trustDomain = 'test.example') => {
    const of = { now, lifetimeMs: 1_000_000, hosts: [] };
    const { cert } = await issue(root, { trustDomain, kind, name: 'one' }, of);
    const { raw } = new X509Certificate(cert);
    return { getAuthContext: () => ({ sslPeerCertificate: { raw } }) };
  };
  const clock = new TestClock(now);
  const admit = createAdmit('test.example', clock);
  const answer = (call: Awaited<ReturnType<typeof caller>>): string => {
    const peer = admit.call(call, 'node');
    return isRefused(peer) ? peer.details : peer.id.name;
  };
  const node = await caller('node');
  assert.is(answer(node), 'one');
  assert.match(answer(await caller('operator')), /is no node of test.example/);
  assert.match(answer(await caller('node', 'other.example')), /is no node of test.example/);
  const nobody = admit.call({ getAuthContext: () => null }, 'node');
  assert.ok(isRefused(nobody) && nobody.details.includes('names nobody'));
  clock.advance(1_001_000);
  assert.is(answer(node), 'the certificate has expired');
});

test('a stream speaks for the node of its certificate alone, in few short labels', () => {
  const id: SpiffeId = { trustDomain: 'test.example', kind: 'node', name: 'n1' };
  const peer = { id, notAfter: 0 };
  const node = (id: string, labels: Record<string, string>) =>
    create(NodeSchema, { id, metadata: { labels } });
  assert.equal(readNode(node('n1', { zone: 'a' }), peer), { node: 'n1', labels: { zone: 'a' } });
  assert.throws(() => readNode(node('n2', {}), peer), /may not speak for `n2`/);
  assert.throws(() => readNode(undefined, peer), /names no node/);
  const many = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, '']));
  assert.is(Object.keys(readNode(node('n1', many(MAX_LABELS)), peer).labels).length, MAX_LABELS);
  assert.throws(() => readNode(node('n1', many(MAX_LABELS + 1)), peer), /labels/);
});

test('a report is kept as far as its form goes', () => {
  const rules = Array.from({ length: MAX_RULES + 1 }, (_, i) => ({
    ...{ rule: `a.ts:${i}`, policy: 'a', verdict: 'allow', count: i },
  }));
  const said = { agent: '1', kernel: '6.18', counters: { allowed: 1, denied: 2, lost: 0 }, rules };
  const read = (document: object): ReturnType<typeof readReport> =>
    readReport(JSON.stringify(document));
  assert.is(read({ ...said, rules: rules.slice(0, 2) })?.rules.length, 2);
  assert.is(read(said)?.rules.length, MAX_RULES);
  assert.is(read({ ...said, counters: { allowed: 1, denied: -2, lost: 0 } }), null);
  assert.is(read({ ...said, rules: [{ ...rules[0], count: 0.5 }] }), null);
});

test.run();
