/** The IR's text line by line, and a line as tokens and the small things that are made of them. */
import type { BlockId, IntType, LoadSize, Param, Target, Type, ValueId } from './types.js';

/** The text is no IR; `line` is 1-based. */
export class IrTextError extends Error {
  override readonly name = 'IrTextError';
  readonly code = 'IR_TEXT';
  readonly line: number;
  constructor(message: string, line: number) {
    super(`line ${line}: ${message}`);
    this.line = line;
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|->|[\w.$]+|[(){}[\],:=+@]/g;

/** Tokens of one line, read from left to right. */
export class Line {
  readonly tokens: readonly string[];
  readonly number: number;
  private next = 0;
  constructor(text: string, number: number) {
    this.tokens = text.match(TOKEN) ?? [];
    this.number = number;
  }
  fail(message: string): never {
    throw new IrTextError(message, this.number);
  }
  get done(): boolean {
    return this.next >= this.tokens.length;
  }
  peek(): string {
    return this.tokens[this.next] ?? '';
  }
  word(): string {
    const token = this.tokens[this.next];
    this.next += 1;
    return token ?? this.fail('unexpected end of line');
  }
  accept(token: string): boolean {
    if (this.peek() !== token) return false;
    this.next += 1;
    return true;
  }
  expect(token: string): void {
    if (!this.accept(token)) this.fail(`expected \`${token}\`, found \`${this.peek()}\``);
  }
  number_(): number {
    return Number(this.big());
  }
  big(): bigint {
    const word = this.word();
    return /^(0x[0-9a-f]+|\d+)$/.test(word) ? BigInt(word) : this.fail(`\`${word}\` is no number`);
  }
  string(): string {
    const word = this.word();
    return word.startsWith('"') ? String(JSON.parse(word)) : this.fail(`\`${word}\` is no text`);
  }
  reference(letter: 'v' | 'b'): number {
    const word = this.word();
    if (word[0] !== letter || !/^\d+$/.test(word.slice(1))) {
      this.fail(`expected ${letter}N, found \`${word}\``);
    }
    return Number(word.slice(1));
  }
  value(): ValueId {
    return this.reference('v') as ValueId;
  }
  type(): Type {
    const word = this.word();
    if (word === 'i32' || word === 'i64' || word === 'ptr') return word;
    return this.fail(`unknown type \`${word}\``);
  }
  intType(): IntType {
    const type = this.type();
    return type === 'ptr' ? this.fail('`ptr` is no integer type') : type;
  }
  size(word: string = this.word()): LoadSize {
    const size = Number(word);
    if (size === 1 || size === 2 || size === 4 || size === 8) return size;
    return this.fail(`unknown size \`${word}\``);
  }
  /** Items up to a closing token, separated by commas; the opening one is read. */
  until<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.accept(close)) {
      if (items.length > 0) this.expect(',');
      items.push(item());
    }
    return items;
  }
  params(): Param[] {
    return this.until(')', () => {
      const id = this.value();
      this.expect(':');
      return { id, type: this.type() };
    });
  }
  target(): Target {
    const block = this.reference('b') as BlockId;
    return { block, args: this.accept('(') ? this.until(')', () => this.value()) : [] };
  }
  loc(): number | null {
    const loc = this.accept('@') ? this.number_() : null;
    if (!this.done) this.fail(`unexpected \`${this.peek()}\``);
    return loc;
  }
}

/** The lines that mean something. */
export class Lines {
  private readonly lines: Line[];
  private next = 0;
  constructor(text: string) {
    this.lines = text
      .split('\n')
      .map((line, i): [string, number] => [line.trim(), i + 1])
      .filter(([line]) => line !== '' && !line.startsWith(';'))
      .map(([line, number]) => new Line(line, number));
  }
  take(): Line | null {
    const line = this.lines[this.next] ?? null;
    this.next += 1;
    return line;
  }
  need(): Line {
    return this.take() ?? new Line('', 0).fail('unexpected end of text');
  }
}
