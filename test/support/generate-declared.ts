/**
 * Look-ups of a generated policy in sets of ports, tables of patterns and of keys, and rule lists, and objects of a
 * decision. They have draws of their own, so that what else a seed gives stays as it was before they came.
 */
import { POOLS } from './generate-pools.js';
import type { Prng } from './prng.js';

type Question = () => string;

const NAMES = ['example.com', '*.example.com', 'admin.example.com', 'a', '*'];
const EXPRESSIONS = [
  '/a.*',
  '/[a-z]+/b',
  '(?i)/PUBLIC/.*',
  '/api/v[0-9]/users/[0-9]{2}',
  '.*\\\\.css',
];
const KEY_ADDRESSES = ['10.1.2.3', '10.0.0.1', 'fd00:1::7', '::'];
const PORT = '<u32>connection.destination.port';

export class DeclaredLookups {
  /** Declarations, for the top of the file. */
  readonly top: string[] = [];
  /** Names to import beside the usual ones. */
  readonly imports: string[] = [];
  readonly #random: Prng;
  readonly #asks: 'authorize' | 'route';
  readonly #numbers: Question[] = [];
  readonly #truths: Question[] = [];

  constructor(random: Prng, asks: 'authorize' | 'route', isRequest: boolean) {
    this.#random = random;
    this.#asks = asks;
    const kinds = [
      () => this.#ports(),
      () => this.#keys(),
      () => this.#rules(),
      () => this.#objects(),
      ...(isRequest ? [() => this.#patterns()] : []),
      () => this.#chosenTexts(),
      () => this.#tree(),
      () => this.#cursor(),
    ];
    for (const declare of kinds) if (random.oneIn(2)) declare();
  }

  /** An expression of type u32 in place of the usual one; null where that is kept. */
  number(): string | null {
    return this.#ask(this.#numbers);
  }

  /** As above, of type bool. */
  truth(): string | null {
    return this.#ask(this.#truths);
  }

  #ask(questions: readonly Question[]): string | null {
    if (questions.length === 0 || !this.#random.oneIn(3)) return null;
    return this.#random.pick(questions)();
  }

  #small(): string {
    const r = this.#random;
    return r.pick([
      PORT,
      `<u32>${r.below(5)}`,
      'connection.source.address.word(3)',
      '(<u32>connection.family)',
    ]);
  }

  #ports(): void {
    const r = this.#random;
    const ranges = Array.from({ length: r.pick([1, 3, 9]) }, () => {
      const first = r.pick(POOLS.ports);
      return `.add(${first}, ${r.oneIn(2) ? 0 : Math.min(65535, first + r.below(90))})`;
    });
    this.imports.push('PortSet');
    this.top.push(`const portSet = new PortSet("ports")${ranges.join('')};`);
    this.#truths.push(() => `portSet.contains(${this.#small()})`);
  }

  #keys(): void {
    const r = this.#random;
    const parts = [
      {
        written: (): string => `address("${r.pick(KEY_ADDRESSES)}")`,
        asked: 'connection.source.address',
      },
      { written: (): string => String(r.pick(POOLS.ports)), asked: PORT },
      {
        written: (): string => `"${r.pick(POOLS.namespaces)}"`,
        asked: 'connection.source.namespace',
      },
      {
        written: (): string => `"${r.pick(POOLS.accounts)}"`,
        asked: 'connection.source.serviceAccount',
      },
    ].filter(() => r.oneIn(2));
    if (parts.length < 2) return;
    const count = parts.length;
    const sets = Array.from({ length: r.pick([1, 4, 30]) }, (_, i) => {
      const key = parts.map(({ written }) => written());
      return `keyTable.set${count}(${[...key, i + 1].join(', ')});`;
    });
    this.imports.push('KeyTable', 'address');
    this.top.push(`const keyTable = new KeyTable<u32>("keys");`, ...sets);
    const asked = parts.map((part) => part.asked).join(', ');
    this.#truths.push(() => `keyTable.has${count}(${asked})`);
    this.#numbers.push(() => `keyTable.get${count}(${asked}, ${this.#small()})`);
  }

  #rules(): void {
    const r = this.#random;
    const sides = this.#asks === 'route' ? ['source'] : ['source', 'destination'];
    const said: readonly Question[] = [
      () => `.source("${r.pick(POOLS.blocks)}")`,
      () => `.source("${r.pick(POOLS.blocks)}")`,
      () => `.destination("${r.pick(POOLS.blocks)}")`,
      () => `.port(${r.pick(POOLS.ports)})`,
      () => `.port(${r.below(90)}, ${90 + r.below(65000)})`,
      () => `.protocol(Protocol.${r.pick(['TCP', 'UDP'])})`,
      () => `.kind(${r.below(5)})`,
      () => `.${r.pick(sides)}Namespace("${r.pick(POOLS.namespaces)}")`,
      () => `.${r.pick(sides)}ServiceAccount("${r.pick(POOLS.accounts)}")`,
      () => `.${r.pick(sides)}Label("${r.pick(POOLS.labels)}", "${r.pick(POOLS.values)}")`,
    ];
    const rules = Array.from({ length: r.pick([0, 1, 4, 20, 60]) }, (_, i) => {
      const criteria = Array.from({ length: r.below(5) }, () => r.pick(said)());
      return `ruleList.add(${i + 1}, ${r.pick([0, 0, 0, -1, 3])})${criteria.join('')};`;
    });
    this.imports.push('RuleList');
    this.top.push('const ruleList = new RuleList<u32>("rules");', ...rules);
    this.#truths.push(() => `ruleList.has(connection, ${this.#small()})`);
    this.#numbers.push(() => `ruleList.get(connection, ${this.#small()}, ${this.#small()})`);
  }

  /** A class with a base and a method that changes it, made while deciding. */
  #objects(): void {
    const r = this.#random;
    this.top.push(
      'class Counted { turns: u32 = 0; }',
      `class Pair extends Counted { constructor(public a: u32, public b: u16) { super(); }
  swap(): void { const a = this.a; this.a = this.b; this.b = <u16>a; this.turns += 1; }
  sum(): u32 { return this.a * ${r.pick([1, 3, 31])} + this.b + this.turns; } }`,
      `function pairOf(a: u32, b: u32): u32 { const pair = new Pair(a, <u16>b); if (a > b) pair.swap(); pair.a ^= ${r.below(300)}; return pair.sum(); }`,
    );
    // One of two objects, which may be the same, and none: once, since each is several places to be at.
    this.top.push(
      `function choiceOf(a: u32, b: u32): u32 {
  const first = new Pair(a, <u16>b), second = a > 90 ? new Pair(b, 7) : first;
  const best: Pair | null = b < 4 ? null : first.sum() > second.sum() ? first : second;
  if (best) best.swap();
  return first.sum() ^ second.sum();
}`,
    );
    let choices = 1;
    this.#numbers.push(() => {
      choices -= 1;
      return `${choices < 0 ? 'pairOf' : 'choiceOf'}(${this.#small()}, ${this.#small()})`;
    });
  }

  /** Texts out of lists: by a number, of the entry that a loop left with, of one of two lists. */
  #chosenTexts(): void {
    const r = this.#random;
    const some = (count: number): string =>
      Array.from({ length: count }, () => `"${r.pick(POOLS.namespaces)}"`).join(', ');
    this.top.push(
      `const someNames = [${some(r.pick([2, 4]))}], otherNames = [${some(r.pick([2, 3]))}];`,
      `class Named { constructor(readonly at: u32, readonly name: string) {} }`,
      `const named = [${Array.from({ length: r.pick([2, 5]) }, () => `new Named(${r.pick(POOLS.ports)}, ${some(1)})`).join(', ')}];`,
      `function isNamed(party: Party, n: u32): bool {
  for (let i = 0; i < named.length; i++) if (n == named[i].at) return party.namespace.is(named[i].name);
  const names = n > ${r.below(90)} ? someNames : otherNames;
  for (let i = 0; i < names.length; i++) if (party.namespace.is(names[i])) return true;
  return party.namespace.is(someNames[n & 1]);
}`,
    );
    this.#truths.push(() => `isNamed(connection.source, ${this.#small()})`);
  }

  /** A tree of objects whose methods call each other's. */
  #tree(): void {
    const r = this.#random;
    this.top.push(
      'abstract class Node { abstract holds(c: Connection): bool; }',
      'class IsIn extends Node { constructor(private name: string) { super(); } holds(c: Connection): bool { return c.source.namespace.is(this.name); } }',
      'class Below extends Node { constructor(private port: u32) { super(); } holds(c: Connection): bool { return c.destination.port < this.port; } }',
      'class No extends Node { constructor(private node: Node) { super(); } holds(c: Connection): bool { return !this.node.holds(c); } }',
      'class Both extends Node { constructor(private a: Node, private b: Node) { super(); } holds(c: Connection): bool { return this.a.holds(c) && this.b.holds(c); } }',
      'class Any extends Node { constructor(private all: Node[]) { super(); } holds(c: Connection): bool { for (let i = 0; i < this.all.length; i++) if (this.all[i].holds(c)) return true; return false; } }',
    );
    const node = (depth: number): string => {
      switch (depth === 0 ? r.below(2) : r.below(5)) {
        case 0:
          return `new IsIn("${r.pick(POOLS.namespaces)}")`;
        case 1:
          return `new Below(${r.pick(POOLS.ports)})`;
        case 2:
          return `new No(${node(depth - 1)})`;
        case 3:
          return `new Both(${node(depth - 1)}, ${node(depth - 1)})`;
        default:
          return `new Any([${Array.from({ length: r.below(4) }, () => node(depth - 1)).join(', ')}])`;
      }
    };
    this.top.push(`const tree: Node = ${node(3)};`);
    this.#truths.push(() => 'tree.holds(connection)');
  }

  /** An array of the decision, written where a counter stands that some rounds move. */
  #cursor(): void {
    const r = this.#random;
    const ports = Array.from({ length: r.pick([2, 3, 5]) }, () => r.pick(POOLS.ports));
    this.top.push(
      `const wanted: StaticArray<u32> = [${ports.join(', ')}];`,
      `function foundOf(n: u32): u32 {
  const found = new StaticArray<u32>(${r.pick([1, 3])});
  let count = 0;
  for (let i = 0; i < wanted.length; i++) if (wanted[i] ${r.pick(['==', '>='])} n) found[count++] = i + 1;
  return found[0] * 7 + count;
}`,
    );
    let left = 1;
    const other = `(${PORT} & 63)`;
    this.#numbers.push(() => {
      left -= 1;
      return left < 0 ? other : `foundOf(${this.#small()})`;
    });
  }

  #patterns(): void {
    const r = this.#random;
    const table = (type: string, name: string, texts: readonly string[], asked: string): void => {
      const sets = Array.from(
        { length: r.pick([1, 3, 6]) },
        (_, i) => `.set("${r.pick(texts)}", ${i + 1})`,
      );
      this.imports.push(type);
      this.top.push(`const ${name} = new ${type}<u32>("${name}")${sets.join('')};`);
      this.#truths.push(() => `${name}.has(${asked})`);
      this.#numbers.push(() =>
        r.oneIn(2) ? `${name}.get(${asked})` : `${name}.getOr(${asked}, ${this.#small()})`,
      );
    };
    if (r.oneIn(2)) table('PathTable', 'pathTable', POOLS.patterns, 'request.path');
    if (r.oneIn(2)) table('HostTable', 'hostTable', NAMES, 'request.host');
    if (r.oneIn(3)) table('RegexTable', 'regexTable', EXPRESSIONS, 'request.path');
  }
}
