/**
 * What tables and address sets mean, in the plainest code: the simulator answers with it, and tests
 * hold the compiled look-ups against it. The last value of a key counts.
 */
import type { SideName } from '../abi/index.js';
import type {
  CidrDeclaration,
  PortsDeclaration,
  Rule,
  RuleCriterion,
  TableDeclaration,
} from '../frontend/types.js';

export type Prefix = CidrDeclaration['prefixes'][number];

const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);
const MAPPED_BITS = 96;

/** Values of a table by key; text keys are given as their symbols. */
export function referenceTable(
  table: Pick<TableDeclaration, 'entries'>,
  symbolOf: (text: string) => number,
): ReadonlyMap<bigint, number> {
  return new Map(
    table.entries.map(({ key, value }) => [
      key.kind === 'text' ? BigInt(symbolOf(key.value)) : BigInt.asUintN(64, key.value),
      value >>> 0,
    ]),
  );
}

/** 4 for an IPv4-mapped address, else 6. */
export function familyOf(address: Uint8Array): 4 | 6 {
  return MAPPED.every((byte, i) => address[i] === byte) ? 4 : 6;
}

/** True where an address (16 bytes, IPv4 mapped) lies in a prefix of its own family. */
export function referenceContains(prefixes: readonly Prefix[], address: Uint8Array): boolean {
  const family = familyOf(address);
  return prefixes.some(
    (prefix) =>
      prefix.family === family &&
      startsWith(address, prefix.bytes, family === 4 ? MAPPED_BITS + prefix.length : prefix.length),
  );
}

/** True where a port lies in a range. */
export function referencePorts(ranges: PortsDeclaration['ranges'], port: number): boolean {
  return ranges.some(({ first, last }) => first <= port && port <= last);
}

/** What a rule list looks at. */
export interface RuleFacts {
  readonly address: Readonly<Record<SideName, Uint8Array>>;
  readonly port: number;
  readonly protocol: number;
  readonly kind: number;
  /** Null where an attribute is absent. */
  readonly textOf: (of: Extract<RuleCriterion, { readonly field: 'attribute' }>) => string | null;
}

/** Index of the first rule that holds; -1 where none does. */
export function referenceRule(rules: readonly Rule[], facts: RuleFacts): number {
  return rules.findIndex(({ criteria }) =>
    criteria.every((one) =>
      criteria.some((other) => partOf(other) === partOf(one) && holds(other, facts)),
    ),
  );
}

/** Criteria of one part are one of several. */
function partOf(criterion: RuleCriterion): string {
  if (criterion.field === 'address') return `${criterion.side} address`;
  if (criterion.field !== 'attribute') return criterion.field;
  return `${criterion.side} ${criterion.attribute} ${criterion.key ?? ''}`;
}

function holds(criterion: RuleCriterion, facts: RuleFacts): boolean {
  switch (criterion.field) {
    case 'address':
      return referenceContains([criterion.prefix], facts.address[criterion.side]);
    case 'port':
      return referencePorts([criterion], facts.port);
    case 'protocol':
    case 'kind':
      return facts[criterion.field] === criterion.value;
    case 'attribute':
      return facts.textOf(criterion) === criterion.text;
  }
}

function startsWith(address: Uint8Array, prefix: Uint8Array, bits: number): boolean {
  for (let i = 0; i < 16; i++) {
    const kept = Math.max(0, Math.min(8, bits - 8 * i));
    const mask = (0xff00 >> kept) & 0xff;
    if (((address[i] ?? 0) & mask) !== ((prefix[i] ?? 0) & mask)) return false;
  }
  return true;
}
