/** The rules as a Weft policy: two tables made from the hosts, three tests, one route by a header. */
import { ALLOW, CANARY, HOSTS, namesOf } from './rules.js';

const SLASH = '/'.charCodeAt(0);

export const POLICY: string = `import { cluster, Connection, Request, respond, Route, Table, Verdict } from "weft";

const stable = cluster("reviews", "v1"), canary = cluster("reviews", "v2");
const missing = respond(404);
const virtualHosts: StaticArray<string> = ${JSON.stringify(HOSTS.map((host) => namesOf(host).join(' ')))};
const hosts = new Table<u32>("hosts"), paths = new Table<u32>("paths");
for (let i = 0; i < virtualHosts.length; i++) {
  const names = virtualHosts[i].split(" ");
  for (let j = 0; j < names.length; j++) hosts.set(names[j], i + 1);
  paths.set(names[0], i + 1);
}

export function routeConnection(connection: Connection): Route {
  return stable;
}

export function authorizeRequest(request: Request): Verdict {
  if (!request.method.is("${ALLOW.method}") || !request.path.startsWith("${ALLOW.prefix}")) return Verdict.Deny;
  return request.header("${ALLOW.header.name}").is("${ALLOW.header.value}") ? Verdict.Allow : Verdict.Deny;
}

export function routeRequest(request: Request): Route {
  if (!request.path.startsWith("${ALLOW.prefix}")) return missing;
  const rest = request.path.slice(${ALLOW.prefix.length}, request.path.length);
  const end = rest.find(${SLASH});
  if (end == rest.length) return missing;
  const host = hosts.get(request.host.bytes);
  if (host == 0 || paths.get(rest.slice(0, end)) != host) return missing;
  return request.header("${CANARY.name}").is("${CANARY.value}") ? canary : stable;
}
`;
