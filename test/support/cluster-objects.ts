/** Objects of a Kubernetes cluster as its API server has them, as short as tests want them. */
import type { Stored } from './fake-api-server.js';

type Texts = Readonly<Record<string, string>>;

export interface MadePod {
  readonly namespace?: string;
  readonly node?: string;
  readonly ips?: readonly string[];
  readonly labels?: Texts;
  readonly isReady?: boolean;
  readonly uid?: string;
  /** Over the fields of each part. */
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

export function pod(name: string, made: MadePod = {}): Stored {
  const ready = { type: 'Ready', status: made.isReady === false ? 'False' : 'True' };
  const object = {
    metadata: {
      ...{ name, namespace: made.namespace ?? 'shop', uid: made.uid ?? `uid-${name}` },
      labels: made.labels ?? { app: name },
      managedFields: [{ manager: 'kubelet', fieldsV1: { 'f:status': {} } }],
      ...made.metadata,
    },
    spec: {
      nodeName: made.node ?? 'n1',
      serviceAccountName: `${name}-account`,
      containers: [{ name, image: 'example/image' }],
      ...made.spec,
    },
    status: {
      phase: 'Running',
      podIPs: (made.ips ?? []).map((ip) => ({ ip })),
      conditions: [{ type: 'PodScheduled', status: 'True' }, ready],
      ...made.status,
    },
  };
  return object;
}

export function node(name: string, zone: string): Stored {
  const labels = { 'topology.kubernetes.io/region': 'eu', 'topology.kubernetes.io/zone': zone };
  const object = { metadata: { name, labels } };
  return object;
}

export function namespace(name: string, labels: Texts = {}): Stored {
  const object = { metadata: { name, labels } };
  return object;
}

export interface MadeService {
  readonly ips?: readonly string[];
  readonly selector?: Texts;
  readonly ports?: readonly object[];
  readonly annotations?: Texts;
  readonly spec?: object;
}

export function service(name: string, made: MadeService = {}): Stored {
  const object = {
    metadata: { name, namespace: 'shop', annotations: made.annotations ?? {} },
    spec: {
      ...{ type: 'ClusterIP', clusterIPs: made.ips ?? [], selector: made.selector },
      ports: made.ports ?? [{ port: 80, targetPort: 8080, protocol: 'TCP' }],
      ...made.spec,
    },
  };
  return object;
}

export interface MadeSlice {
  readonly ports?: readonly object[];
  readonly endpoints?: readonly object[];
  readonly namespace?: string;
}

export function slice(service: string, name: string, made: MadeSlice = {}): Stored {
  const object = {
    metadata: {
      ...{ name, namespace: made.namespace ?? 'shop' },
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    ports: made.ports ?? [],
    endpoints: made.endpoints ?? [],
  };
  return object;
}
