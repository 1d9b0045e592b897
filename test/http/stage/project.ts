/**
 * The policy project of the suite: one service in two versions, another one beside it, and a policy
 * with an outcome for each kind of row. Requests without a mark go to v1, where connections go too.
 */
import { HOSTS, type HostName } from './topology.js';

export const SERVICE = { v4: '10.97.0.1', v6: 'fd97::1', port: 80, target: 9080 };

const POLICY = `import {
  cluster, Connection, edit, redirect, Request, respond, Route, split, splitBy, Verdict,
} from "weft";

const v1 = cluster("shop.prod/v1"), v2 = cluster("shop.prod/v2");
const other = cluster("other.prod/all"), empty = cluster("shop.prod/empty");
const busy = respond(429, "slow down", [["retry-after", "5"]]);
const moved = redirect().code(301).host("new.example").replacePrefix("/old", "/new");
const secure = redirect().code(308).scheme("https").dropQuery();
const marked = edit(v2).setHeader("x-version", "v2").addHeader("x-tag", "b").removeHeader("x-secret");
const inner = edit(v2).replacePrefix("/api", "/").host("inner.example");
const whole = edit(v1).path("/only");

export function routeConnection(connection: Connection): Route {
  return v1;
}
export function routeRequest(request: Request): Route {
  const to = request.header("x-to");
  if (to.is("v2")) return v2;
  if (to.is("other")) return other;
  if (request.path.startsWith("/empty/")) return empty;
  if (request.path.startsWith("/busy/")) return busy;
  if (request.path.startsWith("/old")) return moved;
  if (request.path.startsWith("/secure/")) return secure;
  if (request.path.startsWith("/marked/")) return marked;
  if (request.path.startsWith("/api")) return inner;
  if (request.path.startsWith("/whole/")) return whole;
  if (request.path.startsWith("/never/")) return split(v1, 0, v2, 100);
  if (request.path.startsWith("/always/")) return split(v1, 100, v2, 0);
  if (request.path.startsWith("/shared/")) return splitBy(request.cookie("session"), v1, 1, v2, 1);
  return v1;
}
export function authorizeConnection(connection: Connection): Verdict {
  return Verdict.Allow;
}
export function authorizeRequest(request: Request): Verdict {
  if (request.path.startsWith("/private/")) return Verdict.Deny;
  if (request.header("x-team").is("red")) return Verdict.Deny;
  if (request.method.is("TRACE")) return Verdict.Deny;
  if (request.path.startsWith("/inside/") && !request.source.namespace.is("prod")) return Verdict.Deny;
  if (request.path.startsWith("/v1only/") && !request.destination.label("version").is("v1")) return Verdict.Deny;
  return Verdict.Allow;
}
`;

const member = (name: HostName, labels: string): string => {
  const { v4, v6, cgroup } = HOSTS[name];
  return `  - name: ${name}.prod
    addresses: [${v4}, "${v6}"]
    labels: { ${labels} }
    serviceAccount: ${name}
    cgroup: ${cgroup}
`;
};

const WORLD = `services:
  - name: shop.prod
    addresses: [${SERVICE.v4}, "${SERVICE.v6}"]
    ports: [{ port: ${SERVICE.port}, target: ${SERVICE.target}, protocol: http }]
    clusters:
      - { name: shop/v1, selector: { app: shop, version: v1 } }
      - { name: shop/v2, selector: { app: shop, version: v2 } }
      - { name: shop/empty, selector: { app: shop, version: v3 } }
  - name: other.prod
    addresses: [10.97.0.2, "fd97::2"]
    ports: [{ port: ${SERVICE.port}, target: ${SERVICE.target}, protocol: http }]
    clusters:
      - { name: other/all, selector: { app: other } }
workloads:
${member('client', 'app: client')}${member('v1', 'app: shop, version: v1')}${member('v2', 'app: shop, version: v2')}${member('other', 'app: other')}\
  - name: v3.prod
    addresses: [10.78.0.200, "fd78::200"]
    labels: { app: shop, version: v3 }
    serviceAccount: v3
    healthy: false
`;

/** The project's files by path. */
export const PROJECT: ReadonlyMap<string, string> = new Map([
  [
    'weft.json',
    JSON.stringify({
      name: 'torture',
      policies: [{ file: 'policies/torture.ts', attach: [{ namespace: 'prod' }] }],
      default: 'deny',
      world: 'world.yaml',
    }),
  ],
  ['policies/torture.ts', POLICY],
  ['world.yaml', WORLD],
]);
