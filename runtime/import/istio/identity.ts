/**
 * Tests of a peer's identity. Weft's principal is Istio's SPIFFE id without `spiffe://`, always of the form
 * TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT; it is absent of peers that nobody vouches for.
 */
import { all, any, type Condition, not, TRUE, test } from '../condition.js';
import type { Findings, Text } from '../fields.js';
import { quote } from '../policy-text.js';
import { anyMatch, classify } from '../text-match.js';

export const AUTHENTICATED: Condition = test('source.principal.exists');

/** One trust domain means all names of the mesh's own. */
function expandDomain(domain: string, own: readonly string[]): readonly string[] {
  return domain === 'cluster.local' || own.includes(domain) ? own : [domain];
}

/** `principals`: TD/ns/NS/sa/SA is expanded to all names of the mesh's trust domain. */
export function principals(values: readonly Text[], own: readonly string[]): Condition {
  const texts = values.flatMap(({ text }) => {
    const parts = text.split('/');
    if (parts.length !== 5 || parts[0] === '*') return [text];
    return expandDomain(parts[0] ?? '', own).map((td) => [td, ...parts.slice(1)].join('/'));
  });
  const label = 'principals';
  return anyMatch(
    { expression: 'source.principal', kind: 'attribute', label },
    texts.map(classify),
  );
}

const NAMESPACE = 'source.namespace';

function is(text: string): Condition {
  return test(`${NAMESPACE}.is(${quote(text)})`);
}

/** Texts that begin with `a` and end with `b` although they are shorter than both together. */
function overlaps(a: string, b: string): readonly string[] {
  const out: string[] = [];
  for (let size = 1; size <= Math.min(a.length, b.length); size += 1) {
    if (a.endsWith(b.slice(0, size))) out.push(a + b.slice(size));
  }
  return out;
}

function globMatches(parts: readonly string[], text: string): boolean {
  const escaped = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(text);
}

/**
 * One value of `namespaces`. Envoy looks for `ANY/ns/VALUE/ANY` in the whole id, a star for any text, also across
 * slashes. So a star at the beginning may end in the `sa` that follows each namespace, and a value that
 * fits `sa` is found behind a namespace named `ns`.
 */
function namespace({ at, text }: Text, findings: Findings): Condition {
  if (text === 'sa') return any(is('sa'), is('ns'));
  const parts = text.split('*');
  const [first = '', ...rest] = parts;
  const last = rest.pop() ?? '';
  const middle = rest.filter((part) => part !== '');
  if (text.includes('/') || middle.length > 1 || (middle.length === 1 && first + last !== '')) {
    findings.error('W504', at, `\`${text}\` has more stars than can be kept, or a slash`);
    return TRUE;
  }
  const starts = first === '' ? TRUE : test(`${NAMESPACE}.startsWith(${quote(first)})`);
  const behind = globMatches(parts, 'sa') ? [is('ns')] : [];
  if (middle.length === 1) {
    return any(
      test(`${NAMESPACE}.contains(${quote(middle[0] ?? '')})`),
      ...spanning(middle[0] ?? ''),
    );
  }
  // `/ns/` + first + anything + last + `/`: the last may also be the end of `NAMESPACE/sa`.
  if ('sa'.endsWith(last)) return any(starts, ...behind);
  const ends = test(`${NAMESPACE}.endsWith(${quote(last)})`);
  return any(all(starts, ends, ...overlaps(first, last).map((same) => not(is(same)))), ...behind);
}

/** A text between two stars may also be found in the `sa` behind the namespace, which is always there. */
function spanning(middle: string): readonly Condition[] {
  return 'sa'.includes(middle) ? [TRUE] : [];
}

/** `namespaces` of a peer. */
export function namespaces(values: readonly Text[], findings: Findings): Condition {
  const plain = values.filter(({ text }) => !/[*/]/.test(text) && text !== 'sa');
  const others = values.filter((value) => !plain.includes(value));
  const subject = { expression: NAMESPACE, kind: 'attribute', label: 'namespaces' } as const;
  const exact = anyMatch(
    subject,
    plain.map(({ text }) => ({ kind: 'exact', text })),
  );
  return all(AUTHENTICATED, any(exact, ...others.map((value) => namespace(value, findings))));
}

const MAX_ACCOUNTS = 16;
const MAX_ACCOUNT = 320;

/** `serviceAccounts`: an account of the policy's own namespace, or NAMESPACE/ACCOUNT. */
export function serviceAccounts(
  values: readonly Text[],
  ownNamespace: string,
  findings: Findings,
): Condition {
  const extra = values[MAX_ACCOUNTS];
  if (extra !== undefined) {
    findings.error('W503', extra.at, `more than ${MAX_ACCOUNTS} service accounts`);
  }
  const one = ({ at, text }: Text): Condition => {
    const parts = text.includes('/') ? text.split('/') : [ownNamespace, text];
    const [space = '', account = ''] = parts;
    if (text.length > MAX_ACCOUNT || parts.length !== 2 || space === '' || account === '') {
      findings.error('W503', at, `\`${text}\` is neither ACCOUNT nor NAMESPACE/ACCOUNT`);
    } else if (text.includes('*')) {
      findings.error('W503', at, `\`${text}\` has a star, which service accounts have not`);
    }
    return all(is(space), test(`source.serviceAccount.is(${quote(account)})`));
  };
  return all(AUTHENTICATED, any(...values.map(one)));
}

/** `trustDomains`: `*` is any; one star at an end. */
export function trustDomains(
  values: readonly Text[],
  own: readonly string[],
  findings: Findings,
): Condition {
  const texts = values.flatMap(({ at, text }) => {
    const stars = text.split('*').length - 1;
    const atEnd = text.startsWith('*') || text.endsWith('*');
    if (text.includes('/') || stars > 1 || (stars === 1 && !atEnd)) {
      findings.error('W503', at, `\`${text}\` is no trust domain with at most a star at one end`);
      return [];
    }
    return stars === 0 ? expandDomain(text, own) : [text];
  });
  if (texts.includes('*')) return AUTHENTICATED;
  const subject = {
    expression: 'source.trustDomain',
    kind: 'attribute',
    label: 'trust domains',
  } as const;
  return all(AUTHENTICATED, anyMatch(subject, texts.map(classify)));
}
