/** What Gateway API itself says that a route may have: sizes, characters, and what may not stand together. */
import { Fields, type Findings, type Text } from '../fields.js';
import type { Tree } from '../tree.js';

export const MAX_RULES = 16;
export const MAX_MATCHES = 64;
export const MAX_ROUTE_MATCHES = 128;
export const MAX_BACKENDS = 16;
export const MAX_FILTERS = 16;
export const MAX_WEIGHT = 1_000_000;
const MAX_HOSTNAMES = 16;
const MAX_HOSTNAME = 253;
const MAX_PATH = 1024;
const MAX_MATCHERS = 16;
const MAX_VALUE = { header: 4096, query: 1024 } as const;

const PATH = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/;
const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const HOSTNAME = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);
const ADDRESS = /^\d+(?:\.\d+){3}$/;
const DURATION = /^(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}$/;
const UNIT: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** A finding where a list has more items than may be. */
export function checkCount(
  list: readonly { readonly at: Tree['at'] }[],
  most: number,
  what: string,
  findings: Findings,
): void {
  const over = list[most];
  if (over !== undefined) findings.error('W506', over.at, `more than ${most} ${what}`);
}

/** What is wrong with a path of Exact or PathPrefix; null where nothing is. */
export function pathFault(text: string): string | null {
  if (!text.startsWith('/')) return 'does not begin with a slash';
  if (text.length > MAX_PATH) return `has more than ${MAX_PATH} bytes`;
  if (/\/\/|\/\.\.?\/|%2f|#/i.test(text) || /\/\.\.?$/.test(text)) return 'is not normal';
  return PATH.test(text) ? null : 'has characters that no path has';
}

/** Names of hosts of a route. */
export function readHostnames(texts: readonly Text[], findings: Findings): readonly string[] {
  checkCount(texts, MAX_HOSTNAMES, 'names of hosts', findings);
  for (const { at, text } of texts) {
    if (text.length <= MAX_HOSTNAME && HOSTNAME.test(text) && !ADDRESS.test(text)) continue;
    findings.error('W503', at, `\`${text}\` is no name of a host`);
  }
  return [...new Set(texts.map(({ text }) => text))];
}

/** The value of a matcher of a header or query parameter. */
export function checkValue({ at, text }: Text, of: 'header' | 'query', findings: Findings): void {
  if (text !== '' && text.length <= MAX_VALUE[of]) return;
  findings.error('W503', at, `the value has not 1 to ${MAX_VALUE[of]} characters`);
}

export function checkMatchers(list: readonly Tree[], findings: Findings): void {
  checkCount(list, MAX_MATCHERS, 'matchers', findings);
}

/** Milliseconds; null, and a finding, where it is no duration. */
function duration(value: Text | null, findings: Findings): number | null {
  if (value === null) return null;
  if (!DURATION.test(value.text)) {
    findings.error('W503', value.at, `\`${value.text}\` is no duration`);
    return null;
  }
  return [...value.text.matchAll(/(\d+)(h|ms|m|s)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT[unit ?? ''] ?? 0),
    0,
  );
}

/** `timeouts` of a rule: nothing ends a request here, so only `0s` can be kept. */
export function readTimeouts(fields: Fields | null, findings: Findings): void {
  if (fields === null) return;
  const [request, backend] = [fields.text('request'), fields.text('backendRequest')];
  const [whole, each] = [duration(request, findings), duration(backend, findings)];
  fields.end();
  if (whole !== null && each !== null && whole !== 0 && each > whole) {
    findings.error('W503', fields.at, '`backendRequest` is longer than `request`');
  } else if ((whole ?? 0) > 0 || (each ?? 0) > 0) {
    const help = 'end requests in the client or in the service';
    findings.error('W504', fields.at, 'nothing ends a request because it takes long', help);
  }
}

/** `retry` of a rule: what fails once is told to the client, which is less than was asked for. */
export function readRetry(fields: Fields | null, findings: Findings): void {
  if (fields === null) return;
  for (const tree of fields.list('codes') ?? []) {
    if (typeof tree.value === 'number' && tree.value >= 400 && tree.value <= 599) continue;
    findings.error('W503', tree.at, 'a status to try again at is between 400 and 599');
  }
  const attempts = fields.number('attempts');
  duration(fields.text('backoff'), findings);
  fields.end();
  if (attempts?.number === 0) return;
  const message = 'requests are never repeated: what fails once is told to the client';
  findings.warning('W505', fields.at, message, 'GET / while the endpoint that is chosen is down');
}

/** What RequestMirror may say; that it cannot be kept is said elsewhere. */
export function checkMirror(filter: Fields, findings: Findings): void {
  const mirror = filter.map('requestMirror');
  if (mirror === null) return;
  const fraction = mirror.map('fraction');
  const [numerator, denominator] = [
    fraction?.number('numerator')?.number ?? 0,
    fraction?.number('denominator')?.number ?? 100,
  ];
  if (mirror.has('percent') && fraction !== null) {
    findings.error('W503', mirror.at, '`percent` stands beside `fraction`');
  } else if (numerator > denominator) {
    findings.error('W503', mirror.at, 'the fraction is more than one');
  }
}

/** Names of rules are unique. */
export function checkRuleNames(rules: readonly Tree[], findings: Findings): void {
  const seen = new Set<string>();
  for (const tree of rules) {
    const name = Fields.of(tree, findings, 'a rule')?.tree('name') ?? null;
    if (name === null || typeof name.value !== 'string') continue;
    if (seen.has(name.value)) {
      findings.error('W503', name.at, `the rule \`${name.value}\` stands twice`);
    }
    seen.add(name.value);
  }
}
