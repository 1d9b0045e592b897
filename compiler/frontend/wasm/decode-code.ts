/**
 * Function bodies to flat instruction lists. Nesting is counted, never recursed on, so that a deep
 * module costs no stack.
 */
import type { Reader } from './leb.js';
import { FAMILIES, OPCODES, OPCODES_FC } from './opcodes.js';

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref';
export interface FuncType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** One instruction; which fields mean something follows from `op`, see opcodes.ts. */
export interface WasmInstr {
  readonly op: string;
  /** Absolute byte offsets: of the opcode, and behind the immediates. */
  readonly pos: number;
  readonly end: number;
  /** index: local, global, function, label; `two`: the first; memory: alignment (log2). */
  readonly index: number;
  /** `two`: the second index; memory: offset. */
  readonly second: number;
  /** i32.const, i64.const: bit pattern. */
  readonly value: bigint;
  /** br_table: the targets, the default last. */
  readonly labels: readonly number[];
  /** block, loop, if: their type; null otherwise. */
  readonly type: FuncType | null;
}

export interface WasmBody {
  /** Absolute offset of the body (its local declarations) and behind it. */
  readonly pos: number;
  readonly end: number;
  /** Types of the declared locals, without the parameters. */
  readonly locals: readonly ValueType[];
  /** The last is the `end` of the function. */
  readonly instrs: readonly WasmInstr[];
}

const MAX_LOCALS = 50_000;
const VALUE_TYPES: ReadonlyMap<number, ValueType> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
]);

export function readValueType(reader: Reader): ValueType {
  const type = VALUE_TYPES.get(reader.u8());
  return type ?? reader.fail('unknown value type');
}

function readBlockType(reader: Reader, types: readonly FuncType[]): FuncType {
  const first = reader.bytes[reader.pos];
  if (first === 0x40) {
    reader.pos += 1;
    return { params: [], results: [] };
  }
  if (first !== undefined && VALUE_TYPES.has(first)) {
    return { params: [], results: [readValueType(reader)] };
  }
  const index = Number(BigInt.asIntN(33, reader.signed(33)));
  return types[index] ?? reader.fail('unknown block type');
}

function readInstr(reader: Reader, types: readonly FuncType[]): WasmInstr {
  const pos = reader.pos;
  const code = reader.u8();
  const family = FAMILIES.get(code);
  if (family !== undefined) reader.fail(`${family} instructions are not supported`);
  const opcode = code === 0xfc ? OPCODES_FC.get(reader.u32()) : OPCODES.get(code);
  if (opcode === undefined) return reader.fail(`unknown opcode 0x${code.toString(16)}`);
  let index = 0;
  let second = 0;
  let value = 0n;
  let labels: number[] = [];
  let type: FuncType | null = null;
  switch (opcode.immediate) {
    case 'none':
      break;
    case 'block':
      type = readBlockType(reader, types);
      break;
    case 'index':
      index = reader.u32();
      break;
    case 'labels': {
      const n = reader.count();
      labels = Array.from({ length: n + 1 }, () => reader.u32());
      break;
    }
    case 'memory':
    case 'two':
      index = reader.u32();
      second = reader.u32();
      break;
    case 'i32':
      value = reader.signed(32);
      break;
    case 'i64':
      value = reader.signed(64);
      break;
    case 'f32':
      reader.take(4);
      break;
    case 'f64':
      reader.take(8);
      break;
    case 'types': {
      for (let n = reader.count(); n > 0; n--) readValueType(reader);
      break;
    }
    case 'heap':
      reader.signed(33);
      break;
  }
  return { op: opcode.name, pos, end: reader.pos, index, second, value, labels, type };
}

/** Reads one body; the reader spans exactly the body. */
export function readBody(reader: Reader, types: readonly FuncType[]): WasmBody {
  const pos = reader.pos;
  const locals: ValueType[] = [];
  for (let groups = reader.count(2); groups > 0; groups--) {
    const n = reader.u32();
    if (locals.length + n > MAX_LOCALS) reader.fail('too many locals');
    const type = readValueType(reader);
    for (let i = 0; i < n; i++) locals.push(type);
  }
  const instrs: WasmInstr[] = [];
  const open: string[] = ['function'];
  while (open.length > 0) {
    const instr = readInstr(reader, types);
    instrs.push(instr);
    if (instr.type !== null) open.push(instr.op);
    else if (instr.op === 'else') {
      if (open.at(-1) !== 'if') reader.fail('else without if');
      open[open.length - 1] = 'else';
    } else if (instr.op === 'end') open.pop();
  }
  if (!reader.done) reader.fail('bytes after the end of a function');
  return { pos, end: reader.end, locals, instrs };
}
