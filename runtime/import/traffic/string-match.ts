/** StringMatch of Istio: exact, prefix or regex; without any of them the part has to be there. */
import type { RegexNode } from '../../../compiler/abi/index.js';
import { all, type Condition, not, test } from '../condition.js';
import { Fields, type Findings } from '../fields.js';
import { quote } from '../policy-text.js';
import { readRegex, regexTest } from '../regex-match.js';
import { checkViewTexts } from '../text-match.js';
import type { Tree } from '../tree.js';

export type StringMatch =
  | { readonly kind: 'present' }
  | { readonly kind: 'exact' | 'prefix'; readonly text: string }
  | { readonly kind: 'regex'; readonly text: string; readonly node: RegexNode };

const KINDS = ['exact', 'prefix', 'regex'] as const;

/** Null, and a finding, where it is none or cannot be kept. */
export function readStringMatch(tree: Tree, name: string, findings: Findings): StringMatch | null {
  if (tree.value === null) return { kind: 'present' };
  const fields = Fields.of(tree, findings, `\`${name}\``);
  if (fields === null) return null;
  const given = KINDS.flatMap((kind) => {
    const value = fields.text(kind);
    return value === null ? [] : [{ kind, value }];
  });
  fields.end();
  const [first, second] = given;
  if (second !== undefined) {
    findings.error('W503', second.value.at, `\`${name}\` has more than one kind of match`);
    return null;
  }
  if (first === undefined) return fields.isEmpty ? { kind: 'present' } : null;
  const { kind, value } = first;
  if (kind !== 'regex') {
    return checkViewTexts([value], findings) ? { kind, text: value.text } : null;
  }
  // Istio reads a star alone as presence, though it is no regular expression.
  if (value.text === '*') return { kind: 'present' };
  const node = readRegex(value, findings);
  return node === null ? null : { kind, text: value.text, node };
}

/** What is compared: an expression of a View; `label` names its table of regular expressions. */
export function matchTest(expression: string, label: string, match: StringMatch): Condition {
  switch (match.kind) {
    case 'present':
      return test(`${expression}.exists`);
    case 'exact':
      return test(`${expression}.is(${quote(match.text)})`);
    case 'prefix':
      return match.text === ''
        ? test(`${expression}.exists`)
        : test(`${expression}.startsWith(${quote(match.text)})`);
    case 'regex':
      return regexTest(expression, label, match.text, match.node);
  }
}

/** True where the empty text matches. */
function fitsEmpty(match: StringMatch): boolean {
  switch (match.kind) {
    case 'present':
      return false;
    case 'regex':
      return fitsNothing(match.node);
    default:
      return match.text === '';
  }
}

function fitsNothing(node: RegexNode): boolean {
  switch (node.op) {
    case 'byte':
      return false;
    case 'repeat':
      return node.min === 0 || fitsNothing(node.part);
    case 'all':
      return node.parts.every(fitsNothing);
    case 'any':
      return node.parts.some(fitsNothing);
    default:
      return true;
  }
}

/**
 * Envoy's inverted match. A header that is absent counts as the empty text there, but where presence alone is
 * asked.
 */
export function inverseTest(expression: string, label: string, match: StringMatch): Condition {
  const differs = not(matchTest(expression, label, match));
  return fitsEmpty(match) ? all(test(`${expression}.exists`), differs) : differs;
}
