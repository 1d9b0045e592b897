/** Whether requests to the parents of routes are judged, and by one kind of route alone. */
import type { Findings } from '../fields.js';
import type { Services } from '../route/model.js';
import type { MeshRoute, ServiceParent } from './model.js';

const HTTP =
  'write `protocol: http` at the port of the service, where its workloads speak HTTP/1.1';

/** On other ports connections pass whole: rules about their requests would let through what they refuse. */
function checkPort(
  { kind, at }: MeshRoute,
  { service, port }: ServiceParent,
  services: Services,
  findings: Findings,
): void {
  const ports = services.get(service)?.ports ?? [];
  if (ports.length === 0) return;
  const own = port === null ? ports : ports.filter((known) => known.port === port);
  if (own.length === 0) {
    findings.error('W504', at, `the service \`${service}\` has no port ${port} in the world`);
  } else if (!own.some(({ http }) => http)) {
    const which = port === null ? 'no port' : `port ${port}`;
    const are = port === null ? 'is' : 'is not';
    const message = `${which} of \`${service}\` ${are} HTTP in the world, so that nothing looks at the requests of this ${kind}`;
    findings.error('W504', at, message, HTTP);
  }
}

/** Findings where rules would judge nothing, and what becomes of gRPC over HTTP/2. */
export function checkParents(
  routes: readonly MeshRoute[],
  services: Services,
  findings: Findings,
): void {
  const http = new Set(
    routes
      .filter(({ kind }) => kind === 'HTTPRoute')
      .flatMap(({ parents }) => parents.map(({ service }) => service)),
  );
  for (const route of routes) {
    for (const parent of route.parents) checkPort(route, parent, services, findings);
    if (route.kind !== 'GRPCRoute') continue;
    for (const service of new Set(route.parents.map((parent) => parent.service))) {
      if (http.has(service)) {
        const message = `\`${service}\` has HTTPRoutes and GRPCRoutes, of which Gateway API accepts one where their hosts meet`;
        findings.error('W504', route.at, message, 'keep routes of one kind');
        continue;
      }
      const message =
        'gRPC over HTTP/2 is refused on ports of HTTP (status 505, closed): only what HTTP/1.1 carries, as gRPC-Web, is routed';
      const example = `a gRPC client that connects to ${service} by HTTP/2`;
      findings.warning('W505', route.at, message, example);
    }
  }
}
