/** The tables and sets of a policy with their entries as texts: what a look-up can hit, in the order of the costs. */
import type { PartKind } from '../../compiler/abi/index.js';
import { type PolicyEntry, ruleText } from '../../compiler/index.js';
import { formatAddress, parseAddress } from '../discovery/index.js';

/** How a look-up finds a table again: its kind and its number among those of its kind. */
export type TableKind = 'table' | 'cidr' | 'ports' | 'keys' | 'rules' | 'patterns';

export interface DeclaredTable {
  readonly kind: TableKind;
  readonly index: number;
  readonly name: string;
  /** Each entry as it is told, and its value; a set has none. */
  readonly entries: readonly (readonly [text: string, value: number | null])[];
}

/** A range of ports as it is told. */
export function rangeText([first, last]: readonly [number, number]): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** Parts as one key. */
export function tupleText(parts: readonly string[]): string {
  return `(${parts.join(', ')})`;
}

/** A key of several parts as it is told: texts quoted, addresses in one spelling. */
export function keyText(parts: readonly string[], kinds: readonly PartKind[]): string {
  const texts = parts.map((part, i) => {
    if (kinds[i] === 'text') return JSON.stringify(part);
    const address = kinds[i] === 'address' ? parseAddress(part) : null;
    return address === null ? part : formatAddress(address.bytes);
  });
  return tupleText(texts);
}

/** Everything that a policy declared. */
export function declaredTables(entry: PolicyEntry): readonly DeclaredTable[] {
  const numbered = <T extends { readonly name: string }>(
    kind: TableKind,
    list: readonly T[],
    entries: (one: T) => DeclaredTable['entries'],
  ): DeclaredTable[] =>
    list.map((one, index) => ({ kind, index, name: one.name, entries: entries(one) }));
  return [
    ...numbered('table', entry.tables, (table) => table.entries),
    ...numbered('cidr', entry.cidrs, (set) => set.prefixes.map((text) => [text, null])),
    ...numbered('ports', entry.ports, (set) => set.ranges.map((r) => [rangeText(r), null])),
    ...numbered('keys', entry.keys, ({ entries, kinds }) =>
      entries.map(([parts, value]) => [keyText(parts, kinds), value]),
    ),
    ...numbered('rules', entry.rules, ({ rules }) =>
      rules.map((rule) => [ruleText(rule), rule.value]),
    ),
    ...numbered('patterns', entry.patterns, (table) => table.entries),
  ];
}
