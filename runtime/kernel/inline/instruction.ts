/**
 * eBPF instructions whose jumps and calls point to what they mean, so that code can be put between them.
 * Encoding: Documentation/bpf/standardization/instruction-set.rst.
 */
import { viewOf } from '../view-of.js';

/** Bytes of a slot: most instructions are one, a 64-bit immediate is two. */
export const SLOT_BYTES = 8;

export const CLASS = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, jmp32: 6, alu64: 7 } as const;
export const OP = { ja: 0x00, call: 0x80, exit: 0x90, jcond: 0xe0 } as const;
export const CODE = {
  loadImm64: 0x18,
  jump: 0x05,
  /** Its distance is in the immediate. */
  jumpFar: 0x06,
  call: 0x85,
  exit: 0x95,
  move: 0xbf,
  add: 0x07,
  store64: 0x7b,
  load64: 0x79,
} as const;
export const FRAME_POINTER = 10;
const PSEUDO_CALL = 1;
const PSEUDO_FUNC = 4;

export interface Instruction {
  code: number;
  target: number;
  source: number;
  offset: number;
  immediate: number;
  /** The second slot's immediate of a 64-bit one. */
  readonly upper: number | null;
  /** Where it jumps to. */
  to: Instruction | null;
  /** The function that it calls, or whose address it takes. */
  callee: Func | null;
  /** Its record of line_info. */
  line: Uint8Array | null;
}

export interface Func {
  /** Its record of func_info: where it begins, and its type in the program's BTF. */
  readonly info: Uint8Array;
  readonly type: number;
  body: Instruction[];
}

/** Records as .BTF.ext has them: 32 bits of instruction offset (slots), then what is left as it is. */
export interface Records {
  readonly bytes: Uint8Array;
  readonly size: number;
}

export interface Program {
  readonly slots: Uint8Array;
  readonly functions: Records;
  readonly lines: Records;
}

const ATOMIC_MODE = 0xc0;
const MODE_BITS = 0xe0;
const FETCH = 0x01;
/** From here on atomic operations are loads and stores with an order. */
const ORDERED = 0x100;

export const classOf = ({ code }: Instruction): number => code & 7;
export const isMemory = (each: Instruction): boolean =>
  classOf(each) === CLASS.st || classOf(each) === CLASS.stx || classOf(each) === CLASS.ldx;
export const isJump = (each: Instruction): boolean =>
  classOf(each) === CLASS.jmp || classOf(each) === CLASS.jmp32;
/** An atomic operation that gives what was there before, in its source register or in r0. */
export const isFetch = (each: Instruction): boolean =>
  isAtomic(each) && (each.immediate & FETCH) !== 0;
export const isOrdered = (each: Instruction): boolean =>
  isAtomic(each) && each.immediate >= ORDERED;
const isAtomic = (each: Instruction): boolean =>
  classOf(each) === CLASS.stx && (each.code & MODE_BITS) === ATOMIC_MODE;
export const hasSourceRegister = ({ code }: Instruction): boolean => (code & 0x08) !== 0;
export const operation = ({ code }: Instruction): number => code & 0xf0;
export const isCallOfFunction = (each: Instruction): boolean =>
  each.code === CODE.call && each.callee !== null;
/** False behind which nothing follows. */
export const fallsThrough = (each: Instruction): boolean =>
  each.code !== CODE.jump && each.code !== CODE.jumpFar && each.code !== CODE.exit;

export function instruction(parts: Partial<Instruction> & { readonly code: number }): Instruction {
  return {
    target: 0,
    source: 0,
    offset: 0,
    immediate: 0,
    upper: null,
    to: null,
    callee: null,
    line: null,
    ...parts,
  };
}

/** The functions of a program, its own first; null where its records do not say where they begin. */
export function decodeProgram(program: Program): Func[] | null {
  const { slots } = program;
  const view = viewOf(slots);
  const count = slots.length / SLOT_BYTES;
  const at: (Instruction | null)[] = [];
  for (let slot = 0; slot < count; slot++) {
    const from = slot * SLOT_BYTES;
    const isWide = view.getUint8(from) === CODE.loadImm64;
    at.push(
      instruction({
        code: view.getUint8(from),
        target: view.getUint8(from + 1) & 15,
        source: view.getUint8(from + 1) >> 4,
        offset: view.getInt16(from + 2, true),
        immediate: view.getInt32(from + 4, true),
        upper: isWide ? view.getInt32(from + SLOT_BYTES + 4, true) : null,
      }),
    );
    if (isWide) at.push(null);
    if (isWide) slot++;
  }
  const starts = [...eachRecord(program.functions)];
  const functions = new Map<number, Func>();
  for (const [index, { offset, record }] of starts.entries()) {
    const end = starts[index + 1]?.offset ?? count;
    const body = at.slice(offset, end).filter((each) => each !== null);
    functions.set(offset, { info: record, type: viewOf(record).getUint32(4, true), body });
  }
  for (const { offset, record } of eachRecord(program.lines)) {
    const of = at[offset];
    if (of) of.line = record;
  }
  return starts[0]?.offset === 0 && refer(at, functions) ? [...functions.values()] : null;
}

/** Replaces distances by what lies there; false where nothing does. */
function refer(at: readonly (Instruction | null)[], functions: ReadonlyMap<number, Func>): boolean {
  return at.every((each, slot) => {
    if (each === null) return true;
    const isCall = each.code === CODE.call && each.source === PSEUDO_CALL;
    if (isCall || (each.code === CODE.loadImm64 && each.source === PSEUDO_FUNC)) {
      each.callee = functions.get(slot + 1 + each.immediate) ?? null;
      return each.callee !== null;
    }
    if (!isJump(each) || operation(each) === OP.call || operation(each) === OP.exit) return true;
    const distance = each.code === CODE.jumpFar ? each.immediate : each.offset;
    each.to = at[slot + 1 + distance] ?? null;
    return each.to !== null;
  });
}

/** Slots and records again; null where a jump became too long for its 16 bits. */
export function encodeProgram(functions: readonly Func[], program: Program): Program | null {
  const places = new Map<Instruction | Func, number>();
  let count = 0;
  for (const func of functions) {
    places.set(func, count);
    for (const each of func.body) {
      places.set(each, count);
      count += each.upper === null ? 1 : 2;
    }
  }
  const slots = new Uint8Array(count * SLOT_BYTES);
  const view = viewOf(slots);
  const lines: Uint8Array[] = [];
  for (const each of functions.flatMap(({ body }) => body)) {
    const place = places.get(each) as number;
    const from = place * SLOT_BYTES;
    const goal = each.callee ?? each.to;
    const distance = goal === null ? 0 : (places.get(goal) as number) - place - 1;
    const isNear = each.to !== null && each.code !== CODE.jumpFar;
    if (isNear && distance !== (distance << 16) >> 16) return null;
    view.setUint8(from, each.code);
    view.setUint8(from + 1, each.target | (each.source << 4));
    view.setInt16(from + 2, isNear ? distance : each.offset, true);
    view.setInt32(from + 4, goal === null || isNear ? each.immediate : distance, true);
    if (each.upper !== null) view.setInt32(from + SLOT_BYTES + 4, each.upper, true);
    if (each.line) lines.push(placed(each.line, place));
  }
  return {
    slots,
    functions: {
      bytes: joined(functions.map((func) => placed(func.info, places.get(func) as number))),
      size: program.functions.size,
    },
    lines: { bytes: joined(lines), size: program.lines.size },
  };
}

function* eachRecord({
  bytes,
  size,
}: Records): Generator<{ readonly offset: number; readonly record: Uint8Array }> {
  const view = viewOf(bytes);
  for (let at = 0; at + size <= bytes.length; at += size)
    yield { offset: view.getUint32(at, true), record: bytes.slice(at, at + size) };
}

function placed(record: Uint8Array, offset: number): Uint8Array {
  const bytes = record.slice();
  viewOf(bytes).setUint32(0, offset, true);
  return bytes;
}

function joined(records: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
  }
  return bytes;
}
