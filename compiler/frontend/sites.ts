/**
 * Pass sites
 * Reads    the parsed syntax trees of the policy's own files
 * Writes   `Verdict.X` -> `Verdict.__at(site << 8 | code)`; each arm of `return E` in a function that
 *          returns Route -> `Route.__at(E, site)`; declaring calls get the number of their position
 * Refuses  declarations inside the exported policy functions; policy functions that are variables; splits without
 *          weight
 * Notes    calls of what a policy has not
 * Keeps    ranges of all nodes, so that lines and columns of later findings are those of the text
 */
import { VERDICT, type VerdictName } from '../abi/index.js';
import { type Diagnostic, diagnostic } from '../diagnostic/index.js';
import { AscFile, type Ast, type Factory, isNode, nodesOf, type Range, text } from './asc-tree.js';
import { DECLARING, DeclarationRewriter, type DeclarationSite } from './sites-declarations.js';
import { DIVIDING, foreignCall, impossibleSplit, variableForFunction } from './sites-mistakes.js';
import type { ForeignCall, Site } from './types.js';

export interface SiteOptions {
  readonly firstSite: number;
}
export interface SitesOutcome {
  readonly sites: readonly Site[];
  readonly declarations: readonly DeclarationSite[];
  readonly foreign: readonly ForeignCall[];
  readonly diagnostics: readonly Diagnostic[];
}
interface Outcome {
  readonly sites: Site[];
  readonly declarations: DeclarationSite[];
  readonly foreign: ForeignCall[];
  readonly diagnostics: Diagnostic[];
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
/** How they are written. */
const SIGNATURES: ReadonlyMap<string, string> = new Map(
  [...EXPORTS].map(([name, { asks, answers }]) => [
    name,
    `${name}(${asks.toLowerCase()}: ${asks}): ${answers}`,
  ]),
);
const COMPARING: readonly string[] = [
  'Equals_Equals',
  'Exclamation_Equals',
  'Equals_Equals_Equals',
  'Exclamation_Equals_Equals',
];
/** Names of "weft" that the pass knows; a file may import them through another file that re-exports. */
const KNOWN: ReadonlySet<string> = new Set([
  ...['Verdict', 'Route', 'Connection', 'Request'],
  ...DECLARING.keys(),
  ...DIVIDING.keys(),
]);

class FileRewriter {
  readonly #source: AscFile;
  readonly #declarations: DeclarationRewriter;
  readonly #outcome: Outcome;
  readonly #firstSite: number;

  constructor(source: AscFile, firstSite: number, outcome: Outcome) {
    this.#source = source;
    this.#declarations = new DeclarationRewriter(source, outcome);
    this.#outcome = outcome;
    this.#firstSite = firstSite;
  }

  rewriteFile(source: Ast): void {
    for (const statement of nodesOf(source['statements'])) {
      if (statement.kind === this.#source.kind('Import')) continue;
      const decides =
        statement.kind === this.#source.kind('FunctionDeclaration') &&
        EXPORTS.has(text(statement['name']));
      if (decides) this.#signature(statement);
      this.#note(variableForFunction(this.#source, statement, SIGNATURES));
      this.#children(statement, { inRoute: this.#returnsRoute(statement), decides });
    }
  }

  #note(mistake: Diagnostic | null): void {
    if (mistake !== null) this.#outcome.diagnostics.push(mistake);
  }
  #site(kind: Site['kind'], verdict: VerdictName | null, range: Range): number {
    const site = this.#firstSite + this.#outcome.sites.length;
    const { line, column } = this.#source.position(range);
    this.#outcome.sites.push({ site, kind, verdict, file: this.#source.name, line, column });
    return site;
  }
  /** The verdict that an expression writes out, else null. */
  #verdict(node: Ast): VerdictName | null {
    if (node.kind !== this.#source.kind('PropertyAccess') || !isNode(node['expression']))
      return null;
    if (this.#source.weftName(node['expression']) !== 'Verdict') return null;
    return VERDICTS.get(text(node['property'])) ?? null;
  }
  #returnsRoute(node: Ast): boolean {
    const signature = node['signature'];
    const type = isNode(signature) ? signature['returnType'] : null;
    return this.#source.typeName(type) === 'Route';
  }

  #signature(node: Ast): void {
    const name = text(node['name']);
    const wanted = EXPORTS.get(name);
    const signature = node['signature'];
    if (wanted === undefined || !isNode(signature)) return;
    const parameters = nodesOf(signature['parameters']);
    const fits =
      parameters.length === 1 &&
      this.#source.typeName(parameters[0]?.['type']) === wanted.asks &&
      this.#source.typeName(signature['returnType']) === wanted.answers;
    if (fits) return;
    this.#outcome.diagnostics.push(
      diagnostic('P102', `\`${name}\` has the wrong parameters or result`, {
        at: this.#source.position(signature.range),
        help: `write \`export function ${SIGNATURES.get(name)}\``,
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
      const args = [this.#source.integer(word, node.range)];
      return this.#source.call(node['expression'] as Ast, '__at', args, node.range);
    }
    let inner: Context = { ...context, compared: false };
    if (node['signature'] !== undefined && node['body'] !== undefined) {
      inner = { ...inner, inRoute: this.#returnsRoute(node) };
    }
    if (node.kind === this.#source.kind('Binary'))
      inner = { ...inner, compared: this.#compares(node) };
    if (node.kind === this.#source.kind('Switch')) this.#switch(node);
    if (node.kind === this.#source.kind('VariableDeclaration')) this.#declarations.noteHolder(node);
    const foreign = foreignCall(this.#source, node);
    if (foreign !== null) this.#outcome.foreign.push(foreign);
    this.#note(impossibleSplit(this.#source, node));
    this.#children(node, inner);
    this.#declarations.rewrite(node, context.decides);
    if (node.kind === this.#source.kind('Return') && context.inRoute && isNode(node['value'])) {
      node['value'] = this.#route(node['value']);
    }
    return node;
  }

  /** True for a comparison with a written verdict; an assignment is a binary node too, and gives one. */
  #compares(node: Ast): boolean {
    const operators = COMPARING.map((name) => this.#source.make.Token[name]);
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
    node['condition'] = this.#source.property(condition, 'code', condition.range);
    for (const item of cases) {
      const label = item['label'];
      const verdict = isNode(label) ? this.#verdict(label) : null;
      if (isNode(label) && verdict !== null) {
        item['label'] = this.#source.integer(VERDICT[verdict], label.range);
      }
    }
  }

  /** Gives each arm of a returned expression a site. */
  #route(value: Ast): Ast {
    if (value.kind === this.#source.kind('Ternary')) {
      value['ifThen'] = this.#route(value['ifThen'] as Ast);
      value['ifElse'] = this.#route(value['ifElse'] as Ast);
      return value;
    }
    if (value.kind === this.#source.kind('Parenthesized')) {
      value['expression'] = this.#route(value['expression'] as Ast);
      return value;
    }
    const site = this.#source.integer(this.#site('route', null, value.range), value.range);
    const route = this.#source.reference('Route', value.range);
    return this.#source.call(route, '__at', [value, site], value.range);
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
  const outcome: Outcome = { sites: [], declarations: [], foreign: [], diagnostics: [] };
  const files = sources
    .filter((source): source is Ast => isNode(source))
    .filter((source) => !/^(~lib\/|\.weft-entry)/.test(String(source['normalizedPath'])));
  for (const source of files) {
    const file = new AscFile(source, make as Factory, KNOWN);
    new FileRewriter(file, options.firstSite, outcome).rewriteFile(source);
  }
  return outcome;
}
