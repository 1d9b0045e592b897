/** An etcd cluster of which only the answers are there: bytes, as they would come off the wire. */
import { Readable } from 'node:stream';
import { status } from '@grpc/grpc-js';
import type { Members } from '../../runtime/store/etcd/endpoints.js';
import { EtcdStore } from '../../runtime/store/etcd/etcd-store.js';

/** As gRPC tells that an answer is none. */
function unreadable(): Error {
  const details = 'Response message parsing error';
  return Object.assign(new Error(details), { code: status.INTERNAL, details, metadata: {} });
}

function decode<T>(read: (bytes: Buffer) => T, bytes: Uint8Array): T {
  try {
    return read(Buffer.from(bytes));
  } catch {
    throw unreadable();
  }
}

/** A stream of one answer. */
function streamOf<T>(read: (bytes: Buffer) => T, bytes: Uint8Array): unknown {
  const answers = (async function* () {
    yield decode(read, bytes);
  })();
  return Object.assign(Readable.from(answers), { write: () => true, cancel: () => {} });
}

/** A store whose every answer is this; the outcome of each call is in doubt. */
export function storeOfAnswer(bytes: Uint8Array): EtcdStore {
  // INVARIANT: of a member's client only streams are opened here, of a call only its answer is read.
  const members = {
    call: async (
      method: { responseDeserialize(b: Buffer): unknown },
      _: unknown,
      doubt?: () => void,
    ) => {
      doubt?.();
      return decode((b) => method.responseDeserialize(b), bytes);
    },
    client: () => ({
      makeBidiStreamRequest: (_: string, __: unknown, read: (b: Buffer) => unknown) =>
        streamOf(read, bytes),
    }),
    next: () => {},
    close: () => {},
  } as unknown as Members;
  return new EtcdStore(members);
}
