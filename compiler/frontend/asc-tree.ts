/**
 * The part of asc's syntax tree that the pass sites reads and makes. Its nodes are walked by reflection:
 * asc's own types redefine globals.
 */
import type { Position } from '../diagnostic/index.js';
import { LineIndex } from './line-index.js';

export interface Range {
  readonly start: number;
  readonly end: number;
}
export interface Ast {
  readonly kind: number;
  readonly range: Range;
  [field: string]: unknown;
}
export interface Factory {
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

export function isNode(value: unknown): value is Ast {
  return typeof value === 'object' && value !== null && 'kind' in value && 'range' in value;
}
export function nodesOf(value: unknown): Ast[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}
export function text(node: unknown): string {
  if (!isNode(node)) return '';
  if (typeof node['text'] === 'string') return node['text'];
  return isNode(node['identifier']) ? text(node['identifier']) : '';
}

/** What names of "weft" are called in a file: local name, maybe `namespace.Name` -> exported name. */
function importedNames(
  source: Ast,
  importKind: number,
  known: ReadonlySet<string>,
): Map<string, string> {
  const names = new Map<string, string>();
  for (const statement of nodesOf(source['statements'])) {
    if (statement.kind !== importKind) continue;
    for (const item of nodesOf(statement['declarations'])) {
      const name = text(item['foreignName']);
      if (known.has(name)) names.set(text(item['name']), name);
    }
    const namespace = text(statement['namespaceName']);
    if (namespace !== '') for (const name of known) names.set(`${namespace}.${name}`, name);
  }
  return names;
}

/** `Verdict`, `weft.Verdict`: an identifier, a property of one, or a type's name. */
export function dotted(node: unknown): string {
  if (!isNode(node)) return '';
  if (isNode(node['identifier'])) {
    const rest = dotted(node['next']);
    return rest === '' ? text(node) : `${text(node)}.${rest}`;
  }
  if (isNode(node['property'])) return `${dotted(node['expression'])}.${text(node['property'])}`;
  return text(node);
}

/** One file of the policy: where its nodes stand, what it calls the names of "weft", and new nodes. */
export class AscFile {
  readonly name: string;
  readonly make: Factory;
  readonly #lines: LineIndex;
  readonly #text: string;
  readonly #names: ReadonlyMap<string, string>;

  /** `known` are the names of "weft" that matter. */
  constructor(source: Ast, make: Factory, known: ReadonlySet<string>) {
    this.name = String(source['normalizedPath']);
    this.make = make;
    this.#text = String(source['text']);
    this.#lines = new LineIndex(this.#text);
    this.#names = importedNames(source, this.kind('Import'), known);
  }

  kind(name: string): number {
    return this.make.NodeKind[name] ?? -1;
  }
  position(range: Range): Position {
    return this.#lines.range(this.name, range.start, range.end);
  }
  textOf({ start, end }: Range): string {
    return this.#text.slice(start, end);
  }
  /** The name of "weft" that an expression or a type's name stands for. */
  weftName(node: unknown): string | undefined {
    return this.#names.get(dotted(node));
  }
  /** The class of "weft" that a type names, else null. */
  typeName(type: unknown): string | null {
    return isNode(type) ? (this.weftName(type['name']) ?? null) : null;
  }

  integer(value: number, range: Range): Ast {
    const literal = (globalThis as { i64_new?: (low: number, high: number) => unknown }).i64_new;
    return this.make.Node.createIntegerLiteralExpression(
      literal === undefined ? value : literal(value, 0),
      range,
    );
  }
  property(object: Ast, name: string, range: Range): Ast {
    const { Node } = this.make;
    const property = Node.createIdentifierExpression(name, range);
    return Node.createPropertyAccessExpression(object, property, range);
  }
  call(object: Ast, method: string, args: Ast[], range: Range): Ast {
    const callee = this.property(object, method, range);
    return this.make.Node.createCallExpression(callee, null, args, range);
  }
  /** An expression for a class of "weft", by what this file calls it. */
  reference(weftName: string, range: Range): Ast {
    const known = [...this.#names].find(([, name]) => name === weftName)?.[0] ?? weftName;
    const [first = known, ...rest] = known.split('.');
    return rest.reduce(
      (object, name) => this.property(object, name, range),
      this.make.Node.createIdentifierExpression(first, range),
    );
  }
}
