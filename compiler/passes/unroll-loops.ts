/**
 * Pass:    unroll-loops
 * Reads:   loops, innermost ones where nothing in them must be constant, and what their counters are in each round
 * Writes:  a loop that constants end after few rounds becomes as many copies of its body
 * Refuses: nothing
 * Keeps:   the loop itself behind the copies: folding finds that nothing reaches it; fuel, which is counted
 *          by instructions of the body
 */
import type { OperandKind } from '../abi/index.js';
import {
  type Block,
  type BlockId,
  blockMap,
  definitions,
  dominators,
  type Func,
  foldInstr,
  type Instr,
  type Loop,
  loops,
  type Param,
  predecessors,
  type Target,
  targetsOf,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { type Copies, copyBlocks, repairSsa, retarget } from './repair-ssa.js';
import { asksVariable } from './variable-operands.js';

/** More rounds, or more instructions in all copies, stay a loop. */
const MOST_ROUNDS = 32;
const MOST_INSTRUCTIONS = 320;
/** The same for a loop that makes objects or asks texts: these have to lie at constant addresses, or are refused. */
const MOST_MAKING = 4000;
const TEXTS: ReadonlySet<OperandKind> = new Set<OperandKind>(['text']);

/** Unrolls one loop; true where there was one to unroll. */
export function unrollLoops(func: Func): boolean {
  const all = loops(func);
  const blocks = blockMap(func);
  const defs = definitions(func);
  for (const loop of all) {
    const body = [...loop.blocks].flatMap((id) => blocks.get(id) ?? []);
    const isOuter = all.some((other) => other !== loop && loop.blocks.has(other.header));
    const mustBeGone = makesObjects(body) || asksTexts(defs, body);
    if (isOuter && !mustBeGone) continue;
    const size = body.reduce((sum, block) => sum + block.instrs.length + 1, 0);
    const rounds = roundsOf(func, loop);
    const most = mustBeGone ? MOST_MAKING : MOST_INSTRUCTIONS;
    if (rounds === null || size * (rounds + 1) > most) continue;
    peel(func, loop, body, rounds + 1);
    return true;
  }
  return false;
}

/** True where the allocator may have to grow memory, as far as is known. */
function makesObjects(body: readonly Block[]): boolean {
  return body.some((block) =>
    block.instrs.some((instr) => instr.op === 'abi' && instr.name.startsWith('refused.')),
  );
}

/** True where a text that has to be a constant is none yet, as an element of a list of texts is. */
function asksTexts(defs: ReadonlyMap<ValueId, Instr>, body: readonly Block[]): boolean {
  return body.some(({ instrs }) => instrs.some((instr) => asksVariable(instr, defs, TEXTS)));
}

/** After how many whole rounds constants end the loop; null where that is not known. */
function roundsOf(func: Func, loop: Loop): number | null {
  const blocks = blockMap(func);
  const header = blocks.get(loop.header);
  if (header === undefined) return null;
  const doms = dominators(func);
  const exits = [...loop.blocks].flatMap((id) => {
    const block = blocks.get(id);
    if (block?.term.op !== 'br_if') return [];
    const always = loop.latches.every((latch) => doms.dominates(id, latch));
    const leaves = targetsOf(block.term).some((target) => !loop.blocks.has(target.block));
    return always && leaves ? [block] : [];
  });
  const evaluate = evaluator(func);
  const edges = (inside: boolean): Target[] =>
    (predecessors(func).get(loop.header) ?? [])
      .filter((id) => loop.blocks.has(id) === inside)
      .flatMap((id) => targetsOf(blocks.get(id)?.term ?? header.term))
      .filter((target) => target.block === loop.header);
  const [first, back] = [edges(false), edges(true)];
  const counts = header.params.flatMap((param, i) => {
    const step = (value: bigint | null): bigint | null =>
      same(back.map((target) => evaluate(target.args[i], param, value)));
    const from = same(first.map((target) => evaluate(target.args[i], param, null)));
    const rounds = from === null ? null : countRounds({ param, from, step, exits, loop, evaluate });
    return rounds === null ? [] : [rounds];
  });
  return counts.length === 0 ? null : Math.min(...counts);
}

function same(values: readonly (bigint | null)[]): bigint | null {
  const [first = null] = values;
  return values.every((value) => value === first) ? first : null;
}

type Evaluate = (value: ValueId | undefined, param: Param, is: bigint | null) => bigint | null;

/** The constant that a value is where a parameter is one. */
function evaluator(func: Func): Evaluate {
  const defs = definitions(func);
  const types = valueTypes(func);
  const pure = (instr: Instr): boolean => instr.op !== 'load.memory';
  return (value, param, is) => {
    const known = new Map<ValueId, bigint | null>([[param.id, is]]);
    // Deep chains are no counter.
    const of = (id: ValueId, depth: number): bigint | null => {
      const found = known.get(id);
      if (found !== undefined) return found;
      const def = defs.get(id);
      if (def === undefined || depth > 8 || !pure(def)) return null;
      const result = foldInstr(
        def,
        (arg) => of(arg, depth + 1),
        (v) => types.get(v) ?? 'i64',
        null,
      );
      known.set(id, result);
      return result;
    };
    return value === undefined ? null : of(value, 0);
  };
}

interface Counter {
  readonly param: Param;
  readonly from: bigint;
  readonly step: (value: bigint) => bigint | null;
  readonly exits: readonly Block[];
  readonly loop: Loop;
  readonly evaluate: Evaluate;
}

/** Walks a counter until it ends the loop; null where it does not do so soon. */
function countRounds({ param, from, step, exits, loop, evaluate }: Counter): number | null {
  let value: bigint | null = from;
  for (let round = 0; round <= MOST_ROUNDS && value !== null; round++) {
    const at = value;
    const ended = exits.some(({ term }) => {
      if (term.op !== 'br_if') return false;
      const condition = evaluate(term.condition, param, at);
      if (condition === null) return false;
      return !loop.blocks.has((condition !== 0n ? term.then : term.else).block);
    });
    if (ended) return round;
    value = step(at);
  }
  return null;
}

/** Puts copies of the body in front of the loop. */
function peel(func: Func, loop: Loop, body: readonly Block[], count: number): void {
  const outside = func.blocks.filter((block) => !loop.blocks.has(block.id));
  const copies: Copies[] = [];
  for (let i = 0; i < count; i++) copies.push(copyBlocks(func, body));
  const headers = [
    ...copies.map(({ placeOf }) => placeOf.get(loop.header) ?? loop.header),
    loop.header,
  ];
  for (const block of outside) retarget(block, loop.header, headers[0] ?? loop.header);
  // A copy's back edges lead to its own header; they go on to the next copy's.
  copies.forEach(({ blocks }, i) => {
    for (const block of blocks) {
      retarget(block, headers[i] ?? loop.header, headers[i + 1] ?? loop.header);
    }
  });
  const owner = new Map<BlockId, Copies | null>([...loop.blocks].map((id) => [id, null]));
  for (const copy of copies) for (const { id } of copy.blocks) owner.set(id, copy);
  const values = body.flatMap((block) => [...block.params, ...block.instrs].map(({ id }) => id));
  repairSsa(func, values, (value, at) => {
    const copy = owner.get(at);
    if (copy === undefined) return null;
    return copy === null ? value : (copy.nameOf.get(value) ?? value);
  });
}
