/**
 * Text attributes of a side. Each present text is interned to a symbol: 0 absent, 1 the empty
 * string, 2.. the bundle's own symbols (in manifest order), above them what a node meets at run time.
 */
export const SIDE = { source: 0, destination: 1 } as const;
export type SideName = keyof typeof SIDE;

/** Numbers are the `kind` operand of the import `attribute`; `label` has an import of its own. */
export const ATTRIBUTE = {
  namespace: 0,
  serviceAccount: 1,
  principal: 2,
  trustDomain: 3,
  workload: 4,
  region: 5,
  zone: 6,
  node: 7,
} as const;
export type AttributeName = keyof typeof ATTRIBUTE;

export const SYMBOL_ABSENT = 0;
export const SYMBOL_EMPTY = 1;
export const FIRST_SYMBOL = 2;

/** An attribute that a bundle uses: its place in the slots of that side. */
export interface AttributeSlot {
  readonly side: SideName;
  readonly attribute: AttributeName | 'label';
  /** The label's key; null for other attributes. */
  readonly key: string | null;
  readonly slot: number;
}

export type PredicateOp = 'startsWith' | 'endsWith' | 'contains';

/** A text predicate that a bundle uses: evaluated in user space once a workload, kept as a bit. */
export interface PredicateBit {
  readonly side: SideName;
  readonly attribute: AttributeName | 'label';
  readonly key: string | null;
  readonly op: PredicateOp;
  readonly text: string;
  readonly bit: number;
}
