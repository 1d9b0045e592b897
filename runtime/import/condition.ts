/**
 * What a rule asks, as a tree of tests. A test is an expression of AssemblyScript, written when it is
 * known where: it may declare what it needs (address sets, tables) through the policy that it stands in.
 */
import { type PolicyText, WIDTH } from './policy-text.js';

export type Condition =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'test'; readonly write: (policy: PolicyText) => string };

export const TRUE: Condition = { kind: 'all', of: [] };
export const FALSE: Condition = { kind: 'any', of: [] };

/** A test that declares nothing. */
export function test(text: string): Condition {
  return { kind: 'test', write: () => text };
}

/** A test that uses declarations of its policy. */
export function testWith(write: (policy: PolicyText) => string): Condition {
  return { kind: 'test', write };
}

function isConstant(condition: Condition, value: boolean): boolean {
  const kind = value ? 'all' : 'any';
  return condition.kind === kind && condition.of.length === 0;
}

export function isTrue(condition: Condition): boolean {
  return isConstant(condition, true);
}

export function isFalse(condition: Condition): boolean {
  return isConstant(condition, false);
}

function join(kind: 'all' | 'any', of: readonly Condition[]): Condition {
  const neutral = kind === 'all' ? isTrue : isFalse;
  const deciding = kind === 'all' ? isFalse : isTrue;
  const parts = of
    .filter((part) => !neutral(part))
    .flatMap((part) => (part.kind === kind ? part.of : [part]));
  const ends = parts.find(deciding);
  if (ends !== undefined) return ends;
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind, of: parts };
}

/** Every part holds; true without parts. */
export function all(...of: readonly Condition[]): Condition {
  return join('all', of);
}

/** Some part holds; false without parts. */
export function any(...of: readonly Condition[]): Condition {
  return join('any', of);
}

export function not(of: Condition): Condition {
  if (isTrue(of)) return FALSE;
  if (isFalse(of)) return TRUE;
  return of.kind === 'not' ? of.of : { kind: 'not', of };
}

/** The expression, in parentheses where it stands within another. */
export function write(condition: Condition, policy: PolicyText, inside = false): string {
  switch (condition.kind) {
    case 'test':
      return condition.write(policy);
    case 'not': {
      const text = write(condition.of, policy, true);
      return condition.of.kind === 'test' && / (?:==|!=|<|>|&&|\|\|) /.test(text)
        ? `!(${text})`
        : `!${text}`;
    }
    default: {
      if (condition.of.length === 0) return condition.kind === 'all' ? 'true' : 'false';
      const operator = condition.kind === 'all' ? ' && ' : ' || ';
      const text = condition.of.map((part) => write(part, policy, true)).join(operator);
      return inside ? `(${text})` : text;
    }
  }
}

/**
 * The same, broken at its operators where it is longer than a line: `indent` are the blanks before the
 * lines that follow.
 */
export function layOut(
  condition: Condition,
  policy: PolicyText,
  indent: string,
  room: number,
): string {
  const flat = write(condition, policy);
  if (flat.length <= room || condition.kind === 'test') return flat;
  if (condition.kind === 'not') return `!${inParentheses(condition.of, policy, indent)}`;
  const operator = condition.kind === 'all' ? '&&' : '||';
  const parts = condition.of.map((part) => {
    const text = write(part, policy, true);
    const fits = indent.length + text.length + 3 <= WIDTH;
    if (fits || part.kind === 'test') return text;
    return part.kind === 'not'
      ? layOut(part, policy, indent, 0)
      : inParentheses(part, policy, indent);
  });
  return parts.join(` ${operator}\n${indent}`);
}

function inParentheses(condition: Condition, policy: PolicyText, indent: string): string {
  const deeper = `${indent}  `;
  const inside = layOut(condition, policy, deeper, WIDTH - deeper.length);
  return `(\n${deeper}${inside}\n${indent})`;
}
