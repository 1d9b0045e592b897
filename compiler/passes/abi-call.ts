/** What the ABI calls of a policy say, once their constant operands are read. */
import type { AttributeSlot, PatternStep, PredicateOp, SideName, ViewName } from '../abi/index.js';

export type AttributeUse = Pick<AttributeSlot, 'side' | 'attribute' | 'key'>;
export interface PredicateUse extends AttributeUse {
  readonly op: PredicateOp;
  readonly text: string;
}
export type AbiCall =
  | { readonly op: 'field'; readonly name: FieldName }
  | { readonly op: 'address'; readonly side: SideName; readonly word: number }
  | { readonly op: 'attribute'; readonly use: AttributeUse }
  | { readonly op: 'symbol'; readonly text: string }
  | { readonly op: 'predicate'; readonly use: PredicateUse }
  | { readonly op: 'table'; readonly want: 'get' | 'has'; readonly table: number }
  | { readonly op: 'cidr'; readonly set: number; readonly side: SideName }
  | { readonly op: 'ports'; readonly set: number }
  | { readonly op: 'patterns'; readonly want: 'get' | 'has'; readonly table: number }
  | { readonly op: 'keys'; readonly want: 'get' | 'has'; readonly table: number }
  | { readonly op: 'rules'; readonly want: 'get' | 'has'; readonly list: number }
  | { readonly op: 'view'; readonly view: ViewName }
  | { readonly op: 'header'; readonly name: string }
  | ({ readonly op: 'literal'; readonly text: string } & LiteralCompare)
  | { readonly op: 'pattern'; readonly steps: readonly PatternStep[] }
  | { readonly op: 'byte' | 'find' | 'hash' }
  | { readonly op: 'viewTable'; readonly want: 'get' | 'has'; readonly table: number }
  | { readonly op: 'fuel' };
export interface LiteralCompare {
  readonly compare: 'is' | 'startsWith' | 'endsWith';
  /** ASCII letters of either case are equal. */
  readonly ignoresCase: boolean;
}
export type FieldName = 'destination_port' | 'protocol' | 'family' | 'random' | 'now';

/** How an attribute is written in a policy. */
export function attributeText({ side, attribute, key }: AttributeUse): string {
  return attribute === 'label' ? `${side}.label(${JSON.stringify(key)})` : `${side}.${attribute}`;
}
