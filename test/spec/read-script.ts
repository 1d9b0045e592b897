/**
 * Reads a `.wast` script of the WebAssembly specification as commands: modules, actions, assertions.
 * Only the outer form is read here; the text of a module goes to an assembler as it is.
 */

export interface Atom {
  readonly kind: 'atom' | 'string';
  readonly text: string;
}
export interface List {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly start: number;
  readonly end: number;
}
export type Node = Atom | List;

export type ConstType = 'i32' | 'i64';
export interface Const {
  readonly type: ConstType;
  readonly value: bigint;
}
/** Call of an exported function; args and results are null where one is no integer. */
export interface Action {
  readonly module: string | null;
  readonly name: string;
  readonly args: readonly Const[] | null;
}
export type Command =
  | { readonly kind: 'module'; readonly name: string | null; readonly source: ModuleSource }
  | { readonly kind: 'register'; readonly as: string; readonly name: string | null }
  | { readonly kind: 'action'; readonly line: number; readonly action: Action }
  | {
      readonly kind: 'return';
      readonly line: number;
      readonly action: Action;
      readonly results: readonly Const[] | null;
    }
  | { readonly kind: 'trap'; readonly line: number; readonly action: Action };
export type ModuleSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array };

const TOKEN = /;;[^\n]*|\(;|;\)|[()]|"(?:[^"\\]|\\.)*"|[^\s()";]+|\s+/g;

/** The lists that a script is made of. */
export function readLists(text: string): List[] {
  const open: { items: Node[]; start: number }[] = [{ items: [], start: 0 }];
  let comment = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [token] = match;
    const at = match.index;
    if (token === '(;') comment += 1;
    else if (token === ';)') comment -= 1;
    else if (comment > 0 || token.startsWith(';;') || token.trim() === '') continue;
    else if (token === '(') open.push({ items: [], start: at });
    else if (token === ')') {
      const list = open.pop();
      if (list === undefined || open.length === 0) throw new Error(`unbalanced at ${at}`);
      open.at(-1)?.items.push({ kind: 'list', ...list, end: at + 1 });
    } else if (token.startsWith('"')) {
      open.at(-1)?.items.push({ kind: 'string', text: token.slice(1, -1) });
    } else open.at(-1)?.items.push({ kind: 'atom', text: token });
  }
  if (open.length !== 1) throw new Error('unbalanced at the end');
  return (open[0]?.items ?? []).filter((item) => item.kind === 'list');
}

/** Bytes of a string literal. */
export function stringBytes(text: string): Uint8Array {
  const named: Readonly<Record<string, number>> = {
    t: 9,
    n: 10,
    r: 13,
    '"': 34,
    "'": 39,
    '\\': 92,
  };
  const out: number[] = [];
  for (const match of text.matchAll(/\\u\{([0-9a-fA-F_]+)\}|\\([0-9a-fA-F]{2})|\\(.)|[^\\]+/g)) {
    const [all, unicode, hex, letter] = match;
    if (unicode !== undefined) {
      const point = Number.parseInt(unicode.replaceAll('_', ''), 16);
      out.push(...new TextEncoder().encode(String.fromCodePoint(point)));
    } else if (hex !== undefined) out.push(Number.parseInt(hex, 16));
    else if (letter !== undefined) out.push(named[letter] ?? 0);
    else out.push(...new TextEncoder().encode(all));
  }
  return Uint8Array.from(out);
}

function word(list: List, index: number): string {
  const item = list.items[index];
  return item !== undefined && item.kind !== 'list' ? item.text : '';
}

/** An integer literal: decimal or hexadecimal, with a sign and underscores. */
function integer(text: string, bits: 32 | 64): bigint {
  const plain = text.replaceAll('_', '').replace(/^\+/, '');
  const value = plain.startsWith('-') ? -BigInt(plain.slice(1)) : BigInt(plain);
  return BigInt.asUintN(bits, value);
}

function constants(nodes: readonly Node[]): readonly Const[] | null {
  const found: Const[] = [];
  for (const node of nodes) {
    const type = node.kind === 'list' ? word(node, 0).replace('.const', '') : '';
    if (node.kind !== 'list' || (type !== 'i32' && type !== 'i64')) return null;
    found.push({ type, value: integer(word(node, 1), type === 'i32' ? 32 : 64) });
  }
  return found;
}

function actionOf(node: Node | undefined): Action | null {
  if (node?.kind !== 'list' || word(node, 0) !== 'invoke') return null;
  const named = word(node, 1).startsWith('$') && node.items[1]?.kind === 'atom';
  const at = named ? 2 : 1;
  const name = new TextDecoder().decode(stringBytes(word(node, at)));
  return { module: named ? word(node, 1) : null, name, args: constants(node.items.slice(at + 1)) };
}

function moduleOf(list: List, text: string): Command | null {
  const named = word(list, 1).startsWith('$');
  const name = named ? word(list, 1) : null;
  const form = word(list, named ? 2 : 1);
  if (form === 'quote') return null;
  if (form !== 'binary') {
    const source = { kind: 'text', text: text.slice(list.start, list.end) } as const;
    return { kind: 'module', name, source };
  }
  const parts = list.items.flatMap((item) =>
    item.kind === 'string' ? [...stringBytes(item.text)] : [],
  );
  return { kind: 'module', name, source: { kind: 'binary', bytes: Uint8Array.from(parts) } };
}

/** Commands of a script; what is about malformed or invalid modules is left out: it runs nothing. */
export function readScript(text: string): Command[] {
  const commands: Command[] = [];
  for (const list of readLists(text)) {
    const kind = word(list, 0);
    const line = text.slice(0, list.start).split('\n').length;
    if (kind === 'module') {
      const module = moduleOf(list, text);
      if (module !== null) commands.push(module);
    } else if (kind === 'register') {
      const name = word(list, 2);
      commands.push({ kind: 'register', as: word(list, 1), name: name === '' ? null : name });
    } else {
      const action = actionOf(kind === 'invoke' ? list : list.items[1]);
      if (action === null) continue;
      if (kind === 'invoke') commands.push({ kind: 'action', line, action });
      else if (kind === 'assert_trap') commands.push({ kind: 'trap', line, action });
      else if (kind === 'assert_return') {
        commands.push({ kind: 'return', line, action, results: constants(list.items.slice(2)) });
      }
    }
  }
  return commands;
}
