/** Loads and stores: behind pointer parameters, and in read-only images with their bound. */
import { CONNECTION, REQUEST } from '../../abi/index.js';
import { BugError } from '../../diagnostic/index.js';
import type { Instr, ValueId } from '../../ir/types.js';
import {
  add,
  address,
  alu,
  branch,
  load,
  mov,
  type Operand,
  type Reg,
  store,
} from '../asm/index.js';
import { regOfValue } from '../lir.js';
import { isProven } from './proven-index.js';
import type { Selector } from './selector.js';

type Op<K extends Instr['op']> = Extract<Instr, { op: K }>;

export function loadPointer(s: Selector, instr: Op<'load.pointer'>): void {
  s.emit(load(instr.size, regOfValue(instr.id), regOfValue(instr.args[0]), instr.offset));
}

export function storePointer(s: Selector, instr: Op<'store.pointer'>): void {
  const [pointer, value] = instr.args;
  s.emit(store(instr.size, regOfValue(pointer), instr.offset, storedOperand(s, instr, value)));
}

/** A store keeps the low bytes only, so a narrow constant always fits; 8 bytes are sign-extended. */
function storedOperand(s: Selector, instr: Op<'store.pointer'>, value: ValueId): Operand {
  return s.operand(value, instr.size === 8 ? 64 : 32);
}

/** Limits beyond this would be compared as negative numbers; images are far smaller. */
const MAX_LIMIT = 0x7fffffff;
/** Subtracting more than this makes some kernels read a linked register's delta as an offset. */
const QUIRK_DELTA = 1n << 29n;

/**
 * The verifier follows the bound only if the register that was compared is the one that is added, so
 * the index is copied, compared and used within one short life that is never spilled.
 */
export function loadImage(s: Selector, instr: Op<'load.image'>): void {
  const dst = regOfValue(instr.id);
  const [value] = instr.args;
  if (instr.limit < 0 || instr.limit > MAX_LIMIT) {
    throw new BugError(`limit ${instr.limit} of image ${instr.image} is out of range`);
  }
  const base = s.scratch();
  const constant = s.constant(value);
  if (constant !== null) {
    loadConstantIndex(s, instr, constant, base);
    return;
  }
  if (isProven(s, value, instr.limit)) {
    s.emit(address(base, instr.image, instr.offset));
    s.emit(add.reg(base, regOfValue(value)));
    s.emit(load(instr.size, dst, base, 0));
    return;
  }
  const index = s.scratch();
  s.emit(mov.reg(index, regOfValue(value)));
  if (needsBarrier(s, value)) s.emit(alu('and', 32, index, { imm: -1 }));
  const test = { kind: 'gt', width: 64, left: index, right: { imm: instr.limit } } as const;
  s.emit(branch(test, s.trap('trap')));
  s.emit(address(base, instr.image, instr.offset));
  s.emit(add.reg(base, index));
  s.emit(load(instr.size, dst, base, 0));
}

function loadConstantIndex(s: Selector, instr: Op<'load.image'>, index: bigint, base: Reg): void {
  if (index > BigInt(instr.limit)) {
    throw new BugError(`constant index ${index} of image ${instr.image} is above its limit`);
  }
  s.emit(address(base, instr.image, instr.offset + Number(index)));
  s.emit(load(instr.size, regOfValue(instr.id), base, 0));
}

/** As loadImage, behind the pointer to a request. */
export function loadHead(s: Selector, instr: Op<'load.head'>): void {
  const [request, value] = instr.args;
  const offset = REQUEST.bytes + instr.offset;
  const constant = s.constant(value);
  if (constant !== null) {
    if (constant > BigInt(instr.limit)) throw new BugError('constant index behind the head');
    const at = offset + Number(constant);
    s.emit(load(instr.size, regOfValue(instr.id), regOfValue(request), at));
    return;
  }
  // The two loads of a text that is no power of two long share one bound and one address.
  const known = s.lastHead;
  if (known?.request === request && known.index === value && known.limit <= instr.limit) {
    if (s.isJustBehind(known.at)) {
      s.emit(load(instr.size, regOfValue(instr.id), known.base, offset));
      return;
    }
  }
  const [base, index] = [s.scratch(), s.scratch()];
  s.emit(mov.reg(index, regOfValue(value)));
  if (needsBarrier(s, value)) s.emit(alu('and', 32, index, { imm: -1 }));
  const test = { kind: 'gt', width: 64, left: index, right: { imm: instr.limit } } as const;
  s.emit(branch(test, s.trap('trap')));
  s.emit(mov.reg(base, regOfValue(request)));
  s.emit(add.reg(base, index));
  s.emit(load(instr.size, regOfValue(instr.id), base, offset));
  s.lastHead = { request, index: value, limit: instr.limit, base, at: s.place() };
}

/** i32 indexes made by adding or subtracting a big constant (see QUIRK_DELTA). */
function needsBarrier(s: Selector, value: ValueId): boolean {
  const instr = s.def(value);
  if (instr?.op !== 'binary' || instr.type !== 'i32') return false;
  if (instr.kind !== 'add' && instr.kind !== 'sub') return false;
  return instr.args.some((arg) => {
    const constant = BigInt.asIntN(32, s.constant(arg) ?? 0n);
    return constant >= QUIRK_DELTA || constant <= -QUIRK_DELTA;
  });
}

/** `dst = value + zero`: the same number, but the verifier forgets what it knew of it. */
export function launder(s: Selector, instr: Op<'launder'>): void {
  const dst = regOfValue(instr.id);
  const [value, connection] = instr.args;
  const zero = s.zeros.get(connection) ?? loadZero(s, connection);
  s.moveTo(dst, value);
  s.emit(alu('add', instr.type === 'i32' ? 32 : 64, dst, { reg: zero }));
}

/** A register with `zero` of the connection. */
export function loadZero(s: Selector, connection: ValueId): Reg {
  const zero = s.scratch();
  s.emit(load(8, zero, regOfValue(connection), CONNECTION.zero));
  return zero;
}
