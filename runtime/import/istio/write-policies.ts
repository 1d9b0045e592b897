/**
 * AuthorizationPolicies as policies of Weft. Those of one scope are one file: what denies first, then what
 * allows, in the order of the ids that Istio reports. AUDIT and dry-run have files of their own, since they
 * mark and never decide. A file may also hold all scopes (`layout: 'one'`): then each is asked in code.
 */
import type { Attachment } from '../../../compiler/bundle/manifest.js';
import type { Position } from '../../../compiler/diagnostic/index.js';
import { all, type Condition, isFalse, isTrue, layOut, TRUE, test, write } from '../condition.js';
import { PolicyText, quote, WIDTH } from '../policy-text.js';
import type { FileNames, ImportedFile } from '../project.js';
import {
  type Action,
  type ImportedPolicy,
  ofConnection,
  ofRequest,
  type Rule,
  type Scope,
  withoutRequests,
} from './model.js';
import type { IstioOptions } from './options.js';
import { PLAIN_LOCAL, plainPath } from './path-template.js';

/** What is refused before any rule: of a request only. */
export interface Refusal {
  readonly id: string;
  readonly at: Position;
  readonly scope: Scope;
  readonly condition: Condition;
}

export type Layout = 'scopes' | 'one';
type Level = 'request' | 'connection';
/** On ports of HTTP: requests alone, or their connections too, by what is known of them. */
export type Judging = 'requests' | 'twice';
type Class = 'decide' | 'audit' | 'dry-run';

interface Group {
  readonly kind: Class;
  readonly scope: Scope;
  readonly policies: readonly ImportedPolicy[];
  readonly refusals: readonly Refusal[];
}

export function scopeKey({ namespace, labels, more }: Scope): string {
  return JSON.stringify([namespace, Object.entries(labels).sort(), more?.text ?? '']);
}

export function attachmentOf({ namespace, labels }: Scope): Attachment {
  const workload = Object.keys(labels).length === 0 ? {} : { workload: { ...labels } };
  if (namespace !== null) return { namespace, ...workload };
  return 'workload' in workload ? workload : { namespace: '*' };
}

/** The scope as a question about the destination. */
export function inScope({ namespace, labels, more }: Scope): Condition {
  const named = namespace === null ? TRUE : test(`destination.namespace.is(${quote(namespace)})`);
  const labelled = Object.entries(labels)
    .sort()
    .map(([key, value]) => test(`destination.label(${quote(key)}).is(${quote(value)})`));
  return all(named, ...labelled, more?.condition ?? TRUE);
}

export function describeScope({ namespace, labels }: Scope): string {
  const where = namespace === null ? 'every namespace' : `namespace ${namespace}`;
  const words = Object.entries(labels)
    .sort()
    .map(([key, value]) => `${key}=${value}`);
  return words.length === 0
    ? `all workloads of ${where}`
    : `workloads ${words.join(' ')} of ${where}`;
}

export function placeText({ file, line }: Position): string {
  return `${file}:${line}`;
}

function classOf({ action, dryRun }: ImportedPolicy): Class {
  if (action === 'audit') return 'audit';
  return dryRun ? 'dry-run' : 'decide';
}

const VERDICT: Readonly<Record<Action, string>> = {
  allow: 'Verdict.Allow',
  deny: 'Verdict.Deny',
  audit: 'Verdict.Audit',
};

/** Statements of one function of one file. */
class FunctionText {
  readonly #policy: PolicyText;
  readonly #level: Level;
  readonly #judges: Judging;
  readonly #lines: string[] = [];
  #indent = '  ';
  allows = false;
  /** True once a statement returns whatever comes. */
  ended = false;

  constructor(policy: PolicyText, level: Level, judges: Judging) {
    this.#policy = policy;
    this.#level = level;
    this.#judges = judges;
  }

  line(text: string): void {
    this.#lines.push(this.#indent + text);
  }

  returnIf(condition: Condition, verdict: string): void {
    if (isFalse(condition)) return;
    if (verdict === VERDICT.allow) this.allows = true;
    if (isTrue(condition)) {
      this.line(`return ${verdict};`);
      this.ended = true;
      return;
    }
    const head = `${this.#indent}if (`;
    const tail = `) return ${verdict};`;
    const inner = `${this.#indent}  `;
    const text = layOut(condition, this.#policy, inner, WIDTH - head.length - tail.length);
    this.#lines.push(
      text.includes('\n') ? `${head}\n${inner}${text}\n${this.#indent}${tail}` : head + text + tail,
    );
  }

  rule(rule: Rule, action: Action): void {
    const condition =
      this.#level === 'request' ? ofRequest(rule) : this.#ofConnection(rule, action);
    const where = `// ${rule.id}, ${placeText(rule.at)}`;
    if (this.ended) this.line(`${where}: what stands above answers before it`);
    else if (isFalse(condition)) this.line(`${where}: looks at requests, so it never holds here`);
    else {
      this.line(where);
      this.returnIf(condition, VERDICT[action]);
    }
  }

  #ofConnection(rule: Rule, action: Action): Condition {
    return this.#judges === 'twice' ? withoutRequests(rule) : ofConnection(rule, action);
  }

  /** What stands within `if (condition) { ... }`. */
  within(condition: Condition, body: () => void): void {
    if (isTrue(condition)) {
      body();
      return;
    }
    this.line(`if (${write(condition, this.#policy)}) {`);
    this.#indent += '  ';
    body();
    this.#indent = this.#indent.slice(2);
    this.line('}');
    this.ended = false;
  }

  get body(): string {
    return this.#lines.join('\n');
  }
}

function headOf(level: Level, body: string, policy: PolicyText): string {
  const uses = (word: string): boolean => new RegExp(`\\b${word}\\b`).test(body);
  const from = level === 'request' ? 'request' : 'connection';
  const locals = ['source', 'destination'].filter(uses).map((side) => `${side} = ${from}.${side}`);
  const lines = locals.length === 0 ? [] : [`  const ${locals.join(', ')};`];
  if (level === 'request' && uses('connection'))
    lines.push('  const connection = request.connection;');
  if (uses(PLAIN_LOCAL)) lines.push(`  const ${PLAIN_LOCAL} = ${plainPath(policy)};`);
  return lines.map((line) => `${line}\n`).join('');
}

const NEVER = test('destination.namespace.is("*")');

const ORDER: readonly Action[] = ['deny', 'allow', 'audit'];

export interface WriteInput {
  readonly policies: readonly ImportedPolicy[];
  readonly refusals: readonly Refusal[];
  readonly options: IstioOptions;
  readonly layout: Layout;
  readonly names: FileNames;
  /** What comments call the import; Istio's where it is not said. */
  readonly dialect?: string;
  readonly judges?: Judging;
}

class Writer {
  readonly #options: IstioOptions;
  readonly #dialect: string;
  readonly #judges: Judging;
  readonly #names: FileNames;

  constructor({ options, names, dialect = 'istio', judges = 'requests' }: WriteInput) {
    this.#judges = judges;
    this.#names = names;
    this.#options = options;
    this.#dialect = dialect;
  }

  /** One file of groups of a kind; of several groups each asks for its scope. */
  file(kind: Class, groups: readonly Group[], name: string): ImportedFile {
    const only = groups.length === 1 ? groups[0] : undefined;
    const about = only === undefined ? 'all workloads' : describeScope(only.scope);
    const policy = new PolicyText([
      `Imported by weft import ${this.#dialect}: ${about}.`,
      ...ABOUT[kind],
    ]);
    for (const level of ['request', 'connection'] as const) {
      if (level === 'request' && this.#options.httpPorts.length === 0) continue;
      this.#function(policy, level, kind, groups, only !== undefined);
    }
    return {
      file: this.#names.give(name),
      text: policy.toString(),
      attach: only === undefined ? [{ namespace: '*' }] : [attachmentOf(only.scope)],
      mode: kind === 'dry-run' ? 'shadow' : 'enforce',
    };
  }

  #function(
    policy: PolicyText,
    level: Level,
    kind: Class,
    groups: readonly Group[],
    attached: boolean,
  ): void {
    const out = new FunctionText(policy, level, this.#judges);
    const guard = (scope: Scope): Condition => (attached ? TRUE : inScope(scope));
    const allows = groups.filter((g) => g.policies.some((p) => p.action === 'allow'));
    const decides = kind === 'decide' && allows.length > 0;
    if (level === 'connection') this.#leaveRequests(out, policy, decides);
    else for (const group of groups) this.#refuse(out, group, guard(group.scope));
    if (level === 'request' && kind === 'decide' && looksAtPaths(groups)) this.#ambiguous(out);
    if (!attached && decides) out.line('let selected = false;');
    for (const action of ORDER) {
      for (const { scope, policies } of groups) {
        const own = policies.filter((p) => p.action === action);
        if (own.length === 0) continue;
        out.within(guard(scope), () => {
          const selects = own.some((policy) => policy.selects !== false);
          if (!attached && action === 'allow' && kind === 'decide' && selects) {
            out.line('selected = true;');
          }
          this.#policies(out, own);
        });
      }
    }
    if (!attached && decides) {
      if (!out.ended) out.line('return selected ? Verdict.Deny : Verdict.Allow;');
    } else {
      if (decides && !out.allows && !out.ended) {
        out.line(
          '// No rule allows here, and one has to: what no namespace is called never holds.',
        );
        out.returnIf(NEVER, VERDICT.allow);
      }
      if (!out.ended) out.line('return Verdict.Pass;');
    }
    const [name, type] =
      level === 'request'
        ? ['authorizeRequest(request: Request)', 'Verdict']
        : ['authorizeConnection(connection: Connection)', 'Verdict'];
    policy.add(
      `export function ${name}: ${type} {\n${headOf(level, out.body, policy)}${out.body}\n}`,
    );
  }

  /** Policies of one action. Of rules that hold at once Istio reports the first by its id, as text. */
  #policies(out: FunctionText, policies: readonly ImportedPolicy[]): void {
    for (const { id, at, rules } of policies) {
      if (rules.length === 0) out.line(`// ${id}, ${placeText(at)}: without rules it never holds`);
    }
    const rules = policies.flatMap((p) => p.rules.map((rule) => ({ rule, action: p.action })));
    rules.sort((a, b) => (a.rule.id < b.rule.id ? -1 : 1));
    for (const { rule, action } of rules) out.rule(rule, action);
  }

  /** Connections whose requests are judged are let in. */
  #leaveRequests(out: FunctionText, policy: PolicyText, decides: boolean): void {
    const { httpPorts } = this.#options;
    if (httpPorts.length === 0 || this.#judges === 'twice') return;
    const http = policy.ports('ports of HTTP', httpPorts);
    out.line('// Its requests are judged one by one.');
    const is = test(`${http}.contains(destination.port)`);
    out.returnIf(is, decides ? VERDICT.allow : 'Verdict.Pass');
  }

  #refuse(out: FunctionText, { refusals }: Group, guard: Condition): void {
    for (const { id, at, condition } of refusals) {
      out.line(`// ${id}, ${placeText(at)}`);
      out.returnIf(all(guard, condition), VERDICT.deny);
    }
  }

  /** Paths that a mesh with another normalisation would rewrite before it matches them. */
  #ambiguous(out: FunctionText): void {
    const { paths } = this.#options;
    if (paths === 'BASE') return;
    out.line(`// ${paths}: what would be rewritten is refused.`);
    const parts = paths === 'MERGE_SLASHES' ? ['//'] : ['//', '%2F', '%2f', '%5C', '%5c'];
    for (const part of parts) {
      out.returnIf(test(`request.path.contains(${quote(part)})`), VERDICT.deny);
    }
  }

  write({ policies, refusals, layout }: WriteInput): readonly ImportedFile[] {
    const groups = groupsOf(policies, refusals);
    if (layout === 'scopes') {
      return groups.map((group) => this.file(group.kind, [group], nameOf(group)));
    }
    return (['decide', 'audit', 'dry-run'] as const).flatMap((kind) => {
      const own = groups.filter((group) => group.kind === kind);
      return own.length === 0 ? [] : [this.file(kind, own, kind === 'decide' ? 'mesh' : kind)];
    });
  }
}

function looksAtPaths(groups: readonly Group[]): boolean {
  const scratch = new PolicyText([]);
  const rules = groups.flatMap((g) => g.policies.flatMap((p) => p.rules));
  return rules.some((rule) => write(ofRequest(rule), scratch).includes('request.path'));
}

const ABOUT: Readonly<Record<Class, readonly string[]>> = {
  decide: [],
  audit: ['It marks, and decides nothing.'],
  'dry-run': ['A dry run: weft.json has it in shadow.'],
};

function nameOf({ kind, scope }: Group): string {
  const words = Object.entries(scope.labels)
    .sort()
    .map(([key, value]) => `${key.split('/').at(-1)}-${value}`);
  const all = [scope.namespace ?? 'mesh', ...words, ...(kind === 'decide' ? [] : [kind])];
  return all.join('-');
}

function groupsOf(
  policies: readonly ImportedPolicy[],
  refusals: readonly Refusal[],
): readonly Group[] {
  const groups = new Map<
    string,
    { group: Group; policies: ImportedPolicy[]; refusals: Refusal[] }
  >();
  const place = (
    kind: Class,
    scope: Scope,
  ): { policies: ImportedPolicy[]; refusals: Refusal[] } => {
    const key = `${kind} ${scopeKey(scope)}`;
    const known = groups.get(key);
    if (known !== undefined) return known;
    const lists = { policies: [], refusals: [] };
    const fresh = { ...lists, group: { kind, scope, ...lists } };
    groups.set(key, fresh);
    return fresh;
  };
  const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
  for (const one of [...refusals].sort(byId)) place('decide', one.scope).refusals.push(one);
  for (const one of [...policies].sort(byId)) place(classOf(one), one.scope).policies.push(one);
  return [...groups.values()]
    .map(({ group }) => group)
    .filter(({ policies: p, refusals: r }) => p.length + r.length > 0);
}

/** Writes all policies. */
export function writePolicies(input: WriteInput): readonly ImportedFile[] {
  return new Writer(input).write(input);
}
