/** The cluster of the world that a backend or destination stands for; a finding where there is none. */
import type { Position } from '../../../compiler/diagnostic/index.js';
import type { Findings } from '../fields.js';
import type { ArmTarget, Edits, KnownCluster, KnownService, Services } from './model.js';

export interface Wanted {
  /** name.namespace. */
  readonly service: string;
  /** Labels of a subset; null for all endpoints. */
  readonly labels: Readonly<Record<string, string>> | null;
  readonly port: number | null;
  readonly edits: Edits;
  readonly at: Position;
}

const WORLD = 'name a world in which it has one: `--world FILE`';

function has(selector: Readonly<Record<string, string>>, key: string, value: string): boolean {
  return Object.hasOwn(selector, key) && selector[key] === value;
}

/** The cluster with a subset's workloads: its selector is that of the service and the labels. */
function ofLabels(
  { clusters }: KnownService,
  labels: Readonly<Record<string, string>>,
): KnownCluster | undefined {
  const wanted = Object.entries(labels);
  return clusters.find(
    ({ selector }) =>
      wanted.every(([key, value]) => has(selector, key, value)) &&
      Object.entries(selector).every(
        ([key, value]) =>
          has(labels, key, value) || clusters.every((other) => has(other.selector, key, value)),
      ),
  );
}

/** A route names no port: all ports of the service must lead to one port of its workloads. */
function checkPort({ service, port, at }: Wanted, known: KnownService, findings: Findings): void {
  const targets = new Set(known.ports.map(({ target }) => target));
  if (port !== null && known.ports.length > 0 && !known.ports.some((p) => p.port === port)) {
    findings.error('W504', at, `the service \`${service}\` has no port ${port} in the world`);
  } else if (targets.size > 1) {
    const help = 'make it a service for each port';
    const message = `the service \`${service}\` has several target ports, and a route names none`;
    findings.error('W504', at, message, help);
  }
}

function textOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

/** Null, and a finding, where the world has no such cluster. */
export function findCluster(
  wanted: Wanted,
  services: Services,
  findings: Findings,
): ArmTarget | null {
  const { service, labels, edits, at } = wanted;
  const known = services.get(service);
  if (known === undefined || known.clusters.length === 0) {
    findings.error('W504', at, `the service \`${service}\` has no cluster in the world`, WORLD);
    return null;
  }
  checkPort(wanted, known, findings);
  const [only] = known.clusters;
  if (labels === null || Object.keys(labels).length === 0) {
    if (known.clusters.length > 1) return { kind: 'all', service, edits };
    return only === undefined ? null : { kind: 'cluster', name: only.name, edits };
  }
  const found = ofLabels(known, labels);
  if (found !== undefined) return { kind: 'cluster', name: found.name, edits };
  const message = `the world has no cluster of \`${service}\` with just the labels ${textOf(labels)}`;
  findings.error('W504', at, message, 'add it to the clusters of the service');
  return null;
}
