/** Which of r6 to r9, which a called function leaves as they are, are read behind each instruction. */
import type { Flow } from './flow.js';
import {
  CLASS,
  CODE,
  classOf,
  hasSourceRegister,
  type Instruction,
  isFetch,
  isJump,
  isOrdered,
  OP,
  operation,
} from './instruction.js';

const MOVE = 0xb0;
const FIRST = 6;
const LAST = 9;

/** A bit for each, bit 6 for r6: of what is live behind each instruction of the body. */
export function liveBehind(body: readonly Instruction[], flow: Flow): number[] {
  const live = new Array<number>(body.length).fill(0);
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (let at = body.length - 1; at >= 0; at--) {
      let behind = 0;
      for (const follower of flow[at] as readonly number[]) {
        const each = body[follower] as Instruction;
        behind |= ((live[follower] as number) & ~writes(each)) | reads(each);
      }
      if (behind !== live[at]) isChanged = true;
      live[at] = behind;
    }
  }
  return live;
}

/** r6 to r9 that a body writes. */
export function written(body: readonly Instruction[]): number {
  return body.reduce((all, each) => all | writes(each), 0);
}

/** The registers of a mask. */
export function registersOf(mask: number): number[] {
  const registers: number[] = [];
  for (let register = FIRST; register <= LAST; register++)
    if ((mask & (1 << register)) !== 0) registers.push(register);
  return registers;
}

function bit(register: number): number {
  return register >= FIRST && register <= LAST ? 1 << register : 0;
}

function writes(each: Instruction): number {
  const kind = classOf(each);
  if (kind === CLASS.alu || kind === CLASS.alu64 || kind === CLASS.ldx) return bit(each.target);
  if (isFetch(each)) return bit(each.source);
  return each.code === CODE.loadImm64 || isOrdered(each) ? bit(each.target) : 0;
}

function reads(each: Instruction): number {
  const { target, source } = each;
  switch (classOf(each)) {
    case CLASS.alu:
    case CLASS.alu64:
      return (
        (operation(each) === MOVE ? 0 : bit(target)) | (hasSourceRegister(each) ? bit(source) : 0)
      );
    case CLASS.ldx:
      return bit(source);
    case CLASS.st:
      return bit(target);
    case CLASS.stx:
      return bit(target) | bit(source);
    case CLASS.ld:
      // Loads of a packet's bytes by offset take the context from r6.
      return each.code === CODE.loadImm64 ? 0 : bit(FIRST) | bit(source);
    default:
      if (!isJump(each) || operation(each) === OP.call || operation(each) === OP.exit) return 0;
      return bit(target) | (hasSourceRegister(each) ? bit(source) : 0);
  }
}
