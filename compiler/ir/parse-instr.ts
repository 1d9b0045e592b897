/** Reads the instructions and terminators of the IR's text form; the grammar stands in parse.ts. */
import { FRAME_OPERANDS } from './operands.js';
import type { Line } from './parse-line.js';
import type {
  BinaryOp,
  CompareOp,
  FrameKind,
  Instr,
  Terminator,
  UnaryOp,
  ValueId,
} from './types.js';

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

function two(line: Line): [ValueId, ValueId] {
  const first = line.value();
  line.expect(',');
  return [first, line.value()];
}
function offset(line: Line): number {
  line.expect('+');
  return line.number_();
}

/** `vN = ...` */
export function instr(line: Line): Instr {
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
    case 'store.pointer':
    case 'store.memory': {
      const size = line.size();
      const pointer = line.value();
      const to = offset(line);
      line.expect(',');
      return done({ op, type: 'i32', size, offset: to, args: [pointer, line.value()] });
    }
    case 'frame': {
      const kind = line.word() as FrameKind;
      const count = FRAME_OPERANDS[kind];
      if (count === undefined) return line.fail(`unknown kind \`${kind}\``);
      const args = Array.from({ length: count }, (_, i) => {
        if (i > 0) line.expect(',');
        return line.value();
      });
      return done({ op, kind, type: kind === 'load' ? 'i64' : 'i32', args, offset: offset(line) });
    }
    case 'context.load':
      return done({
        op: 'context',
        kind: 'load',
        type: line.type(),
        word: line.number_(),
        args: [],
      });
    case 'context.store': {
      const word = line.number_();
      line.expect(',');
      return done({ op: 'context', kind: 'store', type: 'i32', word, args: [line.value()] });
    }
    case 'loop':
      return done({ op, type: 'i32', callee: line.word(), rounds: line.number_() });
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

/** The last line of a block. */
export function terminator(line: Line): Terminator {
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
