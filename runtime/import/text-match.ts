/**
 * Istio's string dialect, and the tests that say the same. `*` is presence; a star at the beginning is a
 * suffix (looked for first, so `*a*` ends with `a*`), one at the end a prefix; any other is itself.
 */
import { MAX_VIEW_KEY, MAX_VIEW_TEXT } from '../../compiler/abi/imports.js';
import { any, type Condition, test, testWith } from './condition.js';
import type { Findings, Text } from './fields.js';
import { quote } from './policy-text.js';

export type Match =
  | { readonly kind: 'present' }
  | { readonly kind: 'exact' | 'prefix' | 'suffix'; readonly text: string };

export function classify(text: string): Match {
  if (text === '*') return { kind: 'present' };
  if (text.startsWith('*')) return { kind: 'suffix', text: text.slice(1) };
  if (text.endsWith('*')) return { kind: 'prefix', text: text.slice(0, -1) };
  return { kind: 'exact', text };
}

/** From so many exact texts on they are a table. */
const TABLE_FROM = 5;

/** What is compared: an expression, and whether it is a part of a request. */
export interface Subject {
  readonly expression: string;
  readonly kind: 'attribute' | 'view' | 'host';
  /** Name of the table where there are many. */
  readonly label: string;
}

function one({ expression }: Subject, match: Match): Condition {
  switch (match.kind) {
    case 'present':
      return test(`${expression}.isPresent`);
    case 'exact':
      return test(`${expression}.is(${quote(match.text)})`);
    case 'prefix':
      return test(`${expression}.startsWith(${quote(match.text)})`);
    case 'suffix':
      return test(`${expression}.endsWith(${quote(match.text)})`);
  }
}

/** True where one of the matches holds of the subject. */
export function anyMatch(subject: Subject, matches: readonly Match[]): Condition {
  const { kind, expression, label } = subject;
  const fits = (match: Match): boolean =>
    match.kind === 'exact' &&
    kind !== 'host' &&
    (kind === 'attribute' || match.text.length <= MAX_VIEW_KEY);
  const exact = [...new Set(matches.flatMap((m) => (fits(m) && 'text' in m ? [m.text] : [])))];
  if (exact.length < TABLE_FROM) return any(...matches.map((match) => one(subject, match)));
  const table = testWith((policy) => `${policy.texts(label, exact)}.has(${expression})`);
  return any(table, ...matches.filter((m) => !fits(m)).map((match) => one(subject, match)));
}

/** Whether texts can be compared with parts of requests; a finding for each that cannot. */
export function checkViewTexts(values: readonly Text[], findings: Findings): boolean {
  const before = findings.errors;
  for (const { at, text } of values) {
    if (!/^[\x20-\x7e]*$/.test(text)) {
      findings.error('W504', at, `\`${text}\` is not of printable ASCII`);
    } else if (text.length > MAX_VIEW_TEXT) {
      findings.error('W506', at, `a text of ${text.length} bytes, more than ${MAX_VIEW_TEXT}`);
    }
  }
  return findings.errors === before;
}
