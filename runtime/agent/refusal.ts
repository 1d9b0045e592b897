/** Why a bundle was not taken, in the words that go to whoever sent it: a code, a sentence, a place. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import { isVerifierError } from '../kernel/index.js';

export interface Refusal {
  readonly ok: false;
  /** A code of docs/errors.md, KERNEL_ and an errno's name, or an errno's name of the file system. */
  readonly code: string;
  readonly message: string;
  /** Line of a policy, as `policies/canary.ts:21`; null where it is about none. */
  readonly place: string | null;
}

function placeOf({
  file,
  line,
}: {
  readonly file?: unknown;
  readonly line?: unknown;
}): string | null {
  return typeof file === 'string' && typeof line === 'number' ? `${file}:${line}` : null;
}

function firstOf(error: Error): Diagnostic | null {
  const value: unknown = Reflect.get(error, 'diagnostics');
  const all = Array.isArray(value) ? (value as readonly Diagnostic[]) : [];
  return all.find((d) => d.severity === 'error') ?? null;
}

/** The refusal that an error is; null for a fault of ours, which is for nobody to answer. */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return null;
  if (error.code === 'BUG') return null;
  const found = firstOf(error);
  if (found !== null) {
    const { code, message } = found;
    return { ok: false, code, message, place: placeOf(found) };
  }
  const place = isVerifierError(error) && error.position !== null ? placeOf(error.position) : null;
  return { ok: false, code: error.code, message: error.message, place };
}
