/** Policies whose routes answer, redirect, edit and go the slow way, and what becomes of requests by them. */

export const ANSWER_POLICIES: ReadonlyMap<string, string> = new Map([
  [
    'answer.ts',
    `import { cluster, edit, redirect, Request, respond, Route, split, Verdict, waypoint } from "weft";
const v1 = cluster("reviews.prod/v1"), v2 = cluster("reviews.prod/v2");
const marked = edit(v2).setHeader("X-Version", "v2").addHeader("via", "1.1 weft").removeHeader("cookie")
  .replacePrefix("/api", "/").host("reviews-v2.prod:9080");
const busy = respond(429, "slow down", [["retry-after", "5"]]);
const secure = redirect().code(301).scheme("https").replacePrefix("/login", "/sign-in");
const moved = redirect().scheme("https").host("new.example").path("/").dropQuery();
const slow = waypoint();

export function routeRequest(request: Request): Route {
  if (request.path.startsWith("/api")) return marked;
  if (request.path.startsWith("/busy")) return busy;
  if (request.path.startsWith("/login")) return secure;
  if (request.path.startsWith("/moved")) return moved;
  if (request.path.startsWith("/slow")) return slow;
  return request.path.startsWith("/split") ? split(v1, 1, marked, 1, busy, 1) : Route.None;
}
export function authorizeRequest(request: Request): Verdict {
  if (request.header("x-bad").exists) return Verdict.Deny;
  return request.destination.label("version").is("v1") || request.path.is("/api/x") ? Verdict.Allow : Verdict.Pass;
}
`,
  ],
]);

const ENDS = 'from: productpage-v1.prod, to: "reviews.prod:80"';
/** pick 0 is reviews-v1, which the policy allows; pick 1 is reviews-v2. */
const row = (id: string, request: string, expect: string, facts = 'pick: 0'): string =>
  `  - { id: ${id}, ${facts}, request: { ${ENDS}, ${request} }, expect: { ${expect} } }`;
const EDITS =
  'edits: ["set x-version: v2", "add via: 1.1 weft", "remove cookie", "path /x", "host reviews-v2.prod:9080"]';

export const ANSWER_SCENARIO: string = `cases:
${[
  row('plain', 'path: /', 'verdict: allow, status: 200, edits: [], location: null'),
  row(
    'edited',
    'path: "/api/x?y"',
    `status: 200, cluster: reviews/v2, endpoint: "10.1.0.5:9080", ${EDITS}`,
  ),
  row(
    'edited-denied',
    'path: /api/y',
    'status: 403, reason: noAllow, cluster: reviews/v2, edits: []',
  ),
  row(
    'reply',
    'path: /busy, method: POST',
    'verdict: allow, status: 429, cluster: null, endpoint: null, location: null, edits: [], rule: "answer.ts:20"',
  ),
  row(
    'reply-denied',
    'path: /busy, headers: { x-bad: "1" }',
    'verdict: deny, status: 403, rule: "answer.ts:19"',
  ),
  row(
    'reply-other-endpoint',
    'path: /busy',
    'status: 403, reason: noAllow, cluster: "reviews/*"',
    'pick: 1',
  ),
  row(
    'redirect',
    'path: "/login/a?b=c", headers: { Host: "Shop.example:8080" }',
    'verdict: allow, status: 301, cluster: null, location: "https://Shop.example/sign-in/a?b=c"',
  ),
  row(
    'redirect-other-prefix',
    'path: /loginx',
    'status: 301, location: "https://reviews.prod/loginx"',
  ),
  row('redirect-fixed', 'path: "/moved/x?y"', 'status: 302, location: "https://new.example/"'),
  row(
    'redirect-denied',
    'path: /login, headers: { x-bad: "1" }',
    'status: 403, location: null, rule: "answer.ts:19"',
  ),
  row(
    'slow',
    'path: /slow',
    'verdict: allow, status: 200, cluster: "reviews/*", endpoint: "10.1.0.4:9080", edits: []',
  ),
  row('slow-denied', 'path: /slow', 'status: 403', 'pick: 1'),
  row('arm-plain', 'path: /split', 'status: 200, cluster: reviews/v1, edits: []', 'random: 0'),
  row(
    'arm-edited',
    'path: /split, headers: { x-bad: "1" }',
    'status: 403, cluster: reviews/v2',
    'random: 1',
  ),
  row('arm-reply', 'path: /split', 'status: 429, cluster: null', 'random: 2, pick: 0'),
  row(
    'no-endpoint',
    'path: /busy',
    'status: 503, reason: noEndpoint',
    'healthy: { reviews-v1.prod: false, reviews-v2.prod: false }',
  ),
].join('\n')}
`;
