/**
 * Regular expressions as RE2 reads them, over whole texts. What is a plain text, or one with anything
 * behind or before it, is compared as such; all else is an automaton.
 */

import { MAX_VIEW_TEXT } from '../../compiler/abi/imports.js';
import { parseRegex, type RegexNode } from '../../compiler/abi/index.js';
import { any, type Condition, test, testWith } from './condition.js';
import type { Findings, Text } from './fields.js';
import { quote } from './policy-text.js';

/** A byte that a set holds alone; null of any other node. */
function byteOf(node: RegexNode): number | null {
  if (node.op !== 'byte') return null;
  const first = node.set.indexOf(1);
  return first >= 0 && node.set.indexOf(1, first + 1) < 0 ? first : null;
}

/** What a line feed alone is missing from: `.`; no part of a request has one. */
function isDot(node: RegexNode): boolean {
  return node.op === 'byte' && node.set.every((bit, byte) => bit === 1 || byte === 0x0a);
}

function isRest(node: RegexNode | undefined): boolean {
  return node?.op === 'repeat' && node.min === 0 && node.max === null && isDot(node.part);
}

/** The parts of a sequence, without groups and without `^` and `$` at its ends. */
export function partsOf(node: RegexNode): readonly RegexNode[] {
  const flat = (one: RegexNode): readonly RegexNode[] =>
    one.op === 'all' ? one.parts.flatMap(flat) : [one];
  const parts = flat(node);
  const from = parts[0]?.op === 'start' ? 1 : 0;
  const to = parts.at(-1)?.op === 'end' ? parts.length - 1 : parts.length;
  return parts.slice(from, Math.max(from, to));
}

/** The text that a sequence of single bytes is; null of any other. */
function literalOf(parts: readonly RegexNode[]): string | null {
  const bytes = parts.map(byteOf);
  return bytes.length > MAX_VIEW_TEXT || bytes.some((byte) => byte === null || byte < 0x20)
    ? null
    : String.fromCharCode(...bytes.map((byte) => byte ?? 0));
}

/** True where a text that has the byte may match. */
export function mayHold(node: RegexNode, byte: number): boolean {
  switch (node.op) {
    case 'byte':
      return node.set[byte] === 1;
    case 'repeat':
      return mayHold(node.part, byte);
    case 'all':
    case 'any':
      return node.parts.some((part) => mayHold(part, byte));
    default:
      return false;
  }
}

/** True where the expression ends in `.*`, before which the byte cannot stand. */
export function endsFreely(node: RegexNode, byte: number): boolean {
  const parts = partsOf(node);
  return isRest(parts.at(-1)) && !parts.slice(0, -1).some((part) => mayHold(part, byte));
}

function plain(expression: string, node: RegexNode): Condition | null {
  const parts = partsOf(node);
  const whole = literalOf(parts);
  if (whole !== null) return test(`${expression}.is(${quote(whole)})`);
  const [only] = parts;
  if (parts.length === 1 && only?.op === 'any') {
    const each = only.parts.map((part) => plain(expression, part));
    return each.every((one) => one !== null) ? any(...each.flatMap((one) => one ?? [])) : null;
  }
  if (parts.length === 1 && isRest(only)) return test(`${expression}.exists`);
  const head = literalOf(parts.slice(0, -1));
  if (isRest(parts.at(-1)) && head !== null)
    return test(`${expression}.startsWith(${quote(head)})`);
  const tail = literalOf(parts.slice(1));
  return isRest(only) && tail !== null ? test(`${expression}.endsWith(${quote(tail)})`) : null;
}

/** The tree of an expression; null, and a finding, where it cannot be kept. */
export function readRegex({ at, text }: Text, findings: Findings): RegexNode | null {
  const parsed = parseRegex(text);
  if (parsed.ok) return parsed.node;
  findings.error('W504', at, `the regular expression \`${text}\`: ${parsed.reason}`);
  return null;
}

/** True where the whole of a part of a request matches. `label` names the table. */
export function regexTest(
  expression: string,
  label: string,
  text: string,
  node: RegexNode,
): Condition {
  return (
    plain(expression, node) ??
    testWith((policy) => `${policy.expression(label, text)}.has(${expression})`)
  );
}
