/**
 * Keys: Ed25519, and ECDSA on P-256 and P-384, in PEM. A public key is known by its id, the SHA-256
 * of its SubjectPublicKeyInfo, which signatures carry as their hint.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { TrustError } from './trust-error.js';

export type KeyKind = 'ed25519' | 'ecdsa-p256' | 'ecdsa-p384';
export const KEY_KINDS: readonly KeyKind[] = ['ed25519', 'ecdsa-p256', 'ecdsa-p384'];

/** A PEM key has a few hundred bytes; more is no key. */
export const MAX_KEY_BYTES = 16384;

const CURVE = { 'ecdsa-p256': 'P-256', 'ecdsa-p384': 'P-384' } as const;
const KIND_OF_CURVE: Readonly<Record<string, KeyKind>> = {
  prime256v1: 'ecdsa-p256',
  secp384r1: 'ecdsa-p384',
};

/** What kind a key is; null for one that signs nothing here. */
export function kindOf(key: KeyObject): KeyKind | null {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  if (key.asymmetricKeyType !== 'ec') return null;
  return KIND_OF_CURVE[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? null;
}

function checked(key: KeyObject): KeyObject {
  if (kindOf(key) !== null) return key;
  throw new TrustError('V111', `a key of kind \`${key.asymmetricKeyType}\` signs no bundles`);
}

function read(make: () => KeyObject, what: string): KeyObject {
  try {
    return checked(make());
  } catch (cause) {
    if (cause instanceof TrustError) throw cause;
    throw new TrustError('V111', `this is no ${what} key in PEM`, { cause });
  }
}

/** A public key from its PEM text. Throws TrustError V111, also on a private key. */
export function readPublicKey(pem: string): KeyObject {
  return read(() => {
    // Node derives the public half of a private key; whoever pins one has mixed up the files.
    if (pem.length > MAX_KEY_BYTES || !pem.includes('-----BEGIN PUBLIC KEY-----')) {
      throw new Error('not a public key');
    }
    return createPublicKey({ key: pem, format: 'pem' });
  }, 'public');
}

/** What Node says of an encrypted key where it has no passphrase; which of them, OpenSSL decides. */
const NO_PASSPHRASE = ['ERR_MISSING_PASSPHRASE', 'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED'];

/** Whether a text is a whole key that wants a passphrase: a wrong one is told in many ways, none in few. */
function isEncrypted(pem: string): boolean {
  try {
    createPrivateKey({ key: pem, format: 'pem' });
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && NO_PASSPHRASE.includes(String(error.code));
  }
}

/** A private key from its PEM text; `passphrase` where it is encrypted. Throws TrustError V111 and V115. */
export function readPrivateKey(pem: string, passphrase: string | null): KeyObject {
  return read(() => {
    if (pem.length > MAX_KEY_BYTES) throw new Error('not a private key');
    const secret = passphrase === null ? {} : { passphrase };
    try {
      return createPrivateKey({ key: pem, format: 'pem', ...secret });
    } catch (cause) {
      if (!isEncrypted(pem)) throw cause;
      const why = passphrase === null ? 'no passphrase is given' : 'the passphrase is wrong';
      throw new TrustError('V115', `the key is encrypted, and ${why}`, { cause });
    }
  }, 'private');
}

/** The id of a key: SHA-256 of the public half, in hex. */
export function keyId(key: KeyObject): string {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(half.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** The public half of a private key, in PEM. */
export function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
}

/** Makes a key pair; the private half encrypted where a passphrase is given. */
export function generateKeys(
  kind: KeyKind,
  passphrase: string | null,
): { readonly privatePem: string; readonly publicPem: string; readonly id: string } {
  const { privateKey } =
    kind === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: CURVE[kind] });
  const secret = passphrase === null ? {} : { cipher: 'aes-256-cbc', passphrase };
  const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem', ...secret }).toString();
  return { privatePem, publicPem: publicPem(privateKey), id: keyId(privateKey) };
}
