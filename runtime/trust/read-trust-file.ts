/** A trust policy from its file, with the key files that it names. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MAX_KEY_BYTES } from './keys.js';
import { readTrustPolicy, type TrustPolicy } from './policy.js';
import { RefusedError } from './refused-error.js';
import { TrustError } from './trust-error.js';

/** Reads it. Throws TrustError V113 where the file cannot be read, RefusedError with what is wrong in it. */
export function readTrustFile(path: string, shown: string): TrustPolicy {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new TrustError('V113', `the trust policy \`${shown}\` cannot be read: ${reason}`, {
      cause,
    });
  }
  const readKey = (file: string): string | null => {
    try {
      const found = resolve(dirname(path), file);
      return statSync(found).size > MAX_KEY_BYTES ? null : readFileSync(found, 'utf8');
    } catch {
      return null;
    }
  };
  const { policy, diagnostics } = readTrustPolicy(text, shown, readKey);
  if (policy === null)
    throw new RefusedError(diagnostics, (file) => (file === shown ? text : null));
  return policy;
}
