/** Reads world.yaml: form by the schema, then everything that a schema cannot say. */
import { type Diagnostic, diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import { type DocumentPath, type DocumentRead, readDocument } from '../schema/index.js';
import { parseAddress } from './address.js';
import { clusterMembers } from './members.js';
import { isClusterOf } from './resolve-cluster.js';
import type { Address, Cluster, Service, ServicePort, Workload, World } from './types.js';

interface RawService {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly ports: readonly {
    readonly port: number;
    readonly target?: number;
    readonly protocol?: ServicePort['protocol'];
  }[];
  readonly clusters: readonly Cluster[];
  readonly balance?: Service['balance'];
}
interface RawWorkload {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly serviceAccount?: string | null;
  readonly trustDomain?: string;
  readonly locality?: { readonly region?: string | null; readonly zone?: string | null };
  readonly node?: string | null;
  readonly cgroup?: string | null;
  readonly enrolled?: boolean;
  readonly healthy?: boolean;
  readonly weight?: number;
}
interface RawWorld {
  readonly services?: readonly RawService[];
  readonly workloads?: readonly RawWorkload[];
}

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const NAME = new RegExp(`^${LABEL}\\.${LABEL}$`);

/** Gathers findings and knows what was seen before. */
class Checks {
  readonly found: Diagnostic[] = [];
  private readonly addresses = new Map<string, string>();
  private readonly cgroups = new Map<string, string>();

  private readonly at: DocumentRead['at'];

  constructor(at: DocumentRead['at']) {
    this.at = at;
  }

  report(code: string, path: DocumentPath, message: string, severity?: 'warning'): void {
    const at = this.at(path);
    this.found.push(diagnostic(code, message, severity === undefined ? { at } : { at, severity }));
  }

  /** One name a kind; its namespace is the part after the dot. */
  name(path: DocumentPath, name: string, seen: Set<string>, kind: string): string {
    if (!NAME.test(name)) {
      this.report('W101', path, `\`${name}\` is not of the form name.namespace`);
    } else if (seen.has(name)) {
      this.report('W103', path, `a ${kind} \`${name}\` exists already`);
    }
    seen.add(name);
    return name.slice(name.indexOf('.') + 1);
  }

  addressList(path: DocumentPath, texts: readonly string[], owner: string): Address[] {
    return texts.flatMap((text, index) => {
      const place = [...path, index];
      const address = parseAddress(text);
      if (address === null) {
        const zone = text.includes('%') ? ' without a zone' : '';
        this.report('W102', place, `\`${text}\` is not an IPv4 or IPv6 address${zone}`);
        return [];
      }
      // The kernel's tables use the zero address for "has none".
      if (address.text === '0.0.0.0' || address.text === '::') {
        this.report('W102', place, `\`${text}\` is the unspecified address`);
      }
      const other = this.addresses.get(address.text);
      if (other !== undefined) {
        this.report('W104', place, `\`${address.text}\` is an address of \`${other}\` already`);
      }
      this.addresses.set(address.text, owner);
      return [address];
    });
  }

  cgroup(path: DocumentPath, raw: RawWorkload): void {
    const cgroup = raw.cgroup ?? null;
    if (cgroup === null) return;
    const parts = cgroup.split('/').slice(1);
    if (
      !cgroup.startsWith('/') ||
      parts.some((part) => part === '' || part === '.' || part === '..')
    ) {
      this.report('W106', path, `\`${cgroup}\` is not an absolute path of a cgroup below the root`);
      return;
    }
    const key = `${raw.node ?? ''} ${cgroup}`;
    const other = this.cgroups.get(key);
    if (other !== undefined) {
      this.report('W110', path, `\`${cgroup}\` is the cgroup of \`${other}\` already`);
    }
    this.cgroups.set(key, raw.name);
  }
}

function buildPorts(checks: Checks, path: DocumentPath, raw: RawService): ServicePort[] {
  const seen = new Set<string>();
  return raw.ports.map(({ port, target, protocol = 'tcp' }, index) => {
    const transport = protocol === 'udp' ? 'udp' : 'tcp';
    if (seen.has(`${transport} ${port}`)) {
      checks.report(
        'W109',
        [...path, index, 'port'],
        `the ${transport} port ${port} is given twice`,
      );
    }
    seen.add(`${transport} ${port}`);
    return { port, target: target ?? port, protocol };
  });
}

function buildService(
  checks: Checks,
  seen: Set<string>,
  raw: RawService,
  index: number,
  at: DocumentRead['at'],
): Service {
  const path = ['services', index];
  const namespace = checks.name([...path, 'name'], raw.name, seen, 'service');
  const clusters = new Set<string>();
  for (const [n, { name }] of raw.clusters.entries()) {
    const place = [...path, 'clusters', n, 'name'];
    if (clusters.has(name)) checks.report('W103', place, `a cluster \`${name}\` exists already`);
    clusters.add(name);
    if (isClusterOf(raw.name, name)) continue;
    const short = raw.name.split('.')[0] ?? '';
    checks.report('W107', place, `the cluster \`${name}\` is not named \`${short}/...\``);
  }
  return {
    name: raw.name,
    namespace,
    addresses: checks.addressList([...path, 'addresses'], raw.addresses, raw.name),
    ports: buildPorts(checks, [...path, 'ports'], raw),
    clusters: raw.clusters.map(({ name, selector }) => ({ name, selector })),
    balance: raw.balance ?? 'round-robin',
    at: at([...path, 'name']),
  };
}

function buildWorkload(
  checks: Checks,
  seen: Set<string>,
  raw: RawWorkload,
  index: number,
  at: DocumentRead['at'],
): Workload {
  const path = ['workloads', index];
  const namespace = checks.name([...path, 'name'], raw.name, seen, 'workload');
  checks.cgroup([...path, 'cgroup'], raw);
  return {
    name: raw.name,
    namespace,
    addresses: checks.addressList([...path, 'addresses'], raw.addresses, raw.name),
    labels: raw.labels ?? {},
    serviceAccount: raw.serviceAccount ?? null,
    trustDomain: raw.trustDomain ?? 'cluster.local',
    locality: { region: raw.locality?.region ?? null, zone: raw.locality?.zone ?? null },
    node: raw.node ?? null,
    cgroup: raw.cgroup ?? null,
    enrolled: raw.enrolled ?? true,
    healthy: raw.healthy ?? true,
    weight: raw.weight ?? 1,
    at: at([...path, 'name']),
  };
}

export interface WorldRead {
  /** Null where there are errors. */
  readonly world: World | null;
  /** What the text holds, as it stands there; null where it is no document. */
  readonly document: unknown;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the text of a world file; every fault is a diagnostic, never an exception. */
export function readWorld(text: string, file: string): WorldRead {
  const read = readDocument(text, file, 'world');
  if (read.value === null) return { world: null, document: null, diagnostics: read.diagnostics };
  const raw = read.value as RawWorld;
  const checks = new Checks(read.at);
  const names = { services: new Set<string>(), workloads: new Set<string>() };
  const world: World = {
    file,
    services: (raw.services ?? []).map((s, i) =>
      buildService(checks, names.services, s, i, read.at),
    ),
    workloads: (raw.workloads ?? []).map((w, i) =>
      buildWorkload(checks, names.workloads, w, i, read.at),
    ),
  };
  for (const [s, service] of world.services.entries()) {
    for (const [c, cluster] of service.clusters.entries()) {
      if (clusterMembers(world, service, cluster).length > 0) continue;
      const message = `the selector of \`${cluster.name}\` matches no workload of \`${service.namespace}\``;
      checks.report('W105', ['services', s, 'clusters', c, 'selector'], message, 'warning');
    }
  }
  const diagnostics = [...read.diagnostics, ...checks.found];
  const document = read.value;
  return { world: hasErrors(diagnostics) ? null : world, document, diagnostics };
}
