/**
 * Claims of a token. Weft verifies no tokens: something before it does, and writes claims into headers. They
 * are believed only of the principals that the import was told; of anybody else there are no claims.
 */
import { all, any, type Condition, FALSE, test } from '../condition.js';
import type { Findings, Text } from '../fields.js';
import { quote } from '../policy-text.js';
import { anyMatch, checkViewTexts, classify, type Match, type Subject } from '../text-match.js';
import type { IstioOptions } from './options.js';

type Told = Pick<IstioOptions, 'claims' | 'claimsFrom'>;

/** True for peers whose claim headers are believed. */
export function isVerifier({ claimsFrom }: Told): Condition {
  const subject = {
    expression: 'source.principal',
    kind: 'attribute',
    label: 'verifiers',
  } as const;
  return anyMatch(
    subject,
    claimsFrom.map((text) => ({ kind: 'exact', text })),
  );
}

/** The header with a claim; null, and a finding, where none is known. */
function subjectOf(
  claim: string,
  [first]: readonly Text[],
  told: Told,
  findings: Findings,
): Subject | null {
  if (first === undefined) return null;
  const { at } = first;
  if (told.claimsFrom.length === 0) {
    const help = 'name the principal of what verifies tokens: `--claims-from PRINCIPAL`';
    findings.error('W504', at, 'tokens are not verified in the kernel', help);
    return null;
  }
  const header = told.claims.get(claim);
  if (header === undefined) {
    const help = `name it: \`--claim ${claim}=HEADER\`, or outputClaimToHeaders of a RequestAuthentication`;
    findings.error('W504', at, `no header is known that carries the claim \`${claim}\``, help);
    return null;
  }
  return {
    expression: `request.header(${quote(header.toLowerCase())})`,
    kind: 'view',
    label: `claim ${claim}`,
  };
}

/** One claim against values of the string dialect. */
export function claim(
  name: string,
  values: readonly Text[],
  told: Told,
  findings: Findings,
): Condition {
  const subject = subjectOf(name, values, told, findings);
  if (subject === null || !checkViewTexts(values, findings)) return FALSE;
  return all(
    isVerifier(told),
    anyMatch(
      subject,
      values.map(({ text }) => classify(text)),
    ),
  );
}

const PRESENT: Match = { kind: 'present' };
const exact = (text: string): Match => ({ kind: 'exact', text });

/** What a value of `requestPrincipals` asks of issuer and subject. */
function parts(text: string): readonly [Match, Match] {
  const slash = text.lastIndexOf('/');
  const match = classify(text);
  if (match.kind === 'present') return [PRESENT, PRESENT];
  if (slash < 0) {
    if (match.kind === 'suffix') return [PRESENT, match];
    return match.kind === 'prefix' ? [match, PRESENT] : [match, exact('')];
  }
  const [issuer, subject] = [text.slice(0, slash), text.slice(slash + 1)];
  if (match.kind === 'suffix') {
    return [issuer === '*' ? PRESENT : { kind: 'suffix', text: issuer.slice(1) }, exact(subject)];
  }
  return [exact(issuer), match.kind === 'prefix' ? classify(subject) : exact(subject)];
}

/** `requestPrincipals`, and `request.auth.principal`: ISSUER/SUBJECT. */
export function requestPrincipals(
  values: readonly Text[],
  told: Told,
  findings: Findings,
): Condition {
  const issuer = subjectOf('iss', values, told, findings);
  const subject = issuer === null ? null : subjectOf('sub', values, told, findings);
  if (issuer === null || subject === null || !checkViewTexts(values, findings)) return FALSE;
  const either = values.map(({ text }) => {
    const [iss, sub] = parts(text);
    return all(anyMatch(issuer, [iss]), anyMatch(subject, [sub]));
  });
  return all(isVerifier(told), any(...either));
}

/** True for a request that brings a token where nothing has verified it. */
export function bringsToken(places: readonly string[], told: Told): Condition {
  return all({ kind: 'not', of: isVerifier(told) }, any(...places.map((place) => test(place))));
}
