/**
 * Type-directed generator of whole policies in AssemblyScript: every text compiles, every decision is
 * defined (traps and empty fuel included). Policies draw their texts, ports and blocks from POOLS, so
 * that generated connections meet them often.
 */
import type { DeclaredLookups } from './generate-declared.js';
import { ExpressionWriter } from './generate-expression.js';
import { COMPARE, POOLS } from './generate-pools.js';
import type { Prng } from './prng.js';

/** One generated file: declarations, statements, answers. */
class PolicyWriter extends ExpressionWriter {
  readonly #top: string[] = [];

  #declare(): void {
    const r = this.random;
    for (let i = r.below(3); i > 0; i--) {
      const name = this.fresh('table');
      const keys = r.oneIn(2) ? 'text' : 'integer';
      const value = r.pick(['u32', 'u32', 'u32', 'i8', 'u16', 'bool', 'Level']);
      const word = (text: string): string =>
        value === 'bool' ? `(${text}) != 0` : `<${value}>(${text})`;
      this.#top.push(`const ${name} = new Table<${value}>("${name}");`);
      for (let n = r.pick([1, 2, 5, 9]); n > 0; n--) {
        const key =
          keys === 'text'
            ? `"${r.pick(this.isRequest ? [...POOLS.methods, ...POOLS.paths, ...POOLS.texts] : [...POOLS.namespaces, ...POOLS.accounts, ...POOLS.values])}"`
            : r.pick([
                `<u32>${r.pick(POOLS.ports)}`,
                `<i32>${-r.below(4)}`,
                `<i64>${-r.below(4)}`,
                `<u64>${this.long()}`,
              ]);
        this.#top.push(`${name}.set(${key}, ${word(String(r.below(5) - 2))});`);
      }
      if (keys === 'text' && this.isRequest && r.oneIn(3)) {
        this.#top.push(
          `for (let i: u32 = 0; i < ${r.pick([10, 200])}; i++) ${name}.set("tenant-" + i.toString(), ${word('i % 7')});`,
        );
      }
      if (keys === 'integer' && r.oneIn(3)) {
        this.#top.push(
          `for (let i: u32 = 0; i < ${r.pick([10, 200])}; i++) ${name}.set(${r.pick(['i', '<i64>i - 9', '<u64>i << 30', '0 - i'])} * ${r.pick([1, 3, 77])}, ${word('i % 7')});`,
        );
      }
      this.tables.push({ name, keys, value });
    }
    for (let i = r.below(3); i > 0; i--) {
      const name = this.fresh('set');
      this.#top.push(`const ${name} = new CidrSet("${name}");`);
      for (let n = r.pick([1, 2, 4, 12]); n > 0; n--)
        this.#top.push(`${name}.add("${r.pick(POOLS.blocks)}");`);
      this.sets.push(name);
    }
    if (r.oneIn(2)) {
      const name = this.fresh('array');
      const length = r.pick([4, 8, 16]);
      const items = Array.from({ length }, () => r.below(100));
      this.#top.push(`const ${name}: StaticArray<u32> = [${items.join(', ')}];`);
      this.arrays.push({ name, length });
    }
    for (let i = r.below(3); i > 0; i--) this.#helper();
    if (r.oneIn(2)) this.#question();
  }

  /** A predicate behind a function, which is asked with either side where both exist. */
  #question(): void {
    const r = this.random;
    const name = this.fresh('asks');
    const texts = r.pick([POOLS.namespaces, POOLS.accounts]);
    const attribute = texts === POOLS.namespaces ? 'namespace' : 'serviceAccount';
    const test = r.pick([
      `party.${attribute}.is("${r.pick(texts)}") || party.label("${r.pick(POOLS.labels)}").exists`,
      `party.${attribute}.startsWith("${r.pick(POOLS.parts)}") && !party.${attribute}.endsWith("${r.pick(POOLS.parts)}")`,
      `party.${attribute}.contains("${r.pick(POOLS.parts)}") == (n > ${this.number()})`,
    ]);
    this.#top.push(`function ${name}(party: Party, n: u32): bool { return ${test}; }`);
    this.questions.push(name);
  }

  /** A function of integers, sometimes with a loop, which the compiler may inline or call. */
  #helper(): void {
    const r = this.random;
    const name = this.fresh('helper');
    const inner = this.helpers.at(-1);
    const nested =
      inner !== undefined && r.oneIn(2)
        ? `let sum: u32 = b; for (let i: u32 = 0; i < (a & ${r.pick([1, 3, 7])}); i++) { sum ^= ${inner}(sum, i); if (sum ${r.pick(COMPARE)} ${this.number()}) return ${inner}(i, b); } return sum;`
        : null;
    const body =
      (nested ?? r.oneIn(2))
        ? (nested ??
          `let sum: u32 = ${r.below(9)}; for (let i: u32 = 0; i < (a & ${r.pick([3, 7, 31])}); i++) sum = sum * ${r.pick([3, 5, 31])} + (b ^ i); return sum;`)
        : `if (a ${r.pick(COMPARE)} ${this.number()}) return b ${r.pick(['+', '-', '*', '^'])} ${this.number()}; return a ${r.pick(['>>', '<<', '&', '|'])} ${r.below(40)};`;
    this.#top.push(`function ${name}(a: u32, b: u32): u32 { ${body} }`);
    this.helpers.push(name);
  }

  #answer(): string {
    const r = this.random;
    if (this.asks === 'authorize')
      return `Verdict.${r.pick(['Allow', 'Allow', 'Deny', 'Deny', 'Pass', 'Audit'])}`;
    const [a, b, c] = ['one', 'two', 'three'];
    if (this.isRequest && r.oneIn(4)) {
      const key = r.oneIn(3) ? 'request.source.address' : this.view()[0];
      return `splitBy(${key}, ${a}, ${r.below(50)}, ${b}, ${1 + r.below(50)})`;
    }
    switch (r.below(5)) {
      case 0:
        return 'Route.None';
      case 1:
        return `split(${a}, ${r.below(100)}, ${b}, ${1 + r.below(100)})`;
      case 2:
        return `split(${a}, ${r.below(9)}, ${b}, ${r.below(9)}, ${c}, ${1 + r.below(9)})`;
      default:
        return r.pick(this.isRequest ? [a, b, c, 'no', 'go'] : [a, b, c]) ?? 'one';
    }
  }

  #statement(): string {
    const r = this.random;
    switch (r.below(14)) {
      case 9: {
        const initial = this.wide();
        const name = this.fresh('w');
        this.longs.push(name);
        return `  let ${name}: u64 = ${initial};`;
      }
      case 10: {
        const initial = this.boolean();
        const name = this.fresh('is');
        this.flags.push(name);
        return `  let ${name} = ${initial}; if (${this.boolean()}) ${name} = !${name};`;
      }
      case 11:
        // A trap whose value nobody needs.
        return `  if (${this.boolean()}) { let unused: u32 = ${this.integer()} / (${this.integer()} & 1); }`;
      case 12:
        return `  { let n: u32 = ${this.text()} ? ${r.below(4)} : ${this.integer()}; switch (n) { case 0: case 2: if (${this.boolean()}) return ${this.#answer()}; break; case 1: return ${this.#answer()}; case 0xffffffff: return ${this.#answer()}; } }`;
      case 13:
        if (this.longs.length > 0) {
          const name = r.pick(this.longs);
          return `  for (let i: u64 = ${r.pick(['0', '0xfffffffe', '0x7ffffffe'])}, n = 0; n < ${r.pick([2, 9])}; i++, n++) { ${name} = ${name} * i ^ ${this.long()}; if (${name} ${r.pick(COMPARE)} ${this.long()}) break; }`;
        }
        return `  if (${this.boolean()}) return ${this.#answer()};`;
      case 0: {
        const initial = this.integer();
        const name = this.fresh('x');
        this.locals.push(name);
        return `  let ${name}: u32 = ${initial};`;
      }
      case 1:
        if (this.locals.length > 0)
          return `  ${r.pick(this.locals)} ${r.pick(['=', '+=', '^='])} ${this.integer()};`;
        return `  if (${this.boolean()}) return ${this.#answer()};`;
      case 2:
        if (this.locals.length > 0) {
          const name = r.pick(this.locals);
          return `  for (let i: u32 = 0; i < ${r.pick([2, 5, 16])}; i++) { if (${name} ${r.pick(['>', '<'])} ${this.number()}) ${name} = ${name} * 3 + i; else ${name} ^= ${this.number()}; }`;
        }
        return `  if (${this.boolean()}) return ${this.#answer()};`;
      case 3:
        return `  switch (${this.integer()} & 7) { case 0: return ${this.#answer()}; case 1: case 3: if (${this.boolean()}) return ${this.#answer()}; break; case 6: return ${this.#answer()}; default: break; }`;
      case 4:
        return `  if (${this.boolean()}) { if (${this.boolean()}) return ${this.#answer()}; } else if (${this.boolean()}) return ${this.#answer()};`;
      case 5:
        if (this.locals.length > 0) {
          const name = r.pick(this.locals);
          return `  while (${name} > ${r.pick([3, 100])}) { ${name} >>= ${1 + r.below(3)}; if ((${name} & 1) == 1) break; }`;
        }
        return `  if (${this.boolean()}) return ${this.#answer()};`;
      default:
        return `  if (${this.boolean()}) return ${this.#answer()};`;
    }
  }

  write(): string {
    const r = this.random;
    this.#declare();
    const imports =
      'import { CidrSet, cluster, Connection, edit, Party, pattern, Protocol, redirect, Request, respond, Route, split, splitBy, Table, Verdict } from "weft";';
    const { imports: names = [], top: lines = [] } = this.declared ?? {};
    const more = names.map((name) => `import { ${name} } from "weft";\n`).join('');
    const top = [...lines, ...this.#top].join('\n');
    const body = Array.from({ length: 1 + r.below(6) }, () => this.#statement());
    const [what, parameter] = this.isRequest
      ? ['Request', 'request: Request']
      : ['Connection', 'connection: Connection'];
    const first = this.isRequest ? '\n  const connection = request.connection;' : '';
    const three = 'cluster("reviews", "v3")';
    const routes = `const one = cluster("reviews", "v1"), two = cluster("reviews", "v2"), three = ${
      this.isRequest
        ? `edit(${three}).setHeader("x", "y"), no = respond(404), go = redirect()`
        : three
    };`;
    const head =
      this.asks === 'authorize'
        ? `export function authorize${what}(${parameter}): Verdict {${first}`
        : `${routes}\nexport function route${what}(${parameter}): Route {${first}`;
    return `${imports}\n${more}enum Level { None, Low = -1, High = 2 }\n${top}\n${head}\n${body.join('\n')}\n  return ${this.#answer()};\n}\n`;
  }
}

/** The text of one policy file. */
export function generatePolicy(
  random: Prng,
  asks: 'authorize' | 'route',
  isRequest = false,
  declared: DeclaredLookups | null = null,
): string {
  return new PolicyWriter(random, asks, isRequest, declared).write();
}
