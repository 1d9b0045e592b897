/** Filters of a rule or backend: header edits, rewrites and redirects. Others are refused. */
import { Fields, type Findings } from '../fields.js';
import { quote } from '../policy-text.js';
import type { Edits } from '../route/model.js';
import { checkViewTexts } from '../text-match.js';
import type { Tree } from '../tree.js';
import { checkCount, checkMirror, MAX_FILTERS } from './limits.js';
import type { RouteMatch } from './model.js';

export interface Filters {
  readonly edits: Edits;
  readonly redirect: string | null;
}

/** What to do about filters that are refused. */
const UNKEPT: ReadonlyMap<string, string> = new Map([
  ['ResponseHeaderModifier', 'replies go on as they are: set it in the service'],
  ['RequestMirror', 'no request is sent twice'],
  ['CORS', 'answer browsers in the service'],
  ['ExternalAuth', 'ask from the service'],
]);
/** Those of which one rule may have several. */
const REPEATABLE: ReadonlySet<string> = new Set(['RequestMirror', 'ExtensionRef']);
const CODES: readonly number[] = [301, 302, 303, 307, 308];
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Of equal names the first counts, in any case. */
function editsOf(fields: Fields, findings: Findings): Edits {
  const calls: string[] = [];
  for (const [list, call] of [
    ['set', 'setHeader'],
    ['add', 'addHeader'],
  ] as const) {
    const seen = new Set<string>();
    for (const item of fields.list(list) ?? []) {
      const pair = Fields.of(item, findings, 'a header');
      const [name, value] = [pair?.text('name') ?? null, pair?.text('value') ?? null];
      pair?.end();
      if (name === null || value === null || !checkViewTexts([name, value], findings)) continue;
      if (!TOKEN.test(name.text)) findings.error('W503', name.at, `\`${name.text}\` is no header`);
      if (seen.has(name.text.toLowerCase())) continue;
      seen.add(name.text.toLowerCase());
      calls.push(`.${call}(${quote(name.text)}, ${quote(value.text)})`);
    }
  }
  const removed = new Set((fields.texts('remove') ?? []).map(({ text }) => text.toLowerCase()));
  for (const name of removed) calls.push(`.removeHeader(${quote(name)})`);
  fields.end();
  return calls;
}

/** The one prefix that a rule matches; needed to replace it. */
function onlyPrefix(matches: readonly RouteMatch[]): string | null {
  const [only] = matches;
  return matches.length === 1 && only?.path.kind === 'prefix' ? only.path.text : null;
}

function pathCall(fields: Fields, matches: readonly RouteMatch[], findings: Findings): string[] {
  const path = fields.map('path');
  if (path === null) return [];
  const type = path.text('type');
  const full = path.text('replaceFullPath');
  const prefix = path.text('replacePrefixMatch');
  path.end();
  if (type?.text === 'ReplaceFullPath' && full !== null) return [`.path(${quote(full.text)})`];
  if (type?.text === 'ReplacePrefixMatch' && prefix !== null) {
    const matched = onlyPrefix(matches);
    if (matched !== null) return [`.replacePrefix(${quote(matched)}, ${quote(prefix.text)})`];
    findings.error('W503', path.at, 'ReplacePrefixMatch needs exactly one match, by PathPrefix');
    return [];
  }
  findings.error('W503', path.at, 'a path is replaced by ReplaceFullPath or ReplacePrefixMatch');
  return [];
}

function redirectOf(fields: Fields, matches: readonly RouteMatch[], findings: Findings): string {
  const calls: string[] = [];
  const code = fields.number('statusCode');
  if (code !== null && !CODES.includes(code.number)) {
    findings.error('W503', code.at, `${code.number} is no status of a redirect`);
  } else if (code !== null && code.number !== 302) calls.push(`.code(${code.number})`);
  const scheme = fields.text('scheme');
  if (scheme !== null && !['http', 'https'].includes(scheme.text)) {
    findings.error('W503', scheme.at, `\`${scheme.text}\` is no scheme`);
  } else if (scheme !== null) calls.push(`.scheme(${quote(scheme.text)})`);
  const host = fields.text('hostname');
  if (host !== null) calls.push(`.host(${quote(host.text)})`);
  const port = fields.number('port');
  if (port !== null) calls.push(`.port(${port.number})`);
  calls.push(...pathCall(fields, matches, findings));
  fields.end();
  return `redirect()${calls.join('')}`;
}

function rewriteOf(fields: Fields, matches: readonly RouteMatch[], findings: Findings): Edits {
  const host = fields.text('hostname');
  const calls = host === null ? [] : [`.host(${quote(host.text)})`];
  calls.push(...pathCall(fields, matches, findings));
  fields.end();
  return calls;
}

/** Reads a list of filters, in order; `known` are the types that this kind of route has. */
export function readFilters(
  list: readonly Tree[],
  matches: readonly RouteMatch[],
  known: ReadonlySet<string>,
  findings: Findings,
): Filters {
  const edits: string[] = [];
  let redirect: string | null = null;
  const seen = new Set<string>();
  checkCount(list, MAX_FILTERS, 'filters', findings);
  for (const item of list) {
    const filter = Fields.of(item, findings, 'a filter');
    const type = filter?.text('type') ?? null;
    if (filter === null || type === null) {
      if (filter !== null) findings.error('W503', filter.at, 'a filter needs a `type`');
      continue;
    }
    if (!known.has(type.text)) {
      findings.error('W503', type.at, `\`${type.text}\` is no filter of this kind of route`);
      continue;
    }
    if (seen.has(type.text) && !REPEATABLE.has(type.text))
      findings.error('W503', type.at, `\`${type.text}\` stands twice`);
    seen.add(type.text);
    const inner = (name: string): Fields | null => {
      const found = filter.map(name);
      if (found === null) findings.error('W503', filter.at, `\`${name}\` is missing`);
      return found;
    };
    if (type.text === 'RequestHeaderModifier') {
      const fields = inner('requestHeaderModifier');
      if (fields !== null) edits.push(...editsOf(fields, findings));
    } else if (type.text === 'URLRewrite') {
      const fields = inner('urlRewrite');
      if (fields !== null) edits.push(...rewriteOf(fields, matches, findings));
    } else if (type.text === 'RequestRedirect') {
      const fields = inner('requestRedirect');
      if (fields !== null) redirect = redirectOf(fields, matches, findings);
    } else {
      if (type.text === 'RequestMirror') checkMirror(filter, findings);
      const help = UNKEPT.get(type.text) ?? null;
      findings.error('W504', type.at, `the filter \`${type.text}\` cannot be kept`, help);
      continue;
    }
    filter.end();
  }
  if (redirect !== null && seen.has('URLRewrite')) {
    for (const { at } of list.slice(0, 1)) {
      findings.error('W503', at, 'a redirect stands beside URLRewrite');
    }
  }
  return { edits, redirect };
}
