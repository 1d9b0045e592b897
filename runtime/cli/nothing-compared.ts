/** A comparison of traffic that compared nothing: it must not pass for one that found no difference. */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { RECORD_CODES } from '../record/index.js';

/** What to say of a file of so many records, of which so many were compared; null where some were, or there is none. */
export function nothingCompared(
  { records, compared }: { readonly records: number; readonly compared: number },
  file: string,
): Diagnostic | null {
  if (compared > 0 || records === 0) return null;
  const at = { file, line: 1, column: 1 };
  const message = `none of ${records} records could be compared`;
  return diagnostic('W410', message, {
    at,
    severity: 'warning',
    help: RECORD_CODES['W410']?.help ?? null,
  });
}
