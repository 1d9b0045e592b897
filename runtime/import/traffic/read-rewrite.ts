/**
 * `rewrite` of a VirtualService. Envoy replaces the text that a prefix matched, wherever it ends; Weft replaces whole elements
 * of a path. Both do the same where prefix and replacement both end with a slash, or both do not; in the second case
 * paths that go on within an element cannot be kept.
 */
import { checkHost, checkPath } from '../../../compiler/abi/index.js';
import { any, type Condition, TRUE, test } from '../condition.js';
import type { Fields, Findings, Text } from '../fields.js';
import { quote } from '../policy-text.js';
import type { HttpMatch } from './read-http-match.js';

export interface Rewrite {
  readonly uri: Text | null;
  readonly host: string | null;
}
export const NO_REWRITE: Rewrite = { uri: null, host: null };

export function readRewrite(fields: Fields | null, findings: Findings): Rewrite {
  if (fields === null) return NO_REWRITE;
  const uri = fields.text('uri');
  const authority = fields.text('authority');
  if (fields.has('uriRegexRewrite')) {
    const at = fields.place('uriRegexRewrite');
    findings.error('W504', at, 'a path rewritten by a regular expression', 'write it by prefixes');
  }
  fields.end();
  if (authority !== null && authority.text !== '') {
    const fault = checkHost(authority.text, 'port');
    if (fault !== null) findings.error('W504', authority.at, fault.message);
  }
  return {
    uri: uri === null || uri.text === '' ? null : uri,
    host: authority === null || authority.text === '' ? null : authority.text,
  };
}

export interface PathRewrite {
  /** Calls on `edit(...)`. */
  readonly calls: readonly string[];
  /** Requests of which Weft makes what Envoy makes. */
  readonly kept: Condition;
}

/** What a rewrite does to the requests of one match. */
export function rewritePath(
  uri: Text | null,
  { uri: matched, ignoresCase }: HttpMatch,
  findings: Findings,
): PathRewrite {
  if (uri === null) return { calls: [], kept: TRUE };
  const whole = matched?.kind === 'exact' || matched?.kind === 'regex';
  const prefix = matched?.kind === 'prefix' ? matched.text : '/';
  const fault = checkPath(uri.text.length > 1 ? uri.text.replace(/\/$/, '') : uri.text);
  if (fault !== null) findings.error('W504', uri.at, fault.message, 'write a plain path');
  if (whole) return { calls: [`.path(${quote(uri.text)})`], kept: TRUE };
  if (ignoresCase) findings.error('W504', uri.at, 'a prefix is replaced in its own case only');
  const calls = [`.replacePrefix(${quote(prefix)}, ${quote(uri.text)})`];
  const slashes = [prefix, uri.text].map((text) => text.endsWith('/'));
  if (prefix.endsWith('//') || !prefix.startsWith('/') || slashes[0] !== slashes[1]) {
    const made = `${uri.text}${`${prefix}x`.slice(prefix.length)}`;
    const help = 'let both end with a slash, or neither';
    const message = `Envoy makes \`${made}\` of \`${prefix}x\`, which is no change of whole elements`;
    findings.error('W504', uri.at, message, help);
  }
  if (slashes[0] === true) return { calls, kept: TRUE };
  const message = `paths that go on behind \`${prefix}\` without a slash hear 404`;
  findings.warning('W505', uri.at, message, `GET ${prefix}x`);
  const kept = any(
    test(`request.path.is(${quote(prefix)})`),
    test(`request.path.startsWith(${quote(`${prefix}/`)})`),
  );
  return { calls, kept };
}
