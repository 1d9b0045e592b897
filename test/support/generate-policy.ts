/**
 * Type-directed generator of whole policies in AssemblyScript: every text compiles, every decision is
 * defined (traps and empty fuel included). Policies draw their texts, ports and blocks from POOLS, so
 * that generated connections meet them often.
 */
import type { Prng } from './prng.js';

export const POOLS = {
  namespaces: ['prod', 'dev', 'ops', 'edge', 'prod-eu'],
  accounts: ['web', 'api', 'db', 'job', 'web-admin'],
  labels: ['app', 'version', 'tier'],
  values: ['web', 'api', 'v1', 'v2', 'front', '', 'web-2'],
  parts: ['w', 'prod', 'eb', 'v', '-admin', 'cluster.local/ns/prod', 'i', ''],
  methods: ['GET', 'POST', 'PUT', 'DELETE', 'GETS', 'get'],
  paths: ['/', '/a', '/a/b', '/public/', '/public/x', '/private', '/api/v1/users/42', '/a.css'],
  hosts: ['example.com', 'Admin.Example.com', 'example.com:8080', 'a'],
  headers: ['x-tenant', 'X-Canary', 'cookie', 'x-n', 'x-empty'],
  parameters: ['a', 'user', 'ab', 'sid'],
  texts: [
    'a',
    'true',
    'tenant-7',
    'tenant-77',
    '42',
    '0',
    '4294967295',
    '4294967296',
    '',
    'a=b',
    'x;y',
  ],
  pieces: ['/', 'a', '/a', 'b', '.css', 'pub', 'tenant-', 'e', 'xample', ''],
  ports: [22, 53, 80, 81, 443, 1024, 8080, 8443, 65535, 0],
  blocks: [
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.0/24',
    '10.1.2.3',
    '192.168.0.0/17',
    '0.0.0.0/0',
    '172.16.0.0/12',
    'fd00::/8',
    'fd00:1::/32',
    'fd00:1::7',
    '::/0',
    '10.1.2.128/25',
    '203.0.113.0/31',
    'fd00:1:0:1::/63',
  ],
} as const;

const SIDES = ['source', 'destination'] as const;
const COMPARE = ['==', '!=', '<', '<=', '>', '>='] as const;

/** State of one generated file. */
class PolicyWriter {
  readonly #random: Prng;
  readonly #top: string[] = [];
  readonly #locals: string[] = [];
  readonly #longs: string[] = [];
  readonly #flags: string[] = [];
  readonly #asks: 'authorize' | 'route';
  /** Asked about requests, not connections. */
  readonly #isRequest: boolean;
  #depth = 0;
  #names = 0;
  readonly #tables: { name: string; keys: 'text' | 'integer'; value: string }[] = [];
  readonly #sets: string[] = [];
  readonly #arrays: { name: string; length: number }[] = [];
  readonly #helpers: string[] = [];
  readonly #questions: string[] = [];

  constructor(random: Prng, asks: 'authorize' | 'route', isRequest: boolean) {
    this.#random = random;
    this.#asks = asks;
    this.#isRequest = isRequest;
  }

  #fresh(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  #declare(): void {
    const r = this.#random;
    for (let i = r.below(3); i > 0; i--) {
      const name = this.#fresh('table');
      const keys = r.oneIn(2) ? 'text' : 'integer';
      const value = r.pick(['u32', 'u32', 'u32', 'i8', 'u16', 'bool', 'Level']);
      const word = (text: string): string =>
        value === 'bool' ? `(${text}) != 0` : `<${value}>(${text})`;
      this.#top.push(`const ${name} = new Table<${value}>("${name}");`);
      for (let n = r.pick([1, 2, 5, 9]); n > 0; n--) {
        const key =
          keys === 'text'
            ? `"${r.pick(this.#isRequest ? [...POOLS.methods, ...POOLS.paths, ...POOLS.texts] : [...POOLS.namespaces, ...POOLS.accounts, ...POOLS.values])}"`
            : r.pick([
                `<u32>${r.pick(POOLS.ports)}`,
                `<i32>${-r.below(4)}`,
                `<i64>${-r.below(4)}`,
                `<u64>${this.#long()}`,
              ]);
        this.#top.push(`${name}.set(${key}, ${word(String(r.below(5) - 2))});`);
      }
      if (keys === 'text' && this.#isRequest && r.oneIn(3)) {
        this.#top.push(
          `for (let i: u32 = 0; i < ${r.pick([10, 200])}; i++) ${name}.set("tenant-" + i.toString(), ${word('i % 7')});`,
        );
      }
      if (keys === 'integer' && r.oneIn(3)) {
        this.#top.push(
          `for (let i: u32 = 0; i < ${r.pick([10, 200])}; i++) ${name}.set(${r.pick(['i', '<i64>i - 9', '<u64>i << 30', '0 - i'])} * ${r.pick([1, 3, 77])}, ${word('i % 7')});`,
        );
      }
      this.#tables.push({ name, keys, value });
    }
    for (let i = r.below(3); i > 0; i--) {
      const name = this.#fresh('set');
      this.#top.push(`const ${name} = new CidrSet("${name}");`);
      for (let n = r.pick([1, 2, 4, 12]); n > 0; n--)
        this.#top.push(`${name}.add("${r.pick(POOLS.blocks)}");`);
      this.#sets.push(name);
    }
    if (r.oneIn(2)) {
      const name = this.#fresh('array');
      const length = r.pick([4, 8, 16]);
      const items = Array.from({ length }, () => r.below(100));
      this.#top.push(`const ${name}: StaticArray<u32> = [${items.join(', ')}];`);
      this.#arrays.push({ name, length });
    }
    for (let i = r.below(3); i > 0; i--) this.#helper();
    if (r.oneIn(2)) this.#question();
  }

  /** A predicate behind a function, which is asked with either side where both exist. */
  #question(): void {
    const r = this.#random;
    const name = this.#fresh('asks');
    const texts = r.pick([POOLS.namespaces, POOLS.accounts]);
    const attribute = texts === POOLS.namespaces ? 'namespace' : 'serviceAccount';
    const test = r.pick([
      `party.${attribute}.is("${r.pick(texts)}") || party.label("${r.pick(POOLS.labels)}").exists`,
      `party.${attribute}.startsWith("${r.pick(POOLS.parts)}") && !party.${attribute}.endsWith("${r.pick(POOLS.parts)}")`,
      `party.${attribute}.contains("${r.pick(POOLS.parts)}") == (n > ${this.#number()})`,
    ]);
    this.#top.push(`function ${name}(party: Party, n: u32): bool { return ${test}; }`);
    this.#questions.push(name);
  }

  /** A function of integers, sometimes with a loop, which the compiler may inline or call. */
  #helper(): void {
    const r = this.#random;
    const name = this.#fresh('helper');
    const inner = this.#helpers.at(-1);
    const nested =
      inner !== undefined && r.oneIn(2)
        ? `let sum: u32 = b; for (let i: u32 = 0; i < (a & ${r.pick([1, 3, 7])}); i++) { sum ^= ${inner}(sum, i); if (sum ${r.pick(COMPARE)} ${this.#number()}) return ${inner}(i, b); } return sum;`
        : null;
    const body =
      (nested ?? r.oneIn(2))
        ? (nested ??
          `let sum: u32 = ${r.below(9)}; for (let i: u32 = 0; i < (a & ${r.pick([3, 7, 31])}); i++) sum = sum * ${r.pick([3, 5, 31])} + (b ^ i); return sum;`)
        : `if (a ${r.pick(COMPARE)} ${this.#number()}) return b ${r.pick(['+', '-', '*', '^'])} ${this.#number()}; return a ${r.pick(['>>', '<<', '&', '|'])} ${r.below(40)};`;
    this.#top.push(`function ${name}(a: u32, b: u32): u32 { ${body} }`);
    this.#helpers.push(name);
  }

  #number(): string {
    const r = this.#random;
    return String(
      r.pick([
        0,
        1,
        2,
        7,
        255,
        256,
        65535,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        r.u32(),
        r.pick(POOLS.ports),
      ]),
    );
  }

  /** A number of 64 bits that small mistakes of width and sign show. */
  #long(): string {
    const r = this.#random;
    return r.pick([
      '0',
      '1',
      '0x7fffffff',
      '0x80000000',
      '0xffffffff',
      '0x100000000',
      '0xffffffff80000000',
      '0xffffffff7fffffff',
      '0x8000000000000000',
      '0x7fffffffffffffff',
      '0xffffffffffffffff',
      `0x${r.u32().toString(16)}${r.u32().toString(16).padStart(8, '0')}`,
    ]);
  }

  /** An expression of type u64. */
  #wide(): string {
    const r = this.#random;
    if (this.#depth > 3) return r.oneIn(2) ? 'connection.now' : `<u64>${this.#long()}`;
    this.#depth++;
    try {
      switch (r.below(10)) {
        case 0:
          return `<u64>${this.#long()}`;
        case 1:
          return `(${this.#wide()} ${r.pick(['+', '-', '*', '&', '|', '^'])} ${this.#wide()})`;
        case 2:
          return `(${this.#wide()} ${r.pick(['<<', '>>'])} ${r.oneIn(2) ? String(r.below(70)) : this.#wide()})`;
        case 3:
          return `(${this.#wide()} ${r.pick(['/', '%'])} ${r.oneIn(4) ? `(${this.#wide()} & 3)` : `<u64>${1 + r.below(99999)}`})`;
        case 4:
          return `<u64>(<i64>${this.#wide()} ${r.pick(['/', '%', '>>', '*'])} <i64>${r.pick([1, 2, 7, -1, -3, 40])})`;
        case 5:
          return `<u64>(<i64><i32>${this.#integer()})`;
        case 6:
          return `${r.pick(['clz', 'ctz', 'popcnt'])}<u64>(${this.#wide()})`;
        case 7:
          return this.#longs.length > 0 ? r.pick(this.#longs) : 'connection.now';
        case 8:
          return `(${this.boolean()} ? ${this.#wide()} : ${this.#wide()})`;
        default:
          return `<u64>(${this.#integer()})`;
      }
    } finally {
      this.#depth--;
    }
  }

  #side(): string {
    return this.#asks === 'route' ? 'source' : this.#random.pick(SIDES);
  }

  /** [expression, texts that it is worth comparing with] */
  #attribute(): [string, readonly string[]] {
    const r = this.#random;
    const side = `connection.${this.#side()}`;
    const label = r.pick(POOLS.labels);
    return r.pick<[string, readonly string[]]>([
      [`${side}.namespace`, POOLS.namespaces],
      [`${side}.serviceAccount`, POOLS.accounts],
      [`${side}.label("${label}")`, POOLS.values],
      [`${side}.principal`, ['cluster.local/ns/prod/sa/web', 'cluster.local/ns/dev/sa/api']],
    ]);
  }

  /** A part of the request, and texts that it is worth comparing with. */
  #view(): [string, readonly string[]] {
    const r = this.#random;
    const [view, texts] = r.pick<[string, readonly string[]]>([
      ['request.method', POOLS.methods],
      ['request.path', POOLS.paths],
      ['request.target', POOLS.paths],
      ['request.host.bytes', POOLS.hosts],
      ['request.queryString', POOLS.texts],
      [`request.header("${r.pick(POOLS.headers)}")`, POOLS.texts],
      [`request.header("${r.pick(POOLS.headers)}")`, POOLS.texts],
      [`request.query("${r.pick(POOLS.parameters)}")`, POOLS.texts],
      [`request.cookie("${r.pick(POOLS.parameters)}")`, POOLS.texts],
    ]);
    if (!r.oneIn(8)) return [view, texts];
    return [`${view}.slice(${this.#integer()} & 7, ${r.pick([3, 9, 70000])})`, POOLS.pieces];
  }

  #viewText(): string {
    const r = this.#random;
    if (r.oneIn(8)) {
      const test = r.pick(['is', 'startsWith', 'endsWith']);
      return `request.host.${test}("${r.pick([...POOLS.hosts, ...POOLS.pieces])}")`;
    }
    const [view, texts] = this.#view();
    switch (r.below(9)) {
      case 0:
        return `${view}.startsWith("${r.pick([...texts, ...POOLS.pieces])}")`;
      case 1:
        return `${view}.endsWith("${r.pick([...texts, ...POOLS.pieces])}")`;
      case 2:
        return `${view}.contains("${r.pick(POOLS.pieces)}")`;
      case 3:
        return `${view}.${r.pick(['exists', 'isPresent'])}`;
      case 4:
        return `${view}.equalsIgnoreCase("${r.pick(texts)}")`;
      default:
        return `${view}.is("${r.pick(texts)}")`;
    }
  }

  #viewNumber(): string {
    const r = this.#random;
    const [view] = this.#view();
    switch (r.below(4)) {
      case 0:
        return `${view}.toU32(${r.below(3)})`;
      case 1:
        return `${view}.length`;
      case 2:
        return `<u32>${view}.at(${this.#integer()} & ${r.pick([1, 15, 0xffffffff])})`;
      default:
        return `${view}.find(${r.pick([97, 47, 0, 46])})`;
    }
  }

  #text(): string {
    const r = this.#random;
    if (this.#isRequest && !r.oneIn(3)) return this.#viewText();
    const [attribute, texts] = this.#attribute();
    switch (r.below(7)) {
      case 0:
        return `${attribute}.startsWith("${r.pick(POOLS.parts)}")`;
      case 1:
        return `${attribute}.endsWith("${r.pick(POOLS.parts)}")`;
      case 2:
        return `${attribute}.contains("${r.pick(POOLS.parts)}")`;
      case 3:
        return `${attribute}.${r.pick(['exists', 'isPresent'])}`;
      case 4:
        return `${attribute} ${r.pick(['==', '!='])} ${this.#attribute()[0]}`;
      default:
        return `${attribute}.is("${r.pick(texts)}")`;
    }
  }

  /** An expression of type u32. */
  #integer(): string {
    const r = this.#random;
    if (this.#depth > 3)
      return r.oneIn(2) ? '<u32>connection.destination.port' : `<u32>${this.#number()}`;
    this.#depth++;
    try {
      switch (r.below(16)) {
        case 14:
          return `<u32>(${this.#wide()})`;
        case 15:
          return `connection.source.address.word(${r.below(4)})`;
        case 0:
        case 1:
          return '<u32>connection.destination.port';
        case 2:
          return `<u32>${this.#number()}`;
        case 3:
          return `(${this.#integer()} ${r.pick(['+', '-', '*', '&', '|', '^'])} ${this.#integer()})`;
        case 4:
          return `(${this.#integer()} ${r.pick(['<<', '>>'])} ${this.#integer()})`;
        case 5:
          return `(${this.#integer()} ${r.pick(['/', '%'])} ${r.oneIn(2) ? `(${this.#integer()} & ${r.pick([1, 3, 255])})` : String(1 + r.below(300))})`;
        case 6:
          return `<u32>(<i32>${this.#integer()} ${r.pick(['/', '%', '>>'])} ${r.pick([1, 2, 7, -1, -3, 16])})`;
        case 7:
          return `<u32>${r.pick(['clz', 'ctz', 'popcnt'])}<u32>(${this.#integer()})`;
        case 8:
          return `rotl<u32>(${this.#integer()}, ${r.below(40)})`;
        case 9:
          return `<u32>((<u64>${this.#integer()} * <u64>${this.#integer()}) >> ${r.below(64)})`;
        case 10:
          return `<u32>(<${r.pick(['i8', 'i16', 'u8', 'u16'])}>${this.#integer()})`;
        case 11:
          return `(${this.boolean()} ? ${this.#integer()} : ${this.#integer()})`;
        default:
          return this.#lookup();
      }
    } finally {
      this.#depth--;
    }
  }

  #lookup(): string {
    const r = this.#random;
    if (this.#isRequest && this.#depth < 3 && r.oneIn(3)) return this.#viewNumber();
    const table = this.#tables.length > 0 ? r.pick(this.#tables) : null;
    const array = this.#arrays.length > 0 ? r.pick(this.#arrays) : null;
    if (this.#locals.length > 0 && r.oneIn(3)) return r.pick(this.#locals);
    if (this.#helpers.length > 0 && r.oneIn(3))
      return `${r.pick(this.#helpers)}(${this.#integer()}, ${this.#integer()})`;
    if (table !== null && r.oneIn(2)) {
      const fallback =
        table.value === 'bool' ? this.boolean() : `<${table.value}>${this.#integer()}`;
      return r.oneIn(3)
        ? `<u32>${table.name}.getOr(${this.#key(table.keys)}, ${fallback})`
        : `<u32>${table.name}.get(${this.#key(table.keys)})`;
    }
    if (array !== null) {
      return r.oneIn(5)
        ? `${array.name}[${this.#integer()} & ${array.length * 2 - 1}]`
        : `unchecked(${array.name}[${this.#integer()} & ${array.length - 1}])`;
    }
    return this.#asks === 'route' ? '(<u32>connection.family)' : '(<u32>connection.protocol)';
  }

  #key(keys: 'text' | 'integer'): string {
    const r = this.#random;
    if (keys === 'integer') {
      return r.pick([
        () => this.#integer(),
        () => `<i32>(${this.#integer()})`,
        () => `<i64><i32>(${this.#integer()})`,
        () => this.#wide(),
      ])();
    }
    if (this.#isRequest) return this.#view()[0];
    return r.oneIn(6)
      ? `"${r.pick([...POOLS.namespaces, ...POOLS.values])}"`
      : this.#attribute()[0];
  }

  /** An expression of type bool. */
  boolean(): string {
    const r = this.#random;
    if (this.#depth > 3) return this.#text();
    this.#depth++;
    try {
      switch (r.below(14)) {
        case 11:
          return `${this.#wide()} ${r.pick(COMPARE)} ${this.#wide()}`;
        case 12:
          return `<i64>${this.#wide()} ${r.pick(COMPARE)} <i64>${this.#wide()}`;
        case 13:
          if (this.#questions.length > 0)
            return `${r.pick(this.#questions)}(connection.${this.#side()}, ${this.#integer()})`;
          return this.#flags.length > 0 ? r.pick(this.#flags) : this.#text();
        case 0:
          return `(${this.boolean()} && ${this.boolean()})`;
        case 1:
          return `(${this.boolean()} || ${this.boolean()})`;
        case 2:
          return `!(${this.boolean()})`;
        case 3:
          return `<u32>connection.destination.port ${r.pick(COMPARE)} ${r.pick(POOLS.ports)}`;
        case 4:
          return `${this.#integer()} ${r.pick(COMPARE)} ${this.#integer()}`;
        case 5:
          return `<i32>${this.#integer()} ${r.pick(COMPARE)} <i32>${this.#integer()}`;
        case 6:
          if (this.#sets.length > 0)
            return `${r.pick(this.#sets)}.contains(connection.${r.pick(SIDES)}.address)`;
          return this.#text();
        case 7: {
          const table = this.#tables.length > 0 ? r.pick(this.#tables) : null;
          return table ? `${table.name}.has(${this.#key(table.keys)})` : this.#text();
        }
        case 8:
          return r.oneIn(2)
            ? `connection.protocol == Protocol.${r.pick(['TCP', 'UDP'])}`
            : `connection.family == ${r.pick([4, 6])}`;
        default:
          return this.#text();
      }
    } finally {
      this.#depth--;
    }
  }

  #answer(): string {
    const r = this.#random;
    if (this.#asks === 'authorize')
      return `Verdict.${r.pick(['Allow', 'Allow', 'Deny', 'Deny', 'Pass', 'Audit'])}`;
    const [a, b, c] = ['one', 'two', 'three'];
    if (this.#isRequest && r.oneIn(4)) {
      const key = r.oneIn(3) ? 'request.source.address' : this.#view()[0];
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
        return r.pick([a, b, c]) ?? 'one';
    }
  }

  #statement(): string {
    const r = this.#random;
    switch (r.below(14)) {
      case 9: {
        const initial = this.#wide();
        const name = this.#fresh('w');
        this.#longs.push(name);
        return `  let ${name}: u64 = ${initial};`;
      }
      case 10: {
        const initial = this.boolean();
        const name = this.#fresh('is');
        this.#flags.push(name);
        return `  let ${name} = ${initial}; if (${this.boolean()}) ${name} = !${name};`;
      }
      case 11:
        // A trap whose value nobody needs.
        return `  if (${this.boolean()}) { let unused: u32 = ${this.#integer()} / (${this.#integer()} & 1); }`;
      case 12:
        return `  { let n: u32 = ${this.#text()} ? ${r.below(4)} : ${this.#integer()}; switch (n) { case 0: case 2: if (${this.boolean()}) return ${this.#answer()}; break; case 1: return ${this.#answer()}; case 0xffffffff: return ${this.#answer()}; } }`;
      case 13:
        if (this.#longs.length > 0) {
          const name = r.pick(this.#longs);
          return `  for (let i: u64 = ${r.pick(['0', '0xfffffffe', '0x7ffffffe'])}, n = 0; n < ${r.pick([2, 9])}; i++, n++) { ${name} = ${name} * i ^ ${this.#long()}; if (${name} ${r.pick(COMPARE)} ${this.#long()}) break; }`;
        }
        return `  if (${this.boolean()}) return ${this.#answer()};`;
      case 0: {
        const initial = this.#integer();
        const name = this.#fresh('x');
        this.#locals.push(name);
        return `  let ${name}: u32 = ${initial};`;
      }
      case 1:
        if (this.#locals.length > 0)
          return `  ${r.pick(this.#locals)} ${r.pick(['=', '+=', '^='])} ${this.#integer()};`;
        return `  if (${this.boolean()}) return ${this.#answer()};`;
      case 2:
        if (this.#locals.length > 0) {
          const name = r.pick(this.#locals);
          return `  for (let i: u32 = 0; i < ${r.pick([2, 5, 16])}; i++) { if (${name} ${r.pick(['>', '<'])} ${this.#number()}) ${name} = ${name} * 3 + i; else ${name} ^= ${this.#number()}; }`;
        }
        return `  if (${this.boolean()}) return ${this.#answer()};`;
      case 3:
        return `  switch (${this.#integer()} & 7) { case 0: return ${this.#answer()}; case 1: case 3: if (${this.boolean()}) return ${this.#answer()}; break; case 6: return ${this.#answer()}; default: break; }`;
      case 4:
        return `  if (${this.boolean()}) { if (${this.boolean()}) return ${this.#answer()}; } else if (${this.boolean()}) return ${this.#answer()};`;
      case 5:
        if (this.#locals.length > 0) {
          const name = r.pick(this.#locals);
          return `  while (${name} > ${r.pick([3, 100])}) { ${name} >>= ${1 + r.below(3)}; if ((${name} & 1) == 1) break; }`;
        }
        return `  if (${this.boolean()}) return ${this.#answer()};`;
      default:
        return `  if (${this.boolean()}) return ${this.#answer()};`;
    }
  }

  write(): string {
    const r = this.#random;
    this.#declare();
    const imports =
      'import { CidrSet, cluster, Connection, Party, Protocol, Request, Route, split, splitBy, Table, Verdict } from "weft";';
    const body = Array.from({ length: 1 + r.below(6) }, () => this.#statement());
    const [what, parameter] = this.#isRequest
      ? ['Request', 'request: Request']
      : ['Connection', 'connection: Connection'];
    const first = this.#isRequest ? '\n  const connection = request.connection;' : '';
    const head =
      this.#asks === 'authorize'
        ? `export function authorize${what}(${parameter}): Verdict {${first}`
        : `const one = cluster("reviews", "v1"), two = cluster("reviews", "v2"), three = cluster("reviews", "v3");\nexport function route${what}(${parameter}): Route {${first}`;
    return `${imports}\nenum Level { None, Low = -1, High = 2 }\n${this.#top.join('\n')}\n${head}\n${body.join('\n')}\n  return ${this.#answer()};\n}\n`;
  }
}

/** The text of one policy file. */
export function generatePolicy(
  random: Prng,
  asks: 'authorize' | 'route',
  isRequest = false,
): string {
  return new PolicyWriter(random, asks, isRequest).write();
}
