/**
 * Reads the IR's text form. Line based; `;` begins a comment line; blank lines mean nothing.
 *
 *   module   = 'module' STRING [ 'scratch' N ] { position } { extern } { image } { func }
 *   position = 'position' STRING LINE ':' COLUMN STRING            (numbered from 0 in order)
 *   extern   = 'extern' NAME '(' [ TYPE { ',' TYPE } ] ')' '->' TYPE
 *   image    = 'image' NAME 'align' N 'size' N '{' { OFFSET ':' HEX } '}'
 *   func     = 'func' KIND NAME '(' [ params ] ')' '->' ( TYPE | 'none' ) 'stopped' TRAP FUEL '{' { block } '}'
 *   params   = vN ':' TYPE { ',' vN ':' TYPE }
 *   block    = bN [ '(' params ')' ] ':' { instr } term
 *   instr    = vN '=' body [ '@' POSITION ]
 *   body     = 'const' TYPE N | BINARY TYPE v ',' v | UNARY TYPE v | COMPARE v ',' v
 *            | 'select' TYPE v ',' v ',' v | 'launder' TYPE v ',' v | ( 'extend_u' | 'extend_s' | 'wrap' ) v
 *            | 'load.memory' TYPE SIZE ( 's' | 'u' ) v '+' OFFSET | 'store.memory' SIZE v '+' OFFSET ',' v
 *            | 'load.image' TYPE SIZE NAME v '+' OFFSET 'limit' N
 *            | 'load.head' TYPE SIZE v ',' v '+' OFFSET 'limit' N
 *            | 'load.pointer' TYPE SIZE v '+' OFFSET | 'store.pointer' SIZE v '+' OFFSET ',' v
 *            | 'frame' ( 'take' v | 'release' v | 'load' v ',' v | 'store' v ',' v ',' v ) '+' OFFSET
 *            | ( 'call' | 'abi' ) TYPE NAME '(' [ v { ',' v } ] ')' | 'may_goto'
 *   term     = ( 'br' target | 'br_if' v ',' target ',' target | 'switch' v ',' '[' targets ']' ',' target
 *            | 'return' [ v ] | 'trap' ( 'trap' | 'fuel' ) ) [ '@' POSITION ]
 *   target   = bN [ '(' v { ',' v } ')' ]
 */
import { instr, terminator } from './parse-instr.js';
import { type Line, Lines } from './parse-line.js';
import type {
  Block,
  BlockId,
  Func,
  Image,
  Instr,
  IntType,
  Module,
  SourcePosition,
  Type,
} from './types.js';

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
  if (kind !== 'entry' && kind !== 'internal' && kind !== 'dispatcher' && kind !== 'turn') {
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
  let scratchFrom: number | null = null;
  const functions: Func[] = [];
  const images: Image[] = [];
  const positions: SourcePosition[] = [];
  const externs: { name: string; params: Type[]; result: IntType }[] = [];
  for (let line = lines.take(); line !== null; line = lines.take()) {
    const word = line.word();
    if (word === 'module') name = line.string();
    else if (word === 'scratch') scratchFrom = line.number_();
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
  const module = { name, functions, images, positions, externs };
  return scratchFrom === null ? module : { ...module, scratchFrom };
}
