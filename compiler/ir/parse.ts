/**
 * Reads the IR's text form. Line based; `;` begins a comment line; blank lines mean nothing.
 *
 *   module   = 'module' STRING { position } { extern } { image } { func }
 *   position = 'position' STRING LINE ':' COLUMN STRING            (numbered from 0 in order)
 *   extern   = 'extern' NAME '(' [ TYPE { ',' TYPE } ] ')' '->' TYPE
 *   image    = 'image' NAME 'align' N 'size' N '{' { OFFSET ':' HEX } '}'
 *   func     = 'func' KIND NAME '(' [ params ] ')' '->' ( TYPE | 'none' ) 'stopped' TRAP FUEL '{' { block } '}'
 *   params   = vN ':' TYPE { ',' vN ':' TYPE }
 *   block    = bN [ '(' params ')' ] ':' { instr } term
 *   instr    = vN '=' body [ '@' POSITION ]
 *   body     = 'const' TYPE N | BINARY TYPE v ',' v | UNARY TYPE v | COMPARE v ',' v
 *            | 'select' TYPE v ',' v ',' v | 'launder' TYPE v ',' v | ( 'extend_u' | 'extend_s' | 'wrap' ) v
 *            | 'load.memory' TYPE SIZE ( 's' | 'u' ) v '+' OFFSET
 *            | 'load.image' TYPE SIZE NAME v '+' OFFSET 'limit' N
 *            | 'load.head' TYPE SIZE v ',' v '+' OFFSET 'limit' N
 *            | 'load.pointer' TYPE SIZE v '+' OFFSET | 'store.pointer' SIZE v '+' OFFSET ',' v
 *            | ( 'call' | 'abi' ) TYPE NAME '(' [ v { ',' v } ] ')' | 'may_goto'
 *   term     = ( 'br' target | 'br_if' v ',' target ',' target | 'switch' v ',' '[' targets ']' ',' target
 *            | 'return' [ v ] | 'trap' ( 'trap' | 'fuel' ) ) [ '@' POSITION ]
 *   target   = bN [ '(' v { ',' v } ')' ]
 */
import type {
  BinaryOp,
  Block,
  BlockId,
  CompareOp,
  Func,
  Image,
  Instr,
  IntType,
  LoadSize,
  Module,
  Param,
  SourcePosition,
  Target,
  Terminator,
  Type,
  UnaryOp,
  ValueId,
} from './types.js';

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

const BINARY: ReadonlySet<string> = new Set<BinaryOp>([
  'add',
  'sub',
  'mul',
  'div_u',
  'rem_u',
  'and',
  'or',
  'xor',
  'shl',
  'shr_u',
  'shr_s',
  'div_s',
  'rem_s',
  'rotl',
  'rotr',
]);
const UNARY: ReadonlySet<string> = new Set<UnaryOp>([
  'extend8_s',
  'extend16_s',
  'extend32_s',
  'bswap16',
  'bswap32',
  'bswap64',
  'clz',
  'ctz',
  'popcnt',
]);
const COMPARE: ReadonlySet<string> = new Set<CompareOp>([
  'eq',
  'ne',
  'lt_u',
  'lt_s',
  'gt_u',
  'gt_s',
  'le_u',
  'le_s',
  'ge_u',
  'ge_s',
]);
const TOKEN = /"(?:[^"\\]|\\.)*"|->|[\w.$]+|[(){}[\],:=+@]/g;

/** Tokens of one line. */
class Line {
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

function two(line: Line): [ValueId, ValueId] {
  const first = line.value();
  line.expect(',');
  return [first, line.value()];
}
function offset(line: Line): number {
  line.expect('+');
  return line.number_();
}

function instr(line: Line): Instr {
  const id = line.value();
  line.expect('=');
  const op = line.word();
  const done = <T>(rest: T): T & { id: ValueId; loc: number | null } => ({
    id,
    ...rest,
    loc: line.loc(),
  });
  if (BINARY.has(op)) {
    return done({ op: 'binary', kind: op as BinaryOp, type: line.intType(), args: two(line) });
  }
  if (UNARY.has(op)) {
    return done({ op: 'unary', kind: op as UnaryOp, type: line.intType(), args: [line.value()] });
  }
  if (COMPARE.has(op)) {
    return done({ op: 'compare', kind: op as CompareOp, type: 'i32', args: two(line) });
  }
  switch (op) {
    case 'const':
      return done({ op, type: line.type(), value: line.big() });
    case 'select': {
      const type = line.type();
      const [condition, then] = two(line);
      line.expect(',');
      return done({ op, type, args: [condition, then, line.value()] });
    }
    case 'launder':
      return done({ op, type: line.type(), args: two(line) });
    case 'extend_u':
    case 'extend_s':
      return done({ op, type: 'i64', args: [line.value()] });
    case 'wrap':
      return done({ op, type: 'i32', args: [line.value()] });
    case 'load.memory': {
      const type = line.type();
      const width = line.word();
      const size = line.size(width.slice(0, -1));
      const signed = width.endsWith('s');
      return done({ op, type, size, signed, args: [line.value()], offset: offset(line) });
    }
    case 'load.image': {
      const type = line.type();
      const size = line.size();
      const image = line.word();
      const args: [ValueId] = [line.value()];
      const from = offset(line);
      line.expect('limit');
      return done({ op, type, size, image, args, offset: from, limit: line.number_() });
    }
    case 'load.head': {
      const type = line.type();
      const size = line.size();
      const args = two(line);
      const from = offset(line);
      line.expect('limit');
      return done({ op, type, size, args, offset: from, limit: line.number_() });
    }
    case 'load.pointer':
      return done({
        op,
        type: line.type(),
        size: line.size(),
        args: [line.value()],
        offset: offset(line),
      });
    case 'store.pointer': {
      const size = line.size();
      const pointer = line.value();
      const to = offset(line);
      line.expect(',');
      return done({ op, type: 'i32', size, offset: to, args: [pointer, line.value()] });
    }
    case 'call':
    case 'abi': {
      const type = line.type();
      const name = line.word();
      line.expect('(');
      const args = line.until(')', () => line.value());
      if (op === 'call') return done({ op, type, callee: name, args });
      return done({ op, type, name, args });
    }
    case 'may_goto':
      return done({ op, type: 'i32' });
    default:
      return line.fail(`unknown operation \`${op}\``);
  }
}

function terminator(line: Line): Terminator {
  const op = line.word();
  switch (op) {
    case 'br':
      return { op, to: line.target(), loc: line.loc() };
    case 'br_if': {
      const condition = line.value();
      line.expect(',');
      const then = line.target();
      line.expect(',');
      return { op, condition, then, else: line.target(), loc: line.loc() };
    }
    case 'switch': {
      const value = line.value();
      line.expect(',');
      line.expect('[');
      const cases = line.until(']', () => line.target());
      line.expect(',');
      return { op, value, cases, default: line.target(), loc: line.loc() };
    }
    case 'return': {
      const value = line.done || line.peek() === '@' ? null : line.value();
      return { op, value, loc: line.loc() };
    }
    case 'trap': {
      const kind = line.word();
      if (kind !== 'trap' && kind !== 'fuel') return line.fail(`unknown trap \`${kind}\``);
      return { op, kind, loc: line.loc() };
    }
    default:
      return line.fail(`unknown terminator \`${op}\``);
  }
}

class Lines {
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

function parseBlocks(lines: Lines): Block[] {
  const blocks: Block[] = [];
  for (let line = lines.need(); line.peek() !== '}'; line = lines.need()) {
    const id = line.reference('b') as BlockId;
    const params = line.accept('(') ? line.params() : [];
    line.expect(':');
    const instrs: Instr[] = [];
    let inner = lines.need();
    for (; inner.peek().startsWith('v'); inner = lines.need()) instrs.push(instr(inner));
    blocks.push({ id, params, instrs, term: terminator(inner) });
  }
  return blocks;
}

function parseFuncFrom(line: Line, lines: Lines): Func {
  const kind = line.word();
  if (kind !== 'entry' && kind !== 'internal' && kind !== 'dispatcher') {
    return line.fail(`unknown kind of function \`${kind}\``);
  }
  const name = line.word();
  line.expect('(');
  const params = line.params();
  line.expect('->');
  const result = line.accept('none') ? null : line.intType();
  line.expect('stopped');
  const stopped = { trap: line.big(), fuel: line.big() };
  line.expect('{');
  const blocks = parseBlocks(lines);
  const values = [
    ...params.map((p) => p.id),
    ...blocks.flatMap((b) => [...b.params.map((p) => p.id), ...b.instrs.map((i) => i.id)]),
  ];
  const nextValue = values.reduce((most, id) => Math.max(most, id + 1), 0);
  const nextBlock = blocks.reduce((most, block) => Math.max(most, block.id + 1), 0);
  return { name, kind, params, result, stopped, blocks, nextValue, nextBlock };
}

function parseImage(line: Line, lines: Lines): Image {
  const name = line.word();
  line.expect('align');
  const align = line.number_();
  line.expect('size');
  const bytes = new Uint8Array(line.number_());
  line.expect('{');
  for (let run = lines.need(); !run.accept('}'); run = lines.need()) {
    const from = run.number_();
    run.expect(':');
    const hex = run.word();
    for (let i = 0; i < hex.length; i += 2)
      bytes[from + i / 2] = Number.parseInt(hex.slice(i, i + 2), 16);
  }
  return { name, bytes, align };
}

/** Reads a module; throws IrTextError with the line. The `module` line may be left out. */
export function parse(text: string): Module {
  const lines = new Lines(text);
  let name = '';
  const functions: Func[] = [];
  const images: Image[] = [];
  const positions: SourcePosition[] = [];
  const externs: { name: string; params: Type[]; result: IntType }[] = [];
  for (let line = lines.take(); line !== null; line = lines.take()) {
    const word = line.word();
    if (word === 'module') name = line.string();
    else if (word === 'func') functions.push(parseFuncFrom(line, lines));
    else if (word === 'image') images.push(parseImage(line, lines));
    else if (word === 'position') {
      const file = line.string();
      const row = line.number_();
      line.expect(':');
      positions.push({ file, line: row, column: line.number_(), text: line.string() });
    } else if (word === 'extern') {
      const symbol = line.word();
      line.expect('(');
      const l = line;
      const params = line.until(')', () => l.type());
      line.expect('->');
      externs.push({ name: symbol, params, result: line.intType() });
    } else line.fail(`unknown item \`${word}\``);
  }
  return { name, functions, images, positions, externs };
}
