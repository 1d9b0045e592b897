/** The readers of what etcd answers, of what a process tells its keeper, and of a cluster's lists, for test/fuzz/readers.ts. */
import { create, toBinary } from '@bufbuild/protobuf';
import { readNotice } from '../../runtime/agent/read-notice.js';
import { parseObject } from '../../runtime/kubernetes/answer.js';
import { clusterWorld, isKubernetesError, unpackFacts } from '../../runtime/kubernetes/index.js';
import { packItem } from '../../runtime/kubernetes/packed.js';
import { objectOf, type Raw } from '../../runtime/kubernetes/raw.js';
import { ListReader } from '../../runtime/kubernetes/read-list.js';
import { readNamespace, readNode } from '../../runtime/kubernetes/read-place.js';
import { readPod } from '../../runtime/kubernetes/read-pod.js';
import { readService, readSlice } from '../../runtime/kubernetes/read-service.js';
import {
  Event_EventType,
  RangeResponseSchema,
  TxnResponseSchema,
  WatchResponseSchema,
} from '../../runtime/store/etcd/gen/etcd/rpc_pb.js';
import { StoreError } from '../../runtime/store/store-error.js';
import { namespace, node, pod, service, slice } from '../support/cluster-objects.js';
import { storeOfAnswer } from '../support/etcd-answers.js';
import { json, type Reader, utf8 } from './reader.js';

const kv = (key: string, value: string, modRevision: bigint) => ({
  ...{ key: utf8(`weft/${key}`), value: utf8(value), modRevision },
});
const WRITES = [
  { key: 'rollouts/a', value: utf8('1') },
  { key: 'rollouts/b', value: null },
];

/** What the store throws for an answer that it does not take. */
async function refusable(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

/** What is read of objects of any form is packed, and makes a world. */
function readObjects(objects: readonly Raw[]): void {
  const all = <T extends object>(read: (raw: Raw) => T | null): ReadonlyMap<string, string> =>
    new Map(
      objects.flatMap((raw, i) => {
        const item = read(raw);
        return item === null ? [] : [[`a/${i}`, packItem(item)] as const];
      }),
    );
  const facts = unpackFacts({
    ...{ pods: all(readPod), nodes: all(readNode), namespaces: all(readNamespace) },
    ...{ services: all(readService), slices: all(readSlice) },
  });
  const options = { node: 'n1', trustDomain: 'cluster.local', cgroups: new Map() };
  const { world } = clusterWorld(facts, options);
  const names = new Set(world.workloads.map(({ name }) => name));
  const addresses = world.workloads.flatMap((w) => w.addresses.map(({ text }) => text));
  if (new Set(addresses).size < addresses.length) throw new Error('an address of two');
  if (names.size < world.workloads.length) throw new Error('a name of two');
}

export const KEPT_READERS: Readonly<Record<string, Reader>> = {
  'etcd-range': {
    seeds: [
      { kvs: [kv('nodes/a', 'x', 5n), kv('nodes/b', 'y', 6n)], header: { revision: 9n } },
      { kvs: [kv('nodes/a', 'x', 5n)], more: true, count: 2n, header: { revision: 9n } },
    ].map((answer) => toBinary(RangeResponseSchema, create(RangeResponseSchema, answer))),
    read: async (input) => {
      const store = storeOfAnswer(input);
      await refusable(async () => void (await store.get('nodes/a')));
      await refusable(async () => void (await store.list('nodes/')));
    },
  },
  'etcd-txn': {
    seeds: [
      { succeeded: true, header: { revision: 7n } },
      {
        succeeded: false,
        responses: [[kv('rollouts/a', '1', 7n)], []].map((kvs) => ({
          response: { case: 'responseRange' as const, value: { kvs } },
        })),
      },
    ].map((answer) => toBinary(TxnResponseSchema, create(TxnResponseSchema, answer))),
    read: (input) =>
      refusable(async () => void (await storeOfAnswer(input).commit([], [...WRITES]))),
  },
  'etcd-watch': {
    seeds: [
      {
        events: [
          { type: Event_EventType.PUT, kv: kv('rollouts/a', '1', 7n) },
          { type: Event_EventType.DELETE, kv: kv('rollouts/b', '', 8n) },
        ],
      },
      { canceled: true, compactRevision: 30n },
      { canceled: true, cancelReason: 'no leader' },
    ].map((answer) => toBinary(WatchResponseSchema, create(WatchResponseSchema, answer))),
    read: (input) =>
      refusable(async () => {
        const ending = new AbortController();
        // What is told comes before the end of the stream, which is the next turn of the loop.
        setImmediate(() => ending.abort());
        for await (const changes of storeOfAnswer(input).watch('rollouts/', 1n, ending.signal))
          if (changes.length === 0) throw new Error('a commit without a change');
      }),
  },
  notice: {
    seeds: [
      'READY=1\nMAINPID=4711',
      'FDSTORE=1\nFDNAME=pool-7',
      'FDSTOREREMOVE=1\nFDNAME=pool-7\nWATCHDOG=1',
    ].map(utf8),
    read: (input) => {
      const { main, keep, remove } = readNotice(new TextDecoder().decode(input));
      if (main !== null && !(Number.isInteger(main) && main > 1)) throw new Error('no process');
      for (const name of [keep, remove])
        if (name !== null && !/^[\w.-]{1,255}$/.test(name)) throw new Error('no name');
    },
  },
  'cluster-list': {
    seeds: [
      [
        pod('a', { ips: ['10.1.0.1', 'fd00::1'] }),
        pod('b', { ips: ['10.1.0.2'] }),
        namespace('shop'),
        node('n1', 'eu-1'),
      ],
      [
        service('db', {
          ips: ['10.96.0.1'],
          annotations: { 'weft.dev/subsets': '{"v1":{"a":"b"}}' },
        }),
        slice('db', 'db-1', { ports: [{ port: 80 }], endpoints: [{ addresses: ['192.0.2.1'] }] }),
      ],
    ].map((items) => json({ kind: 'List', metadata: { resourceVersion: '7' }, items })),
    read: (input) => {
      const objects: Raw[] = [];
      try {
        const reader = new ListReader((raw) => objects.push(raw));
        const half = input.length >> 1;
        for (const part of [input.subarray(0, half), input.subarray(half)])
          reader.take(Buffer.from(part));
        reader.end();
      } catch (error) {
        if (!isKubernetesError(error)) throw error;
      }
      readObjects(objects);
    },
  },
  'cluster-event': {
    seeds: [json({ type: 'MODIFIED', object: pod('a', { ips: ['10.1.0.1'] }) })],
    read: (input) => {
      try {
        const event = parseObject(new TextDecoder().decode(input));
        readObjects([objectOf(event['object'])]);
      } catch (error) {
        if (!isKubernetesError(error)) throw error;
      }
    },
  },
};
