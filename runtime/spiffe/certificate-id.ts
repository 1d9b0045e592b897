/** The identity in a certificate. Node writes a name that holds a comma in quotes, as JSON. */
import type { X509Certificate } from 'node:crypto';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.js';

const NAMES = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)/g;

/** Who the certificate names; null where it has no URI name, more than one, or none of ours. */
export function certificateId(certificate: X509Certificate): SpiffeId | null {
  const names = [...(certificate.subjectAltName ?? '').matchAll(NAMES)];
  const uris = names.filter(([, kind]) => kind === 'URI').map(([, , value = '']) => value);
  const [uri] = uris;
  return uri === undefined || uris.length > 1 ? null : parseSpiffeId(uri);
}
