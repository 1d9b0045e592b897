/** The tables of a bundle to look at: what was declared beside what it became. */
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { declaredTables } from '../explain/index.js';
import type { TableAnswer } from './types.js';

/** So many entries of a table are shown; a generated one has very many. */
const SHOWN_ENTRIES = 200;

export function describeTables({ policies, cost }: Manifest): readonly TableAnswer[] {
  const declared = policies.flatMap((policy) => declaredTables(policy));
  return cost.tables.map(({ policy, name, kind, form, bytes, entries }, i) => ({
    ...{ policy, name, kind, form, bytes, entries },
    // Both lists go by policy, kind and number.
    rows: (declared[i]?.entries ?? [])
      .slice(0, SHOWN_ENTRIES)
      .map(([text, value]) => [text, value === null ? '' : String(value)]),
  }));
}
