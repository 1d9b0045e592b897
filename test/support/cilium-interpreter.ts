/**
 * What CiliumNetworkPolicies say about one connection or request that comes in: their semantics written down a second time, on plain
 * objects as YAML gives them. It shares nothing with the importer. Policies are taken to be valid; addresses are IPv4.
 */
export interface CiliumExpression {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}
export interface CiliumSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly CiliumExpression[];
}
export interface CiliumHttp {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: readonly string[];
}
export interface CiliumToPorts {
  readonly ports: readonly {
    readonly port: string;
    readonly endPort?: number;
    readonly protocol?: 'TCP' | 'UDP' | 'ANY';
  }[];
  readonly rules?: { readonly http: readonly CiliumHttp[] };
}
export interface CiliumRule {
  readonly fromEndpoints?: readonly CiliumSelector[];
  readonly fromCIDRSet?: readonly { readonly cidr: string; readonly except?: readonly string[] }[];
  readonly fromEntities?: readonly string[];
  readonly toPorts?: readonly CiliumToPorts[];
}
export interface CiliumPolicy {
  /** Null of one for the whole cluster. */
  readonly namespace: string | null;
  readonly name: string;
  readonly endpointSelector: CiliumSelector;
  readonly enableDefaultDeny?: { readonly ingress: boolean };
  readonly ingress?: readonly CiliumRule[];
  readonly ingressDeny?: readonly CiliumRule[];
}

export interface CiliumPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}
export interface CiliumRequest {
  /** Null of what is no workload. */
  readonly from: CiliumPod | null;
  readonly address: string;
  readonly to: CiliumPod;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
  /** Null of what carries no requests. */
  readonly http: {
    readonly method: string;
    /** Normalised path, with the query. */
    readonly target: string;
    readonly host: string;
    readonly headers: Readonly<Record<string, string>>;
  } | null;
}

const SPACE = 'k8s:io.kubernetes.pod.namespace';

function labelOf(pod: CiliumPod, key: string): string | undefined {
  return key === SPACE ? pod.namespace : pod.labels[key.replace('k8s:', '')];
}

function selects(selector: CiliumSelector, pod: CiliumPod): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labelOf(pod, key) === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labelOf(pod, key);
      const listed = value !== undefined && values.includes(value);
      if (operator === 'In') return listed;
      if (operator === 'NotIn') return !listed;
      return (value !== undefined) === (operator === 'Exists');
    })
  );
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function inBlock(address: string, block: string): boolean {
  const [base = '', length = '32'] = block.split('/');
  const size = 2 ** (32 - Number(length));
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(base) / size);
}

export class CiliumJudge {
  readonly #policies: readonly CiliumPolicy[];
  readonly #nodes: readonly string[];

  /** `nodes`: address blocks of the nodes. */
  constructor(policies: readonly CiliumPolicy[], nodes: readonly string[]) {
    this.#policies = policies;
    this.#nodes = nodes;
  }

  #isNode({ from, address }: CiliumRequest): boolean {
    return from === null && this.#nodes.some((block) => inBlock(address, block));
  }

  #entity(name: string, request: CiliumRequest): boolean {
    const isNode = this.#isNode(request);
    switch (name) {
      case 'all':
        return true;
      case 'world':
        return request.from === null && !isNode;
      case 'cluster':
        return request.from !== null || isNode;
      default:
        return isNode; // host and remote-node, which stand together
    }
  }

  #isPeer(rule: CiliumRule, namespace: string | null, request: CiliumRequest): boolean {
    const { fromEndpoints, fromCIDRSet, fromEntities, toPorts = [] } = rule;
    if (fromEndpoints === undefined && fromCIDRSet === undefined && fromEntities === undefined) {
      return toPorts.length > 0;
    }
    const { from, address } = request;
    const ends = (fromEndpoints ?? []).some((selector) => {
      if (from === null) return false;
      const keys = [
        ...Object.keys(selector.matchLabels ?? {}),
        ...(selector.matchExpressions ?? []).map(({ key }) => key),
      ];
      const isOwn = namespace === null || keys.includes(SPACE) || from.namespace === namespace;
      return isOwn && selects(selector, from);
    });
    const blocks = (fromCIDRSet ?? []).some(
      ({ cidr, except = [] }) =>
        this.#entity('world', request) &&
        inBlock(address, cidr) &&
        !except.some((hole) => inBlock(address, hole)),
    );
    return ends || blocks || (fromEntities ?? []).some((name) => this.#entity(name, request));
  }

  #onPorts({ ports, rules }: CiliumToPorts, { port, protocol, http }: CiliumRequest): boolean {
    const isPort = ports.some((one) => {
      const kind = one.protocol ?? 'ANY';
      if (kind !== 'ANY' && kind !== protocol) return false;
      const first = Number(one.port);
      return first === 0 || (first <= port && port <= (one.endPort ?? first));
    });
    if (!isPort) return false;
    const list = rules?.http ?? [];
    if (list.length === 0) return true;
    return http !== null && protocol === 'TCP' && list.some((rule) => fits(rule, http));
  }

  #holds(rule: CiliumRule, namespace: string | null, request: CiliumRequest): boolean {
    const { toPorts = [] } = rule;
    if (!this.#isPeer(rule, namespace, request)) return false;
    return toPorts.length === 0 || toPorts.some((one) => this.#onPorts(one, request));
  }

  /** True where it is let in. */
  allows(request: CiliumRequest): boolean {
    const own = this.#policies.filter(
      ({ namespace, endpointSelector }) =>
        (namespace === null || namespace === request.to.namespace) &&
        selects(endpointSelector, request.to),
    );
    const some = (list: 'ingress' | 'ingressDeny'): boolean =>
      own.some((policy) =>
        (policy[list] ?? []).some((rule) => this.#holds(rule, policy.namespace, request)),
      );
    if (some('ingressDeny')) return false;
    const isClosed = own.some(
      ({ ingress = [], ingressDeny = [], enableDefaultDeny }) =>
        ingress.length + ingressDeny.length > 0 && enableDefaultDeny?.ingress !== false,
    );
    return !isClosed || some('ingress');
  }
}

function fits(rule: CiliumHttp, http: NonNullable<CiliumRequest['http']>): boolean {
  const whole = (expression: string | undefined, text: string): boolean =>
    expression === undefined || new RegExp(`^(?:${expression})$`).test(text);
  return (
    whole(rule.path, http.target) &&
    whole(rule.method, http.method) &&
    whole(rule.host, http.host) &&
    (rule.headers ?? []).every((line) => {
      const [name = '', value] = line.split(': ');
      const have = http.headers[name.toLowerCase()];
      return have !== undefined && (value === undefined || have === value);
    })
  );
}
