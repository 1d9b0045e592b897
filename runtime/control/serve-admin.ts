/** What operators ask: bundles in, rollouts begun and changed, and what there is to see. */
import {
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { decodeBundle } from '../../compiler/bundle/index.js';
import { type Diagnostic, messageOf } from '../../compiler/diagnostic/index.js';
import { printSpiffeId } from '../spiffe/index.js';
import type { Store } from '../store/index.js';
import { type Admit, isRefused, type LongCall } from './admit.js';
import { putBundle } from './bundles.js';
import type { EventDesk } from './event-desk.js';
import type { Rollouts } from './rollouts.js';
import { type StateOptions, watchState } from './watch-state.js';
import {
  type ApplyRolloutRequest,
  type ChangeRolloutRequest,
  ChangeRolloutRequest_Change,
  type Changes,
  create,
  type Documents,
  DocumentsSchema,
  type Events,
  type FollowEventsRequest,
  MAX_RESOURCE_BYTES,
  type PutBundleRequest,
  type PutBundleResponse,
  PutBundleResponseSchema,
  type RolloutHistoryRequest,
  type RolloutResponse,
  RolloutResponseSchema,
  type WatchRequest,
} from './wire/index.js';

export interface AdminService {
  putBundle(
    call: ServerReadableStream<PutBundleRequest, PutBundleResponse>,
    done: sendUnaryData<PutBundleResponse>,
  ): void;
  applyRollout(
    call: ServerUnaryCall<ApplyRolloutRequest, RolloutResponse>,
    done: sendUnaryData<RolloutResponse>,
  ): void;
  changeRollout(
    call: ServerUnaryCall<ChangeRolloutRequest, RolloutResponse>,
    done: sendUnaryData<RolloutResponse>,
  ): void;
  rolloutHistory(
    call: ServerUnaryCall<RolloutHistoryRequest, Documents>,
    done: sendUnaryData<Documents>,
  ): void;
  watch(call: ServerWritableStream<WatchRequest, Changes>): void;
  followEvents(call: ServerWritableStream<FollowEventsRequest, Events>): void;
}

export interface AdminOptions extends StateOptions {
  readonly admit: Admit;
  readonly rollouts: Rollouts;
  readonly events: EventDesk;
}

const CHANGES = {
  [ChangeRolloutRequest_Change.PAUSE]: 'pause',
  [ChangeRolloutRequest_Change.RESUME]: 'resume',
  [ChangeRolloutRequest_Change.UNDO]: 'undo',
} as const;

function findingsOf(error: unknown): readonly Diagnostic[] | null {
  if (typeof error !== 'object' || error === null) return null;
  const value: unknown = Reflect.get(error, 'diagnostics');
  return Array.isArray(value) ? value : null;
}

/** A fault as the status of a call: our own codes travel in front of the message. */
function faultOf(error: unknown): { code: status; details: string } {
  const message = messageOf(error);
  const code =
    error instanceof Error && 'code' in error && /^[A-Z]\d{3}$/.test(String(error.code))
      ? `${String(error.code)} `
      : '';
  return { code: status.INTERNAL, details: `${code}${message}` };
}

/** Rollouts answer with a document, or with findings: those are an answer too. */
function answer(
  making: Promise<{ readonly name: string }>,
  done: sendUnaryData<RolloutResponse>,
): void {
  making.then(
    (document) =>
      done(
        null,
        create(RolloutResponseSchema, {
          answer: { case: 'rollout', value: JSON.stringify(document) },
        }),
      ),
    (error: unknown) => {
      const findings = findingsOf(error);
      if (findings === null) return done(faultOf(error));
      const diagnostics = findings.map((d) => JSON.stringify(d));
      const refused = { case: 'refused', value: { diagnostics } } as const;
      done(null, create(RolloutResponseSchema, { answer: refused }));
    },
  );
}

/** Keeps what came; refuses what is no whole bundle. */
async function keep(
  store: Store,
  bundle: Uint8Array,
  signatures: Uint8Array | null,
): Promise<PutBundleResponse> {
  const decoded = decodeBundle(bundle);
  if (!decoded.ok) {
    const [first] = decoded.diagnostics;
    throw Object.assign(new Error(first?.message ?? 'no bundle'), { code: first?.code });
  }
  const { digest } = decoded;
  const { name } = decoded.bundle.manifest;
  await putBundle(store, digest, { name, bundle, signatures });
  return create(PutBundleResponseSchema, { digest, name });
}

/** The service, by the names of its methods. */
export function createAdmin(options: AdminOptions): AdminService {
  const { admit, store, rollouts, events } = options;

  /** The caller's identity as history shows it; null where the call was refused, and `done` was told. */
  function operator<T>(call: Parameters<Admit['call']>[0], done: sendUnaryData<T>): string | null {
    const peer = admit.call(call, 'operator');
    if (!isRefused(peer)) return printSpiffeId(peer.id);
    done(peer);
    return null;
  }

  return {
    putBundle(call, done) {
      if (operator(call, done) === null) return;
      const parts: { bundle: Uint8Array[]; signatures: Uint8Array[] } = {
        bundle: [],
        signatures: [],
      };
      let bytes = 0;
      call.on('data', ({ part }: PutBundleRequest) => {
        if (part.case === undefined || bytes > MAX_RESOURCE_BYTES) return;
        bytes += part.value.length;
        parts[part.case].push(part.value);
      });
      call.on('end', () => {
        if (bytes > MAX_RESOURCE_BYTES) {
          const details = `C020 a bundle and its signatures are at most ${MAX_RESOURCE_BYTES} bytes`;
          return done({ code: status.RESOURCE_EXHAUSTED, details });
        }
        const signatures = parts.signatures.length === 0 ? null : Buffer.concat(parts.signatures);
        keep(store, Buffer.concat(parts.bundle), signatures).then(
          (response) => done(null, response),
          (error: unknown) => done(faultOf(error)),
        );
      });
    },
    applyRollout(call, done) {
      const by = operator(call, done);
      if (by === null) return;
      const { name, digest, plan } = call.request;
      answer(rollouts.apply({ name, digest, plan }, by), done);
    },
    changeRollout(call, done) {
      const by = operator(call, done);
      if (by === null) return;
      const { name, change } = call.request;
      const what = Object.entries(CHANGES).find(([n]) => Number(n) === change)?.[1];
      if (what === undefined) {
        return done({ code: status.INVALID_ARGUMENT, details: 'pause, resume or undo?' });
      }
      answer(rollouts.change(name, what, by), done);
    },
    rolloutHistory(call, done) {
      if (operator(call, done) === null) return;
      rollouts.history(call.request.name).then(
        (documents) =>
          done(
            null,
            create(DocumentsSchema, { documents: documents.map((d) => JSON.stringify(d)) }),
          ),
        (error: unknown) => done(faultOf(error)),
      );
    },
    watch(call) {
      if (admit.stream(call as LongCall, 'operator') === null) return;
      watchState(options, call).catch((error: unknown) => call.emit('error', faultOf(error)));
    },
    followEvents(call) {
      if (admit.stream(call as LongCall, 'operator') === null) return;
      const { node, filter } = call.request;
      if (filter === undefined) {
        call.emit('error', { code: status.INVALID_ARGUMENT, details: 'which events?' });
        return;
      }
      // A reader that is behind loses events; each loss is in the next message.
      let isFull = false;
      let lost = 0;
      const leave = events.watch({
        ...{ node, filter },
        take: (batch) => {
          if (isFull) {
            lost += batch.records.length + batch.lost;
            return;
          }
          isFull = !call.write({ ...batch, lost: batch.lost + lost });
          lost = 0;
        },
      });
      call.on('drain', () => {
        isFull = false;
      });
      call.on('close', leave);
      call.on('cancelled', leave);
    },
  };
}
