/** Signatures of a bundle file: beside it, one a line. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { TrustError } from './trust-error.js';
import { MAX_SIGNATURES } from './verify-bundle.js';
import { MAX_SIGNATURE_BYTES } from './verify-signature.js';

/** Where they are. */
export function signatureFile(path: string): string {
  return `${path}.sigstore.jsonl`;
}

/** The lines of such a file. */
export function signatureLines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** The signatures of a bundle file; none where there is no such file. Throws TrustError V114 where it cannot be read. */
export function signaturesBeside(path: string): readonly string[] {
  const file = signatureFile(path);
  if (!existsSync(file)) return [];
  try {
    if (statSync(file).size > MAX_SIGNATURES * MAX_SIGNATURE_BYTES) throw new Error('too large');
    return signatureLines(readFileSync(file, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'too large';
    throw new TrustError('V114', `the signatures in \`${file}\` cannot be read: ${reason}`, {
      cause,
    });
  }
}
