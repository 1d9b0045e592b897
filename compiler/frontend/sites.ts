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
  readonly Token: Readonly<Record<string, number>>;
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
/** Policy functions and what they return. */
const EXPORTS: ReadonlyMap<string, { readonly asks: string; readonly answers: string }> = new Map([
  ['authorizeConnection', { asks: 'Connection', answers: 'Verdict' }],
  ['routeConnection', { asks: 'Connection', answers: 'Route' }],
  ['authorizeRequest', { asks: 'Request', answers: 'Verdict' }],
  ['routeRequest', { asks: 'Request', answers: 'Route' }],
]);
/** Types that a table's values cannot have; asc finds the rest, at no line of the policy. */
const LONG_TYPES: ReadonlySet<string> = new Set(['u64', 'i64', 'f32', 'f64', 'string', 'String']);
const COMPARING: readonly string[] = [
  'Equals_Equals',
  'Exclamation_Equals',
  'Equals_Equals_Equals',
  'Exclamation_Equals_Equals',
];
/** What declares, with the number of arguments before that of its position. */
const DECLARING: ReadonlyMap<string, number> = new Map([
  ['Table', 1],
  ['CidrSet', 1],
  ['cluster', 2],
  ['respond', 3],
  ['redirect', 0],
  ['waypoint', 0],
  ['edit', 1],
]);
/** Methods that go on with a declaration, by what made it; null where they have no position. */
const FILLING: Readonly<Record<string, ReadonlyMap<string, number | null>>> = {
  Table: new Map([['set', null]]),
  CidrSet: new Map([['add', 1]]),
  redirect: new Map([
    ['code', 1],
    ['scheme', 1],
    ['host', 1],
    ['port', 1],
    ['path', 1],
    ['replacePrefix', 2],
    ['dropQuery', 0],
  ]),
  edit: new Map([
    ['setHeader', 2],
    ['addHeader', 2],
    ['removeHeader', 1],
    ['path', 1],
    ['replacePrefix', 2],
    ['host', 1],
  ]),
};

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

/** Names of "weft" that the pass knows; a file may import them through another file that re-exports. */
const KNOWN: ReadonlySet<string> = new Set([
  ...['Verdict', 'Route', 'Connection', 'Request'],
  ...DECLARING.keys(),
]);

/** What names of "weft" are called in a file: local name, maybe `namespace.Name` -> exported name. */
function importedNames(source: Ast, kinds: Readonly<Record<string, number>>): Map<string, string> {
  const names = new Map<string, string>();
  for (const statement of nodesOf(source['statements'])) {
    if (statement.kind !== kinds['Import']) continue;
    for (const item of nodesOf(statement['declarations'])) {
      const name = text(item['foreignName']);
      if (KNOWN.has(name)) names.set(text(item['name']), name);
    }
    const namespace = text(statement['namespaceName']);
    if (namespace !== '') for (const name of KNOWN) names.set(`${namespace}.${name}`, name);
  }
  return names;
}

/** `Verdict`, `weft.Verdict`: an identifier, a property of one, or a type's name. */
function dotted(node: unknown): string {
  if (!isNode(node)) return '';
  if (isNode(node['identifier'])) {
    const rest = dotted(node['next']);
    return rest === '' ? text(node) : `${text(node)}.${rest}`;
  }
  if (isNode(node['property'])) return `${dotted(node['expression'])}.${text(node['property'])}`;
  return text(node);
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
  /** Variables of the file that hold a declaration, and of what. */
  readonly #holders = new Map<string, string>();

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
      if (decides) this.#signature(statement);
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
    if (this.#names.get(dotted(node['expression'])) !== 'Verdict') return null;
    return VERDICTS.get(text(node['property'])) ?? null;
  }
  #returnsRoute(node: Ast): boolean {
    const signature = node['signature'];
    const type = isNode(signature) ? signature['returnType'] : null;
    return this.#typeName(type) === 'Route';
  }
  #call(object: Ast, method: string, args: Ast[], range: Range): Ast {
    const { Node } = this.#make;
    const property = Node.createIdentifierExpression(method, range);
    const callee = Node.createPropertyAccessExpression(object, property, range);
    return Node.createCallExpression(callee, null, args, range);
  }
  /** The class of "weft" that a type names, else null. */
  #typeName(type: unknown): string | null {
    return isNode(type) ? (this.#names.get(dotted(type['name'])) ?? null) : null;
  }
  #routeClass(range: Range): Ast {
    const { Node } = this.#make;
    const known = [...this.#names].find(([, name]) => name === 'Route')?.[0] ?? 'Route';
    const [first = known, ...rest] = known.split('.');
    return rest.reduce(
      (object, name) =>
        Node.createPropertyAccessExpression(
          object,
          Node.createIdentifierExpression(name, range),
          range,
        ),
      Node.createIdentifierExpression(first, range),
    );
  }

  #signature(node: Ast): void {
    const name = text(node['name']);
    const wanted = EXPORTS.get(name);
    const signature = node['signature'];
    if (wanted === undefined || !isNode(signature)) return;
    const parameters = nodesOf(signature['parameters']);
    const fits =
      parameters.length === 1 &&
      this.#typeName(parameters[0]?.['type']) === wanted.asks &&
      this.#typeName(signature['returnType']) === wanted.answers;
    if (fits) return;
    this.#outcome.diagnostics.push(
      diagnostic('P102', `\`${name}\` has the wrong parameters or result`, {
        at: this.#position(signature.range),
        help: `write \`export function ${name}(${wanted.asks.toLowerCase()}: ${wanted.asks}): ${wanted.answers}\``,
      }),
    );
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
    if (node.kind === this.#kind('VariableDeclaration')) this.#noteHolder(node);
    this.#children(node, inner);
    this.#declaration(node, context);
    if (node.kind === this.#kind('Return') && context.inRoute && isNode(node['value'])) {
      node['value'] = this.#route(node['value']);
    }
    return node;
  }

  /** True for a comparison with a written verdict; an assignment is a binary node too, and gives one. */
  #compares(node: Ast): boolean {
    const operators = COMPARING.map((name) => this.#make.Token[name]);
    if (!operators.some((token) => token === node['operator'])) return false;
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
    const name = this.#routeClass(value.range);
    return this.#call(name, '__at', [value, site], value.range);
  }

  /** The declaration that an expression makes, through `new CidrSet("x").add("…").add("…")`. */
  #made(node: unknown): string | null {
    if (!isNode(node)) return null;
    const declares = this.#declares(node);
    if (declares !== null || node.kind !== this.#kind('Call')) return declares;
    const callee = node['expression'];
    return isNode(callee) ? this.#made(callee['expression']) : null;
  }
  #noteHolder(node: Ast): void {
    const made = this.#made(node['initializer']);
    if (made !== null) this.#holders.set(text(node['name']), made);
  }

  /** What a node declares: a name of DECLARING; null where nothing. */
  #declares(node: Ast): string | null {
    const callee =
      node.kind === this.#kind('New')
        ? node['typeName']
        : node.kind === this.#kind('Call')
          ? node['expression']
          : null;
    const name = isNode(callee) ? this.#names.get(dotted(callee)) : undefined;
    return name !== undefined && DECLARING.has(name) ? name : null;
  }
  /** The method that goes on with a declaration of this file, where the node calls one. */
  #fills(node: Ast): { readonly method: string; readonly full: number | null } | null {
    const callee = node.kind === this.#kind('Call') ? node['expression'] : null;
    if (!isNode(callee) || callee.kind !== this.#kind('PropertyAccess')) return null;
    const object = callee['expression'];
    const holder = this.#made(object) ?? this.#holders.get(text(object)) ?? '';
    const method = text(callee['property']);
    const full = FILLING[holder]?.get(method);
    return full === undefined ? null : { method, full };
  }

  #checkValueType(node: Ast): void {
    const type = nodesOf(node['typeArguments'])[0];
    const name = isNode(type) ? dotted(type['name']) : '';
    if (!LONG_TYPES.has(name) || type === undefined) return;
    this.#outcome.diagnostics.push(
      diagnostic('P109', `a table cannot hold values of type \`${name}\``, {
        at: this.#position(type.range),
        help: 'values are integers of up to 32 bits, bool, an enum, or Route',
      }),
    );
  }

  #declaration(node: Ast, context: Context): void {
    const declares = this.#declares(node);
    const fills = this.#fills(node);
    const what = declares ?? fills?.method ?? null;
    if (what === null) return;
    if (declares === 'Table') this.#checkValueType(node);
    const args = node['args'];
    if (!Array.isArray(args)) return;
    if (context.decides) {
      this.#outcome.diagnostics.push(
        diagnostic('P103', `\`${what}\` declares, which a policy function cannot do`, {
          at: this.#position(node.range),
          help: 'move the declaration to the top level of the file, where it runs once at build time',
        }),
      );
      return;
    }
    const full = declares === null ? (fills?.full ?? null) : (DECLARING.get(declares) ?? null);
    if (full === null) return;
    const least = what === 'cluster' || what === 'respond' ? 1 : full;
    if (args.length > full || args.length < least) return; // asc says what is wrong
    // The last argument's range marks what fills a declaration; a bad text is then under the caret.
    const last: unknown = fills === null ? null : args.at(-1);
    const at = isNode(last) ? last.range : fills === null ? node.range : this.#methodRange(node);
    while (args.length < full) args.push(this.#make.Node.createNullExpression(node.range));
    this.#outcome.declarations.push({ at: this.#position(at) });
    args.push(this.#integer(this.#outcome.declarations.length, node.range));
  }
  #methodRange(node: Ast): Range {
    const callee = node['expression'];
    const property = isNode(callee) ? callee['property'] : null;
    return isNode(property) ? property.range : node.range;
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
