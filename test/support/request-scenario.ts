/** Request policies and a scenario in the Bookinfo world that shows each outcome of a request once. */
import type { ConfigText } from './compile-texts.js';

/** So little fuel that kernels before 6.9 can walk the loop that burns it (B210). */
export const REQUEST_CONFIG: ConfigText = { budget: { fuel: 3000 } };

export const REQUEST_POLICIES: ReadonlyMap<string, string> = new Map([
  [
    'http.ts',
    `import { cluster, Request, Route, Verdict } from "weft";
const v1 = cluster("reviews.prod/v1"), v2 = cluster("reviews.prod/v2"), gone = cluster("reviews.prod/v9");

export function routeRequest(request: Request): Route {
  if (request.header("x-canary").is("true")) return v2;
  if (request.path.startsWith("/gone")) return gone;
  return request.path.startsWith("/old") ? v1 : Route.None;
}
export function authorizeRequest(request: Request): Verdict {
  if (request.path.startsWith("/private")) return Verdict.Deny;
  if (request.query("loop").exists) { let n: u32 = 0; while (request.path.at(n & 1) >= 0) n += 2; }
  return request.host.startsWith("reviews.prod") && request.method.is("GET") ? Verdict.Allow : Verdict.Pass;
}
`,
  ],
  [
    'connect.ts',
    `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  return connection.source.namespace.is("prod") ? Verdict.Allow : Verdict.Pass;
}
`,
  ],
]);

const ENDS = 'from: productpage-v1.prod, to: "reviews.prod:80"';
const row = (id: string, request: string, expect: string): string =>
  `  - { id: ${id}, pick: 0, request: { ${request} }, expect: { ${expect} } }`;

export const REQUEST_SCENARIO: string = `cases:
${[
  row('bound', ENDS, 'verdict: allow, status: 200, rule: "http.ts:12", cluster: "reviews/*"'),
  row(
    'old',
    `${ENDS}, path: /old/x`,
    'status: 200, cluster: reviews/v1, endpoint: "10.1.0.4:9080"',
  ),
  row(
    'canary',
    `${ENDS}, headers: { X-Canary: "true" }`,
    'status: 200, cluster: reviews/v2, endpoint: "10.1.0.5:9080"',
  ),
  row('canary-not', `${ENDS}, path: /old, headers: { x-canary: "True" }`, 'cluster: reviews/v1'),
  row('post', `${ENDS}, method: POST`, 'verdict: deny, status: 403, reason: noAllow'),
  row('private', `${ENDS}, path: /private`, 'status: 403, rule: "http.ts:10"'),
  row('dots', `${ENDS}, path: /x/%2e%2e/private`, 'status: 403, rule: "http.ts:10"'),
  row('query', `${ENDS}, path: "/x?/private"`, 'status: 200'),
  row('no-route', `${ENDS}, path: /gone`, 'verdict: deny, status: 404, reason: noRoute'),
  row('fuel', `${ENDS}, path: "/?loop"`, 'verdict: deny, status: 403, reason: fuel'),
  row('nul', `${ENDS}, path: /%00`, 'verdict: deny, status: 400, reason: parse'),
  row('method', `${ENDS}, method: "G T"`, 'verdict: deny, status: 400, reason: parse'),
  row(
    'host',
    `${ENDS}, headers: { Host: "other.prod" }`,
    'verdict: deny, status: 403, reason: noAllow',
  ),
  row(
    'large',
    `${ENDS}, path: "/${'a'.repeat(8200)}"`,
    'verdict: deny, status: 431, reason: parse',
  ),
  row(
    'stranger',
    'from: intruder.dev, to: "10.1.0.4:9080", headers: { host: reviews.prod }',
    'verdict: deny, status: 403, reason: noAllow, rule: default',
  ),
  `  - { id: none-left, healthy: { reviews-v1.prod: false }, request: { ${ENDS}, path: /old }, expect: { status: 503, reason: noEndpoint } }`,
  `  - { id: connection, connect: { ${ENDS} }, expect: { verdict: allow, status: null, rule: "connect.ts:3" } }`,
].join('\n')}
`;
