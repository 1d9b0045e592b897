/**
 * One policy file under construction: declarations, helpers and functions, and the imports that they
 * need. The same declaration asked for twice is made once.
 */
/** Columns of a line. */
export const WIDTH = 100;
const NAMES = [
  'CidrSet',
  'cluster',
  'Connection',
  'Destination',
  'edit',
  'HostTable',
  'pattern',
  'Party',
  'PathTable',
  'PortSet',
  'redirect',
  'RegexTable',
  'Request',
  'respond',
  'Route',
  'split',
  'splitBy',
  'Table',
  'Verdict',
  'View',
];

/** A text as AssemblyScript writes it. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

export class PolicyText {
  readonly #declared = new Map<string, string>();
  readonly #declarations: string[] = [];
  readonly #helpers: string[] = [];
  readonly #functions: string[] = [];
  readonly #head: readonly string[];

  /** `head` are the lines of the comment on top. */
  constructor(head: readonly string[]) {
    this.#head = head;
  }

  /** The name of what is declared by the text after `=`; `kind` begins the name. */
  declare(kind: string, text: string): string {
    const key = `${kind} ${text}`;
    const known = this.#declared.get(key);
    if (known !== undefined) return known;
    const name = this.#name(kind, key);
    this.#declarations.push(`const ${name} = ${text};`);
    return name;
  }

  /** The kind, with a number from the second on. */
  #name(kind: string, key: string): string {
    const count = [...this.#declared.keys()].filter((known) => known.startsWith(`${kind} `)).length;
    const name = count === 0 ? kind : `${kind}${count + 1}`;
    this.#declared.set(key, name);
    return name;
  }

  /** A class made with a name and filled by calls; names are told apart by numbers. */
  #fill(kind: string, type: string, label: string, calls: readonly string[]): string {
    const key = `${kind} ${label} ${calls.join('')}`;
    const known = this.#declared.get(key);
    if (known !== undefined) return known;
    const same = [...this.#declared.keys()].filter((k) => k.startsWith(`${kind} ${label} `)).length;
    const name = this.#name(kind, key);
    const head = `const ${name} = new ${type}(${quote(same === 0 ? label : `${label} ${same + 1}`)})`;
    const flat = `${head}${calls.join('')};`;
    const lines = [head, ...calls.map((call) => `  ${call}`)].join('\n');
    this.#declarations.push(flat.length <= WIDTH ? flat : `${lines};`);
    return name;
  }

  cidrs(label: string, blocks: readonly string[]): string {
    const calls = blocks.map((block) => `.add(${quote(block)})`);
    return this.#fill('addresses', 'CidrSet', label, calls);
  }

  ports(label: string, ports: readonly number[]): string {
    return this.#fill(
      'ports',
      'PortSet',
      label,
      ports.map((port) => `.add(${port})`),
    );
  }

  texts(label: string, texts: readonly string[]): string {
    const calls = texts.map((text) => `.set(${quote(text)}, true)`);
    return this.#fill('texts', 'Table<bool>', label, calls);
  }

  /** A table of one regular expression. */
  expression(label: string, text: string): string {
    return this.#fill('expression', 'RegexTable<bool>', label, [`.set(${quote(text)}, true)`]);
  }

  /** A table of one name of hosts, whose first label may be a star. */
  hosts(label: string, name: string): string {
    return this.#fill('hosts', 'HostTable<bool>', label, [`.set(${quote(name)}, true)`]);
  }

  /** A function, named by `kind` and a number; `text` is what follows the name. */
  helper(kind: string, comment: string, text: string): string {
    const key = `${kind} ${text}`;
    const known = this.#declared.get(key);
    if (known !== undefined) return known;
    const name = this.#name(kind, key);
    this.#helpers.push(`${comment}\nfunction ${name}${text}`);
    return name;
  }

  /** An exported function, whole. */
  add(text: string): void {
    this.#functions.push(text);
  }

  toString(): string {
    const body = [
      ...(this.#declarations.length > 0 ? [this.#declarations.join('\n')] : []),
      ...this.#helpers,
      ...this.#functions,
    ].join('\n\n');
    const code = body.replace(/"(?:[^"\\]|\\.)*"|\/\/.*$/gm, '');
    const used = NAMES.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
    const head = this.#head.map((line) => `// ${line}`).join('\n');
    return `${head}\nimport { ${used.join(', ')} } from "weft";\n\n${body}\n`;
  }
}
