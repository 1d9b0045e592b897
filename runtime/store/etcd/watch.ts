/**
 * A watch over the members of an etcd cluster: when the stream of one breaks off, the next goes on
 * behind the last revision that was told, so that each change is told once.
 */
import { create } from '@bufbuild/protobuf';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { MethodsOf } from '../../grpc/index.js';
import { StoreError } from '../store-error.js';
import type { Change } from '../types.js';
import { faultOf, isPassing, type Members, pause, requireLeader } from './endpoints.js';
import {
  type Event,
  Event_EventType,
  type WatchRequest,
  WatchRequestSchema,
  type WatchResponse,
  type Watch as WatchService,
} from './gen/etcd/rpc_pb.js';
import { endOf, fromKey, toKey } from './keys.js';

/** Events of whole commits, by commit. */
function commits(events: readonly Event[]): Change[][] {
  const grouped: Change[][] = [];
  for (const { type, kv } of events) {
    if (kv === undefined) continue;
    const change = {
      key: fromKey(kv.key),
      value: type === Event_EventType.DELETE ? null : kv.value,
      revision: kv.modRevision,
    };
    const last = grouped.at(-1);
    if (last?.[0]?.revision === change.revision) last.push(change);
    else grouped.push([change]);
  }
  return grouped;
}

/** Marks a stream that the server ended: the next member is asked. */
class StreamEnded extends Error {}

/** What one stream tells, whole answers only. Throws StreamEnded, and D102. */
async function* answers(
  stream: ClientDuplexStream<WatchRequest, WatchResponse>,
): AsyncIterable<Change[]> {
  let parts: Event[] = [];
  for await (const response of stream as AsyncIterable<WatchResponse>) {
    if (response.canceled) {
      if (response.compactRevision > 0n) {
        const first = response.compactRevision;
        throw new StoreError('D102', `changes before revision ${first} are no longer kept`);
      }
      throw new StreamEnded(response.cancelReason);
    }
    parts.push(...response.events);
    if (response.fragment) continue;
    yield* commits(parts);
    parts = [];
  }
  throw new StreamEnded('end of stream');
}

export async function* watchEtcd(
  endpoints: Members,
  methods: MethodsOf<typeof WatchService>,
  prefix: string,
  from: bigint,
  signal: AbortSignal,
): AsyncIterable<readonly Change[]> {
  const key = toKey(prefix);
  let seen = from;
  for (let turn = 0; !signal.aborted; turn += 1) {
    const client = endpoints.client();
    const { path, requestSerialize, responseDeserialize } = methods.watch;
    const stream = client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      requireLeader(),
    );
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel);
    try {
      const value = { key, rangeEnd: endOf(key), startRevision: seen + 1n, fragment: true };
      stream.write(create(WatchRequestSchema, { requestUnion: { case: 'createRequest', value } }));
      for await (const changes of answers(stream)) {
        turn = 0;
        seen = changes[0]?.revision ?? seen;
        yield changes;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof StreamEnded)) {
        if (error instanceof StoreError) throw error;
        if (!isPassing(error)) throw faultOf(error);
      }
      endpoints.next(client);
    } finally {
      signal.removeEventListener('abort', cancel);
      stream.on('error', () => undefined);
      stream.cancel();
    }
    await pause(turn, signal);
  }
}
