/**
 * What AuthorizationPolicies say about one connection or request: the semantics written down a second time, straight
 * from their description, on plain objects as YAML gives them. It shares nothing with the importer, so that the
 * two can be compared. Policies are taken to be valid; there are no CUSTOM ones, no tokens and no proxies.
 */
export interface IstioSource {
  readonly [field: string]: readonly string[] | undefined;
}
export interface IstioRule {
  readonly from?: readonly { readonly source: IstioSource }[];
  readonly to?: readonly { readonly operation: IstioSource }[];
  readonly when?: readonly {
    readonly key: string;
    readonly values?: readonly string[];
    readonly notValues?: readonly string[];
  }[];
}
export interface IstioPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly action: 'ALLOW' | 'DENY' | 'AUDIT';
  readonly rules: readonly IstioRule[];
}

export interface IstioRequest {
  /** Without `spiffe://`; null of a peer that nobody vouches for. */
  readonly principal: string | null;
  readonly sourceIp: string;
  readonly destinationIp: string;
  readonly port: number;
  readonly workload: {
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** Null of a connection that carries no requests. */
  readonly http: {
    readonly method: string;
    /** Normalised, without query. */
    readonly path: string;
    readonly host: string;
    /** Lower-case names; lines of one name are joined with a comma. */
    readonly headers: Readonly<Record<string, string>>;
  } | null;
}

export interface IstioAnswer {
  readonly allow: boolean;
  /** `namespace/name[rule]` of what decided, first in the order of the texts; null where nothing did. */
  readonly rule: string | null;
}

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
const ANY = '[\\s\\S]*';

/** A value of the string dialect as a regular expression over the whole text. */
function dialect(value: string, before = ''): RegExp {
  if (value === '*') return /^[\s\S]+$/;
  if (value[0] === '*') return new RegExp(`^${ANY}${quoted(value.slice(1))}$`);
  if (value.at(-1) === '*') return new RegExp(`^${before}${quoted(value.slice(0, -1))}${ANY}$`);
  return new RegExp(`^${before}${quoted(value)}$`);
}

const SEGMENT = "[a-zA-Z0-9\\-._~%!$&'()+,;:@=]";

function template(value: string): RegExp {
  const parts = value.split(/(\{\*\*?\})/).map((part) => {
    if (part === '{*}') return `${SEGMENT}+`;
    return part === '{**}' ? `(?:${SEGMENT}|/)*` : quoted(part);
  });
  return new RegExp(`^${parts.join('')}$`);
}

/** The bits of an address, as a text of 0 and 1. */
function bits(address: string): string {
  if (!address.includes(':')) {
    return address
      .split('.')
      .map((n) => Number(n).toString(2).padStart(8, '0'))
      .join('');
  }
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = new Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
}

function inBlock(address: string, block: string): boolean {
  const [base = '', length] = block.split('/');
  if (base.includes(':') !== address.includes(':')) return false;
  const all = bits(base);
  const size = length === undefined ? all.length : Number(length);
  return bits(address).startsWith(all.slice(0, size));
}

type Test = (value: string) => boolean;

const onId = (id: string | null, pattern: (value: string) => RegExp): Test => {
  return (value) => id !== null && pattern(value).test(id);
};
const onText = (text: string | undefined): Test => {
  return (value) => text !== undefined && dialect(value).test(text);
};

/** What each field compares a value with. */
function tests(request: IstioRequest, policy: IstioPolicy): Readonly<Record<string, Test>> {
  const { principal, http } = request;
  const id = principal === null ? null : `spiffe://${principal}`;
  const account = (value: string): RegExp => {
    const [space, name] = value.includes('/') ? value.split('/') : [policy.namespace, value];
    return new RegExp(
      `^spiffe://.+/ns/${quoted(space ?? '')}/(.+/|)sa/${quoted(name ?? '')}(/.+)?$`,
    );
  };
  const domain = (value: string): RegExp =>
    value === '*'
      ? /^spiffe:/
      : new RegExp(`^spiffe://${value.split('*').map(quoted).join('[^/]*')}/.*$`);
  const namespace = (value: string): RegExp =>
    new RegExp(`^.*/ns/${value.split('*').map(quoted).join('.*')}/.*$`);
  return {
    principals: onId(id, (value) => dialect(value, 'spiffe:\\/\\/')),
    namespaces: onId(id, namespace),
    serviceAccounts: onId(id, account),
    trustDomains: onId(id, domain),
    ipBlocks: (value) => inBlock(request.sourceIp, value),
    destinationIp: (value) => inBlock(request.destinationIp, value),
    ports: (value) => Number(value) === request.port,
    hosts: (value) => http !== null && onText(http.host.toLowerCase())(value.toLowerCase()),
    methods: onText(http?.method),
    paths: (value) =>
      http !== null && (/\{/.test(value) ? template(value) : dialect(value)).test(http.path),
  };
}

const HTTP: ReadonlySet<string> = new Set(['hosts', 'methods', 'paths']);
const KEYS: Readonly<Record<string, string>> = {
  'source.ip': 'ipBlocks',
  'source.namespace': 'namespaces',
  'source.principal': 'principals',
  'source.serviceAccount': 'serviceAccounts',
  'source.trustDomain': 'trustDomains',
  'destination.ip': 'destinationIp',
  'destination.port': 'ports',
};

/** Whether a rule holds; on a connection, with what Envoy's TCP filter leaves of it. */
class RuleJudge {
  readonly #request: IstioRequest;
  readonly #tests: Readonly<Record<string, Test>>;
  readonly #deny: boolean;

  constructor(request: IstioRequest, policy: IstioPolicy) {
    this.#request = request;
    this.#tests = tests(request, policy);
    this.#deny = policy.action === 'DENY';
  }

  holds(rule: IstioRule): boolean {
    if (this.#request.http === null && !this.#deny && asksHttp(rule)) return false;
    const { from = [], to = [], when = [] } = rule;
    return (
      (from.length === 0 || from.some(({ source }) => this.#fields(source))) &&
      (to.length === 0 || to.some(({ operation }) => this.#fields(operation))) &&
      when.every(({ key, values = [], notValues = [] }) => this.#when(key, values, notValues))
    );
  }

  #skips(field: string): boolean {
    return this.#request.http === null && HTTP.has(field);
  }

  #fields(fields: IstioSource): boolean {
    return Object.entries(fields).every(([name, values = []]) => {
      const negative = /^not[A-Z]/.test(name);
      const field = negative ? name.charAt(3).toLowerCase() + name.slice(4) : name;
      return this.#skips(field) || this.#list(this.#test(field), values, negative);
    });
  }

  #test(field: string): Test {
    const found = this.#tests[field];
    if (found === undefined) throw new Error(`no field ${field}`);
    return found;
  }

  #list(test: Test, values: readonly string[], negative: boolean): boolean {
    return values.some(test) !== negative;
  }

  #when(key: string, values: readonly string[], notValues: readonly string[]): boolean {
    const header = /^request\.headers\[(.*)\]$/.exec(key)?.[1]?.toLowerCase();
    if (header !== undefined && this.#request.http === null) return true;
    const test =
      header === undefined
        ? this.#test(KEYS[key] ?? key)
        : onText(this.#request.http?.headers[header]);
    return (
      (values.length === 0 || this.#list(test, values, false)) &&
      (notValues.length === 0 || this.#list(test, notValues, true))
    );
  }
}

function asksHttp({ from = [], to = [], when = [] }: IstioRule): boolean {
  const fields = [...from.map((f) => f.source), ...to.map((t) => t.operation)].flatMap(Object.keys);
  const plain = fields.map((name) =>
    name.replace(/^not([A-Z])/, (_, c: string) => c.toLowerCase()),
  );
  return plain.some((name) => HTTP.has(name)) || when.some(({ key }) => key.startsWith('request.'));
}

function selects(policy: IstioPolicy, { workload }: IstioRequest, root: string): boolean {
  if (policy.namespace !== root && policy.namespace !== workload.namespace) return false;
  return Object.entries(policy.selector).every(([key, value]) => workload.labels[key] === value);
}

/** What a set of policies says. */
export function interpretIstio(
  policies: readonly IstioPolicy[],
  request: IstioRequest,
  root = 'istio-system',
): IstioAnswer {
  const selected = policies.filter((policy) => selects(policy, request, root));
  const hits = (action: IstioPolicy['action']): readonly string[] =>
    selected
      .filter((policy) => policy.action === action)
      .flatMap((policy) => {
        const judge = new RuleJudge(request, policy);
        return policy.rules.flatMap((rule, i) =>
          judge.holds(rule) ? [`${policy.namespace}/${policy.name}[${i}]`] : [],
        );
      })
      .sort();
  const [denied] = hits('DENY');
  if (denied !== undefined) return { allow: false, rule: denied };
  if (!selected.some(({ action }) => action === 'ALLOW')) return { allow: true, rule: null };
  const [allowed] = hits('ALLOW');
  return { allow: allowed !== undefined, rule: allowed ?? null };
}
