/**
 * Pass sites
 * Reads    the parsed syntax trees of the policy's own files
 * Writes   `Verdict.X` -> `Verdict.__at(site << 8 | code)`; each arm of `return E` in a function that
 *          returns Route -> `Route.__at(E, site)`; declaring calls get the number of their position
 * Refuses  declarations inside the exported policy functions
 * Keeps    ranges of all nodes, so that lines and columns of later findings are those of the text
 */
import { VERDICT, type VerdictName } from '../abi/index.js';
import { type Diagnostic, diagnostic, type Position } from '../diagnostic/index.js';
import { LineIndex } from './line-index.js';
import type { Site } from './types.js';

export interface SiteOptions {
  readonly firstSite: number;
}
export interface DeclarationSite {
  readonly at: Position;
}
export interface SitesOutcome {
  readonly sites: readonly Site[];
  readonly declarations: readonly DeclarationSite[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The part of asc's syntax tree that is used; nodes are walked by reflection. */
interface Range {
  readonly start: number;
  readonly end: number;
}
interface Ast {
  readonly kind: number;
  readonly range: Range;
  [field: string]: unknown;
}
interface Factory {
  readonly NodeKind: Readonly<Record<string, number>>;
  readonly Node: {
    createIdentifierExpression(text: string, range: Range): Ast;
    createPropertyAccessExpression(object: Ast, property: Ast, range: Range): Ast;
    createCallExpression(callee: Ast, types: null, args: Ast[], range: Range): Ast;
    createIntegerLiteralExpression(value: unknown, range: Range): Ast;
    createNullExpression(range: Range): Ast;
  };
}

const VERDICTS: ReadonlyMap<string, VerdictName> = new Map([
  ['Allow', 'allow'],
  ['Deny', 'deny'],
  ['Pass', 'pass'],
  ['Audit', 'audit'],
]);
const EXPORTS: ReadonlySet<string> = new Set(['authorizeConnection', 'routeConnection']);
const DECLARING: ReadonlySet<string> = new Set(['Table', 'CidrSet', 'cluster']);

function isNode(value: unknown): value is Ast {
  return typeof value === 'object' && value !== null && 'kind' in value && 'range' in value;
}
function nodesOf(value: unknown): Ast[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}
function text(node: unknown): string {
  if (!isNode(node)) return '';
  if (typeof node['text'] === 'string') return node['text'];
  return isNode(node['identifier']) ? text(node['identifier']) : '';
}

/** What names of "weft" are called in a file: local name -> exported name. */
function importedNames(source: Ast, kinds: Readonly<Record<string, number>>): Map<string, string> {
  const names = new Map<string, string>();
  for (const statement of nodesOf(source['statements'])) {
    if (statement.kind !== kinds['Import']) continue;
    const path = isNode(statement['path']) ? statement['path']['value'] : '';
    if (path !== 'weft') continue;
    for (const item of nodesOf(statement['declarations'])) {
      names.set(text(item['name']), text(item['foreignName']));
    }
  }
  return names;
}

class FileRewriter {
  readonly #make: Factory;
  readonly #file: string;
  readonly #lines: LineIndex;
  readonly #names: ReadonlyMap<string, string>;
  readonly #outcome: {
    sites: Site[];
    declarations: DeclarationSite[];
    diagnostics: Diagnostic[];
  };
  readonly #firstSite: number;
  /** Local variables of the file that hold a CidrSet, whose `add` is told its position. */
  readonly #sets = new Set<string>();

  constructor(
    source: Ast,
    make: Factory,
    firstSite: number,
    outcome: { sites: Site[]; declarations: DeclarationSite[]; diagnostics: Diagnostic[] },
  ) {
    this.#make = make;
    this.#file = String(source['normalizedPath']);
    this.#lines = new LineIndex(String(source['text']));
    this.#names = importedNames(source, make.NodeKind);
    this.#outcome = outcome;
    this.#firstSite = firstSite;
  }

  rewriteFile(source: Ast): void {
    for (const statement of nodesOf(source['statements'])) {
      if (statement.kind === this.#kind('Import')) continue;
      const decides =
        statement.kind === this.#kind('FunctionDeclaration') &&
        EXPORTS.has(text(statement['name']));
      this.#children(statement, { inRoute: this.#returnsRoute(statement), decides });
    }
  }

  #kind(name: string): number {
    return this.#make.NodeKind[name] ?? -1;
  }
  #position(range: Range): Position {
    return this.#lines.range(this.#file, range.start, range.end);
  }
  #integer(value: number, range: Range): Ast {
    const literal = (globalThis as { i64_new?: (low: number, high: number) => unknown }).i64_new;
    return this.#make.Node.createIntegerLiteralExpression(
      literal === undefined ? value : literal(value, 0),
      range,
    );
  }
  #site(kind: Site['kind'], verdict: VerdictName | null, range: Range): number {
    const site = this.#firstSite + this.#outcome.sites.length;
    const { line, column } = this.#position(range);
    this.#outcome.sites.push({ site, kind, verdict, file: this.#file, line, column });
    return site;
  }
  /** The verdict that an expression writes out, else null. */
  #verdict(node: Ast): VerdictName | null {
    if (node.kind !== this.#kind('PropertyAccess') || !isNode(node['expression'])) return null;
    if (this.#names.get(text(node['expression'])) !== 'Verdict') return null;
    return VERDICTS.get(text(node['property'])) ?? null;
  }
  #returnsRoute(node: Ast): boolean {
    const signature = node['signature'];
    const type = isNode(signature) ? signature['returnType'] : null;
    return isNode(type) && this.#names.get(text(type['name'])) === 'Route';
  }
  #call(object: Ast, method: string, args: Ast[], range: Range): Ast {
    const { Node } = this.#make;
    const property = Node.createIdentifierExpression(method, range);
    const callee = Node.createPropertyAccessExpression(object, property, range);
    return Node.createCallExpression(callee, null, args, range);
  }
  #routeName(): string {
    for (const [local, name] of this.#names) if (name === 'Route') return local;
    return 'Route';
  }

  #children(node: Ast, context: Context): void {
    for (const field of Object.keys(node)) {
      if (field === 'range' || field === 'source') continue;
      const value = node[field];
      if (Array.isArray(value)) {
        value.forEach((item: unknown, i) => {
          if (isNode(item)) value[i] = this.#rewrite(item, context);
        });
      } else if (isNode(value)) node[field] = this.#rewrite(value, context);
    }
  }

  /** Rewrites a node and what is below it; the result takes its place. */
  #rewrite(node: Ast, context: Context): Ast {
    const verdict = this.#verdict(node);
    if (verdict !== null) {
      const site = context.compared === true ? 0 : this.#site('verdict', verdict, node.range);
      const word = site * 256 + VERDICT[verdict];
      const args = [this.#integer(word, node.range)];
      return this.#call(node['expression'] as Ast, '__at', args, node.range);
    }
    let inner: Context = { ...context, compared: false };
    if (node['signature'] !== undefined && node['body'] !== undefined) {
      inner = { ...inner, inRoute: this.#returnsRoute(node) };
    }
    if (node.kind === this.#kind('Binary')) inner = { ...inner, compared: this.#compares(node) };
    if (node.kind === this.#kind('Switch')) this.#switch(node);
    if (node.kind === this.#kind('VariableDeclaration')) this.#noteSet(node);
    this.#children(node, inner);
    this.#declaration(node, context);
    if (node.kind === this.#kind('Return') && context.inRoute && isNode(node['value'])) {
      node['value'] = this.#route(node['value']);
    }
    return node;
  }

  #compares(node: Ast): boolean {
    return [node['left'], node['right']].some(
      (side) => isNode(side) && this.#verdict(side) !== null,
    );
  }

  /** asc switches over integers only: compare the codes where a case names a verdict. */
  #switch(node: Ast): void {
    const cases = nodesOf(node['cases']);
    if (!cases.some((c) => isNode(c['label']) && this.#verdict(c['label']) !== null)) return;
    const condition = node['condition'] as Ast;
    const property = this.#make.Node.createIdentifierExpression('code', condition.range);
    node['condition'] = this.#make.Node.createPropertyAccessExpression(
      condition,
      property,
      condition.range,
    );
    for (const item of cases) {
      const label = item['label'];
      const verdict = isNode(label) ? this.#verdict(label) : null;
      if (isNode(label) && verdict !== null) {
        item['label'] = this.#integer(VERDICT[verdict], label.range);
      }
    }
  }

  /** Gives each arm of a returned expression a site. */
  #route(value: Ast): Ast {
    if (value.kind === this.#kind('Ternary')) {
      value['ifThen'] = this.#route(value['ifThen'] as Ast);
      value['ifElse'] = this.#route(value['ifElse'] as Ast);
      return value;
    }
    if (value.kind === this.#kind('Parenthesized')) {
      value['expression'] = this.#route(value['expression'] as Ast);
      return value;
    }
    const site = this.#integer(this.#site('route', null, value.range), value.range);
    const name = this.#make.Node.createIdentifierExpression(this.#routeName(), value.range);
    return this.#call(name, '__at', [value, site], value.range);
  }

  #noteSet(node: Ast): void {
    const initial = node['initializer'];
    let made = isNode(initial) ? initial : null;
    // new CidrSet("x").add("…").add("…")
    while (made !== null && made.kind === this.#kind('Call')) {
      const callee = made['expression'];
      const object = isNode(callee) ? callee['expression'] : null;
      made = isNode(object) ? object : null;
    }
    if (made !== null && this.#declares(made) === 'CidrSet') this.#sets.add(text(node['name']));
  }

  /** What a node declares: Table, CidrSet or cluster; null where nothing. */
  #declares(node: Ast): string | null {
    const callee =
      node.kind === this.#kind('New')
        ? node['typeName']
        : node.kind === this.#kind('Call')
          ? node['expression']
          : null;
    const name = isNode(callee) ? this.#names.get(text(callee)) : undefined;
    return name !== undefined && DECLARING.has(name) ? name : null;
  }
  #addsToSet(node: Ast): boolean {
    const callee = node.kind === this.#kind('Call') ? node['expression'] : null;
    if (!isNode(callee) || callee.kind !== this.#kind('PropertyAccess')) return false;
    if (text(callee['property']) !== 'add') return false;
    const object = callee['expression'];
    if (!isNode(object)) return false;
    return (
      this.#sets.has(text(object)) ||
      this.#declares(object) === 'CidrSet' ||
      this.#addsToSet(object)
    );
  }

  #declaration(node: Ast, context: Context): void {
    const declares = this.#declares(node);
    const adds = this.#addsToSet(node);
    if (declares === null && !adds) return;
    const args = node['args'];
    if (!Array.isArray(args)) return;
    if (context.decides) {
      const what = declares ?? 'add';
      this.#outcome.diagnostics.push(
        diagnostic('P103', `\`${what}\` declares, which a policy function cannot do`, {
          at: this.#position(node.range),
          help: 'move the declaration to the top level of the file, where it runs once at build time',
        }),
      );
      return;
    }
    const full = declares === 'cluster' ? 2 : 1;
    if (args.length > full || args.length === 0) return; // asc says what is wrong
    if (declares === 'cluster' && args.length === 1) {
      args.push(this.#make.Node.createNullExpression(node.range));
    }
    // The last argument's range marks add and cluster; a bad text is then under the caret.
    const at = adds && isNode(args[0]) ? args[0].range : node.range;
    this.#outcome.declarations.push({ at: this.#position(at) });
    args.push(this.#integer(this.#outcome.declarations.length, node.range));
  }
}

interface Context {
  readonly inRoute: boolean;
  /** Inside an exported policy function. */
  readonly decides: boolean;
  /** Operand of a comparison: the verdict is not given, so it is no site. */
  readonly compared?: boolean;
}

/** Rewrites all files of the policy in place; library files are left alone. */
export function rewriteSites(
  sources: readonly object[],
  make: unknown,
  options: SiteOptions,
): SitesOutcome {
  const outcome = {
    sites: [] as Site[],
    declarations: [] as DeclarationSite[],
    diagnostics: [] as Diagnostic[],
  };
  const files = sources
    .filter((source): source is Ast => isNode(source))
    .filter((source) => !/^(~lib\/|\.weft-entry)/.test(String(source['normalizedPath'])));
  for (const source of files) {
    const rewriter = new FileRewriter(source, make as Factory, options.firstSite, outcome);
    rewriter.rewriteFile(source);
  }
  return outcome;
}
