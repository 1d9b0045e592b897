/** The agent's local API without a node: who may what, which calls there are, and what a caller that reads slowly loses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { accessOf, groupId } from '../../runtime/agent/api/access.js';
import { eventStream } from '../../runtime/agent/api/event-stream.js';
import { agentApi } from '../../runtime/agent/api/index.js';
import { type EventFilter, readCall } from '../../runtime/agent/api/read-call.js';
import { serveApi } from '../../runtime/agent/api/serve.js';
import type { PeerCredentials } from '../../runtime/kernel/index.js';
import type { EventRecord } from '../../runtime/probe/index.js';

const test = suite('local api');
const READERS = 77;
const ROOT: PeerCredentials = { pid: 1, uid: 0, gids: [0] };
const READER: PeerCredentials = { pid: 1, uid: 1000, gids: [1000, READERS] };
const OTHER: PeerCredentials = { pid: 1, uid: 1000, gids: [1000] };

const folder = mkdtempSync(join(tmpdir(), 'weft-local-api-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('root changes, the group reads, others nothing', () => {
  assert.is(accessOf(ROOT, READERS), 'change');
  assert.is(accessOf(READER, READERS), 'read');
  assert.is(accessOf(OTHER, READERS), 'none');
  assert.is(accessOf(READER, null), 'none');
  const groups = join(folder, 'group');
  writeFileSync(groups, 'weftx:x:5:\nweft:x:77:a,b\nbad:x:y:\n');
  assert.equal(
    ['weft', 'weftx', 'bad', 'none'].map((name) => groupId(name, groups)),
    [77, 5, null, null],
  );
});

test('each caller is answered as the one that the kernel says it is', async () => {
  let peer = ROOT;
  const changed: string[] = [];
  const unused = (): never => {
    throw new Error('nobody asked for it');
  };
  await using served = await serveApi(join(folder, 'agent.sock'), {
    peerOf: () => peer,
    readers: READERS,
    status: async () => ({ node: 'n1' }),
    rules: unused,
    health: unused,
    ready: unused,
    metrics: unused,
    follow: unused,
    drain: async (milliseconds) => {
      changed.push(`drain ${milliseconds}`);
      return {};
    },
    rollback: async (to) => {
      changed.push(`rollback ${to}`);
      return {};
    },
    onFault: unused,
  });
  const api = agentApi(served.path);
  const statuses = async (as: PeerCredentials): Promise<readonly number[]> => {
    peer = as;
    const read = await api.get('/v1/status');
    const drain = await api.post('/v1/drain', { milliseconds: 5 });
    const rollback = await api.post('/v1/rollback', { to: 3 });
    return [read, drain, rollback].map(({ status }) => status);
  };
  assert.equal(await statuses(OTHER), [403, 403, 403]);
  assert.equal(await statuses(READER), [200, 403, 403]);
  assert.equal(changed, []);
  assert.equal(await statuses(ROOT), [200, 200, 200]);
  assert.equal(changed, ['drain 5', 'rollback 3']);
});

const call = (method: string, target: string, body = ''): string => {
  const read = readCall(method, target, Buffer.from(body));
  return read.ok ? JSON.stringify(read.call) : `${read.status}`;
};

test('calls that change are posted, and say what they change', () => {
  assert.is(call('POST', '/v1/drain', '{"milliseconds": 7}'), '{"kind":"drain","milliseconds":7}');
  assert.is(call('GET', '/v1/drain'), '405');
  assert.is(call('POST', '/v1/status'), '405');
  assert.is(call('POST', '/v1/rollback', '{"to": 2}'), '{"kind":"rollback","to":2}');
  assert.is(call('POST', '/v1/rollback'), '{"kind":"rollback","to":null}');
  for (const body of ['{"to": 0}', '{"to": -1}', '{"to": 1.5}', '{"to": 1, "x": 2}', '[]', '{']) {
    assert.is(call('POST', '/v1/rollback', body), '400', body);
  }
  assert.is(call('POST', '/v1/rollback?to=2'), '400');
  assert.is(call('GET', '/v1/events?limit=0'), '400');
  assert.is(call('GET', '/v1/events?rule=a&rule=b'), '400');
});

const ALL: EventFilter = {
  ...{ verdict: null, limit: null, passing: false, workload: null, rule: null, hook: null },
};
const event = (verdict: 'allow' | 'deny', from: string, to: string, lost = 0): EventRecord => {
  const ends = { source: { workload: from }, destination: { workload: to } };
  return { verdict, lost, rule: 'a.ts:1', hook: 'connect4', ...ends } as EventRecord;
};

/** Lines that a caller hears of some events, as `verdict lost`; what waits for it before each event. */
function heard(
  filter: Partial<EventFilter>,
  events: readonly (readonly [EventRecord, waiting?: number])[],
): readonly string[] {
  const lines: string[] = [];
  let waiting = 0;
  const sink = {
    get waiting(): number {
      return waiting;
    },
    write: (line: string): void => {
      const said: EventRecord = JSON.parse(line);
      lines.push(`${said.verdict} ${said.lost}`);
    },
    end: (): void => void lines.push('end'),
  };
  const take = eventStream({ ...ALL, ...filter }, sink, () => lines.push('left'));
  for (const [one, before = 0] of events) {
    waiting = before;
    take(one);
  }
  return lines;
}

test('a slow caller loses events, and hears how many', () => {
  const [allow, deny] = [event('allow', 'a', 'b'), event('deny', 'c', 'a')];
  const full = 256 * 1024;
  assert.equal(heard({}, [[allow, full], [deny]]), ['allow 0', 'deny 0']);
  assert.equal(heard({}, [[allow, full + 1], [deny, full + 1], [deny], [deny]]), [
    'deny 2',
    'deny 0',
  ]);
  assert.equal(heard({}, [[event('allow', 'a', 'b', 3)], [deny]]), ['allow 3', 'deny 0']);
});

test('events are those that were asked for, as many as were', () => {
  const events = [
    [event('allow', 'a', 'b', 2)],
    [event('deny', 'c', 'a')],
    [event('deny', 'c', 'b')],
    [event('deny', 'a', 'b')],
  ] as const;
  // What was lost may have been one of them.
  assert.equal(heard({ verdict: 'deny' }, events), ['deny 2', 'deny 0', 'deny 0']);
  assert.equal(heard({ workload: 'a' }, events), ['allow 2', 'deny 0', 'deny 0']);
  assert.equal(heard({ limit: 2 }, events), ['allow 2', 'deny 0', 'end', 'left']);
  assert.equal(heard({ rule: 'b.ts:1' }, events), []);
});

test.run();
