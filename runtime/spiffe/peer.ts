/** Who is at the other end of a call. */
import { X509Certificate } from 'node:crypto';
import { certificateId } from './certificate-id.js';
import type { SpiffeId } from './spiffe-id.js';

export interface Peer {
  readonly id: SpiffeId;
  /** When its certificate ends, in milliseconds since the epoch. */
  readonly notAfter: number;
}

/** What a gRPC call tells of its connection. */
export interface Authenticated {
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw: Buffer } } | null;
}

/** The peer of a call; null where it showed no certificate that the authorities vouch for, or one without an identity. */
export function peerOf(call: Authenticated): Peer | null {
  const raw = call.getAuthContext()?.sslPeerCertificate?.raw;
  if (raw === undefined) return null;
  const certificate = new X509Certificate(raw);
  const id = certificateId(certificate);
  return id === null ? null : { id, notAfter: Date.parse(certificate.validTo) };
}
