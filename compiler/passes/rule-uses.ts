/** What the rules of a list look at: they read the connection themselves, without calls of the policy. */
import type { Position } from '../diagnostic/index.js';
import type { RulesDeclaration } from '../frontend/types.js';
import type { AttributeUse } from './abi-call.js';

/** An attribute, what rules want it to be, and the first rule that does. */
export interface RuleAttribute {
  readonly use: AttributeUse;
  readonly texts: ReadonlySet<string>;
  readonly at: Position | null;
}

/** Attributes that the rules of a list ask for, each once. */
export function ruleAttributes(list: RulesDeclaration | undefined): readonly RuleAttribute[] {
  const found = new Map<string, RuleAttribute & { readonly texts: Set<string> }>();
  for (const { criteria, at } of list?.rules ?? []) {
    for (const criterion of criteria) {
      if (criterion.field !== 'attribute') continue;
      const { side, attribute, key, text } = criterion;
      const name = `${side}.${attribute} ${key ?? ''}`;
      const known = found.get(name);
      if (known === undefined) {
        found.set(name, { use: { side, attribute, key }, texts: new Set([text]), at });
      } else known.texts.add(text);
    }
  }
  return [...found.values()];
}
