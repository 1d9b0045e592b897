/**
 * VirtualServices and DestinationRules of the mesh -> a policy for each service. Its rules are tried in order; where one is for the
 * client and none matches, the answer is 404. Weft asks by the service that a connection goes to, as a waypoint does.
 */

import { any, TRUE } from '../condition.js';
import type { Findings, Text } from '../fields.js';
import type { KubeObject } from '../objects.js';
import type { FileNames, ImportedFile } from '../project.js';
import type { Choice, Group, KnownService, Services } from '../route/model.js';
import { writeRoutes } from '../route/write-routes.js';
import { type DestinationRule, readDestinationRule } from './destination-rule.js';
import { exportedTo } from './read-http-match.js';
import { readHttpRule } from './read-http-rule.js';
import { readTcpRule } from './read-tcp-rule.js';
import { servicesOf, type TrafficReading } from './reading.js';

interface VirtualService {
  readonly object: KubeObject;
  readonly services: readonly string[];
  readonly http: readonly Choice[];
  readonly tcp: readonly Choice[];
}

function refuseGateways(gateways: readonly Text[], findings: Findings): void {
  const outside = gateways.find(({ text }) => text !== 'mesh');
  if (outside === undefined) return;
  const help = 'leave its rules at the gateway, and import what is for `mesh`';
  const message = `the gateway \`${outside.text}\` is no part of the mesh`;
  findings.error('W504', outside.at, message, help);
}

function readVirtualService(
  object: KubeObject,
  { findings, services, rules }: Omit<TrafficReading, 'namespace'>,
): VirtualService | null {
  const spec = object.root.map('spec');
  object.root.end();
  if (spec === null) {
    findings.error('W503', object.at, '`spec` is missing');
    return null;
  }
  const { namespace, name } = object;
  const hosts = spec.texts('hosts') ?? [];
  if (hosts.length === 0) findings.error('W503', spec.place('hosts'), '`hosts` is missing');
  refuseGateways(spec.texts('gateways') ?? [], findings);
  const named = servicesOf(hosts, { findings, services, namespace });
  const own = named.flatMap((service): KnownService[] => {
    const known = services.get(service);
    return known === undefined ? [] : [known];
  });
  if (spec.has('tls')) {
    const help = 'route by what the connection shows: `tcp`';
    findings.error('W504', spec.place('tls'), 'the name in a TLS handshake is not looked at', help);
  }
  const reading = { findings, services, rules, namespace, own };
  const id = `${namespace}/${name}`;
  const http = (spec.list('http') ?? []).flatMap((tree, i) =>
    readHttpRule(tree, `${id} http[${i}]`, {
      ...reading,
      clients: exportedTo(spec, namespace, 'request'),
    }),
  );
  const tcp = (spec.list('tcp') ?? []).flatMap((tree, i) =>
    readTcpRule(tree, `${id} tcp[${i}]`, {
      ...reading,
      clients: exportedTo(spec, namespace, 'connection'),
    }),
  );
  const silent =
    own.length > 0 && own.every(({ ports }) => ports.length > 0 && !ports.some((p) => p.http));
  if (http.length > 0 && silent) {
    const message = 'the rules about requests never apply: no port of the service carries HTTP';
    findings.warning('W507', spec.place('http'), message);
  }
  spec.end();
  return { object, services: named, http, tcp };
}

function group(choices: readonly Choice[], otherwise: string | null): readonly Group[] {
  const clients = any(...choices.map(({ client }) => client));
  return choices.length === 0 ? [] : [{ guard: TRUE, choices, clients, otherwise }];
}

/** Routes of each service, and which rules there are. */
export function importTraffic(
  virtualServices: readonly KubeObject[],
  destinationRules: readonly KubeObject[],
  known: { readonly services: Services; readonly rootNamespace: string },
  names: FileNames,
  findings: Findings,
): readonly ImportedFile[] {
  const { services, rootNamespace } = known;
  const rules = new Map<string, DestinationRule>();
  for (const object of destinationRules) {
    const rule = readDestinationRule(object, services, rootNamespace, findings);
    if (rule === null) continue;
    const first = rules.get(rule.service);
    if (first !== undefined) {
      const { file, line } = first.at;
      const message = `\`${rule.service}\` has a DestinationRule also at ${file}:${line}`;
      findings.error('W508', rule.at, message);
    }
    rules.set(rule.service, rule);
  }
  const read = virtualServices.flatMap(
    (object) => readVirtualService(object, { findings, services, rules }) ?? [],
  );
  const files: ImportedFile[] = [];
  for (const service of [...new Set(read.flatMap((one) => one.services))].sort()) {
    const [first, second] = read.filter((one) => one.services.includes(service));
    if (first === undefined) continue;
    if (second !== undefined) {
      const { file, line } = first.object.at;
      const message = `\`${service}\` has a VirtualService also at ${file}:${line}`;
      findings.error('W508', second.object.at, message, 'Istio follows the oldest: join them');
    }
    const routes = {
      service,
      requests: group(first.http, 'respond(404)'),
      connections: group(first.tcp, null),
    };
    if (first.http.length + first.tcp.length === 0) continue;
    const text = writeRoutes(routes, 'istio', findings);
    files.push({
      file: names.give(`routes-${service}`),
      text,
      attach: [{ service }],
      mode: 'enforce',
    });
  }
  return files;
}
