/**
 * Pass    hoist-constants
 * Reads   allocated code with simplified blocks
 * Writes  `if x goto L; ... L: r = C; goto END` as `r = C; if x goto END`, where r is free and that is no
 *         more code; all returns share one `exit`
 * Refuses nothing
 * Keeps   what every way through computes, and that code without loops only jumps forward
 *
 * A branch into a block of two instructions costs a jump more than one to the end. There is one `exit`:
 * the kernel's JIT for x86 makes each further one a jump to the first (arch/x86/net/bpf_jit_comp.c).
 */

import { liveOut } from '../allocate/liveness.js';
import {
  defsOf,
  type Insn,
  type Label,
  R0,
  type Reg,
  type Test,
  testUses,
  usesOf,
} from '../asm/index.js';
import {
  type Exit,
  exitUses,
  type LirBlock,
  type LirFunc,
  reversePostorder,
  type Step,
} from '../lir.js';
import { threadJumps } from './simplify-blocks.js';

/** A block before it shares its end needs two instructions; so many copies of the first are no loss. */
const MOST_COPIES = 2;

/** A block that puts a constant into a register and goes on. */
interface End {
  readonly step: Step;
  readonly reg: Reg;
  readonly value: bigint;
  readonly to: Label;
  /** Copies of the first instruction that are no loss. */
  readonly copies: number;
}
/** A branch to such a block, and the same past it. */
interface Way {
  readonly from: Label;
  readonly end: End;
  readonly to: Exit;
  /** True where the branch itself says that the register holds the constant. */
  readonly said: boolean;
}
/** What registers hold where a block ends, as far as it is constant. */
type Held = ReadonlyMap<Reg, bigint>;

/** Hoists in place. */
export function hoistConstants(func: LirFunc): void {
  const last = shareExit(func);
  threadJumps(func);
  const ends = endsOf(func, last);
  // What does not pay is left out, and then other copies may be missing that it made unnecessary.
  for (;;) {
    const copies = new Hoister(func, { ends, last, write: false }).run();
    const costly = [...copies].filter(([label, count]) => count > (ends.get(label)?.copies ?? 0));
    if (costly.length === 0) break;
    for (const [label] of costly) ends.delete(label);
  }
  new Hoister(func, { ends, last, write: true }).run();
}

/** All that returns goes on to one block that only returns; its label. */
function shareExit({ blocks }: LirFunc): Label {
  const last = blocks.length as Label;
  const loc = blocks.find(({ exit }) => exit.op === 'exit')?.exit.loc ?? null;
  for (const block of blocks) {
    if (block.exit.op === 'exit') block.exit = { op: 'goto', to: last, loc: block.exit.loc };
  }
  blocks.push({ steps: [], exit: { op: 'exit', loc } });
  return last;
}

/** The blocks that do nothing but put a constant into a register, by label. */
function endsOf({ blocks }: LirFunc, last: Label): Map<Label, End> {
  const found = new Map<Label, End>();
  for (const [i, { steps, exit }] of blocks.entries()) {
    const [step] = steps;
    if (i === 0 || exit.op !== 'goto' || steps.length !== 1 || step === undefined) continue;
    const put = constantOf(step.insn);
    if (put === null) continue;
    const returns = exit.to === last && put.reg === R0;
    // Where a block may fall through to what follows, a second copy would be one too many.
    const copies = returns ? MOST_COPIES : 1;
    if (returns || step.insn.op === 'alu')
      found.set(i as Label, { ...put, step, to: exit.to, copies });
  }
  return found;
}

/** The register that an instruction puts a constant into, else null. */
function constantOf(insn: Insn): { readonly reg: Reg; readonly value: bigint } | null {
  if (insn.op === 'lddw') return { reg: insn.dst, value: insn.value };
  if (insn.op !== 'alu' || insn.kind !== 'mov' || insn.width !== 64) return null;
  if (!('imm' in insn.src)) return null;
  return { reg: insn.dst, value: BigInt.asUintN(64, BigInt(insn.src.imm)) };
}

/** True where a test that holds, or fails, leaves just this constant in the register. */
function isSaid(test: Test, holds: boolean, { reg, value }: End): boolean {
  if (test.kind !== (holds ? 'eq' : 'ne') || test.width !== 64) return false;
  if (test.left !== reg || !('imm' in test.right)) return false;
  return BigInt.asUintN(64, BigInt(test.right.imm)) === value;
}

class Hoister {
  readonly #func: LirFunc;
  readonly #ends: ReadonlyMap<Label, End>;
  readonly #last: Label;
  readonly #write: boolean;
  readonly #liveOut: ReadonlyMap<Label, ReadonlySet<number>>;
  readonly #copies = new Map<Label, number>();
  #rank: ReadonlyMap<Label, number> = new Map();

  constructor(
    func: LirFunc,
    options: {
      readonly ends: ReadonlyMap<Label, End>;
      readonly last: Label;
      readonly write: boolean;
    },
  ) {
    this.#func = func;
    this.#ends = options.ends;
    this.#last = options.last;
    this.#write = options.write;
    this.#liveOut = liveOut<number>(func.blocks, {
      uses: (step) => usesOf(step.insn),
      defs: (step) => defsOf(step.insn),
      exitUses: (block) => exitUses(block.exit),
    });
  }

  /** How often each constant would stand before a branch. */
  run(): ReadonlyMap<Label, number> {
    const { blocks } = this.#func;
    const order = reversePostorder(blocks);
    this.#rank = new Map(order.map((label, i) => [label, i]));
    const before = predecessors(blocks, order);
    const held = new Map<Label, Held>();
    for (const label of order) {
      const block = blocks[label];
      if (block === undefined) continue;
      const [only, ...others] = before.get(label) ?? [];
      const known = only === undefined || others.length > 0 ? undefined : held.get(only);
      held.set(label, this.#block(label, block, known ?? new Map()));
    }
    return this.#copies;
  }

  #block(label: Label, block: LirBlock, known: Held): Held {
    const held = new Map(known);
    const steps: Step[] = [];
    for (const [i, step] of block.steps.entries()) {
      const { insn } = step;
      // Nothing is live on the way to a trap: only a result may be put there.
      const end = 'to' in insn ? this.#ends.get(insn.to) : undefined;
      if ('to' in insn && end?.to === this.#last && !this.#isLive(label, block, i, end.reg)) {
        this.#put(steps, insn.to, end, held);
        steps.push({ ...step, insn: { ...insn, to: end.to } });
        continue;
      }
      steps.push(step);
      for (const reg of defsOf(insn)) held.delete(reg);
      const put = constantOf(insn);
      if (put !== null) held.set(put.reg, put.value);
    }
    const exit = this.#exit(label, block.exit, held);
    if (exit !== null) {
      if (!exit.said) this.#put(steps, exit.from, exit.end, held);
      if (this.#write) block.exit = exit.to;
    }
    if (this.#write) block.steps = steps;
    return held;
  }

  /** Puts the constant into its register, unless it is there. */
  #put(steps: Step[], label: Label, end: End, held: Map<Reg, bigint>): void {
    if (held.get(end.reg) === end.value) return;
    steps.push(end.step);
    this.#copies.set(label, (this.#copies.get(label) ?? 0) + 1);
    held.set(end.reg, end.value);
  }

  /** How a block's branch to a constant could go past it: rather the one that is held already. */
  #exit(label: Label, exit: Exit, held: Held): Way | null {
    if (exit.op !== 'if') return null;
    const ways = [
      { from: exit.yes, other: exit.no, to: (to: Label): Exit => ({ ...exit, yes: to }) },
      ...(exit.test.kind === 'set'
        ? []
        : [{ from: exit.no, other: exit.yes, to: (to: Label): Exit => ({ ...exit, no: to }) }]),
    ];
    const { test } = exit;
    const found = ways.flatMap(({ from, other, to }) => {
      const end = this.#ends.get(from);
      if (end === undefined || (this.#rank.get(end.to) ?? 0) <= (this.#rank.get(label) ?? 0))
        return [];
      const next = this.#func.blocks[other];
      if (from !== other && isSaid(test, from === exit.yes, end))
        return [{ from, end, to: to(end.to), said: true }];
      if (testUses(test).includes(end.reg)) return [];
      if (next === undefined || this.#isLive(other, next, 0, end.reg)) return [];
      return [{ from, end, to: to(end.to), said: false }];
    });
    const isHeld = ({ end, said }: (typeof found)[number]): boolean =>
      said || held.get(end.reg) === end.value;
    return found.find(isHeld) ?? found[0] ?? null;
  }

  /** True where a register is read after a step before it is written. */
  #isLive(label: Label, block: LirBlock, at: number, reg: Reg): boolean {
    for (const { insn } of block.steps.slice(at)) {
      if (usesOf(insn).includes(reg)) return true;
      if (defsOf(insn).includes(reg)) return false;
    }
    return exitUses(block.exit).includes(reg) || (this.#liveOut.get(label)?.has(reg) ?? false);
  }
}

/** Blocks that each block is entered from, trap exits included. */
function predecessors(
  blocks: readonly LirBlock[],
  order: readonly Label[],
): ReadonlyMap<Label, readonly Label[]> {
  const found = new Map<Label, Label[]>();
  const add = (to: Label, from: Label): void => {
    found.set(to, [...(found.get(to) ?? []), from]);
  };
  for (const from of order) {
    const block = blocks[from];
    if (block === undefined) continue;
    for (const { insn } of block.steps) if ('to' in insn) add(insn.to, from);
    if (block.exit.op === 'goto') add(block.exit.to, from);
    if (block.exit.op === 'if') {
      add(block.exit.yes, from);
      add(block.exit.no, from);
    }
  }
  return found;
}
