/** Asks a control plane in an operator's name. */
import type { EventRecord } from '../../probe/index.js';
import type {
  Admin,
  AdminPlace,
  NodeReport,
  RolloutDocument,
  Watched,
} from '../../rollout/index.js';
import {
  ADMIN_METHODS,
  ApplyRolloutRequestSchema,
  ChangeRolloutRequest_Change,
  ChangeRolloutRequestSchema,
  type Changes,
  create,
  FollowEventsRequestSchema,
  PIECE_BYTES,
  type PutBundleRequest,
  PutBundleRequestSchema,
  RolloutHistoryRequestSchema,
  type RolloutResponse,
  WatchRequestSchema,
} from '../wire/index.js';
import { AdminError, refusedError } from './admin-error.js';
import { openConnection } from './connection.js';

const CHANGES = {
  pause: ChangeRolloutRequest_Change.PAUSE,
  resume: ChangeRolloutRequest_Change.RESUME,
  undo: ChangeRolloutRequest_Change.UNDO,
} as const;

/** The pieces of a file under one name of the message's parts. */
function* pieces(name: 'bundle' | 'signatures', bytes: Uint8Array): Iterable<PutBundleRequest> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const value = bytes.subarray(at, at + PIECE_BYTES);
    yield create(PutBundleRequestSchema, { part: { case: name, value } });
  }
}

function rolloutOf({ answer }: RolloutResponse): RolloutDocument {
  if (answer.case === 'refused') throw refusedError(answer.value.diagnostics);
  if (answer.case === undefined) throw new AdminError('C042', 'the answer says nothing');
  return JSON.parse(answer.value) as RolloutDocument;
}

/** Changes put together: the whole state each time that it is whole. */
async function* whole(changes: AsyncIterable<Changes>): AsyncIterable<Watched> {
  const rollouts = new Map<string, RolloutDocument>();
  const nodes = new Map<string, NodeReport>();
  for await (const change of changes) {
    for (const text of change.rollouts) {
      const document = JSON.parse(text) as RolloutDocument;
      rollouts.set(document.name, document);
    }
    for (const text of change.nodes) {
      const report = JSON.parse(text) as NodeReport;
      nodes.set(report.node, report);
    }
    for (const name of change.rolloutsRemoved) rollouts.delete(name);
    for (const name of change.nodesRemoved) nodes.delete(name);
    if (!change.whole) continue;
    const now = Number(change.nowMs);
    yield { rollouts: [...rollouts.values()], nodes: [...nodes.values()], now };
  }
}

/** Opens a way to the control planes of a place. Throws IdentityError where the files are no pair. */
export function openAdmin(place: AdminPlace): Admin {
  const connection = openConnection(place);
  const watch = (follow: boolean, signal: AbortSignal): AsyncIterable<Watched> =>
    whole(connection.stream(ADMIN_METHODS.watch, create(WatchRequestSchema, { follow }), signal));
  return {
    async putBundle(bundle, signatures) {
      const requests = [
        ...pieces('bundle', bundle),
        ...(signatures === null ? [] : pieces('signatures', signatures)),
      ];
      const { digest, name, version } = await connection.upload(ADMIN_METHODS.putBundle, requests);
      return { digest, name, version: version === undefined ? null : Number(version) };
    },
    async apply(asked) {
      const request = create(ApplyRolloutRequestSchema, asked);
      return rolloutOf(await connection.unary(ADMIN_METHODS.applyRollout, request));
    },
    async change(name, what) {
      const request = create(ChangeRolloutRequestSchema, { name, change: CHANGES[what] });
      return rolloutOf(await connection.unary(ADMIN_METHODS.changeRollout, request));
    },
    async history(name) {
      const request = create(RolloutHistoryRequestSchema, { name });
      const { documents } = await connection.unary(ADMIN_METHODS.rolloutHistory, request);
      return documents.map((text) => JSON.parse(text) as RolloutDocument);
    },
    async state() {
      for await (const state of watch(false, new AbortController().signal)) return state;
      throw new AdminError('C042', 'the control plane ended before it had told all');
    },
    watch: (signal) => watch(true, signal),
    async *events({ node = '', verdict = '', workload = '' }, signal) {
      const request = create(FollowEventsRequestSchema, {
        ...{ node, filter: { wanted: true, verdict, workload } },
      });
      for await (const { records } of connection.stream(
        ADMIN_METHODS.followEvents,
        request,
        signal,
      )) {
        for (const text of records) yield JSON.parse(text) as EventRecord;
      }
    },
    close: async () => connection.close(),
  };
}
