export { CODES as TRUST_CODES } from './codes.js';
export {
  generateKeys,
  KEY_KINDS,
  type KeyKind,
  keyId,
  MAX_KEY_BYTES,
  readPrivateKey,
  readPublicKey,
} from './keys.js';
export { type PolicyRead, readTrustPolicy, type TrustedKey, type TrustPolicy } from './policy.js';
export { readTrustFile } from './read-trust-file.js';
export { isRefusedError, RefusedError } from './refused-error.js';
export { signStatement } from './sign.js';
export { signatureFile, signatureLines, signaturesBeside } from './signature-file.js';
export { readTime, type Statement } from './statement.js';
export { TrustError } from './trust-error.js';
export {
  MAX_SIGNATURES,
  type Signer,
  type Verification,
  type Verified,
  verifyBundle,
} from './verify-bundle.js';
export { MAX_SIGNATURE_BYTES, readSignature } from './verify-signature.js';
