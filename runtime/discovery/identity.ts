/**
 * What a policy can know of a workload: the texts of its attributes, interned to symbols, and one
 * bit for each text predicate of the bundle. Both engines read the same numbers.
 */
import {
  ATTRIBUTE_SLOTS,
  type AttributeName,
  FIRST_SYMBOL,
  type PredicateBit,
  type SideName,
  SYMBOL_ABSENT,
  SYMBOL_EMPTY,
} from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import type { Workload } from './types.js';

/** Numbers of texts: the bundle's own first, then new ones in the order in which they are met. */
export interface SymbolTable {
  /** Symbol of a text; a text that was never met gets the next number. */
  readonly intern: (text: string) => number;
  /** Symbol of a text that was met, else null. */
  readonly find: (text: string) => number | null;
  /** Texts beyond the bundle's own, in order of their symbols. */
  readonly added: readonly string[];
}

/** Makes a table that starts with the bundle's symbols. */
export function symbolTable(symbols: readonly string[]): SymbolTable {
  const numbers = new Map<string, number>([['', SYMBOL_EMPTY]]);
  for (const [index, text] of symbols.entries()) numbers.set(text, FIRST_SYMBOL + index);
  const added: string[] = [];
  const intern = (text: string): number => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    const symbol = FIRST_SYMBOL + symbols.length + added.length;
    numbers.set(text, symbol);
    added.push(text);
    return symbol;
  };
  return { intern, find: (text) => numbers.get(text) ?? null, added };
}

/** SPIFFE identity without its scheme, as Istio shapes it; null without a service account. */
export function principalOf(workload: Workload): string | null {
  if (workload.serviceAccount === null) return null;
  return `${workload.trustDomain}/ns/${workload.namespace}/sa/${workload.serviceAccount}`;
}

/**
 * Text of an attribute of a workload; null where absent. With trust `none` nothing vouches for the
 * identity of a source, so its principal and trust domain are absent.
 */
export function attributeText(
  workload: Workload,
  side: SideName,
  attribute: AttributeName | 'label',
  options: { readonly key: string | null; readonly trust: Manifest['trust'] },
): string | null {
  const unproven = side === 'source' && options.trust === 'none';
  switch (attribute) {
    case 'namespace':
      return workload.namespace;
    case 'serviceAccount':
      return workload.serviceAccount;
    case 'principal':
      return unproven ? null : principalOf(workload);
    case 'trustDomain':
      return unproven ? null : workload.trustDomain;
    case 'workload':
      return workload.name.slice(0, workload.name.indexOf('.'));
    case 'region':
      return workload.locality.region;
    case 'zone':
      return workload.locality.zone;
    case 'node':
      return workload.node;
    case 'label': {
      const key = options.key ?? '';
      return Object.hasOwn(workload.labels, key) ? (workload.labels[key] ?? null) : null;
    }
  }
}

/** Whether a text predicate holds for an attribute; an absent one satisfies none. */
export function predicateHolds(op: PredicateBit['op'], have: string | null, text: string): boolean {
  if (have === null) return false;
  if (op === 'startsWith') return have.startsWith(text);
  if (op === 'endsWith') return have.endsWith(text);
  return have.includes(text);
}

/** One side of struct weft_connection but for the address. */
export interface Identity {
  /** Symbol by slot, always ATTRIBUTE_SLOTS of them. */
  readonly attributes: readonly number[];
  readonly predicates: bigint;
}

/** Nothing known: every attribute absent, no predicate true. */
export const ANONYMOUS: Identity = {
  attributes: new Array<number>(ATTRIBUTE_SLOTS).fill(SYMBOL_ABSENT),
  predicates: 0n,
};

/** Evaluates the attributes and predicates of a bundle for a workload on one side. */
export function identityOf(
  manifest: Pick<Manifest, 'attributes' | 'predicates' | 'trust'>,
  symbols: SymbolTable,
  workload: Workload,
  side: SideName,
): Identity {
  const text = (attribute: AttributeName | 'label', key: string | null): string | null =>
    attributeText(workload, side, attribute, { key, trust: manifest.trust });
  const attributes = [...ANONYMOUS.attributes];
  for (const slot of manifest.attributes) {
    if (slot.side !== side) continue;
    const have = text(slot.attribute, slot.key);
    attributes[slot.slot] = have === null ? SYMBOL_ABSENT : symbols.intern(have);
  }
  let predicates = 0n;
  for (const p of manifest.predicates) {
    if (p.side !== side) continue;
    if (predicateHolds(p.op, text(p.attribute, p.key), p.text)) predicates |= 1n << BigInt(p.bit);
  }
  return { attributes, predicates };
}
