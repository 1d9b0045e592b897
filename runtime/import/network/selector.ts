/** Selectors of pods by labels: equal values, and the four operators of expressions. */
import { all, any, type Condition, not, test } from '../condition.js';
import { Fields, type Findings, type Text } from '../fields.js';
import { quote } from '../policy-text.js';
import type { Tree } from '../tree.js';

/** What a key compares: an expression of an attribute; null, and a finding, where it is not known. */
export type KeyExpression = (key: Text) => string | null;

export interface Selector {
  /** Labels that are equal. */
  readonly labels: Readonly<Record<string, string>>;
  readonly condition: Condition;
  /** True where `labels` say all of it. */
  readonly plain: boolean;
  /** Keys that are looked at. */
  readonly keys: ReadonlySet<string>;
}

function readExpression(
  tree: Tree,
  keys: Set<string>,
  expressionOf: KeyExpression,
  findings: Findings,
): Condition {
  const fields = Fields.of(tree, findings, 'an expression');
  const key = fields?.text('key') ?? null;
  const operator = fields?.text('operator') ?? null;
  const values = fields?.texts('values') ?? [];
  fields?.end();
  if (key === null || operator === null) {
    findings.error('W503', tree.at, 'an expression needs `key` and `operator`');
    return all();
  }
  keys.add(key.text);
  const expression = expressionOf(key) ?? '';
  const one = any(...values.map(({ text }) => test(`${expression}.is(${quote(text)})`)));
  const needs = operator.text === 'In' || operator.text === 'NotIn';
  if (needs !== values.length > 0) {
    findings.error('W503', operator.at, '`In` and `NotIn` have values, the others none');
  }
  switch (operator.text) {
    case 'In':
      return one;
    case 'NotIn':
      return not(one);
    case 'Exists':
      return test(`${expression}.exists`);
    case 'DoesNotExist':
      return not(test(`${expression}.exists`));
    default:
      findings.error('W503', operator.at, `\`${operator.text}\` is no operator`);
      return all();
  }
}

export function readSelector(
  selector: Fields,
  expressionOf: KeyExpression,
  findings: Findings,
): Selector {
  const given = selector.map('matchLabels');
  const labels = given?.labels() ?? {};
  const keys = new Set(Object.keys(labels));
  const equal = Object.entries(labels).map(([key, value]) => {
    const expression = expressionOf({ at: given?.place(key) ?? selector.at, text: key }) ?? '';
    return test(`${expression}.is(${quote(value)})`);
  });
  const expressions = selector.list('matchExpressions') ?? [];
  const more = expressions.map((tree) => readExpression(tree, keys, expressionOf, findings));
  selector.end();
  return { labels, condition: all(...equal, ...more), plain: expressions.length === 0, keys };
}
