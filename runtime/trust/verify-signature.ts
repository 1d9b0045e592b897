/**
 * One signature: what it says, and whether a key vouches for it. sigstore's own reader and verifier
 * do it, with keys that are known beforehand: no certificates, no transparency log, no clock.
 */
import type { KeyObject } from 'node:crypto';
import { bundleFromJSON, type Bundle as SigstoreBundle } from '@sigstore/bundle';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { decodeStatement, PAYLOAD_TYPE, type Statement } from './statement.js';

/** Bytes of one signature; a statement and a signature have about 1,500. */
export const MAX_SIGNATURE_BYTES = 65536;

export interface Signature {
  /** The id of the key that is said to have signed. */
  readonly hint: string;
  readonly statement: Statement;
  /** Whether this key signed the statement. */
  isBy(key: KeyObject): boolean;
}

/** Reads a signature; null where it is no sigstore bundle with a statement about a bundle. */
export function readSignature(text: string): Signature | null {
  if (text.length > MAX_SIGNATURE_BYTES) return null;
  let bundle: SigstoreBundle;
  try {
    bundle = bundleFromJSON(JSON.parse(text));
  } catch {
    return null; // whatever the reader of another's format throws, it is no signature
  }
  const { content, verificationMaterial } = bundle;
  if (content.$case !== 'dsseEnvelope' || verificationMaterial.content.$case !== 'publicKey') {
    return null;
  }
  const { payload, payloadType } = content.dsseEnvelope;
  const statement = payloadType === PAYLOAD_TYPE ? decodeStatement(payload) : null;
  if (statement === null) return null;
  const { hint } = verificationMaterial.content.publicKey;
  return { hint, statement, isBy: (key) => isSignedBy(bundle, key) };
}

function isSignedBy(bundle: SigstoreBundle, key: KeyObject): boolean {
  const material = {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    // When a key counts is for the trust policy to say.
    publicKey: () => ({ publicKey: key, validFor: () => true }),
  };
  const thresholds = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
  // What a log says of the signature is neither asked for nor believed.
  const entity = { ...toSignedEntity(bundle), tlogEntries: [], timestamps: [] };
  try {
    new Verifier(material, thresholds).verify(entity);
    return true;
  } catch {
    return false;
  }
}
