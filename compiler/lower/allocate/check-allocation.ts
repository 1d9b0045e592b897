/**
 * A proof, for one function, that register allocation kept every value: the code before (over virtual
 * registers) and after (over machine registers and slots) are walked side by side, keeping for each
 * location the set of registers of the code before whose value it holds. Wherever the code before
 * reads a register, the location that the code after reads must hold it, whatever way was taken.
 *
 * It trusts nothing of the allocator: not its graph, not its liveness, not what it merged.
 */
import {
  copyOf,
  defsOf,
  FP,
  type Insn,
  type Label,
  printInsn,
  printTest,
  type Reg,
  renameInsn,
  renameTest,
  testUses,
  usesOf,
} from '../asm/index.js';
import {
  type Exit,
  type LirBlock,
  type LirFunc,
  reversePostorder,
  type Step,
  successorsOf,
} from '../lir.js';
import { isSpillStep } from './spill.js';

type Location = `r${number}` | `s${number}`;
type State = Map<Location, Set<Reg>>;

/** Returns what is wrong, one line each; empty where the allocation is right. */
export function checkAllocation(before: LirFunc, after: LirFunc): string[] {
  const order = reversePostorder(before.blocks);
  const entries = new Map<Label, State>([[0 as Label, initial()]]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const label of order) {
      const [old, now, entry] = [before.blocks[label], after.blocks[label], entries.get(label)];
      if (old === undefined || now === undefined || entry === undefined) continue;
      const out = walk(old, now, entry, []);
      for (const next of successorsOf(old)) {
        const known = entries.get(next);
        const merged = known === undefined ? clone(out) : meet(known, out);
        if (known !== undefined && size(merged) === size(known)) continue;
        entries.set(next, merged);
        changed = true;
      }
    }
  }
  const problems: string[] = [];
  for (const label of order) {
    const [old, now, entry] = [before.blocks[label], after.blocks[label], entries.get(label)];
    if (old === undefined || now === undefined || entry === undefined) continue;
    const found: string[] = [];
    walk(old, now, entry, found);
    problems.push(...found.map((text) => `block ${label}: ${text}`));
  }
  return problems;
}

/** At the start each machine register holds itself (arguments are read from R1 to R5). */
function initial(): State {
  const state: State = new Map();
  for (let r = 0; r <= FP; r++) state.set(`r${r}`, new Set([r as Reg]));
  return state;
}

function clone(state: State): State {
  return new Map([...state].map(([location, held]) => [location, new Set(held)]));
}

function meet(a: State, b: State): State {
  const both: State = new Map();
  for (const [location, held] of a) {
    const other = b.get(location);
    if (other !== undefined) both.set(location, new Set([...held].filter((reg) => other.has(reg))));
  }
  return both;
}

function size(state: State): number {
  return [...state.values()].reduce((sum, held) => sum + held.size, 0);
}

/** Follows both versions of a block; notes problems; returns the state at its end. */
function walk(old: LirBlock, now: LirBlock, entry: State, problems: string[]): State {
  const state = clone(entry);
  const pending = [...now.steps];
  for (const { insn } of old.steps) {
    const copy = copyOf(insn);
    if (copy !== null) {
      // The copy itself may be gone, or have become a load, a store, or both: all of that is seen as
      // moves between locations, and here the two registers are simply one value.
      rename(state, copy.dst, copy.src);
      continue;
    }
    applyMoves(state, pending);
    const step = pending.shift();
    if (step === undefined || !sameShape(insn, step.insn)) {
      problems.push(`${printInsn(insn)} became ${step ? printInsn(step.insn) : 'nothing'}`);
      return state;
    }
    reads(state, usesOf(insn), usesOf(step.insn), printInsn(insn), problems);
    defines(state, defsOf(insn), defsOf(step.insn));
  }
  applyMoves(state, pending);
  for (const { insn } of pending) problems.push(`${printInsn(insn)} is new`);
  checkExit(state, old.exit, now.exit, problems);
  return state;
}

function checkExit(state: State, old: Exit, now: Exit, problems: string[]): void {
  if (old.op === 'exit') {
    reads(state, [0 as Reg], [0 as Reg], 'exit', problems);
  } else if (old.op === 'if' && now.op === 'if') {
    const blank = (test: typeof old.test): string => printTest(renameTest(test, () => 0 as Reg));
    if (blank(old.test) !== blank(now.test)) problems.push(`another test: ${printTest(now.test)}`);
    reads(state, testUses(old.test), testUses(now.test), printTest(old.test), problems);
  } else if (old.op !== now.op) {
    problems.push(`the end ${old.op} became ${now.op}`);
  }
}

function sameShape(a: Insn, b: Insn): boolean {
  const blank = (insn: Insn): string =>
    JSON.stringify(
      renameInsn(insn, () => 0 as Reg),
      bigints,
    );
  return blank(a) === blank(b);
}
function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function reads(
  state: State,
  wanted: readonly Reg[],
  read: readonly Reg[],
  what: string,
  problems: string[],
): void {
  for (const [i, reg] of wanted.entries()) {
    const from = read[i];
    const held = from === undefined ? undefined : state.get(`r${from}`);
    if (held?.has(reg) !== true) problems.push(`${what} reads r${reg} from r${from}`);
  }
}

function forget(state: State, reg: Reg): void {
  for (const held of state.values()) held.delete(reg);
}

function defines(state: State, wanted: readonly Reg[], written: readonly Reg[]): void {
  for (const reg of wanted) forget(state, reg);
  for (const [i, reg] of wanted.entries()) state.set(`r${written[i] ?? reg}`, new Set([reg]));
}

/** From here on `dst` means what `src` means. */
function rename(state: State, dst: Reg, src: Reg): void {
  if (dst === src) return;
  forget(state, dst);
  for (const held of state.values()) if (held.has(src)) held.add(dst);
}

/** Applies the allocator's moves that stand before the next instruction of the code before. */
function applyMoves(state: State, pending: Step[]): void {
  for (let step = pending[0]; step !== undefined && move(state, step); step = pending[0]) {
    pending.shift();
  }
}

/** Applies a copy, or a load or store that the allocator made; false for any other instruction. */
function move(state: State, step: Step): boolean {
  const copy = copyOf(step.insn);
  if (copy !== null) {
    state.set(`r${copy.dst}`, new Set(state.get(`r${copy.src}`) ?? []));
    return true;
  }
  if (!isSpillStep(step)) return false;
  const slot: Location = `s${step.slot}`;
  if (step.insn.op === 'load') {
    state.set(`r${step.insn.dst}`, new Set(state.get(slot) ?? []));
  } else if (step.insn.op === 'store' && 'reg' in step.insn.src) {
    state.set(slot, new Set(state.get(`r${step.insn.src.reg}`) ?? []));
  }
  return true;
}
