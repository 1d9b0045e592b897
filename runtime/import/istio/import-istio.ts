/** Objects of Istio -> a project. Pure: texts in, texts and findings out. */
import { Findings, once } from '../fields.js';
import { type KubeObject, readObjects, type SourceFile } from '../objects.js';
import { FileNames, type ImportedFile, type ImportedProject } from '../project.js';
import { importTraffic } from '../traffic/import-traffic.js';
import { type ImportedPolicy, usesRequests } from './model.js';
import type { IstioOptions } from './options.js';
import { readPeerAuthentication, writePeerAuthentication } from './peer-authentication.js';
import { readAuthorizationPolicy } from './read-authorization-policy.js';
import { readRequestAuthentication, refusalOf } from './request-authentication.js';
import { servicePorts } from './service-ports.js';
import { type Layout, writePolicies } from './write-policies.js';

const SECURITY = 'security.istio.io';
const NETWORKING = 'networking.istio.io';
/** Groups whose objects say what traffic may do: none of them is left out without an error. */
const GROUPS: readonly string[] = [
  SECURITY,
  'networking.istio.io',
  'extensions.istio.io',
  'gateway.networking.k8s.io',
];

/** What to do about objects that are refused as a whole. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['Gateway', 'Weft judges what workloads send each other: leave gateways to what runs them'],
  ['ServiceEntry', 'say it in the world: a service with its workloads'],
  ['WorkloadEntry', 'say it in the world: a workload'],
  ['WorkloadGroup', 'say it in the world: workloads'],
  [
    'Sidecar',
    'there is no sidecar whose view it would narrow; deny what it kept from being reached',
  ],
  ['EnvoyFilter', 'there is no Envoy: write what it does as a policy'],
  ['WasmPlugin', 'there is no Envoy: write what it does as a policy'],
  ['HTTPRoute', 'import it by itself: `weft import gateway-api`'],
]);

function portsOf(
  objects: readonly KubeObject[],
  options: IstioOptions,
  findings: Findings,
): Pick<IstioOptions, 'httpPorts' | 'tcpPorts'> {
  const http = new Set(options.httpPorts);
  const tcp = new Set(options.tcpPorts);
  for (const object of objects) {
    const ports = servicePorts(object, findings);
    for (const port of ports.http) http.add(port);
    for (const port of ports.tcp) tcp.add(port);
    const both = [...http].find((port) => tcp.has(port));
    if (both === undefined) continue;
    const help = 'give the workloads different ports';
    const message = `port ${both} carries HTTP of one workload and something else of another`;
    findings.error('W504', object.at, message, help);
  }
  const sorted = (ports: ReadonlySet<number>): readonly number[] =>
    [...ports].sort((a, b) => a - b);
  return { httpPorts: sorted(http), tcpPorts: sorted(tcp) };
}

function needPorts(
  policies: readonly ImportedPolicy[],
  { httpPorts }: IstioOptions,
  findings: Findings,
): void {
  const rule = policies.flatMap(({ rules }) => rules).find(usesRequests);
  if (httpPorts.length > 0 || rule === undefined) return;
  const help = 'import the Services too, or say `--http-port N` or `--world FILE`';
  const message = 'the rule looks at requests, and no port is known that carries HTTP';
  findings.error('W504', rule.at, message, help);
}

/** Reads all files and writes the project; where there are errors there are no policies. */
export function importIstio(
  files: readonly SourceFile[],
  given: IstioOptions,
  layout: Layout = 'scopes',
): ImportedProject {
  const findings = new Findings();
  const objects = readObjects(files, findings, given.namespace);
  const of = (group: string, kind: string): readonly KubeObject[] =>
    objects.filter((object) => object.group === group && object.kind === kind);
  const services = of('', 'Service');
  const authentications = of(SECURITY, 'RequestAuthentication').flatMap(
    (object) => readRequestAuthentication(object, given, findings) ?? [],
  );
  const claims = new Map(authentications.flatMap((one) => [...one.claims]));
  for (const [claim, header] of given.claims) claims.set(claim, header);
  const options = { ...given, claims, ...portsOf(services, given, findings) };
  const policies = of(SECURITY, 'AuthorizationPolicy').flatMap(
    (object) => readAuthorizationPolicy(object, options, findings) ?? [],
  );
  const peers = of(SECURITY, 'PeerAuthentication').flatMap(
    (object) => readPeerAuthentication(object, options, findings) ?? [],
  );
  const refusals = authentications.flatMap((one) => refusalOf(one, options, findings) ?? []);
  needPorts(policies, options, findings);
  const virtualServices = of(NETWORKING, 'VirtualService');
  const destinationRules = of(NETWORKING, 'DestinationRule');
  const names = new FileNames();
  const routes = importTraffic(virtualServices, destinationRules, given, names, findings);
  const read = new Set([
    ...services,
    ...virtualServices,
    ...destinationRules,
    ...of(SECURITY, 'RequestAuthentication'),
    ...of(SECURITY, 'AuthorizationPolicy'),
    ...of(SECURITY, 'PeerAuthentication'),
  ]);
  const others = objects.filter((object) => !read.has(object));
  for (const { group, kind, name, at } of others) {
    if (!GROUPS.includes(group)) continue;
    const help = REASONS.get(kind) ?? null;
    findings.error('W501', at, `${kind} \`${name}\` is not imported`, help);
  }
  const peer = writePeerAuthentication(peers, names);
  const written: readonly ImportedFile[] =
    findings.errors > 0
      ? []
      : [
          ...(peer === null ? [] : [peer]),
          ...writePolicies({ policies, refusals, options, layout, names }),
          ...routes,
        ];
  return {
    policies: written,
    default: 'allow',
    objects: { read: read.size, ignored: others.length },
    diagnostics: once(findings.all),
  };
}
