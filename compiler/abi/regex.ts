/**
 * Regular expressions: the grammar and meaning that JavaScript's parser and RE2 share, over bytes. Read by
 * a library, judged here: what needs more than states (back references, looking around), what RE2 reads
 * otherwise, and what is not ASCII is refused with a reason. One tree for the compiler and the simulator.
 *
 * Meaning is RE2's: `.` is every byte but a line feed, `\s` is [\t\n\f\r ], negated sets hold the bytes above
 * 127, case is that of ASCII letters. The whole text must match.
 */
import regjsparser, { type AstNode } from 'regjsparser';

export type RegexNode =
  /** One byte of a set: 256 entries, 1 where it is in. */
  | { readonly op: 'byte'; readonly set: Uint8Array }
  | { readonly op: 'all' | 'any'; readonly parts: readonly RegexNode[] }
  /** `max` is null for without end. */
  | {
      readonly op: 'repeat';
      readonly part: RegexNode;
      readonly min: number;
      readonly max: number | null;
    }
  | { readonly op: 'start' | 'end' };
export type RegexOutcome =
  | { readonly ok: true; readonly node: RegexNode }
  | { readonly ok: false; readonly reason: string };

/** Bytes of a written expression. */
export const MAX_REGEX_TEXT = 1024;
/** Of one counted repetition: RE2's own limit. */
export const MAX_REPEAT = 1000;
/** Levels of groups: readers call themselves for each. */
const MAX_DEPTH = 100;

interface Flags {
  readonly ignoresCase: boolean;
  readonly dotAll: boolean;
}
const FEATURES = { namedGroups: true, modifiers: true, lookbehind: true } as const;
type Node = AstNode<typeof FEATURES>;

class Refused extends Error {}

/** Reads an expression, which may begin with `(?i)`, `(?s)` or both. */
export function parseRegex(text: string): RegexOutcome {
  if (text.length > MAX_REGEX_TEXT) {
    return { ok: false, reason: `it is longer than ${MAX_REGEX_TEXT} bytes` };
  }
  const leading = /^\(\?([is]+)\)/.exec(text);
  const flags = {
    ignoresCase: leading?.[1]?.includes('i') ?? false,
    dotAll: leading?.[1]?.includes('s') ?? false,
  };
  try {
    const tree = regjsparser.parse(text.slice(leading?.[0].length ?? 0), '', FEATURES);
    return { ok: true, node: read(tree, flags, 0) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, reason: error.message };
    if (!(error instanceof SyntaxError)) throw error;
    return {
      ok: false,
      reason: error.message.split('\n')[0]?.toLowerCase() ?? 'it cannot be read',
    };
  }
}

function read(node: Node, flags: Flags, depth: number): RegexNode {
  if (depth > MAX_DEPTH) throw new Refused(`groups lie in each other more than ${MAX_DEPTH} deep`);
  const inner = (part: Node): RegexNode => read(part, flags, depth + 1);
  switch (node.type) {
    case 'alternative':
      return { op: 'all', parts: node.body.map(inner) };
    case 'disjunction':
      return { op: 'any', parts: node.body.map(inner) };
    case 'anchor':
      if (node.kind === 'start' || node.kind === 'end') return { op: node.kind };
      throw new Refused(`\`${node.raw}\` looks at the byte that follows`);
    case 'dot':
      return { op: 'byte', set: setOf((byte) => flags.dotAll || byte !== 0x0a) };
    case 'value':
    case 'characterClassEscape':
      return { op: 'byte', set: fold(member(node), flags) };
    case 'characterClass':
      return { op: 'byte', set: classOf(node, flags) };
    case 'quantifier': {
      const { min, max } = node;
      if (min > MAX_REPEAT || (max ?? 0) > MAX_REPEAT) {
        throw new Refused(`\`${node.symbol ?? `{${min}}`}\` repeats more than ${MAX_REPEAT} times`);
      }
      const [part] = node.body;
      if (part.type === 'quantifier') throw new Refused('a repetition is repeated');
      return { op: 'repeat', part: inner(part), min, max: max ?? null };
    }
    case 'group':
      return groupOf(node, flags, depth);
    case 'reference':
      throw new Refused(`the back reference \`${node.raw}\` needs unbounded state`);
    default:
      throw new Refused(`\`${node.raw}\` is not supported`);
  }
}

function groupOf(node: Extract<Node, { type: 'group' }>, flags: Flags, depth: number): RegexNode {
  if (node.behavior !== 'normal' && node.behavior !== 'ignore') {
    throw new Refused(`\`${node.raw}\` looks around, which no states can`);
  }
  let own = flags;
  if (node.behavior === 'ignore' && node.modifierFlags !== undefined) {
    const { enabling, disabling } = node.modifierFlags;
    if (/[^is]/.test(enabling + disabling))
      throw new Refused(`\`${node.raw}\` has a flag that is not \`i\` or \`s\``);
    const has = (flag: string, before: boolean): boolean =>
      enabling.includes(flag) || (before && !disabling.includes(flag));
    own = { ignoresCase: has('i', flags.ignoresCase), dotAll: has('s', flags.dotAll) };
  }
  return { op: 'all', parts: node.body.map((part) => read(part, own, depth + 1)) };
}

function setOf(has: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (has(byte) ? 1 : 0));
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const DIGITS = '0123456789';
const CLASSES: Readonly<Record<string, Uint8Array>> = {
  d: textSet(DIGITS),
  w: textSet(`${LETTERS}${DIGITS}_`),
  s: textSet('\t\n\f\r '),
};

function textSet(text: string): Uint8Array {
  return setOf((byte) => text.includes(String.fromCharCode(byte)));
}

type Member = Extract<Node, { type: 'value' | 'characterClassEscape' }>;

/** What a byte, or a class such as `\d`, stands for. */
function member(node: Member): Uint8Array {
  if (node.type === 'value') {
    const code = codeOf(node);
    return setOf((byte) => byte === code);
  }
  const set = CLASSES[node.value.toLowerCase()];
  if (set === undefined) throw new Refused(`\`${node.raw}\` is not supported`);
  return node.value === node.value.toLowerCase() ? set : set.map((bit) => 1 - bit);
}

/** Escapes that RE2 reads alike. */
const ESCAPES = /^\\(?:[fnrtv]|x[0-7][0-9a-fA-F]|[^\p{L}\p{N}])$/u;

function codeOf({ codePoint, raw }: Extract<Node, { type: 'value' }>): number {
  if (codePoint > 0x7f) throw new Refused(`\`${raw}\` is not ASCII`);
  if (raw.startsWith('\\') && !ESCAPES.test(raw))
    throw new Refused(`the escape \`${raw}\` is not supported`);
  return codePoint;
}

function classOf(node: Extract<Node, { type: 'characterClass' }>, flags: Flags): Uint8Array {
  const { body, negative, raw } = node;
  if (body.length === 0) throw new Refused(`\`${raw}\` is empty`);
  // RE2 reads these otherwise: a `]` that comes first, classes with names.
  if (raw.includes('[:')) throw new Refused(`\`${raw}\` holds a class by its name`);
  const sets = body.map((part) => {
    switch (part.type) {
      case 'characterClassRange': {
        const [min, max] = [codeOf(part.min), codeOf(part.max)];
        return setOf((byte) => min <= byte && byte <= max);
      }
      case 'value':
      case 'characterClassEscape':
        return member(part);
      default:
        throw new Refused(`\`${part.raw}\` is not supported`);
    }
  });
  const union = fold(
    setOf((byte) => sets.some((set) => set[byte] === 1)),
    flags,
  );
  return negative ? union.map((bit) => 1 - bit) : union;
}

/** With the letters of the other case. */
function fold(set: Uint8Array, { ignoresCase }: Flags): Uint8Array {
  if (!ignoresCase) return set;
  return setOf((byte) => {
    const other = LETTERS.includes(String.fromCharCode(byte)) ? byte ^ 0x20 : byte;
    return set[byte] === 1 || set[other] === 1;
  });
}
