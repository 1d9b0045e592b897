/** What of services and their endpoint slices matters: where clients go, which ports lead where, and to whom. */
import { type Address, parseAddress } from '../discovery/index.js';
import { type Labels, labelsOf, listOf, objectOf, type Raw, textOf } from './raw.js';

export interface ServicePortFacts {
  /** Empty where the service has one port without a name. */
  readonly name: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'http';
  /** A number, or the name of a port of each pod's own, which slices resolve. */
  readonly target: number | string;
}

export interface ServiceFacts {
  readonly name: string;
  readonly namespace: string;
  /** None for a headless service: clients go to its pods themselves. */
  readonly addresses: readonly Address[];
  readonly ports: readonly ServicePortFacts[];
  /** Null: somebody else writes its endpoint slices. */
  readonly selector: Labels | null;
  /** Subsets by name, each the labels that it asks for beside the selector; null where the annotation is not read. */
  readonly subsets: Readonly<Record<string, Labels>> | null;
}

/** `{"v1":{"version":"v1"}}`: what policies name as `cluster("reviews", "v1")`. */
export const SUBSETS = 'weft.dev/subsets';

/**
 * Kubernetes' own field first, then the name of the port, as Istio reads it. HTTP/2 and gRPC are
 * not judged request by request: they are connections here.
 */
function protocolOf(raw: Raw): ServicePortFacts['protocol'] | null {
  const transport = raw['protocol'] ?? 'TCP';
  if (transport === 'UDP') return 'udp';
  if (transport !== 'TCP') return null;
  const told = textOf(raw['appProtocol'])?.toLowerCase() ?? null;
  const [named = ''] = (textOf(raw['name']) ?? '').split('-');
  return (told ?? named) === 'http' ? 'http' : 'tcp';
}

function portOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
    ? value
    : null;
}

function readPort(value: unknown): ServicePortFacts[] {
  const raw = objectOf(value);
  const [port, protocol] = [portOf(raw['port']), protocolOf(raw)];
  if (port === null || protocol === null) return [];
  const target = portOf(raw['targetPort']) ?? textOf(raw['targetPort']) ?? port;
  return [{ name: textOf(raw['name']) ?? '', port, protocol, target }];
}

function readSubsets(text: string | null): ServiceFacts['subsets'] {
  if (text === null) return {};
  try {
    const entries = Object.entries(objectOf(JSON.parse(text)));
    return Object.fromEntries(entries.map(([name, labels]) => [name, labelsOf(labels)]));
  } catch {
    return null;
  }
}

/** The facts of a service; null for one that is a name of another host. */
export function readService(raw: Raw): ServiceFacts | null {
  const metadata = objectOf(raw['metadata']);
  const spec = objectOf(raw['spec']);
  const [name, namespace] = [textOf(metadata['name']), textOf(metadata['namespace'])];
  if (name === null || namespace === null || spec['type'] === 'ExternalName') return null;
  const selector = labelsOf(spec['selector']);
  const own = listOf(spec['clusterIPs']).length > 0 ? spec['clusterIPs'] : [spec['clusterIP']];
  return {
    ...{ name, namespace },
    // `None` is no address.
    addresses: listOf(own).flatMap((text) => parseAddress(textOf(text) ?? 'None') ?? []),
    ports: listOf(spec['ports']).flatMap(readPort),
    selector: Object.keys(selector).length === 0 ? null : selector,
    subsets: readSubsets(textOf(objectOf(metadata['annotations'])[SUBSETS])),
  };
}

/** An endpoint that is no pod of the cluster. */
export interface EndpointFacts {
  readonly addresses: readonly Address[];
  readonly isReady: boolean;
  readonly zone: string | null;
}

export interface SliceFacts {
  readonly service: string;
  readonly namespace: string;
  /** Numbers of the ports by name and transport, `http tcp`. */
  readonly ports: Readonly<Record<string, number>>;
  readonly endpoints: readonly EndpointFacts[];
}

/** The key of a port in `SliceFacts.ports`. */
export function portKey(name: string, transport: 'tcp' | 'udp'): string {
  return `${name} ${transport}`;
}

function readEndpoint(value: unknown): EndpointFacts[] {
  const raw = objectOf(value);
  if (objectOf(raw['targetRef'])['kind'] === 'Pod') return [];
  const addresses = listOf(raw['addresses']).flatMap(
    (text) => parseAddress(textOf(text) ?? '') ?? [],
  );
  if (addresses.length === 0) return [];
  const isReady = objectOf(raw['conditions'])['ready'] !== false;
  return [{ addresses, isReady, zone: textOf(raw['zone']) }];
}

/** The facts of an endpoint slice; null for one of no service. Pods are known by themselves. */
export function readSlice(raw: Raw): SliceFacts | null {
  const metadata = objectOf(raw['metadata']);
  const namespace = textOf(metadata['namespace']);
  const service = textOf(objectOf(metadata['labels'])['kubernetes.io/service-name']);
  if (namespace === null || service === null || raw['addressType'] === 'FQDN') return null;
  const ports = listOf(raw['ports']).flatMap((value) => {
    const port = objectOf(value);
    const number = portOf(port['port']);
    const transport = port['protocol'] === 'UDP' ? 'udp' : 'tcp';
    return number === null ? [] : [[portKey(textOf(port['name']) ?? '', transport), number]];
  });
  const endpoints = listOf(raw['endpoints']).flatMap(readEndpoint);
  return { service, namespace, ports: Object.fromEntries(ports), endpoints };
}
