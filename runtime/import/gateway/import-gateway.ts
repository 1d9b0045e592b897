/**
 * HTTPRoutes of the mesh (GAMMA) -> a policy a service. Matches of all routes of a service are tried in the order of
 * their precedence. Routes in another namespace than the service are for clients of that namespace, and go before
 * those of the service's own.
 */
import type { Position } from '../../../compiler/diagnostic/index.js';
import { all, any, type Condition, layOut, TRUE, test } from '../condition.js';
import { Findings } from '../fields.js';
import { type KubeObject, readObjects, type SourceFile } from '../objects.js';
import { PolicyText, quote, WIDTH } from '../policy-text.js';
import { FileNames, type ImportedFile, type ImportedProject } from '../project.js';
import type { Backend, HttpRoute, RouteMatch, RouteRule } from './model.js';
import { readHttpRoute } from './read-http-route.js';

export interface GatewayOptions {
  readonly namespace: string;
  /** Full names of the clusters of each service of the world. */
  readonly clusters: ReadonlyMap<string, readonly string[]>;
}

const GROUP = 'gateway.networking.k8s.io';
const MAX_BACKENDS = 4;

interface Choice {
  readonly route: HttpRoute;
  readonly rule: RouteRule;
  readonly match: RouteMatch;
  readonly port: number | null;
  /** Of the rule in its route, and of the match in the rule. */
  readonly place: readonly [number, number];
}

/** Smaller goes first: what Gateway API says of precedence, in its order. */
function precedence({ route, match, place }: Choice): readonly (number | string)[] {
  const { path, method, headers, query } = match;
  return [
    path.kind === 'exact' ? 0 : 1,
    path.kind === 'exact' ? 0 : -path.text.length,
    method === null ? 1 : 0,
    -headers.length,
    -query.length,
    route.created === '' ? '~' : route.created,
    `${route.namespace}/${route.name}`,
    ...place,
  ];
}

function compare(a: Choice, b: Choice): number {
  const [x, y] = [precedence(a), precedence(b)];
  for (const [i, one] of x.entries()) {
    const other = y[i] ?? one;
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}

function conditionOf({ match, port }: Choice): Condition {
  const { path, method, headers, query } = match;
  const text = path.text.replace(/\/+$/, '');
  const below = any(
    test(`request.path.is(${quote(text)})`),
    test(`request.path.startsWith(${quote(`${text}/`)})`),
  );
  const exact = test(`request.path.is(${quote(path.text)})`);
  return all(
    path.kind === 'exact' ? exact : text === '' ? TRUE : below,
    ...(method === null ? [] : [test(`request.method.is(${quote(method)})`)]),
    ...headers.map((h) => test(`request.header(${quote(h.name)}).is(${quote(h.value)})`)),
    ...query.map((q) => test(`request.query(${quote(q.name)}).is(${quote(q.value)})`)),
    ...(port === null ? [] : [test(`request.destination.port == ${port}`)]),
  );
}

class Writer {
  readonly #policy: PolicyText;
  readonly #options: GatewayOptions;
  readonly #findings: Findings;
  readonly #lines: string[] = [];

  constructor(policy: PolicyText, options: GatewayOptions, findings: Findings) {
    this.#policy = policy;
    this.#options = options;
    this.#findings = findings;
  }

  #cluster({ service, at, edits }: Backend, more: readonly string[]): string {
    const known = this.#options.clusters.get(service) ?? [];
    const [name] = known;
    if (name === undefined || known.length > 1) {
      const what = name === undefined ? 'no cluster' : 'several clusters';
      const help = 'name a world in which it has one: `--world FILE`';
      this.#findings.error('W504', at, `the service \`${service}\` has ${what} in the world`, help);
    }
    const plain = this.#policy.declare('route', `cluster(${quote(name ?? service)})`);
    const calls = [...more, ...edits];
    return calls.length === 0
      ? plain
      : this.#policy.declare('edited', `edit(${plain})${calls.join('')}`);
  }

  #target({ at, redirect, edits, backends }: RouteRule): string {
    if (redirect !== null) return this.#policy.declare('moved', redirect);
    const used = backends.filter(({ weight }) => weight > 0);
    const [only] = used;
    if (only === undefined) return this.#policy.declare('failed', 'respond(500)');
    if (used.length > MAX_BACKENDS) {
      const message = `more than ${MAX_BACKENDS} backends of one rule`;
      this.#findings.error('W506', used[MAX_BACKENDS]?.at ?? at, message);
    }
    if (used.length === 1) return this.#cluster(only, edits);
    const arms = used.map((backend) => `${this.#cluster(backend, edits)}, ${backend.weight}`);
    return `split(${arms.join(', ')})`;
  }

  /** Tries choices in order, then answers 404. */
  choices(choices: readonly Choice[], guard: Condition): void {
    for (const choice of [...choices].sort(compare)) {
      const { route, rule, place } = choice;
      this.#comment(`${route.namespace}/${route.name} rule ${place[0]} match ${place[1]}`, rule.at);
      this.#return(all(guard, conditionOf(choice)), this.#target(rule));
    }
    const ports = choices.map(({ port }) => port);
    const asked = ports.includes(null)
      ? TRUE
      : any(...[...new Set(ports)].map((port) => test(`request.destination.port == ${port}`)));
    this.#return(all(guard, asked), this.#policy.declare('none', 'respond(404)'));
  }

  /** Clients and ports that no route is for keep what the service does by itself. */
  leave(): void {
    this.#lines.push('  return Route.None;');
  }

  #comment(text: string, { file, line }: Position): void {
    this.#lines.push(`  // ${text}, ${file}:${line}`);
  }

  #return(condition: Condition, target: string): void {
    if (condition.kind === 'all' && condition.of.length === 0) {
      this.#lines.push(`  return ${target};`);
      return;
    }
    const tail = `) return ${target};`;
    const text = layOut(condition, this.#policy, '    ', WIDTH - 6 - tail.length);
    this.#lines.push(
      text.includes('\n') ? `  if (\n    ${text}\n  ${tail}` : `  if (${text}${tail}`,
    );
  }

  /** The function; what follows a return that always holds is left out. */
  end(): void {
    const end = this.#lines.findIndex((line) => line.startsWith('  return '));
    const [live, dead] = [this.#lines.slice(0, end + 1), this.#lines.slice(end + 1)];
    const comments = dead.filter((line) => line.startsWith('  // '));
    const unreached = comments.map((line) => `${line}: what stands above answers before it`);
    const body = [...live.slice(0, -1), ...unreached, ...live.slice(-1)].join('\n');
    this.#policy.add(`export function routeRequest(request: Request): Route {\n${body}\n}`);
  }
}

function writeService(
  service: string,
  routes: readonly HttpRoute[],
  options: GatewayOptions,
  findings: Findings,
): string {
  const own = service.split('.').slice(1).join('.');
  const policy = new PolicyText([`Imported by weft import gateway-api: routes of ${service}.`]);
  const writer = new Writer(policy, options, findings);
  const choicesOf = (list: readonly HttpRoute[]): readonly Choice[] =>
    list.flatMap((route) => {
      const ports = route.parents.filter((p) => p.service === service).map(({ port }) => port);
      return ports.flatMap((port) =>
        route.rules.flatMap((rule, r) =>
          rule.matches.map((match, m): Choice => ({ route, rule, match, port, place: [r, m] })),
        ),
      );
    });
  const foreign = [...new Set(routes.map(({ namespace }) => namespace))].filter((n) => n !== own);
  for (const namespace of foreign.sort()) {
    const theirs = routes.filter((route) => route.namespace === namespace);
    const guard = test(`request.source.namespace.is(${quote(namespace)})`);
    writer.choices(choicesOf(theirs), guard);
  }
  const ours = routes.filter((route) => route.namespace === own);
  if (ours.length > 0) writer.choices(choicesOf(ours), TRUE);
  writer.leave();
  writer.end();
  return policy.toString();
}

/** Reads all files and writes the project; where there are errors there are no policies. */
export function importGateway(
  files: readonly SourceFile[],
  options: GatewayOptions,
): ImportedProject {
  const findings = new Findings();
  const objects = readObjects(files, findings, options.namespace);
  const isRoute = ({ group, kind }: KubeObject): boolean => group === GROUP && kind === 'HTTPRoute';
  const routes = objects.filter(isRoute).flatMap((object) => readHttpRoute(object, findings) ?? []);
  for (const { group, kind, name, at } of objects) {
    if (group !== GROUP || kind === 'HTTPRoute') continue;
    findings.error('W501', at, `${kind} \`${name}\` is not imported`);
  }
  const names = new FileNames();
  const services = [...new Set(routes.flatMap((r) => r.parents.map((p) => p.service)))].sort();
  const policies = services.map((service): ImportedFile => {
    const own = routes.filter((route) => route.parents.some((p) => p.service === service));
    return {
      file: names.give(`routes-${service}`),
      text: writeService(service, own, options, findings),
      attach: [{ service }],
      mode: 'enforce',
    };
  });
  return {
    policies: findings.errors > 0 ? [] : policies,
    default: 'allow',
    objects: { read: routes.length, ignored: objects.length - routes.length },
    diagnostics: findings.all,
  };
}
