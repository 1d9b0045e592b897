/**
 * HTTPRoutes of the mesh (GAMMA) -> a policy a service. Routes in another namespace than the service are for clients of that namespace,
 * and go before those of the service's own. Of the names of hosts the most special one counts, and only its routes.
 */
import { all, any, type Condition, TRUE, test, testWith } from '../condition.js';
import { Findings } from '../fields.js';
import { type KubeObject, readObjects, type SourceFile } from '../objects.js';
import { quote } from '../policy-text.js';
import { FileNames, type ImportedFile, type ImportedProject } from '../project.js';
import type { Group, Services } from '../route/model.js';
import { writeRoutes } from '../route/write-routes.js';
import { choicesOf, portTest } from './choices.js';
import type { HttpRoute } from './model.js';
import { readHttpRoute } from './read-http-route.js';

export interface GatewayOptions {
  readonly namespace: string;
  readonly services: Services;
}

const GROUP = 'gateway.networking.k8s.io';
const NONE = 'respond(404)';

/** What to do about objects that are refused as a whole. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['GRPCRoute', 'gRPC is HTTP/2, which the kernel does not judge: route its connections, by TCP'],
  ['Gateway', 'Weft judges what workloads send each other: leave gateways to what runs them'],
  ['GatewayClass', 'Weft judges what workloads send each other: leave gateways to what runs them'],
  ['ReferenceGrant', 'take it out: whose routes count is decided by where they stand'],
  ['TLSRoute', 'the name in a TLS handshake is not looked at'],
  ['BackendTLSPolicy', 'Weft does not encrypt'],
]);

/** Names of hosts, the most special first: whole ones, then longer ones; null, every host, last. */
function hostsOf(routes: readonly HttpRoute[]): readonly (string | null)[] {
  const rank = (host: string | null): readonly number[] =>
    host === null ? [2, 0] : [host.startsWith('*') ? 1 : 0, -host.length];
  const named = routes.flatMap(({ hosts }): readonly (string | null)[] =>
    hosts.length === 0 ? [null] : hosts,
  );
  return [...new Set(named)].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    const byRank = (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0);
    return byRank || ((a ?? '') < (b ?? '') ? -1 : 1);
  });
}

/** What routes of one namespace say to its clients. */
function groupsOf(
  routes: readonly HttpRoute[],
  guard: Condition,
  service: string,
  services: Services,
  findings: Findings,
): readonly Group[] {
  const clientsOf = (some: readonly HttpRoute[]): Condition => {
    const own = some.flatMap(({ parents }) => parents.filter((p) => p.service === service));
    return any(...[...new Set(own.map(({ port }) => port))].map(portTest));
  };
  const groups = hostsOf(routes).map((host): Group => {
    const own = routes.filter(({ hosts }) =>
      host === null ? hosts.length === 0 : hosts.includes(host),
    );
    const onHost =
      host === null ? TRUE : testWith((p) => `${p.hosts('host', host)}.has(request.host)`);
    const choices = choicesOf(own, service, services, findings);
    return { guard: all(guard, onHost), choices, clients: clientsOf(own), otherwise: NONE };
  });
  // A host that no route is for, on a port that some route is for.
  return [...groups, { guard, choices: [], clients: clientsOf(routes), otherwise: NONE }];
}

function writeService(
  service: string,
  routes: readonly HttpRoute[],
  services: Services,
  findings: Findings,
): string {
  const own = service.split('.').slice(1).join('.');
  const foreign = [...new Set(routes.map(({ namespace }) => namespace))].filter((n) => n !== own);
  const requests = [...foreign.sort(), own].flatMap((namespace): readonly Group[] => {
    const theirs = routes.filter((route) => route.namespace === namespace);
    const guard =
      namespace === own ? TRUE : test(`request.source.namespace.is(${quote(namespace)})`);
    return theirs.length === 0 ? [] : groupsOf(theirs, guard, service, services, findings);
  });
  return writeRoutes({ service, requests, connections: [] }, 'gateway-api', findings);
}

/** Reads all files and writes the project; where there are errors there are no policies. */
export function importGateway(
  files: readonly SourceFile[],
  options: GatewayOptions,
): ImportedProject {
  const findings = new Findings();
  const objects = readObjects(files, findings, options.namespace);
  const isRoute = ({ group, kind }: KubeObject): boolean => group === GROUP && kind === 'HTTPRoute';
  const routes = objects.filter(isRoute).flatMap((object) => readHttpRoute(object, findings) ?? []);
  for (const { group, kind, name, at } of objects) {
    if (group !== GROUP || kind === 'HTTPRoute') continue;
    const help = REASONS.get(kind) ?? null;
    findings.error('W501', at, `${kind} \`${name}\` is not imported`, help);
  }
  const names = new FileNames();
  const services = [...new Set(routes.flatMap((r) => r.parents.map((p) => p.service)))].sort();
  const policies = services.map((service): ImportedFile => {
    const own = routes.filter((route) => route.parents.some((p) => p.service === service));
    return {
      file: names.give(`routes-${service}`),
      text: writeService(service, own, options.services, findings),
      attach: [{ service }],
      mode: 'enforce',
    };
  });
  return {
    policies: findings.errors > 0 ? [] : policies,
    default: 'allow',
    objects: { read: routes.length, ignored: objects.length - routes.length },
    diagnostics: findings.all,
  };
}
