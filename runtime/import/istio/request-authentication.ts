/**
 * RequestAuthentication. Tokens are verified by something before Weft, which hands claims on in headers: what is
 * imported is which header carries which claim, and that a token which nothing has verified is refused.
 */
import { Fields, type Findings } from '../fields.js';
import type { KubeObject } from '../objects.js';
import { quote } from '../policy-text.js';
import type { Tree } from '../tree.js';
import { bringsToken } from './claims.js';
import type { Scope } from './model.js';
import type { IstioOptions } from './options.js';
import { readScope } from './read-scope.js';
import type { Refusal } from './write-policies.js';

export interface RequestAuthentication {
  readonly object: KubeObject;
  readonly scope: Scope;
  /** Expressions that hold of a request with a token. */
  readonly places: readonly string[];
  readonly claims: ReadonlyMap<string, string>;
}

/** Where Envoy looks for a token that nothing else is said of. */
const DEFAULT_PLACES: readonly string[] = [
  'request.header("authorization").contains("Bearer ")',
  'request.query("access_token").exists',
];

function readRule(tree: Tree, findings: Findings, claims: Map<string, string>): readonly string[] {
  const rule = Fields.of(tree, findings, 'an item of `jwtRules`');
  if (rule === null) return [];
  if (rule.text('issuer') === null) findings.error('W503', rule.at, '`issuer` is missing');
  const places: string[] = [];
  for (const item of rule.list('fromHeaders') ?? []) {
    const header = Fields.of(item, findings, 'an item of `fromHeaders`');
    const name = header?.text('name') ?? null;
    header?.skip('prefix');
    header?.end();
    if (name !== null) places.push(`request.header(${quote(name.text.toLowerCase())}).exists`);
  }
  for (const { text } of rule.texts('fromParams') ?? []) {
    places.push(`request.query(${quote(text)}).exists`);
  }
  for (const { text } of rule.texts('fromCookies') ?? []) {
    places.push(`request.cookie(${quote(text)}).exists`);
  }
  for (const item of rule.list('outputClaimToHeaders') ?? []) {
    const pair = Fields.of(item, findings, 'an item of `outputClaimToHeaders`');
    const [header, claim] = [pair?.text('header') ?? null, pair?.text('claim') ?? null];
    pair?.end();
    if (header === null || claim === null) continue;
    const known = claims.get(claim.text);
    if (known !== undefined && known !== header.text) {
      findings.error('W508', header.at, `the claim \`${claim.text}\` is also in \`${known}\``);
    }
    claims.set(claim.text, header.text);
  }
  rule.skip('audiences', 'jwksUri', 'jwks', 'outputPayloadToHeader', 'forwardOriginalToken');
  rule.skip('timeout', 'spaceDelimitedClaims');
  rule.end();
  return places.length > 0 ? places : DEFAULT_PLACES;
}

/** Reads one object; null where it cannot be used. */
export function readRequestAuthentication(
  object: KubeObject,
  options: IstioOptions,
  findings: Findings,
): RequestAuthentication | null {
  const spec = object.root.map('spec');
  object.root.end();
  const scope = readScope(spec, object.namespace, options, findings);
  const claims = new Map<string, string>();
  const rules = spec?.list('jwtRules') ?? [];
  const places = rules.flatMap((rule) => readRule(rule, findings, claims));
  spec?.end();
  if (scope === null || rules.length === 0) return null;
  return { object, scope, places: [...new Set(places)], claims };
}

/** What refuses tokens of this object that nothing has verified. */
export function refusalOf(
  { object, scope, places }: RequestAuthentication,
  options: IstioOptions,
  findings: Findings,
): Refusal | null {
  const { at, namespace, name } = object;
  if (options.claimsFrom.length === 0) {
    const help = 'name the principal of what verifies tokens: `--claims-from PRINCIPAL`';
    findings.error('W504', at, 'tokens are not verified in the kernel', help);
    return null;
  }
  const message = 'a request with a token is refused, unless it comes from what verifies tokens';
  findings.warning(
    'W505',
    at,
    message,
    'GET / with `authorization: Bearer …`, from another workload',
  );
  const condition = bringsToken(places, options);
  return { id: `ns[${namespace}]-request-authentication[${name}]`, at, scope, condition };
}
