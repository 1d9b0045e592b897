/** Expressions of a generated policy, by type; depth is bounded. What was declared so far is asked. */
import { COMPARE, POOLS, SIDES } from './generate-pools.js';
import { TextWriter } from './generate-text.js';

export abstract class ExpressionWriter extends TextWriter {
  protected readonly locals: string[] = [];
  protected readonly longs: string[] = [];
  protected readonly flags: string[] = [];
  protected readonly tables: { name: string; keys: 'text' | 'integer'; value: string }[] = [];
  protected readonly sets: string[] = [];
  protected readonly arrays: { name: string; length: number }[] = [];
  protected readonly helpers: string[] = [];
  protected readonly questions: string[] = [];
  protected depth = 0;

  /** An expression of type u64. */
  protected wide(): string {
    const r = this.random;
    if (this.depth > 3) return r.oneIn(2) ? 'connection.now' : `<u64>${this.long()}`;
    this.depth++;
    try {
      switch (r.below(10)) {
        case 0:
          return `<u64>${this.long()}`;
        case 1:
          return `(${this.wide()} ${r.pick(['+', '-', '*', '&', '|', '^'])} ${this.wide()})`;
        case 2:
          return `(${this.wide()} ${r.pick(['<<', '>>'])} ${r.oneIn(2) ? String(r.below(70)) : this.wide()})`;
        case 3:
          return `(${this.wide()} ${r.pick(['/', '%'])} ${r.oneIn(4) ? `(${this.wide()} & 3)` : `<u64>${1 + r.below(99999)}`})`;
        case 4:
          return `<u64>(<i64>${this.wide()} ${r.pick(['/', '%', '>>', '*'])} <i64>${r.pick([1, 2, 7, -1, -3, 40])})`;
        case 5:
          return `<u64>(<i64><i32>${this.integer()})`;
        case 6:
          return `${r.pick(['clz', 'ctz', 'popcnt'])}<u64>(${this.wide()})`;
        case 7:
          return this.longs.length > 0 ? r.pick(this.longs) : 'connection.now';
        case 8:
          return `(${this.boolean()} ? ${this.wide()} : ${this.wide()})`;
        default:
          return `<u64>(${this.integer()})`;
      }
    } finally {
      this.depth--;
    }
  }

  /** An expression of type u32. */
  protected override integer(): string {
    const r = this.random;
    if (this.depth > 3)
      return r.oneIn(2) ? '<u32>connection.destination.port' : `<u32>${this.number()}`;
    this.depth++;
    try {
      switch (r.below(16)) {
        case 14:
          return `<u32>(${this.wide()})`;
        case 15:
          return `connection.source.address.word(${r.below(4)})`;
        case 0:
        case 1:
          return '<u32>connection.destination.port';
        case 2:
          return `<u32>${this.number()}`;
        case 3:
          return `(${this.integer()} ${r.pick(['+', '-', '*', '&', '|', '^'])} ${this.integer()})`;
        case 4:
          return `(${this.integer()} ${r.pick(['<<', '>>'])} ${this.integer()})`;
        case 5:
          return `(${this.integer()} ${r.pick(['/', '%'])} ${r.oneIn(2) ? `(${this.integer()} & ${r.pick([1, 3, 255])})` : String(1 + r.below(300))})`;
        case 6:
          return `<u32>(<i32>${this.integer()} ${r.pick(['/', '%', '>>'])} ${r.pick([1, 2, 7, -1, -3, 16])})`;
        case 7:
          return `<u32>${r.pick(['clz', 'ctz', 'popcnt'])}<u32>(${this.integer()})`;
        case 8:
          return `rotl<u32>(${this.integer()}, ${r.below(40)})`;
        case 9:
          return `<u32>((<u64>${this.integer()} * <u64>${this.integer()}) >> ${r.below(64)})`;
        case 10:
          return `<u32>(<${r.pick(['i8', 'i16', 'u8', 'u16'])}>${this.integer()})`;
        case 11:
          return `(${this.boolean()} ? ${this.integer()} : ${this.integer()})`;
        default:
          return this.lookup();
      }
    } finally {
      this.depth--;
    }
  }

  /** A look-up; what it would be without those declared beside it is drawn in any case. */
  protected lookup(): string {
    const usual = this.#lookup();
    return this.declared?.number() ?? usual;
  }

  #lookup(): string {
    const r = this.random;
    if (this.isRequest && this.depth < 3 && r.oneIn(3)) return this.viewNumber();
    const table = this.tables.length > 0 ? r.pick(this.tables) : null;
    const array = this.arrays.length > 0 ? r.pick(this.arrays) : null;
    if (this.locals.length > 0 && r.oneIn(3)) return r.pick(this.locals);
    if (this.helpers.length > 0 && r.oneIn(3))
      return `${r.pick(this.helpers)}(${this.integer()}, ${this.integer()})`;
    if (table !== null && r.oneIn(2)) {
      const fallback =
        table.value === 'bool' ? this.boolean() : `<${table.value}>${this.integer()}`;
      return r.oneIn(3)
        ? `<u32>${table.name}.getOr(${this.key(table.keys)}, ${fallback})`
        : `<u32>${table.name}.get(${this.key(table.keys)})`;
    }
    if (array !== null) {
      return r.oneIn(5)
        ? `${array.name}[${this.integer()} & ${array.length * 2 - 1}]`
        : `unchecked(${array.name}[${this.integer()} & ${array.length - 1}])`;
    }
    return this.asks === 'route' ? '(<u32>connection.family)' : '(<u32>connection.protocol)';
  }

  protected key(keys: 'text' | 'integer'): string {
    const r = this.random;
    if (keys === 'integer') {
      return r.pick([
        () => this.integer(),
        () => `<i32>(${this.integer()})`,
        () => `<i64><i32>(${this.integer()})`,
        () => this.wide(),
      ])();
    }
    if (this.isRequest) return this.view()[0];
    return r.oneIn(6) ? `"${r.pick([...POOLS.namespaces, ...POOLS.values])}"` : this.attribute()[0];
  }

  /** An expression of type bool. */
  protected boolean(): string {
    const r = this.random;
    if (this.depth > 3) return this.text();
    this.depth++;
    try {
      switch (r.below(14)) {
        case 11:
          return `${this.wide()} ${r.pick(COMPARE)} ${this.wide()}`;
        case 12:
          return `<i64>${this.wide()} ${r.pick(COMPARE)} <i64>${this.wide()}`;
        case 13:
          if (this.questions.length > 0)
            return `${r.pick(this.questions)}(connection.${this.side()}, ${this.integer()})`;
          return this.flags.length > 0 ? r.pick(this.flags) : this.text();
        case 0:
          return `(${this.boolean()} && ${this.boolean()})`;
        case 1:
          return `(${this.boolean()} || ${this.boolean()})`;
        case 2:
          return `!(${this.boolean()})`;
        case 3:
          return `<u32>connection.destination.port ${r.pick(COMPARE)} ${r.pick(POOLS.ports)}`;
        case 4:
          return `${this.integer()} ${r.pick(COMPARE)} ${this.integer()}`;
        case 5:
          return `<i32>${this.integer()} ${r.pick(COMPARE)} <i32>${this.integer()}`;
        case 6:
          if (this.sets.length > 0)
            return `${r.pick(this.sets)}.contains(connection.${r.pick(SIDES)}.address)`;
          return this.text();
        case 7: {
          const table = this.tables.length > 0 ? r.pick(this.tables) : null;
          return table ? `${table.name}.has(${this.key(table.keys)})` : this.text();
        }
        case 8:
          return r.oneIn(2)
            ? `connection.protocol == Protocol.${r.pick(['TCP', 'UDP'])}`
            : `connection.family == ${r.pick([4, 6])}`;
        default: {
          const usual = this.text();
          return this.declared?.truth() ?? usual;
        }
      }
    } finally {
      this.depth--;
    }
  }
}
