/** What a rule says, as the texts that a bundle keeps of it and people read. */
import type { AttributeName, SideName } from '../abi/index.js';
import { ATTRIBUTE } from '../abi/index.js';
import { parseCidr } from './parse-cidr.js';
import type { RuleCriterion } from './types.js';

const RANGE = /^(\d+)(?:-(\d+))?$/;

/** The name of a part, the key of a label, and what the part has to be. */
export function criterionTexts(criterion: RuleCriterion): readonly string[] {
  switch (criterion.field) {
    case 'address':
      return [`${criterion.side}.address`, criterion.prefix.text];
    case 'port': {
      const { first, last } = criterion;
      return ['destination.port', first === last ? String(first) : `${first}-${last}`];
    }
    case 'protocol':
    case 'kind':
      return [criterion.field, String(criterion.value)];
    case 'attribute': {
      const { side, attribute, key, text } = criterion;
      return [`${side}.${attribute}`, ...(key === null ? [] : [key]), text];
    }
  }
}

/** The criterion that has the given texts; null for texts that none has. */
export function criterionOf([name = '', ...texts]: readonly string[]): RuleCriterion | null {
  const [text = '', other = ''] = texts;
  if (name === 'protocol' || name === 'kind') return { field: name, value: Number(text) };
  if (name === 'destination.port') {
    const [, first, last = first] = RANGE.exec(text) ?? [];
    return { field: 'port', first: Number(first), last: Number(last) };
  }
  const [side, part] = name.split('.');
  if (side !== 'source' && side !== 'destination') return null;
  if (part === 'address') {
    const parsed = parseCidr(text);
    return parsed.ok ? { field: 'address', side, prefix: parsed.prefix } : null;
  }
  return attributeOf(side, part ?? '', { text, other });
}

function attributeOf(
  side: SideName,
  attribute: string,
  { text, other }: { readonly text: string; readonly other: string },
): RuleCriterion | null {
  if (attribute === 'label') return { field: 'attribute', side, attribute, key: text, text: other };
  if (!Object.hasOwn(ATTRIBUTE, attribute)) return null;
  const name = attribute as AttributeName;
  return { field: 'attribute', side, attribute: name, key: null, text };
}

/** A rule as it is told: `policy.ts:12 source.address 10.0.0.0/8, destination.port 80`. */
export function ruleText({
  at,
  when,
}: {
  readonly at: string;
  readonly when: readonly (readonly string[])[];
}): string {
  const said = when.map((texts) => texts.join(' '));
  return said.length === 0 ? `${at} everything` : `${at} ${said.join(', ')}`;
}
