/** Questions about texts: attributes of a party, and views of a request where there is one. */
import type { DeclaredLookups } from './generate-declared.js';
import { POOLS, SIDES } from './generate-pools.js';
import type { Prng } from './prng.js';

export abstract class TextWriter {
  protected readonly random: Prng;
  protected readonly asks: 'authorize' | 'route';
  /** Asked about requests, not connections. */
  protected readonly isRequest: boolean;
  /** What is asked beside the usual; null where nothing is. */
  protected readonly declared: DeclaredLookups | null;
  protected names = 0;

  constructor(
    random: Prng,
    asks: 'authorize' | 'route',
    isRequest: boolean,
    declared: DeclaredLookups | null = null,
  ) {
    this.random = random;
    this.asks = asks;
    this.isRequest = isRequest;
    this.declared = declared;
  }

  /** An expression of type u32. */
  protected abstract integer(): string;

  protected fresh(prefix: string): string {
    return `${prefix}${this.names++}`;
  }

  protected number(): string {
    const r = this.random;
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
  protected long(): string {
    const r = this.random;
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

  protected side(): string {
    return this.asks === 'route' ? 'source' : this.random.pick(SIDES);
  }

  /** [expression, texts that it is worth comparing with] */
  protected attribute(): [string, readonly string[]] {
    const r = this.random;
    const side = `connection.${this.side()}`;
    const label = r.pick(POOLS.labels);
    return r.pick<[string, readonly string[]]>([
      [`${side}.namespace`, POOLS.namespaces],
      [`${side}.serviceAccount`, POOLS.accounts],
      [`${side}.label("${label}")`, POOLS.values],
      [`${side}.principal`, ['cluster.local/ns/prod/sa/web', 'cluster.local/ns/dev/sa/api']],
    ]);
  }

  /** A part of the request, and texts that it is worth comparing with. */
  protected view(): [string, readonly string[]] {
    const r = this.random;
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
    return [`${view}.slice(${this.integer()} & 7, ${r.pick([3, 9, 70000])})`, POOLS.pieces];
  }

  protected viewText(): string {
    const r = this.random;
    if (r.oneIn(8)) {
      const test = r.pick(['is', 'startsWith', 'endsWith']);
      return `request.host.${test}("${r.pick([...POOLS.hosts, ...POOLS.pieces])}")`;
    }
    const [view, texts] = this.view();
    switch (r.below(10)) {
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
      case 5:
        return `pattern("${r.pick(POOLS.patterns)}").matches(${r.oneIn(3) ? view : 'request.path'})`;
      default:
        return `${view}.is("${r.pick(texts)}")`;
    }
  }

  protected viewNumber(): string {
    const r = this.random;
    const [view] = this.view();
    switch (r.below(4)) {
      case 0:
        return `${view}.toU32(${r.below(3)})`;
      case 1:
        return `${view}.length`;
      case 2:
        return `<u32>${view}.at(${this.integer()} & ${r.pick([1, 15, 0xffffffff])})`;
      default:
        return `${view}.find(${r.pick([97, 47, 0, 46])})`;
    }
  }

  protected text(): string {
    const r = this.random;
    if (this.isRequest && !r.oneIn(3)) return this.viewText();
    const [attribute, texts] = this.attribute();
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
        return `${attribute} ${r.pick(['==', '!='])} ${this.attribute()[0]}`;
      default:
        return `${attribute}.is("${r.pick(texts)}")`;
    }
  }
}
