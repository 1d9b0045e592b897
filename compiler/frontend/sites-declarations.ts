/**
 * The half of pass sites about declarations: each call that declares or goes on with a declaration
 * gets the number of its position as its last argument.
 */
import { ATTRIBUTE } from '../abi/index.js';
import { type Diagnostic, diagnostic, type Position } from '../diagnostic/index.js';
import { type AscFile, type Ast, dotted, isNode, nodesOf, type Range, text } from './asc-tree.js';

export interface DeclarationSite {
  readonly at: Position;
}

/** Types that a table's values cannot have; asc finds the rest, at no line of the policy. */
const LONG_TYPES: ReadonlySet<string> = new Set(['u64', 'i64', 'f32', 'f64', 'string', 'String']);
/** What declares, with the number of arguments before that of its position. */
export const DECLARING: ReadonlyMap<string, number> = new Map([
  ['Table', 1],
  ['CidrSet', 1],
  ['PortSet', 1],
  ['PathTable', 1],
  ['HostTable', 1],
  ['RegexTable', 1],
  ['KeyTable', 1],
  ['RuleList', 1],
  ['cluster', 2],
  ['respond', 3],
  ['redirect', 0],
  ['waypoint', 0],
  ['edit', 1],
]);
/** Of them what makes routes. */
const ROUTES: ReadonlySet<string> = new Set(['cluster', 'respond', 'redirect', 'waypoint', 'edit']);
const DECLARE_HELP =
  'move the declaration to the top level of the file, where it runs once at build time';
const ROUTE_HELP =
  'declare each route at the top level, as `const v1 = cluster("reviews", "v1")`, and choose one here, by `if` or out of a Table<Route>: `versions.get(connection.source.label("version"))`';
/** Methods of a rule that cannot be wrong, so that they need no position. */
const RULE_TEXTS: readonly string[] = [
  'protocol',
  ...['source', 'destination'].flatMap((side) =>
    [...Object.keys(ATTRIBUTE), 'label'].map(
      (name) => `${side}${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
    ),
  ),
];
/** What declares or goes on with fewer arguments than it may have: with one at least. */
const OPTIONAL: ReadonlySet<string> = new Set(['cluster', 'respond', 'add', 'port']);
/** Methods that go on with a declaration, by what made it; null where they have no position. */
const FILLING: Readonly<Record<string, ReadonlyMap<string, number | null>>> = {
  Table: new Map([['set', null]]),
  CidrSet: new Map([['add', 1]]),
  PortSet: new Map([['add', 2]]),
  PathTable: new Map([['set', 2]]),
  HostTable: new Map([['set', 2]]),
  RegexTable: new Map([['set', 2]]),
  KeyTable: new Map([
    ['set2', 3],
    ['set3', 4],
    ['set4', 5],
  ]),
  RuleList: new Map<string, number | null>([
    ['add', 2],
    ['source', 1],
    ['destination', 1],
    ['port', 2],
    ['kind', 1],
    ...RULE_TEXTS.map((method) => [method, null] as const),
  ]),
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

interface Found {
  readonly declarations: DeclarationSite[];
  readonly diagnostics: Diagnostic[];
}

/** Rewrites the declarations of one file; what it finds is added to `outcome`. */
export class DeclarationRewriter {
  readonly #source: AscFile;
  readonly #outcome: Found;
  /** Variables of the file that hold a declaration, and of what. */
  readonly #holders = new Map<string, string>();

  constructor(source: AscFile, outcome: Found) {
    this.#source = source;
    this.#outcome = outcome;
  }

  /** The declaration that an expression makes, through `new CidrSet("x").add("…").add("…")`. */
  #made(node: unknown): string | null {
    if (!isNode(node)) return null;
    const declares = this.#declares(node);
    if (declares !== null || node.kind !== this.#source.kind('Call')) return declares;
    const callee = node['expression'];
    const object = isNode(callee) ? callee['expression'] : null;
    return this.#made(object) ?? this.#holders.get(text(object)) ?? null;
  }
  /** Notes what a variable of the file holds. */
  noteHolder(node: Ast): void {
    const made = this.#made(node['initializer']);
    if (made !== null) this.#holders.set(text(node['name']), made);
  }

  /** What a node declares: a name of DECLARING; null where nothing. */
  #declares(node: Ast): string | null {
    const callee =
      node.kind === this.#source.kind('New')
        ? node['typeName']
        : node.kind === this.#source.kind('Call')
          ? node['expression']
          : null;
    const name = isNode(callee) ? this.#source.weftName(callee) : undefined;
    return name !== undefined && DECLARING.has(name) ? name : null;
  }
  /** The method that goes on with a declaration of this file, where the node calls one. */
  #fills(node: Ast): { readonly method: string; readonly full: number | null } | null {
    const callee = node.kind === this.#source.kind('Call') ? node['expression'] : null;
    if (!isNode(callee) || callee.kind !== this.#source.kind('PropertyAccess')) return null;
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
        at: this.#source.position(type.range),
        help: 'values are integers of up to 32 bits, bool, an enum, or Route',
      }),
    );
  }

  /** Gives a declaring call its number; `decides`: it stands inside an exported policy function. */
  rewrite(node: Ast, decides: boolean): void {
    const declares = this.#declares(node);
    const fills = this.#fills(node);
    const what = declares ?? fills?.method ?? null;
    if (what === null) return;
    if (declares !== null && /(Table|List)$/.test(declares)) this.#checkValueType(node);
    const args = node['args'];
    if (!Array.isArray(args)) return;
    if (decides) {
      this.#outcome.diagnostics.push(
        diagnostic('P103', `\`${what}\` declares, which a policy function cannot do`, {
          at: this.#source.position(node.range),
          help: declares !== null && ROUTES.has(declares) ? ROUTE_HELP : DECLARE_HELP,
        }),
      );
      return;
    }
    const full = declares === null ? (fills?.full ?? null) : (DECLARING.get(declares) ?? null);
    if (full === null) return;
    const least = OPTIONAL.has(what) ? 1 : full;
    if (args.length > full || args.length < least) return; // asc says what is wrong
    // The last argument's range marks what fills a declaration; a bad text is then under the caret.
    const last: unknown = fills === null ? null : args.at(-1);
    const at = isNode(last) ? last.range : fills === null ? node.range : this.#methodRange(node);
    while (args.length < full) {
      const { Node } = this.#source.make;
      args.push(
        fills === null
          ? Node.createNullExpression(node.range)
          : this.#source.integer(0, node.range),
      );
    }
    this.#outcome.declarations.push({ at: this.#source.position(at) });
    args.push(this.#source.integer(this.#outcome.declarations.length, node.range));
  }
  #methodRange(node: Ast): Range {
    const callee = node['expression'];
    const property = isNode(callee) ? callee['property'] : null;
    return isNode(property) ? property.range : node.range;
  }
}
