/**
 * The members of an etcd cluster as one: a call goes to one of them, and on to the next where it does
 * not answer, until one does or the patience ends. A channel that failed is made anew, with the
 * certificates that then lie in the files.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { StoreError } from '../store-error.js';

/** Files, in PEM. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** How long one member may take to answer. */
const ATTEMPT_MS = 3000;
/** How long a call goes from member to member: longer than an election takes (etcd: one second). */
const PATIENCE_MS = 15_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** etcd closes connections that ping more often than each 5 s (`--grpc-keepalive-min-time`). */
const CHANNEL_OPTIONS: Readonly<Record<string, number>> = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  // A list is as large as what is stored; etcd bounds each value.
  'grpc.max_receive_message_length': -1,
};

/** Cancels a stream of a member that has lost its leader, instead of letting it fall silent. */
export function requireLeader(): Metadata {
  const metadata = new Metadata();
  metadata.set('hasleader', 'true');
  return metadata;
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

/** True where another member, or the same one later, may answer. */
export function isPassing(error: unknown): boolean {
  return (
    isServiceError(error) &&
    [
      status.UNAVAILABLE,
      status.DEADLINE_EXCEEDED,
      status.INTERNAL,
      status.CANCELLED,
      status.UNKNOWN,
    ].includes(error.code)
  );
}

/** What a failed call is to the user of the store. */
export function faultOf(error: unknown): StoreError {
  const cause = error;
  const text = isServiceError(error) ? error.details : String(error);
  const message = `etcd: ${text}`;
  if (isServiceError(error)) {
    if (error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED)
      return new StoreError('D108', message, { cause });
    if (error.code === status.RESOURCE_EXHAUSTED) return new StoreError('D106', message, { cause });
  }
  if (/certificate|tls|ssl|alert/i.test(text)) return new StoreError('D108', message, { cause });
  return new StoreError('D107', message, { cause });
}

function credentialsFor(scheme: string, files: TlsFiles): ChannelCredentials {
  if (scheme === 'http:') return credentials.createInsecure();
  const read = (path: string | undefined): Buffer | null =>
    path === undefined ? null : readFileSync(path);
  try {
    return credentials.createSsl(read(files.ca), read(files.key), read(files.cert));
  } catch (cause) {
    throw new StoreError('D108', `etcd: ${String(cause)}`, { cause });
  }
}

export class Endpoints {
  readonly #urls: readonly URL[];
  readonly #files: TlsFiles;
  readonly #patience: number;
  #turn = 0;
  #client: Client | null = null;

  /** `urls`: `https://HOST:PORT`, or `http:` on this machine. */
  constructor(urls: readonly URL[], files: TlsFiles, patience: number = PATIENCE_MS) {
    this.#urls = urls;
    this.#files = files;
    this.#patience = patience;
    // Several control planes do not all begin with the same member.
    this.#turn = Math.floor(Math.random() * urls.length);
  }

  /** The channel to the member whose turn it is. */
  client(): Client {
    if (this.#client === null) {
      const url = this.#urls[this.#turn % this.#urls.length] ?? new URL('http://127.0.0.1:2379');
      const options = { ...CHANNEL_OPTIONS };
      this.#client = new Client(url.host, credentialsFor(url.protocol, this.#files), options);
    }
    return this.#client;
  }

  /** Goes on to the next member, where nobody did meanwhile. Calls under way on `failed` end by themselves. */
  next(failed: Client): void {
    if (this.#client !== failed) return;
    this.#client = null;
    this.#turn += 1;
    failed.close();
  }

  /**
   * One answer. `onDoubt` is told when a call may have been carried out without an answer. Throws the
   * service's error where another member would not answer otherwise, StoreError when patience ends.
   */
  async call<I, O>(
    method: MethodDefinition<I, O>,
    request: I,
    onDoubt: () => void = () => undefined,
  ): Promise<O> {
    const until = performance.now() + this.#patience;
    for (let turn = 0; ; turn += 1) {
      const client = this.client();
      try {
        return await unary(client, method, request);
      } catch (error) {
        if (!isPassing(error)) throw error;
        onDoubt();
        this.next(client);
        if (performance.now() >= until) throw faultOf(error);
        await pause(turn);
      }
    }
  }

  close(): void {
    this.#client?.close();
    this.#client = null;
  }
}

/** What the store asks of them. */
export type Members = Pick<Endpoints, 'call' | 'client' | 'next' | 'close'>;

/** Waits before the next try: longer each time, and not all at once. */
export async function pause(turn: number, signal?: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(turn, 10));
  const ms = longest * (0.5 + Math.random() / 2);
  await wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

function unary<I, O>(client: Client, method: MethodDefinition<I, O>, request: I): Promise<O> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new Metadata(),
      { deadline: Date.now() + ATTEMPT_MS },
      (error, answer) => {
        if (error !== null) reject(error);
        else if (answer === undefined) reject(new Error('no answer'));
        else resolve(answer);
      },
    );
  });
}
