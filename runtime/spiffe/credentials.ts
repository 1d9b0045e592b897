/**
 * Identities as gRPC takes them: both sides show a certificate and check the other's against the same
 * authorities. A server's new pair is for new connections; those that are open go on.
 */
import { X509Certificate } from 'node:crypto';
import { ChannelCredentials, experimental, type ServerCredentials } from '@grpc/grpc-js';
import { certificateId } from './certificate-id.js';
import type { KeyPair } from './key-pair.js';
import { printSpiffeId, type SpiffeId } from './spiffe-id.js';
import type { WatchedKeys } from './watch-keys.js';

/** Credentials of a server that follow the key files; who shows no certificate of the authorities gets no connection. */
export function serverCredentials(keys: WatchedKeys): ServerCredentials {
  type CaListener = experimental.CaCertificateUpdateListener;
  type IdentityListener = experimental.IdentityCertificateUpdateListener;
  const cas = new Set<CaListener>();
  const identities = new Set<IdentityListener>();
  const tellCa = (listener: CaListener): void => {
    if (cas.has(listener)) listener({ caCertificate: keys.current.ca });
  };
  const tellIdentity = (listener: IdentityListener): void => {
    const { cert, key } = keys.current;
    if (identities.has(listener)) listener({ certificate: cert, privateKey: key });
  };
  keys.onChange(() => {
    for (const listener of [...cas]) tellCa(listener);
    for (const listener of [...identities]) tellIdentity(listener);
  });
  // Told behind the call: the server does not listen to an update that comes while it subscribes.
  const provider: experimental.CertificateProvider = {
    addCaCertificateListener: (listener) => {
      cas.add(listener);
      queueMicrotask(() => tellCa(listener));
    },
    removeCaCertificateListener: (listener) => {
      cas.delete(listener);
    },
    addIdentityCertificateListener: (listener) => {
      identities.add(listener);
      queueMicrotask(() => tellIdentity(listener));
    },
    removeIdentityCertificateListener: (listener) => {
      identities.delete(listener);
    },
  };
  return experimental.createCertificateProviderServerCredentials(provider, provider, true);
}

/** Why a server is none that this side talks with; undefined where it is a control plane of the same domain. */
function wrongServer(own: SpiffeId, raw: Buffer): Error | undefined {
  const id = certificateId(new X509Certificate(raw));
  if (id !== null && id.kind === 'control' && id.trustDomain === own.trustDomain) return undefined;
  const who = id === null ? 'nobody of a mesh' : printSpiffeId(id);
  return new Error(`the server is ${who}, not a control plane of ${own.trustDomain}`);
}

/** Credentials of a client: its pair as it is now. The server is known by its identity, not by its host's name. */
export function channelCredentials(pair: KeyPair): ChannelCredentials {
  return ChannelCredentials.createSsl(pair.ca, pair.key, pair.cert, {
    checkServerIdentity: (_host, certificate) => wrongServer(pair.id, certificate.raw),
  });
}
