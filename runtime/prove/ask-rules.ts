/** For which inputs each rule of a list holds. */
import type { Manifest, PolicyEntry, RuleEntry } from '../../compiler/index.js';
import { blockIntervals } from './block-intervals.js';
import { ALL, NONE } from './diagram.js';
import { addressField, attributeField, PORT_FIELD, PROTOCOL_FIELD } from './field.js';
import type { Found, Guard, Guards } from './guards.js';
import { principalPasses } from './principal.js';

export interface RuleAsking {
  readonly guards: Guards;
  readonly trust: Manifest['trust'];
  /** Where the number that is asked as a kind is this one. */
  readonly isKind: (kind: bigint) => Guard;
}

/** Values of a list's rules with the inputs for which each is the first that holds; the rest has none. */
export function ruleValues(
  list: PolicyEntry['rules'][number],
  asking: RuleAsking,
): readonly Found[] {
  const { guards } = asking;
  const found = new Map<number | undefined, Guard>();
  let left: Guard = ALL;
  for (const rule of list.rules) {
    const holds = ruleHolds(rule, asking);
    const first = guards.and(left, holds);
    found.set(rule.value | 0, guards.or(found.get(rule.value | 0) ?? NONE, first));
    left = guards.and(left, guards.not(holds));
  }
  return [...found, [undefined, left]];
}

function ruleHolds({ when }: RuleEntry, asking: RuleAsking): Guard {
  const { guards } = asking;
  const parts = new Map<string, Guard>();
  for (const said of when) {
    const part = said.slice(0, -1).join(' ');
    parts.set(part, guards.or(parts.get(part) ?? NONE, criterionHolds(said, asking)));
  }
  return [...parts.values()].reduce(guards.and, ALL);
}

function criterionHolds([name = '', ...texts]: readonly string[], asking: RuleAsking): Guard {
  const { guards, trust, isKind } = asking;
  const text = texts.at(-1) ?? '';
  if (name === 'kind') return isKind(BigInt(text));
  if (name === 'protocol') return guards.number(PROTOCOL_FIELD, [[BigInt(text), BigInt(text)]]);
  if (name === 'destination.port') {
    const [first = '0', last = first] = text.split('-');
    return guards.number(PORT_FIELD, [[BigInt(first), BigInt(last)]]);
  }
  const side = name.startsWith('source') ? 'source' : 'destination';
  const attribute = name.slice(side.length + 1);
  if (attribute === 'address') return guards.number(addressField(side), blockIntervals([text]));
  const isIdentity = attribute === 'principal' || attribute === 'trustDomain';
  if (isIdentity && side === 'source' && trust === 'none') return NONE;
  if (attribute === 'principal') return principalPasses(guards, side, 'is', text);
  const key = texts.length > 1 ? (texts[0] ?? null) : null;
  const field = attributeField(side, attribute as Parameters<typeof attributeField>[1], key);
  return guards.text(field, { op: 'is', text, ignoresCase: false });
}
