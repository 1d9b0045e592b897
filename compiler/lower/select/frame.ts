/** Memory for recursion: slots of a writable section of the object, each owned through its last word. */
import { FRAME_DEPTH, FRAME_SLOTS, FRAME_WORDS, FRAMES } from '../../abi/index.js';
import type { Instr, ValueId } from '../../ir/types.js';
import { add, address, alu, branch, load, mov, type Reg, store, xchg } from '../asm/index.js';
import { regOfValue } from '../lir.js';
import type { Selector } from './selector.js';

type Frame = Extract<Instr, { op: 'frame' }>;

/** Bytes from the first slot to the last. */
const LAST_SLOT = (FRAME_SLOTS - 1) * FRAMES.slot;
/** Where the last frame begins. */
const LAST_FRAME = FRAME_DEPTH * FRAME_WORDS * 8;

/** Takes, gives back, reads or writes a slot; every offset is bounded where it is used, so that no caller need be trusted. */
export function frame(s: Selector, instr: Frame): void {
  const [slot, at, value] = instr.args;
  if (slot === undefined) return;
  if (at === undefined) exchange(s, slot, instr);
  else {
    const base = wordOf(s, slot, at);
    const { offset } = instr;
    if (value === undefined) s.emit(load(8, regOfValue(instr.id), base, offset));
    else s.emit(store(8, base, offset, s.operand(value, 64)));
  }
}

/** The word that says whether somebody has the slot: 1 to take it, 0 to give it back. */
function exchange(s: Selector, slot: ValueId, instr: Frame): void {
  const base = slotOf(s, slot);
  const word = s.scratch();
  s.emit(mov.imm(word, instr.kind === 'take' ? 1 : 0));
  s.emit(xchg(base, FRAMES.busy, word));
  if (s.usesOf(instr.id) > 0) s.emit(mov.reg(regOfValue(instr.id), word));
}

function slotOf(s: Selector, slot: ValueId): Reg {
  const [base, offset] = [s.scratch(), s.scratch()];
  s.moveTo(offset, slot);
  s.emit(alu('and', 64, offset, { imm: LAST_SLOT }));
  s.emit(address(base, FRAMES.symbol, 0));
  s.emit(add.reg(base, offset));
  return base;
}

function wordOf(s: Selector, slot: ValueId, at: ValueId): Reg {
  const index = s.scratch();
  s.moveTo(index, at);
  const test = { kind: 'gt', width: 64, left: index, right: { imm: LAST_FRAME } } as const;
  s.emit(branch(test, s.trap('trap')));
  const base = slotOf(s, slot);
  s.emit(add.reg(base, index));
  return base;
}
