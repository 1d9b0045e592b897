/** Signing: a statement in a DSSE envelope, as a sigstore bundle (version 0.3) with a key's id. */
import { type KeyObject, sign } from 'node:crypto';
import { bundleToJSON, toDSSEBundle } from '@sigstore/bundle';
import { keyId, kindOf } from './keys.js';
import { encodeStatement, PAYLOAD_TYPE, type Statement } from './statement.js';

/** The bytes that a DSSE signature covers. */
function authenticated(payload: Buffer): Buffer {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** Signs; answers with the signature as one line of JSON. */
export function signStatement(statement: Statement, key: KeyObject): string {
  const payload = encodeStatement(statement);
  // ECDSA signs a SHA-256, as sigstore's verifiers take it; Ed25519 hashes itself.
  const algorithm = kindOf(key) === 'ed25519' ? null : 'sha256';
  const bundle = toDSSEBundle({
    artifact: payload,
    artifactType: PAYLOAD_TYPE,
    signature: sign(algorithm, authenticated(payload), key),
    keyHint: keyId(key),
  });
  return JSON.stringify(bundleToJSON(bundle));
}
