/**
 * One connection to one control plane: a discovery stream and a report stream over it. It lives until
 * either ends; there is no second try here.
 */
import { Client, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  type Clock,
  create,
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DISCOVERY_METHODS,
  type FromNode,
  FromNodeSchema,
  MAX_RESPONSE_BYTES,
  NODE_BUNDLE_URL,
  REPORT_METHODS,
  type ToNode,
} from '../control/wire/index.js';
import { channelCredentials, type KeyPair } from '../spiffe/index.js';

/** Who does not answer a connection in so long is not there, in milliseconds. */
export const CONNECT_MS = 10_000;

/** How long a connection may be silent. */
export interface Patience {
  /** After so long it is asked for a sign of life, in milliseconds. */
  readonly askMs: number;
  /** And is given up where none came for so long. */
  readonly waitMs: number;
}

/** What a connection has unless told otherwise. */
export const PATIENCE: Patience = { askMs: 20_000, waitMs: 20_000 };

/**
 * What may be under way before it is read. An answer to a sign of life waits behind it: whoever gets less than this
 * in the time above (6.4 KiB/s) is given up in the middle of a bundle, again and again. A usual bundle passes without a pause.
 */
const WINDOW_BYTES = 128 * 1024;

export interface SessionOptions {
  readonly address: string;
  readonly pair: KeyPair;
  readonly clock: Clock;
  readonly patience: Patience;
  /** The first message: who this is, and what it has. */
  readonly hello: Pick<DeltaDiscoveryRequest, 'node' | 'initialResourceVersions'>;
  readonly onResponse: (session: Session, response: DeltaDiscoveryResponse) => void;
  readonly onWish: (session: Session, wish: ToNode) => void;
}

/** How a session ended, in words. */
export interface Ended {
  readonly reason: string;
}

export interface Session {
  readonly address: string;
  readonly pair: KeyPair;
  /** True once the control plane has let this node in; false where it ended before. */
  readonly established: Promise<boolean>;
  readonly done: Promise<Ended>;
  readonly isOpen: boolean;
  answer(request: Partial<Pick<DeltaDiscoveryRequest, 'responseNonce' | 'errorDetail'>>): void;
  /** False where the last message is still on its way: this one was not sent. */
  tell(message: FromNode['message']): boolean;
  close(): void;
}

function open<Request, Response>(
  client: Client,
  method: {
    readonly path: string;
    readonly requestSerialize: (request: Request) => Buffer;
    readonly responseDeserialize: (bytes: Buffer) => Response;
  },
): ClientDuplexStream<Request, Response> {
  const { path, requestSerialize, responseDeserialize } = method;
  return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
}

/** Opens one; what becomes of it, its promises tell. */
export function openSession(options: SessionOptions): Session {
  const { address, pair, clock, patience, hello, onResponse, onWish } = options;
  const client = new Client(address, channelCredentials(pair), {
    // A connection of its own, with the certificate of now.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
    'grpc-node.flow_control_window': WINDOW_BYTES,
    'grpc.keepalive_time_ms': patience.askMs,
    'grpc.keepalive_timeout_ms': patience.waitMs,
    // Known by its identity: the host's name, often an address, is nothing that TLS should carry.
    'grpc.ssl_target_name_override': 'weft-control',
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
  });
  let end: (ended: Ended) => void = () => {};
  let establish: (isEstablished: boolean) => void = () => {};
  const done = new Promise<Ended>((resolve) => {
    end = resolve;
  });
  const established = new Promise<boolean>((resolve) => {
    establish = resolve;
  });
  let isOpen = true;
  const discovery = open(client, DISCOVERY_METHODS.deltaAggregatedResources);
  const reports = open(client, REPORT_METHODS.report);
  const leaveConnecting = clock.after(CONNECT_MS, () =>
    finish(`no answer in ${CONNECT_MS / 1000} s`),
  );

  function finish(reason: string): void {
    if (!isOpen) return;
    isOpen = false;
    leaveConnecting();
    discovery.cancel();
    reports.cancel();
    client.close();
    establish(false);
    end({ reason });
  }

  for (const stream of [discovery, reports]) {
    stream.on('error', ({ details, message }: Partial<ServiceError>) => {
      finish(details !== undefined && details !== '' ? details : (message ?? 'it broke'));
    });
    stream.on('end', () => finish('the control plane ended it'));
  }
  discovery.on('metadata', () => {
    leaveConnecting();
    if (isOpen) establish(true);
  });
  const session: Session = {
    ...{ address, pair, established, done },
    get isOpen() {
      return isOpen;
    },
    answer(request) {
      if (!isOpen) return;
      discovery.write(
        create(DeltaDiscoveryRequestSchema, { typeUrl: NODE_BUNDLE_URL, ...request }),
      );
    },
    tell(message) {
      if (!isOpen || reports.writableNeedDrain) return false;
      reports.write(create(FromNodeSchema, { message }));
      return true;
    },
    close: () => finish('closed'),
  };
  discovery.on('data', (response: DeltaDiscoveryResponse) => onResponse(session, response));
  reports.on('data', (wish: ToNode) => onWish(session, wish));
  discovery.write(create(DeltaDiscoveryRequestSchema, { typeUrl: NODE_BUNDLE_URL, ...hello }));
  return session;
}
