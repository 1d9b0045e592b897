/**
 * Reads what the configure phase declared out of the snapshot's memory. The layout is written down
 * in policies/sdk/registry.ts. The memory is the policy's: it may hold anything, so every address is
 * checked, and what cannot be is a finding, not a crash.
 */
import {
  MAX_ROUTES,
  MAX_VIEW_KEY,
  parseElements,
  parseHostPattern,
  parseRegex,
} from '../abi/index.js';
import { type Diagnostic, diagnostic, type Position } from '../diagnostic/index.js';
import { CODES } from './codes.js';
import { Damaged, Heap } from './heap.js';
import { parseCidr } from './parse-cidr.js';
import { readKeys } from './read-keys.js';
import { RouteReader } from './read-routes.js';
import { readRules } from './read-rules.js';
import type { DeclarationSite } from './sites-declarations.js';
import type {
  CidrDeclaration,
  PatternsDeclaration,
  PortsDeclaration,
  Registry,
  TableDeclaration,
  TableKey,
} from './types.js';

/** Of a policy that declares nothing. */
export const NO_DECLARATIONS: Registry = {
  ...{ tables: [], cidrs: [], ports: [], patterns: [] },
  ...{ keys: [], rules: [], routes: [] },
};

export interface RegistryOutcome {
  readonly registry: Registry;
  readonly diagnostics: readonly Diagnostic[];
}

const MAGIC = 0x54464557;
const VERSION = 5;
const MAX_PORT = 65535;
const NUMBER_KEY = 1;
const PATTERN_KINDS = ['path', 'host', 'regex'] as const;
const LIST = {
  tables: 8,
  sets: 20,
  routes: 32,
  ports: 44,
  patterns: 56,
  keys: 68,
  rules: 80,
} as const;

function isPattern(kind: PatternsDeclaration['kind'], text: string): boolean {
  if (kind === 'regex') return parseRegex(text).ok;
  if (kind === 'host') return parseHostPattern(text) !== null;
  const parsed = parseElements(text);
  return parsed?.elements.every((element) => (element ?? '').length <= MAX_VIEW_KEY) ?? false;
}

function noPattern(
  kind: PatternsDeclaration['kind'],
  text: string,
  { at, name }: { readonly at: Position | null; readonly name: string },
): Diagnostic {
  const written = JSON.stringify(text);
  const parsed = kind === 'regex' ? parseRegex(text) : null;
  const [code, message] =
    parsed !== null && !parsed.ok
      ? ['P129', `${written} is no regular expression here: ${parsed.reason}`]
      : ['P128', `${written} is no pattern of a ${kind}`];
  return diagnostic(code, message, {
    at,
    help: CODES[code]?.help ?? null,
    notes: [`table \`${name}\``],
  });
}

class RegistryReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #heap: Heap;
  readonly #declarations: readonly DeclarationSite[];
  readonly #file: string;
  constructor(file: string, memory: Uint8Array, declarations: readonly DeclarationSite[]) {
    this.#file = file;
    this.#heap = new Heap(memory);
    this.#declarations = declarations;
  }

  read(root: number): Registry {
    if (this.#heap.u32(root) !== MAGIC || this.#heap.u32(root + 4) !== VERSION) throw new Damaged();
    const tables = this.#heap.items(root + LIST.tables).map((item) => this.#table(item));
    const cidrs = this.#heap.items(root + LIST.sets).map((item) => this.#cidr(item));
    const ports = this.#heap.items(root + LIST.ports).map((item) => this.#ports(item));
    const patterns = this.#heap.items(root + LIST.patterns).map((item) => this.#patterns(item));
    const tell = {
      positionOf: (of: number) => this.#at(of),
      refuse: (found: Diagnostic) => this.diagnostics.push(found),
    };
    const keyLists = this.#heap.items(root + LIST.keys);
    const keys = keyLists.map((item) => readKeys(this.#heap, item, tell));
    const ruleLists = this.#heap.items(root + LIST.rules);
    const rules = ruleLists.map((item) => readRules(this.#heap, item, tell));
    const reader = new RouteReader(this.#heap, (item) => this.#at(item));
    const routes = reader.read(this.#heap.items(root + LIST.routes));
    this.diagnostics.push(...reader.diagnostics);
    for (const text of this.#heap.malformed) {
      this.diagnostics.push(
        diagnostic('P115', `the text \`${text}\` is not Unicode`, {
          at: { file: this.#file, line: 1, column: 1 },
          help: 'it holds half of a surrogate pair; no attribute can be equal to it',
        }),
      );
    }
    if (routes.length > MAX_ROUTES) {
      this.diagnostics.push(
        diagnostic('P114', `the policy declares more than ${MAX_ROUTES} routes`, {
          at: routes[MAX_ROUTES]?.at ?? null,
          help: 'declare a route once and use its constant',
        }),
      );
    }
    this.#unique(tables, 'table');
    this.#unique(cidrs, 'address set');
    this.#unique(ports, 'port set');
    this.#unique(patterns, 'table of patterns');
    this.#unique(keys, 'table of keys');
    this.#unique(rules, 'rule list');
    return { tables, cidrs, ports, patterns, keys, rules, routes };
  }

  #at(item: number): Position | null {
    return this.#declarations[this.#heap.u32(item + 4) - 1]?.at ?? null;
  }

  #table(item: number): TableDeclaration {
    const heap = this.#heap;
    const name = heap.text(heap.u32(item));
    const at = this.#at(item);
    const entries = new Map<bigint | string, { key: TableKey; value: number }>();
    let numbers = 0;
    const items = heap.items(heap.u32(item + 8));
    for (const entry of items) {
      const value = heap.u32(entry + 8);
      const word = heap.u64(entry);
      const number = heap.u32(entry + 12) === NUMBER_KEY;
      if (number) numbers += 1;
      const key: TableKey = number
        ? { kind: 'integer', value: word }
        : { kind: 'text', value: heap.text(Number(word)) };
      entries.set(key.value, { key, value }); // the last set of a key wins, in the first one's place
    }
    if (numbers > 0 && numbers < items.length) {
      this.diagnostics.push(
        diagnostic('P105', `table \`${name}\` has both texts and integers as keys`, {
          at,
          help: 'use one table for texts and another for integers',
        }),
      );
    }
    const keyKind = numbers > 0 ? 'integer' : 'text';
    return { name, keyKind, entries: [...entries.values()], at };
  }

  #cidr(item: number): CidrDeclaration {
    const heap = this.#heap;
    const name = heap.text(heap.u32(item));
    const at = this.#at(item);
    const prefixes = heap.items(heap.u32(item + 8)).flatMap((entry) => {
      const outcome = parseCidr(heap.text(heap.u32(entry)));
      if (outcome.ok) return [outcome.prefix];
      this.diagnostics.push(
        diagnostic('P104', outcome.message, {
          at: this.#at(entry) ?? at,
          help: 'write a block as `10.0.0.0/8` or `2001:db8::/32`, or a single address',
          notes: [`address set \`${name}\``],
        }),
      );
      return [];
    });
    return { name, prefixes, at };
  }

  #ports(item: number): PortsDeclaration {
    const heap = this.#heap;
    const name = heap.text(heap.u32(item));
    const at = this.#at(item);
    const ranges = heap.items(heap.u32(item + 8)).flatMap((entry) => {
      const [first, last] = [heap.u32(entry), heap.u32(entry + 8)];
      if (first <= last && last <= MAX_PORT) return [{ first, last }];
      this.diagnostics.push(
        diagnostic('P127', `\`${first}\` to \`${last}\` is no range of ports`, {
          at: this.#at(entry) ?? at,
          help: CODES['P127']?.help ?? null,
          notes: [`port set \`${name}\``],
        }),
      );
      return [];
    });
    return { name, ranges, at };
  }

  #patterns(item: number): PatternsDeclaration {
    const heap = this.#heap;
    const name = heap.text(heap.u32(item));
    const at = this.#at(item);
    const kind = PATTERN_KINDS[heap.u32(item + 12)] ?? 'path';
    const entries = heap.items(heap.u32(item + 8)).flatMap((entry) => {
      const text = heap.text(heap.u32(entry));
      if (isPattern(kind, text)) return [{ text, value: heap.u32(entry + 8) }];
      this.diagnostics.push(noPattern(kind, text, { at: this.#at(entry) ?? at, name }));
      return [];
    });
    return { name, kind, entries, at };
  }

  #unique(items: readonly { name: string; at: Position | null }[], what: string): void {
    const seen = new Set<string>();
    for (const { name, at } of items) {
      if (seen.has(name)) {
        this.diagnostics.push(
          diagnostic('P107', `the name \`${name}\` is used by more than one ${what}`, {
            at,
            help: 'give each declaration a name of its own',
          }),
        );
      }
      seen.add(name);
    }
  }
}

/** Reads the registry whose root record is at `root`. */
export function readRegistry(
  file: string,
  memory: Uint8Array,
  root: number,
  declarations: readonly DeclarationSite[],
): RegistryOutcome {
  const reader = new RegistryReader(file, memory, declarations);
  try {
    return { registry: reader.read(root), diagnostics: reader.diagnostics };
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    const found = diagnostic('P108', 'the policy overwrote what it had declared', {
      at: { file, line: 1, column: 1 },
      help: 'do not use `store`, `memory.fill` or `changetype` at the top level',
    });
    return {
      registry: NO_DECLARATIONS,
      diagnostics: [found],
    };
  }
}
