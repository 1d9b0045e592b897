/**
 * YAML as a tree in which everything has its place. Several documents in one text, aliases resolved,
 * repeated keys refused. What a hostile text could make large is counted: characters, and the nodes of
 * the tree, so that aliases of aliases end as an error.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Document as YamlDocument,
} from 'yaml';
import { type Diagnostic, diagnostic, type Position } from '../../compiler/diagnostic/index.js';
import {
  MAX_DEPTH,
  MAX_DOCUMENT_CHARACTERS,
  NestedTooDeeply,
  yamlDocuments,
  yamlSentence,
} from '../schema/index.js';

/** Nodes of one text, each alias counted with all that it stands for. */
export const MAX_NODES: number = 1 << 20;

export interface Entry {
  /** Of the key. */
  readonly at: Position;
  readonly tree: Tree;
}
export interface Tree {
  readonly at: Position;
  readonly value: string | number | boolean | null | readonly Tree[] | ReadonlyMap<string, Entry>;
}

export interface TreeRead {
  /** One a document that is not empty. Documents with faults are left out. */
  readonly trees: readonly Tree[];
  readonly diagnostics: readonly Diagnostic[];
}

class TooLarge extends Error {
  readonly at: Position;
  constructor(message: string, at: Position) {
    super(message);
    this.at = at;
  }
}

class Reader {
  readonly found: Diagnostic[] = [];
  readonly #file: string;
  readonly #lines: LineCounter;
  #nodes = 0;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  place(from: number, to: number): Position {
    const start = this.#lines.linePos(from);
    const end = this.#lines.linePos(Math.max(from, to));
    return {
      file: this.#file,
      line: Math.max(1, start.line),
      column: Math.max(1, start.col),
      endLine: Math.max(1, end.line),
      endColumn: Math.max(1, end.col),
    };
  }

  tree(document: YamlDocument, node: Node | null, depth: number, fallback: Position): Tree {
    const range = node?.range ?? null;
    const at = range === null ? fallback : this.place(range[0], range[1]);
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) {
      throw new TooLarge(`aliases make more than ${MAX_NODES} nodes of the text`, at);
    }
    if (depth > MAX_DEPTH) throw new TooLarge(`more than ${MAX_DEPTH} levels of nesting`, at);
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) throw new TooLarge(`no anchor \`${node.source}\``, at);
      return { at, value: this.tree(document, target, depth + 1, at).value };
    }
    if (isMap(node)) return { at, value: this.#map(document, node.items, depth, at) };
    if (isSeq(node)) {
      const items = node.items as (Node | null)[];
      return { at, value: items.map((item) => this.tree(document, item, depth + 1, at)) };
    }
    const value = isScalar(node) ? node.value : null;
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) {
      return { at, value };
    }
    return { at, value: String(value) };
  }

  #map(
    document: YamlDocument,
    items: readonly { readonly key: unknown; readonly value: unknown }[],
    depth: number,
    at: Position,
  ): ReadonlyMap<string, Entry> {
    const map = new Map<string, Entry>();
    for (const { key, value } of items) {
      const name = this.tree(document, key as Node | null, depth + 1, at);
      if (typeof name.value === 'object' && name.value !== null) {
        throw new TooLarge('a key that is a list or a map', name.at);
      }
      const tree = this.tree(document, value as Node | null, depth + 1, name.at);
      map.set(String(name.value), { at: name.at, tree });
    }
    return map;
  }

  /** The first syntax error of a document; behind it a parser only guesses. */
  faults({ errors }: YamlDocument): boolean {
    const [first] = errors;
    if (first === undefined) return false;
    const at = this.place(...first.pos);
    if (first.code === 'DUPLICATE_KEY') {
      this.found.push(
        diagnostic('W002', 'the key is given twice', { at, help: 'keep one of the two' }),
      );
      return true;
    }
    const message = yamlSentence(first.message);
    this.found.push(diagnostic('W001', message, { at, help: 'correct the YAML here' }));
    return true;
  }
}

/** Reads a text of one or more documents. Never throws on input; documents without fault are read also beside others. */
export function readTrees(text: string, file: string): TreeRead {
  const top: Position = { file, line: 1, column: 1 };
  if (text.length > MAX_DOCUMENT_CHARACTERS) {
    const message = `the text has ${text.length} characters, more than ${MAX_DOCUMENT_CHARACTERS}`;
    const help = 'split it into several files';
    return { trees: [], diagnostics: [diagnostic('W003', message, { at: top, help })] };
  }
  const lines = new LineCounter();
  const reader = new Reader(file, lines);
  const trees: Tree[] = [];
  try {
    for (const document of yamlDocuments(text, lines)) {
      if (reader.faults(document)) continue;
      if (document.contents === null) continue;
      trees.push(reader.tree(document, document.contents as Node, 0, top));
    }
  } catch (cause) {
    if (cause instanceof NestedTooDeeply) {
      const at = reader.place(cause.offset, cause.offset + 1);
      reader.found.push(diagnostic('W004', cause.message, { at, help: 'write it flatter' }));
      return { trees, diagnostics: reader.found };
    }
    // A RangeError is of yaml's parser: a text that closes too many lists in one line.
    if (!(cause instanceof TooLarge) && !(cause instanceof RangeError)) throw cause;
    const at = cause instanceof TooLarge ? cause.at : top;
    const message = cause instanceof TooLarge ? cause.message : 'the text is nested too deeply';
    const help = 'write it out without aliases of aliases';
    reader.found.push(diagnostic('W004', message, { at, help }));
  }
  return { trees, diagnostics: reader.found };
}

/** The entries of a map; null for anything else. */
export function mapOf(tree: Tree): ReadonlyMap<string, Entry> | null {
  return tree.value instanceof Map ? (tree.value as ReadonlyMap<string, Entry>) : null;
}

/** The items of a list; null for anything else. */
export function listOf(tree: Tree): readonly Tree[] | null {
  return Array.isArray(tree.value) ? (tree.value as readonly Tree[]) : null;
}
