/**
 * What an AuthorizationPolicy says to one mesh and not to another, each with a request on which they differ: Envoy (sidecars, waypoints),
 * ztunnel (ambient), Weft. What is known of them stands in docs/import.md.
 */
import { type Diagnostic, diagnostic } from '../../../compiler/diagnostic/index.js';
import { CODES } from '../codes.js';
import type { SourceFile } from '../objects.js';
import { readTrees, type Tree } from '../tree.js';

interface Value {
  readonly tree: Tree;
  readonly text: string;
}

function field(tree: Tree | null, name: string): Tree | null {
  return tree?.value instanceof Map ? (tree.value.get(name)?.tree ?? null) : null;
}
function items(tree: Tree | null): readonly Tree[] {
  return Array.isArray(tree?.value) ? tree.value : [];
}
function text(tree: Tree | null): string | null {
  return typeof tree?.value === 'string'
    ? tree.value
    : typeof tree?.value === 'boolean' || typeof tree?.value === 'number'
      ? String(tree.value)
      : null;
}
function values(tree: Tree | null, ...names: readonly string[]): readonly Value[] {
  return names.flatMap((name) =>
    items(field(tree, name)).flatMap((item) => {
      const read = text(item);
      return read === null ? [] : [{ tree: item, text: read }];
    }),
  );
}

class Finder {
  readonly found: Diagnostic[] = [];

  report(code: 'W521' | 'W522', at: Tree, message: string, witness: string): void {
    const notes = [`example: ${witness}`];
    this.found.push(
      diagnostic(code, message, {
        at: at.at,
        severity: 'warning',
        notes,
        help: CODES[code]?.help ?? null,
      }),
    );
  }
}

function lintNamespaces(finder: Finder, source: Tree): void {
  for (const { tree, text: value } of values(source, 'namespaces', 'notNamespaces')) {
    const inner = value.slice(1, -1);
    if (/^.*\*s?a$/.test(value)) {
      finder.report(
        'W521',
        tree,
        `Envoy's \`${value}\` matches every namespace, since its star runs into \`/sa/\`; ztunnel compares the namespace alone`,
        'peer cluster.local/ns/web/sa/q: Envoy yes, ztunnel and Weft no',
      );
    } else if (value === 'sa' || /^s\*$/.test(value)) {
      finder.report(
        'W521',
        tree,
        `Envoy's \`${value}\` matches all peers of a namespace called \`ns\` too`,
        'peer cluster.local/ns/ns/sa/x: Envoy yes, ztunnel and Weft no',
      );
    } else if (value === 'ns') {
      finder.report(
        'W521',
        tree,
        "Envoy's `ns` matches all peers of a trust domain called `ns` too",
        'peer ns/ns/web/sa/x: Envoy yes, ztunnel and Weft no',
      );
    } else if (inner.includes('*')) {
      finder.report(
        'W521',
        tree,
        `the star within \`${value}\` is one to Envoy and a plain character to ztunnel`,
        `namespace ${value.replaceAll('*', 'x')}: Envoy yes, ztunnel no`,
      );
    }
  }
}

function lintPrincipals(finder: Finder, source: Tree): void {
  for (const { tree, text: value } of values(source, 'principals', 'notPrincipals')) {
    if (!value.startsWith('spiffe://')) continue;
    const principal = value.slice('spiffe://'.length);
    finder.report(
      'W522',
      tree,
      'the scheme of a principal is added by the mesh: with it written no peer matches',
      `peer ${principal}: no in every mesh; write \`${principal}\``,
    );
  }
}

function lintOperation(finder: Finder, operation: Tree): void {
  for (const { tree, text: value } of values(operation, 'paths', 'notPaths')) {
    if (!value.includes('{*}')) continue;
    finder.report(
      'W521',
      tree,
      'older Envoys do not take `=` in the segment that `{*}` stands for',
      `GET ${value.replaceAll('{*}', 'a=b').replaceAll('{**}', 'x')}: Envoy before 1.30 no, others yes`,
    );
  }
  const hosts = values(operation, 'hosts', 'notHosts');
  for (const { tree, text: value } of hosts) {
    const isPlain = !value.includes('*') && !/:\d+$/.test(value);
    if (!isPlain || hosts.some((other) => other.text === `${value}:*`)) continue;
    finder.report(
      'W521',
      tree,
      `\`${value}\` is not the host that clients of another port name`,
      `Host: ${value}:8080: no, where Host: ${value} is yes; \`${value}:*\` beside it takes both`,
    );
  }
}

/** Lines of one header: Envoy joins them by a comma, Weft refuses the request. The same where Envoy refuses it too. */
function lintRepeated(finder: Finder, when: Tree, name: string, action: string): void {
  const isJoined = ({ text: value }: Value): boolean => /[*,]/.test(value);
  const all = values(when, 'values').filter(({ text: value }) => value !== '*');
  const found = all.find((one) => isJoined(one) === (action === 'ALLOW'));
  if (found === undefined || !['ALLOW', 'DENY'].includes(action)) return;
  const [first = '', second = 'x'] = found.text.replaceAll('*', '').split(/,(.*)/);
  const lines = found.text.startsWith('*') ? [second, first] : [first, second];
  finder.report(
    'W521',
    found.tree,
    `Envoy joins lines of \`${name}\` by a comma before it compares; Weft refuses requests that repeat it`,
    `a request with \`${name}: ${lines[0]}\` and \`${name}: ${lines[1]}\`: Envoy lets it in, Weft does not`,
  );
}

function lintWhen(finder: Finder, when: Tree, action: string): void {
  const key = text(field(when, 'key')) ?? '';
  const name = /^request\.headers\[(.*)\]$/.exec(key)?.[1];
  if (name === undefined) return;
  const at = field(when, 'key') ?? when;
  if (/^(host|:.*)$/i.test(name)) {
    finder.report(
      'W522',
      at,
      `Envoy moves \`${name}\` out of the headers, so that no request matches; Weft refuses it`,
      `any request: Envoy no; use \`${/host|:authority/i.test(name) ? 'hosts' : name === ':method' ? 'methods' : 'paths'}\``,
    );
    return;
  }
  lintRepeated(finder, when, name, action);
  for (const { tree, text: value } of values(when, 'values', 'notValues')) {
    if (value === '*') {
      finder.report(
        'W521',
        tree,
        'to Envoy `*` means that the header is there, also empty; Weft and the documentation ask for a value',
        `a request with \`${name}:\` and nothing behind it: Envoy yes, Weft no`,
      );
    }
  }
}

/** Ports that are rarely anything but HTTP. */
const HTTP_PORTS: ReadonlySet<string> = new Set(['80', '8000', '8080', '8081', '3000', '5000']);
const HTTP_FIELDS = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'];

/** Rules that only say something of HTTP, on connections that carry none. */
function lintLayer(finder: Finder, rule: Tree, action: string): void {
  const operations = items(field(rule, 'to')).map((to) => field(to, 'operation'));
  const hasHttp = operations.some((operation) =>
    HTTP_FIELDS.some((name) => field(operation, name) !== null),
  );
  if (!hasHttp) return;
  if (action === 'DENY') {
    finder.report(
      'W521',
      rule,
      'a DENY about HTTP is decided differently for connections that carry none',
      'TCP to the same port: an Envoy that does not parse it and Kmesh refuse all, ztunnel lets all in',
    );
  }
  const ports = operations.flatMap((operation) => values(operation, 'ports'));
  const [plain] = ports.filter(({ text: port }) => !HTTP_PORTS.has(port));
  if (action === 'ALLOW' && plain !== undefined) {
    finder.report(
      'W521',
      plain.tree,
      `an ALLOW about HTTP counts for port ${plain.text} only where the mesh parses HTTP there`,
      `TCP to port ${plain.text}: an Envoy that does not parse it and ztunnel drop the rule and refuse; GET to the same port where it is parsed: yes`,
    );
  }
}

function lintPolicy(finder: Finder, policy: Tree): void {
  const annotation = field(field(field(policy, 'metadata'), 'annotations'), 'istio.io/dry-run');
  const dry = text(annotation);
  if (annotation !== null && dry !== null) {
    if (!/^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(dry)) {
      finder.report(
        'W521',
        annotation,
        `\`${dry}\` is no truth value to Istio: the policy is enforced`,
        'any request that it refuses: Istio enforces it, who wrote it expects a dry run',
      );
    } else if (/^[1tT]/.test(dry)) {
      finder.report(
        'W521',
        annotation,
        'Kmesh enforces policies that are dry runs to Istio',
        'any request that it refuses: Istio lets it in, Kmesh does not',
      );
    }
  }
  const spec = field(policy, 'spec');
  const action = text(field(spec, 'action')) ?? 'ALLOW';
  const rules = items(field(spec, 'rules'));
  if (rules.length > 10) {
    finder.report(
      'W521',
      rules[10] ?? policy,
      'Istio tells rules in the order of their numbers as texts: 10 comes before 2',
      'a request that rules 2 and 10 match: Istio reports rule[10], Weft the one that is written first',
    );
  }
  for (const rule of rules) {
    for (const from of items(field(rule, 'from'))) {
      const source = field(from, 'source');
      if (source === null) continue;
      lintNamespaces(finder, source);
      lintPrincipals(finder, source);
    }
    for (const to of items(field(rule, 'to'))) {
      const operation = field(to, 'operation');
      if (operation !== null) lintOperation(finder, operation);
    }
    for (const when of items(field(rule, 'when'))) lintWhen(finder, when, action);
    lintLayer(finder, rule, action);
  }
}

/** Connections without mutual TLS: peers have no identity to Istio, to Weft they have that of their address. */
function lintPeers(finder: Finder, policy: Tree): void {
  const spec = field(policy, 'spec');
  const ports = field(spec, 'portLevelMtls')?.value;
  const modes = [
    field(field(spec, 'mtls'), 'mode'),
    ...(ports instanceof Map ? [...ports.values()].map(({ tree }) => field(tree, 'mode')) : []),
  ];
  for (const mode of modes) {
    if (mode === null || text(mode) !== 'DISABLE') continue;
    finder.report(
      'W521',
      mode,
      'without mutual TLS no peer has an identity to Istio; to Weft workloads keep that of their address',
      'a workload cluster.local/ns/web/sa/q and a rule with `principals: ["cluster.local/ns/web/sa/q"]`: Istio no, Weft yes',
    );
  }
}

/** Findings of the policies about access in some files; faults of their YAML are among them. */
export function lintIstio(files: readonly SourceFile[]): readonly Diagnostic[] {
  const finder = new Finder();
  for (const { name, text: source } of files) {
    const { trees, diagnostics } = readTrees(source, name);
    finder.found.push(...diagnostics);
    const walk = (tree: Tree): void => {
      const kind = text(field(tree, 'kind'));
      if (kind?.endsWith('List') === true) items(field(tree, 'items')).forEach(walk);
      if (kind === 'AuthorizationPolicy') lintPolicy(finder, tree);
      if (kind === 'PeerAuthentication') lintPeers(finder, tree);
    };
    trees.forEach(walk);
  }
  return finder.found;
}
