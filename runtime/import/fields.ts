/**
 * A map of YAML, taken apart field by field. Whatever has another form than was asked for is a finding
 * at its place, and so is each field that nobody asked for: `end` reports those.
 */
import { type Diagnostic, diagnostic, type Position } from '../../compiler/diagnostic/index.js';
import { didYouMean } from '../schema/index.js';
import { type Entry, listOf, mapOf, type Tree } from './tree.js';

/** Where findings go. */
export class Findings {
  readonly all: Diagnostic[] = [];

  error(code: string, at: Position, message: string, help: string | null = null): void {
    this.all.push(diagnostic(code, message, { at, help }));
  }

  /** A warning; `example` is a request or connection that shows it. */
  warning(code: string, at: Position, message: string, example: string | null = null): void {
    const notes = example === null ? [] : [`for example: ${example}`];
    this.all.push(diagnostic(code, message, { at, severity: 'warning', notes }));
  }

  get errors(): number {
    return this.all.filter((d) => d.severity === 'error').length;
  }
}

/** The same warning once: what a header does is the same in each rule. */
export function once(found: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return found.filter(({ severity, code, message }) => {
    const key = `${code} ${message}`;
    if (severity === 'error' || !['W505', 'W510'].includes(code) || !seen.has(key)) {
      seen.add(key);
      return true;
    }
    return false;
  });
}

const KINDS: Readonly<Record<string, string>> = {
  text: 'a text',
  list: 'a list',
  map: 'a map',
  number: 'a number',
  boolean: 'true or false',
};

/** A text with its place. */
export interface Text {
  readonly at: Position;
  readonly text: string;
}

export class Fields {
  readonly at: Position;
  readonly findings: Findings;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #asked = new Set<string>();

  private constructor(at: Position, entries: ReadonlyMap<string, Entry>, findings: Findings) {
    this.at = at;
    this.#entries = entries;
    this.findings = findings;
  }

  /** Null, and a finding, where it is no map. */
  static of(tree: Tree, findings: Findings, what: string): Fields | null {
    const entries = mapOf(tree);
    if (entries !== null) return new Fields(tree.at, entries, findings);
    findings.error('W503', tree.at, `${what} is no map`);
    return null;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  has(name: string): boolean {
    this.#asked.add(name);
    return this.#entries.has(name);
  }

  /** Place of a field's key, or of the map where it is absent. */
  place(name: string): Position {
    return this.#entries.get(name)?.at ?? this.at;
  }

  tree(name: string): Tree | null {
    this.#asked.add(name);
    return this.#entries.get(name)?.tree ?? null;
  }

  #wrong(at: Position, name: string, kind: keyof typeof KINDS): null {
    this.findings.error('W503', at, `\`${name}\` is not ${KINDS[kind]}`);
    return null;
  }

  text(name: string): Text | null {
    const tree = this.tree(name);
    if (tree === null) return null;
    if (typeof tree.value === 'string') return { at: tree.at, text: tree.value };
    return this.#wrong(tree.at, name, 'text');
  }

  number(name: string): { readonly at: Position; readonly number: number } | null {
    const tree = this.tree(name);
    if (tree === null) return null;
    if (typeof tree.value === 'number') return { at: tree.at, number: tree.value };
    return this.#wrong(tree.at, name, 'number');
  }

  boolean(name: string): boolean | null {
    const tree = this.tree(name);
    if (tree === null) return null;
    if (typeof tree.value === 'boolean') return tree.value;
    return this.#wrong(tree.at, name, 'boolean');
  }

  /** Null where it is absent or no list. */
  list(name: string): readonly Tree[] | null {
    const tree = this.tree(name);
    if (tree === null || tree.value === null) return null;
    return listOf(tree) ?? this.#wrong(tree.at, name, 'list');
  }

  /** Texts of a list; null where it is absent. */
  texts(name: string): readonly Text[] | null {
    const list = this.list(name);
    return (
      list?.flatMap((item) => {
        if (typeof item.value === 'string') return [{ at: item.at, text: item.value }];
        this.#wrong(item.at, `${name} item`, 'text');
        return [];
      }) ?? null
    );
  }

  map(name: string): Fields | null {
    const tree = this.tree(name);
    if (tree === null || tree.value === null) return null;
    const entries = mapOf(tree);
    if (entries === null) return this.#wrong(tree.at, name, 'map');
    return new Fields(tree.at, entries, this.findings);
  }

  /** All entries as texts: labels. */
  labels(): Readonly<Record<string, string>> {
    const out: Record<string, string> = {};
    for (const [key, { tree }] of this.#entries) {
      this.#asked.add(key);
      if (typeof tree.value === 'string') out[key] = tree.value;
      else this.#wrong(tree.at, key, 'text');
    }
    return out;
  }

  /** Keys in order. */
  keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Fields that are read elsewhere, or say nothing about traffic. */
  skip(...names: readonly string[]): void {
    for (const name of names) this.#asked.add(name);
  }

  /** Fields that were not asked for are errors, with the nearest that was. */
  end(): void {
    for (const [name, { at }] of this.#entries) {
      if (this.#asked.has(name)) continue;
      const known = [...this.#asked];
      this.findings.error('W502', at, `unknown field \`${name}\``, didYouMean(name, known));
    }
  }
}
