/**
 * Pass:    guard-loops
 * Reads:   loops, and whether a loop's trip count is a small constant
 * Writes:  `may_goto` at each loop header; a `launder` of each loop-carried value behind it
 * Refuses: nothing
 * Keeps:   values (a launder adds a zero that only the verifier does not know)
 *
 * A cursor that leaves a loop with k different constants makes the verifier walk the next loop k times.
 * Laundered, its states are equal and merge. Not laundered: counters of loops with a constant bound,
 * which the verifier proves itself; and, for kernels without may_goto, the fuel of other loops, since
 * something must let the verifier see that the loop ends.
 */
import {
  type Block,
  type BlockId,
  blockMap,
  definitions,
  dominators,
  type Func,
  foldBinary,
  foldCompare,
  type Instr,
  type Loop,
  loops,
  mapOperands,
  mapTerm,
  newValue,
  type Param,
  targetsOf,
  type ValueId,
} from '../ir/index.js';

export interface GuardOptions {
  /** For kernels that have may_goto: only short loops are left for the verifier to walk. */
  readonly mayGoto: boolean;
}
const SHORT = 64;
const LONG = 4096;

interface Steps {
  readonly start: bigint;
  readonly step: Instr & { op: 'binary' };
  readonly by: bigint;
}

type Defs = ReadonlyMap<ValueId, Instr>;
function constant(defs: Defs, value: ValueId | undefined): bigint | null {
  const def = value === undefined ? undefined : defs.get(value);
  return def?.op === 'const' ? def.value : null;
}

/** A parameter that starts at a constant and moves by a constant on every way round. */
function stepsOf(func: Func, loop: Loop, index: number, param: Param, defs: Defs): Steps | null {
  let start: bigint | null = null;
  let step: Steps['step'] | null = null;
  for (const block of func.blocks) {
    for (const target of targetsOf(block.term)) {
      if (target.block !== loop.header) continue;
      const arg = target.args[index];
      if (!loop.blocks.has(block.id)) {
        const value = constant(defs, arg);
        if (value === null || (start !== null && start !== value)) return null;
        start = value;
        continue;
      }
      const def = arg === undefined ? undefined : defs.get(arg);
      if (def?.op !== 'binary' || def.kind !== 'add' || def.args[0] !== param.id) return null;
      if (step !== null && step.id !== def.id) return null;
      step = def;
    }
  }
  const by = step === null ? null : constant(defs, step.args[1]);
  return start === null || step === null || by === null ? null : { start, step, by };
}

/** After how many rounds a test on the counter, which every round makes, leaves the loop. */
function tripCount(
  func: Func,
  loop: Loop,
  param: Param,
  steps: Steps,
  defs: Defs,
  everyRound: (block: BlockId) => boolean,
): number | null {
  if (param.type === 'ptr') return null;
  const type = param.type;
  for (const block of func.blocks) {
    const { term } = block;
    if (!loop.blocks.has(block.id) || term.op !== 'br_if' || !everyRound(block.id)) continue;
    const leavesThen = !loop.blocks.has(term.then.block);
    const leavesElse = !loop.blocks.has(term.else.block);
    if (leavesThen === leavesElse) continue;
    const def = defs.get(term.condition);
    const direct = term.condition === param.id || term.condition === steps.step.id;
    const compare = def?.op === 'compare' ? def : null;
    const tested = direct ? term.condition : compare?.args[0];
    if (tested !== param.id && tested !== steps.step.id) continue;
    const bound = direct ? 0n : constant(defs, compare?.args[1]);
    if (bound === null) continue;
    let value = steps.start;
    for (let round = 1; round <= LONG; round++) {
      const next = foldBinary('add', type, value, steps.by) ?? 0n;
      const now = tested === param.id ? value : next;
      const holds = foldCompare(compare?.kind ?? 'ne', type, now, bound);
      if (holds === leavesThen) return round;
      value = next;
    }
  }
  return null;
}

/** The fuel of a loop: its header's parameter whose test for zero ends in a fuel trap. */
function isFuel(
  func: Func,
  loop: Loop,
  param: Param,
  blocks: ReadonlyMap<BlockId, Block>,
): boolean {
  const defs = definitions(func);
  return func.blocks.some((block) => {
    const { term } = block;
    if (!loop.blocks.has(block.id) || term.op !== 'br_if') return false;
    const def = defs.get(term.condition);
    const tested = def?.op === 'compare' ? def.args[0] : term.condition;
    if (tested !== param.id) return false;
    return [term.then, term.else].some((to) => {
      const end = blocks.get(to.block)?.term;
      return end?.op === 'trap' && end.kind === 'fuel';
    });
  });
}

/** Counters of a loop whose trip count is a constant, small enough to be walked by the verifier. */
function counters(func: Func, loop: Loop, header: Block, options: GuardOptions): Set<ValueId> {
  const defs = definitions(func);
  const doms = dominators(func);
  const blocks = blockMap(func);
  const everyRound = (block: BlockId): boolean =>
    loop.latches.every((latch) => doms.dominates(block, latch));
  const found = header.params.filter((param, i) => {
    const steps = stepsOf(func, loop, i, param, defs);
    if (steps === null || isFuel(func, loop, param, blocks)) return false;
    const trips = tripCount(func, loop, param, steps, defs, everyRound);
    return trips !== null && trips <= (options.mayGoto ? SHORT : LONG);
  });
  return new Set(found.map((param) => param.id));
}

interface Plan {
  readonly loop: Loop;
  readonly header: Block;
  /** Parameters that stay as they are. */
  readonly kept: Set<ValueId>;
}

function plan(func: Func, options: GuardOptions): Plan[] {
  const blocks = blockMap(func);
  const plans = loops(func).flatMap((loop): Plan[] => {
    const header = blocks.get(loop.header);
    return header === undefined
      ? []
      : [{ loop, header, kept: counters(func, loop, header, options) }];
  });
  // A loop that only fuel bounds needs it known from the entry on, so through every other loop too.
  if (options.mayGoto || plans.every(({ kept }) => kept.size > 0)) return plans;
  for (const { loop, header, kept } of plans) {
    for (const param of header.params) if (isFuel(func, loop, param, blocks)) kept.add(param.id);
  }
  return plans;
}

/** Guards every loop of a function. */
export function guardLoops(func: Func, options: GuardOptions): boolean {
  const connection = func.params[0];
  const plans = plan(func, options);
  if (connection === undefined || plans.length === 0) return false;
  const renamed = new Map<ValueId, ValueId>();
  const guards = plans.map(({ header, kept }) => {
    const loc = header.instrs.find((instr) => instr.loc !== null)?.loc ?? header.term.loc;
    const guard: Instr[] = [{ op: 'may_goto', id: newValue(func), type: 'i32', loc }];
    for (const param of header.params) {
      if (kept.has(param.id)) continue;
      const id = newValue(func);
      renamed.set(param.id, id);
      const args = [param.id, connection.id] as const;
      guard.push({ op: 'launder', id, type: param.type, loc, args });
    }
    return { header, guard };
  });
  const rename = (value: ValueId): ValueId => renamed.get(value) ?? value;
  for (const block of func.blocks) {
    block.instrs = block.instrs.map((instr) => mapOperands(instr, rename));
    block.term = mapTerm(block.term, rename);
  }
  for (const { header, guard } of guards) header.instrs = [...guard, ...header.instrs];
  return true;
}
