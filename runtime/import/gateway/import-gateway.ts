/**
 * HTTPRoutes and GRPCRoutes of the mesh (GAMMA) -> a policy a service. Routes in another namespace than the service are for clients of that namespace,
 * and go before those of the service's own. Of the names of hosts the most special one counts, and only its routes.
 */
import { all, any, type Condition, not, TRUE, test, testWith } from '../condition.js';
import { Findings } from '../fields.js';
import { type KubeObject, readObjects, type SourceFile } from '../objects.js';
import { quote } from '../policy-text.js';
import { FileNames, type ImportedFile, type ImportedProject } from '../project.js';
import type { Group, Services } from '../route/model.js';
import { writeRoutes } from '../route/write-routes.js';
import { checkParents } from './check-parents.js';
import { choicesOf, portTest } from './choices.js';
import { GRPC_REQUEST, GRPC_STATUS } from './grpc.js';
import type { MeshRoute } from './model.js';
import { GRPC_ROUTE } from './read-grpc-route.js';
import { HTTP_ROUTE } from './read-http-route.js';
import { type RouteForm, readRoute } from './read-route.js';

export interface GatewayOptions {
  readonly namespace: string;
  readonly services: Services;
}

const GROUP = 'gateway.networking.k8s.io';
const FORMS: ReadonlyMap<string, RouteForm> = new Map(
  [HTTP_ROUTE, GRPC_ROUTE].map((form) => [form.kind, form]),
);
const NONE = 'respond(404)';

/** What to do about objects that are refused as a whole. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['Gateway', 'Weft judges what workloads send each other: leave gateways to what runs them'],
  ['GatewayClass', 'Weft judges what workloads send each other: leave gateways to what runs them'],
  ['ReferenceGrant', 'take it out: whose routes count is decided by where they stand'],
  ['TLSRoute', 'the name in a TLS handshake is not looked at'],
  ['BackendTLSPolicy', 'Weft does not encrypt'],
]);

/** Names of hosts, the most special first: whole ones, then longer ones; null, every host, last. */
function hostsOf(routes: readonly MeshRoute[]): readonly (string | null)[] {
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
  routes: readonly MeshRoute[],
  guard: Condition,
  service: string,
  services: Services,
  findings: Findings,
): readonly Group[] {
  const portsOf = (some: readonly MeshRoute[]): ReadonlySet<number | null> =>
    new Set(
      some.flatMap(({ parents }) =>
        parents.filter((p) => p.service === service).map(({ port }) => port),
      ),
    );
  const clientsOf = (some: readonly MeshRoute[]): Condition =>
    any(...[...portsOf(some)].map(portTest));
  const isGrpc = routes.some(({ kind }) => kind === 'GRPCRoute');
  const otherwise = isGrpc ? GRPC_STATUS.unimplemented : NONE;
  const groups = hostsOf(routes).map((host): Group => {
    const own = routes.filter(({ hosts }) =>
      host === null ? hosts.length === 0 : hosts.includes(host),
    );
    const onHost =
      host === null ? TRUE : testWith((p) => `${p.hosts('host', host)}.has(request.host)`);
    const choices = choicesOf(own, service, services, findings);
    return { guard: all(guard, onHost), choices, clients: clientsOf(own), otherwise };
  });
  const clients = clientsOf(routes);
  const everyHost = portsOf(routes.filter(({ hosts }) => hosts.length === 0));
  const isLeft = !everyHost.has(null) && [...portsOf(routes)].some((port) => !everyHost.has(port));
  return [
    ...(isGrpc
      ? [{ guard: all(guard, not(GRPC_REQUEST)), choices: [], clients, otherwise: NONE }]
      : []),
    ...groups,
    // A host that no route is for, on a port that some route is for.
    ...(isLeft ? [{ guard, choices: [], clients, otherwise }] : []),
  ];
}

function writeService(
  service: string,
  routes: readonly MeshRoute[],
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
  const formOf = ({ group, kind }: KubeObject): RouteForm | undefined =>
    group === GROUP ? FORMS.get(kind) : undefined;
  const routes = objects.flatMap((object) => {
    const form = formOf(object);
    return form === undefined ? [] : (readRoute(object, form, findings) ?? []);
  });
  for (const object of objects) {
    const { group, kind, name, at } = object;
    if (group !== GROUP || formOf(object) !== undefined) continue;
    const help = REASONS.get(kind) ?? null;
    findings.error('W501', at, `${kind} \`${name}\` is not imported`, help);
  }
  checkParents(routes, options.services, findings);
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
