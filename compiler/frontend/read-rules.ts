/** Reads rule lists out of the registry: rules with what each says of a connection, the first that counts first. */
import { ATTRIBUTE, type AttributeName, type SideName } from '../abi/index.js';
import { diagnostic, type Position } from '../diagnostic/index.js';
import { CODES } from './codes.js';
import { Damaged, type Heap } from './heap.js';
import { parseCidr } from './parse-cidr.js';
import type { ReadContext } from './read-context.js';
import type { Rule, RuleCriterion, RulesDeclaration } from './types.js';

/** Kinds of items; the twin is policies/sdk/rule-list.ts. */
const KIND = { rule: 0, source: 1, destination: 2, port: 3, protocol: 4, kind: 5 } as const;
/** Above them attributes: a side's first number, and that of the attribute; behind them a label. */
const FIRST: Readonly<Record<SideName, number>> = { source: 16, destination: 32 };
const ATTRIBUTES: readonly (AttributeName | 'label')[] = [
  ...(Object.keys(ATTRIBUTE) as AttributeName[]),
  'label',
];
const MAX_PORT = 65535;
const MAX_PROTOCOL = 255;
/** The greatest number that a rule may ask for: the one above it stands for none. */
const MAX_KIND = 0xfffffffe;

interface Draft {
  readonly value: number;
  readonly priority: number;
  readonly at: Position | null;
  readonly criteria: RuleCriterion[];
}

/** Reads the list at an item; findings go to `refuse`. */
export function readRules(
  heap: Heap,
  item: number,
  { positionOf, refuse }: ReadContext,
): RulesDeclaration {
  const name = heap.text(heap.u32(item));
  const at = positionOf(item);
  const drafts: Draft[] = [];
  // Texts of rules repeat: each is read once.
  const texts = new Map<number, string>();
  const textAt = (address: number): string => {
    const known = texts.get(address) ?? heap.text(address);
    texts.set(address, known);
    return known;
  };
  for (const entry of heap.items(heap.u32(item + 8))) {
    const [kind, a, b] = [heap.u32(entry), heap.u32(entry + 8), heap.u32(entry + 12)];
    if (kind === KIND.rule) {
      drafts.push({ value: a, priority: b | 0, at: positionOf(entry) ?? at, criteria: [] });
      continue;
    }
    const rule = drafts.at(-1);
    const read =
      rule === undefined
        ? 'this comes before the first `add`'
        : readCriterion(kind, { a, b, textAt });
    if (typeof read !== 'string') {
      rule?.criteria.push(read);
      continue;
    }
    refuse(
      diagnostic('P131', read, {
        at: positionOf(entry) ?? rule?.at ?? at,
        help: CODES['P131']?.help ?? null,
        notes: [`rule list \`${name}\``],
      }),
    );
  }
  return { name, rules: inOrder(drafts), at };
}

/** By priority; of the same the one that was added first. */
function inOrder(drafts: readonly Draft[]): readonly Rule[] {
  return [...drafts].sort((a, b) => a.priority - b.priority);
}

/** A criterion, or what is wrong with it. */
function readCriterion(
  kind: number,
  {
    a,
    b,
    textAt,
  }: { readonly a: number; readonly b: number; readonly textAt: (address: number) => string },
): RuleCriterion | string {
  switch (kind) {
    case KIND.source:
    case KIND.destination: {
      const outcome = parseCidr(textAt(a));
      const side = kind === KIND.source ? 'source' : 'destination';
      return outcome.ok ? { field: 'address', side, prefix: outcome.prefix } : outcome.message;
    }
    case KIND.port:
      if (a <= b && b <= MAX_PORT) return { field: 'port', first: a, last: b };
      return `\`${a}\` to \`${b}\` is no range of ports`;
    case KIND.protocol:
      return a <= MAX_PROTOCOL ? { field: 'protocol', value: a } : `\`${a}\` is no IP protocol`;
    case KIND.kind:
      return a <= MAX_KIND ? { field: 'kind', value: a } : `\`${a}\` is no kind`;
    default: {
      const side = kind >= FIRST.destination ? 'destination' : 'source';
      const attribute = ATTRIBUTES[kind - FIRST[side]];
      if (attribute === undefined) throw new Damaged();
      const key = attribute === 'label' ? textAt(b) : null;
      return { field: 'attribute', side, attribute, key, text: textAt(a) };
    }
  }
}
