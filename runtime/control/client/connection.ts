/** A connection to one of several control planes, as promises and iterables. */
import {
  Client,
  type ClientReadableStream,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import type { AdminPlace } from '../../rollout/index.js';
import { channelCredentials, outOfTime, readKeyPair } from '../../spiffe/index.js';
import { MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES } from '../wire/index.js';
import { AdminError, adminError } from './admin-error.js';
import { connectFault } from './connect-fault.js';

/** Who does not answer a connection in so long is passed over, in milliseconds. */
const CONNECT_MS = 5_000;
/** An answer that takes longer is none, in milliseconds: a bundle of 16 MiB passes in less. */
const ANSWER_MS = 60_000;

export interface Connection {
  unary<I, O>(method: MethodDefinition<I, O>, request: I): Promise<O>;
  /** Sends all of `requests`, then takes the one answer. */
  upload<I, O>(method: MethodDefinition<I, O>, requests: Iterable<I>): Promise<O>;
  /** Messages until the stream ends or the signal aborts. */
  stream<I, O>(method: MethodDefinition<I, O>, request: I, signal: AbortSignal): AsyncIterable<O>;
  close(): void;
}

/** True once a connection stands; false where none does in time. */
function isReady(client: Client): Promise<boolean> {
  return new Promise((resolve) => {
    client.waitForReady(Date.now() + CONNECT_MS, (error) => resolve(error === undefined));
  });
}

/** Opens one when it is first needed. Throws IdentityError where the operator's files are no pair. */
export function openConnection(place: AdminPlace): Connection {
  const pair = readKeyPair(place);
  const credentials = channelCredentials(pair);
  let open: Promise<{ client: Client; address: string }> | null = null;

  async function connect(): Promise<{ client: Client; address: string }> {
    const faults: string[] = [];
    for (const address of place.control) {
      const client = new Client(address, credentials, {
        'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
        'grpc.max_send_message_length': MAX_REQUEST_BYTES,
        // Known by its identity: the host's name, often an address, is nothing that TLS should carry.
        'grpc.ssl_target_name_override': 'weft-control',
        'grpc.enable_http_proxy': 0,
        'grpc.enable_channelz': 0,
      });
      if (await isReady(client)) return { client, address };
      const none = `no answer in ${CONNECT_MS / 1000} s`;
      faults.push(`${address}: ${await connectFault(client, none)}`);
      client.close();
    }
    const late = outOfTime(pair, Date.now());
    if (late !== null) faults.push(late);
    throw new AdminError('C040', `no control plane answers: ${faults.join('; ')}`);
  }

  async function connected(): Promise<{ client: Client; address: string }> {
    open ??= connect();
    try {
      return await open;
    } catch (error) {
      open = null;
      throw error;
    }
  }

  /** One call that ends with one answer. */
  async function answered<O>(
    start: (client: Client, done: (error: ServiceError | null, value?: O) => void) => void,
  ): Promise<O> {
    const { client, address } = await connected();
    return new Promise((resolve, reject) => {
      start(client, (error, value) => {
        if (error !== null || value === undefined) reject(adminError(error ?? {}, address));
        else resolve(value);
      });
    });
  }

  const options = (): { deadline: number } => ({ deadline: Date.now() + ANSWER_MS });
  return {
    unary: ({ path, requestSerialize, responseDeserialize }, request) =>
      answered((client, done) => {
        const metadata = new Metadata();
        client.makeUnaryRequest(
          ...([path, requestSerialize, responseDeserialize] as const),
          ...([request, metadata, options(), done] as const),
        );
      }),
    upload: ({ path, requestSerialize, responseDeserialize }, requests) =>
      answered((client, done) => {
        const call = client.makeClientStreamRequest(
          ...([path, requestSerialize, responseDeserialize] as const),
          ...([new Metadata(), options(), done] as const),
        );
        for (const request of requests) call.write(request);
        call.end();
      }),
    async *stream({ path, requestSerialize, responseDeserialize }, request, signal) {
      const { client, address } = await connected();
      if (signal.aborted) return;
      const call: ClientReadableStream<never> = client.makeServerStreamRequest(
        ...([path, requestSerialize, responseDeserialize as never, request] as const),
      );
      const stop = (): void => call.cancel();
      signal.addEventListener('abort', stop, { once: true });
      try {
        yield* call;
      } catch (error) {
        if (!signal.aborted) throw adminError(error as Partial<ServiceError>, address);
      } finally {
        signal.removeEventListener('abort', stop);
        call.cancel();
      }
    },
    close() {
      void open?.then(
        ({ client }) => client.close(),
        () => {},
      );
      open = null;
    },
  };
}
