/** Why a configure phase stopped, in the words of the policy's author. */
import { type Diagnostic, diagnostic, type Position } from '../diagnostic/index.js';
import { CODES } from './codes.js';
import { callOfImport, foreignHelp } from './foreign-calls.js';
import type { SnapshotError } from './snapshot-error.js';
import type { ForeignCall } from './types.js';

/** What the author wrote that calls an import; the rest is told by the import's own name. */
const WRITTEN: Readonly<Record<string, string>> = {
  random: 'split',
  destination_port: 'connection.destination.port',
  protocol: 'connection.protocol',
  family: 'connection.family',
  now: 'connection.now',
  address_word: 'address',
  attribute: 'an attribute of a connection',
  label: 'label',
  symbol: 'is',
  text_starts_with: 'startsWith',
  text_ends_with: 'endsWith',
  text_contains: 'contains',
  table_get: 'Table.get',
  table_has: 'Table.has',
  key_get: 'KeyTable.get',
  key_has: 'KeyTable.has',
  rules_get: 'RuleList.get',
  rules_has: 'RuleList.has',
  cidr_contains: 'CidrSet.contains',
  ports_contain: 'PortSet.contains',
};

export type Locate = (offset: number) => Position | null;

/** Where the policy itself was, not the library code that it called. */
function position(error: SnapshotError, file: string, locate: Locate): Position {
  const { file: thrown, line, column } = error.detail;
  if (thrown != null && line != null && !thrown.startsWith('~lib/')) {
    return { file: thrown, line, column: column ?? 1 };
  }
  for (const offset of error.detail.frames ?? []) {
    const at = locate(offset);
    if (at !== null) return at;
  }
  return { file, line: 1, column: 1 };
}

/** Turns a failed configure phase into a finding. */
export function explainSnapshotError(
  error: SnapshotError,
  file: string,
  locate: Locate,
  foreign: readonly ForeignCall[] = [],
): Diagnostic {
  const { reason, subject } = error.detail;
  const at = position(error, file, locate);
  const make = (code: string, message: string): Diagnostic =>
    diagnostic(code, message, { at, help: CODES[code]?.help ?? null });
  if (reason === 'import') {
    const call = callOfImport(subject ?? '', foreign);
    if (call !== null) {
      const { name } = call;
      const message = `the top level of the policy stopped: there is no \`${name}\``;
      return diagnostic('P111', message, { at: call.at, help: foreignHelp(name) });
    }
    const written = WRITTEN[subject ?? ''] ?? subject ?? 'an import';
    return make(
      'P110',
      `\`${written}\` is decided per connection: call it inside a policy function`,
    );
  }
  if (reason === 'timeout') {
    return make('P112', `the top level of the policy did not end within ${subject} ms`);
  }
  return make('P111', `the top level of the policy stopped: ${error.message}`);
}
