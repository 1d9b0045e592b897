/**
 * Who may call what: a node's services are for nodes, an operator's for operators, all of this trust
 * domain, and a stream ends with the certificate that it was opened by.
 */
import { status } from '@grpc/grpc-js';
import {
  type Authenticated,
  type Kind,
  type Peer,
  peerOf,
  printSpiffeId,
} from '../spiffe/index.js';
import { beforeExpiry } from './expiry.js';
import type { Clock } from './wire/index.js';

/** A streaming call as the library hands it over. */
export interface LongCall extends Authenticated {
  on(event: 'close' | 'cancelled', listener: () => void): unknown;
  emit(event: 'error', error: Refused): boolean;
}

export interface Refused {
  readonly code: status;
  readonly details: string;
}

export interface Admit {
  /** The peer of a short call, or why it is not served. */
  call(call: Authenticated, kind: Kind): Peer | Refused;
  /** The peer of a stream; null where it was not let in, and has been told. */
  stream(call: LongCall, kind: Kind): Peer | null;
  /** Ends every stream: their peers turn to another control plane. */
  close(): void;
}

export function isRefused(value: Peer | Refused): value is Refused {
  return 'details' in value;
}

/** Lets in peers of one trust domain. */
export function createAdmit(trustDomain: string, clock: Clock): Admit {
  function judge(call: Authenticated, kind: Kind): Peer | Refused {
    const peer = peerOf(call);
    if (peer === null) {
      return { code: status.UNAUTHENTICATED, details: 'the certificate names nobody of a mesh' };
    }
    const { id, notAfter } = peer;
    if (id.kind !== kind || id.trustDomain !== trustDomain) {
      const details = `${printSpiffeId(id)} is no ${kind} of ${trustDomain}`;
      return { code: status.PERMISSION_DENIED, details };
    }
    // A session that was resumed, or a connection that stood: TLS does not ask again.
    if (clock.now() >= notAfter) {
      return { code: status.UNAUTHENTICATED, details: 'the certificate has expired' };
    }
    return peer;
  }
  const streams = new Set<LongCall>();
  return {
    close() {
      for (const call of streams) {
        call.emit('error', { code: status.UNAVAILABLE, details: 'the control plane ends' });
      }
      streams.clear();
    },
    call: judge,
    stream(call, kind) {
      const peer = judge(call, kind);
      if (isRefused(peer)) {
        call.emit('error', peer);
        return null;
      }
      const leave = beforeExpiry(clock, peer.notAfter, () =>
        call.emit('error', { code: status.UNAUTHENTICATED, details: 'the certificate expires' }),
      );
      const forget = (): void => {
        leave();
        streams.delete(call);
      };
      streams.add(call);
      call.on('close', forget);
      call.on('cancelled', forget);
      return peer;
    },
  };
}
