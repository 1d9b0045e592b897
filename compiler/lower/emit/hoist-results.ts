/**
 * Pass    hoist-results
 * Reads   allocated code with simplified blocks
 * Writes  `if x goto L; ... L: r0 = C; exit` as `r0 = C; if x goto END; ... END: exit`, where R0 is free
 *         and that is no more code; all returns share one `exit`
 * Refuses nothing
 * Keeps   what every way through returns
 *
 * A branch into a block of two instructions costs a jump more than one to the end, and kernels' JITs
 * make each further `exit` a jump as well.
 */

import { liveOut } from '../allocate/liveness.js';
import { defsOf, type Insn, type Label, R0, testUses, usesOf } from '../asm/index.js';
import {
  type Exit,
  exitUses,
  type LirBlock,
  type LirFunc,
  reversePostorder,
  type Step,
} from '../lir.js';

/** A block before it shares its end needs two instructions; so many copies of the first are no loss. */
const MOST_COPIES = 2;

/** Hoists in place. */
export function hoistResults(func: LirFunc): void {
  const ends = resultsOf(func);
  // What does not pay is left out, and then other copies may be missing that it made unnecessary.
  for (;;) {
    const copies = new Hoister(func, ends, false).run();
    const costly = [...copies].filter(([, count]) => count > MOST_COPIES);
    if (costly.length === 0) break;
    for (const [label] of costly) ends.delete(label);
  }
  new Hoister(func, ends, true).run();
}

/** What each block returns that does nothing else. */
function resultsOf(func: LirFunc): Map<Label, Step> {
  const found = new Map<Label, Step>();
  for (const [i, { steps, exit }] of func.blocks.entries()) {
    const [step] = steps;
    if (i === 0 || exit.op !== 'exit' || steps.length !== 1 || step === undefined) continue;
    if (constantOf(step.insn) !== null) found.set(i as Label, step);
  }
  return found;
}

/** The constant that an instruction puts into R0, else null. */
function constantOf(insn: Insn): bigint | null {
  if (insn.op === 'lddw' && insn.dst === R0) return insn.value;
  if (insn.op !== 'alu' || insn.kind !== 'mov' || insn.width !== 64 || insn.dst !== R0) return null;
  return 'imm' in insn.src ? BigInt.asUintN(64, BigInt(insn.src.imm)) : null;
}

class Hoister {
  readonly #func: LirFunc;
  readonly #ends: ReadonlyMap<Label, Step>;
  readonly #write: boolean;
  readonly #liveOut: ReadonlyMap<Label, ReadonlySet<number>>;
  readonly #copies = new Map<Label, number>();
  readonly #end: Label;

  constructor(func: LirFunc, ends: ReadonlyMap<Label, Step>, write: boolean) {
    this.#func = func;
    this.#ends = ends;
    this.#write = write;
    this.#end = func.blocks.length as Label;
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
    const before = predecessors(blocks, order);
    // What R0 holds where a block ends, as far as it is a constant.
    const held = new Map<Label, bigint | null>();
    for (const label of order) {
      const block = blocks[label];
      if (block === undefined) continue;
      const [only, ...others] = before.get(label) ?? [];
      const known = only === undefined || others.length > 0 ? null : (held.get(only) ?? null);
      held.set(label, this.#block(label, block, known));
    }
    if (this.#write) this.#shareEnd();
    return this.#copies;
  }

  #block(label: Label, block: LirBlock, known: bigint | null): bigint | null {
    let value = known;
    const steps: Step[] = [];
    for (const [i, step] of block.steps.entries()) {
      const { insn } = step;
      const end = 'to' in insn ? this.#ends.get(insn.to) : undefined;
      if ('to' in insn && end !== undefined && !this.#isLive(label, block, i)) {
        value = this.#put(steps, insn.to, end, value);
        steps.push({ ...step, insn: { ...insn, to: this.#end } });
        continue;
      }
      steps.push(step);
      if (defsOf(insn).includes(R0)) value = constantOf(insn);
    }
    const exit = this.#exit(block.exit, value);
    const end = exit === null ? undefined : this.#ends.get(exit.from);
    if (exit !== null && end !== undefined && this.#isFreeAtExit(block, exit.other)) {
      value = this.#put(steps, exit.from, end, value);
      if (this.#write) block.exit = exit.to;
    }
    if (this.#write) block.steps = steps;
    return value;
  }

  /** Puts the constant into R0, unless it is there. */
  #put(steps: Step[], label: Label, end: Step, value: bigint | null): bigint | null {
    const constant = constantOf(end.insn);
    if (value !== null && value === constant) return value;
    steps.push(end);
    this.#copies.set(label, (this.#copies.get(label) ?? 0) + 1);
    return constant;
  }

  /** How a block's branch to a result could go to the end: rather the one that R0 holds already. */
  #exit(
    exit: Exit,
    value: bigint | null,
  ): { readonly from: Label; readonly other: Label; readonly to: Exit } | null {
    if (exit.op !== 'if') return null;
    const resultOf = (label: Label): bigint | null => {
      const step = this.#ends.get(label);
      return step === undefined ? null : constantOf(step.insn);
    };
    const [yes, no] = [resultOf(exit.yes), resultOf(exit.no)];
    const negatable = exit.test.kind !== 'set';
    if (no !== null && negatable && (yes === null || (value === no && value !== yes)))
      return { from: exit.no, other: exit.yes, to: { ...exit, no: this.#end } };
    if (yes === null) return null;
    return { from: exit.yes, other: exit.no, to: { ...exit, yes: this.#end } };
  }

  /** True where R0 is read after a step before it is written. */
  #isLive(label: Label, block: LirBlock, at: number): boolean {
    for (const { insn } of block.steps.slice(at)) {
      if (usesOf(insn).includes(R0)) return true;
      if (defsOf(insn).includes(R0)) return false;
    }
    return exitUses(block.exit).includes(R0) || (this.#liveOut.get(label)?.has(R0) ?? false);
  }

  #isFreeAtExit(block: LirBlock, other: Label): boolean {
    if (block.exit.op === 'if' && testUses(block.exit.test).includes(R0)) return false;
    const next = this.#func.blocks[other];
    return next !== undefined && !this.#isLive(other, next, 0);
  }

  /** All that returns goes on to one block that only returns. */
  #shareEnd(): void {
    const { blocks } = this.#func;
    const loc = blocks.find(({ exit }) => exit.op === 'exit')?.exit.loc ?? null;
    for (const block of blocks) {
      if (block.exit.op === 'exit') block.exit = { op: 'goto', to: this.#end, loc: block.exit.loc };
    }
    blocks.push({ steps: [], exit: { op: 'exit', loc } });
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
