/**
 * Pass:    unroll-loops
 * Reads:   loops, innermost ones where nothing in them must be constant, and what their counters are in each round
 * Writes:  a loop that constants end after few rounds becomes as many copies of its body
 * Refuses: nothing
 * Keeps:   the loop itself behind the copies: folding finds that nothing reaches it; fuel, which is counted
 *          by instructions of the body
 */
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
  type Module,
  type Param,
  predecessors,
  type Target,
  type Type,
  targetsOf,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { type AddressesOf, addressFinder, staticMemory } from './places.js';
import { type Copies, copyBlocks, repairSsa, retarget } from './repair-ssa.js';
import { asksTexts } from './variable-operands.js';

/** More rounds, or more instructions in all copies, stay a loop. */
const MOST_ROUNDS = 32;
const MOST_INSTRUCTIONS = 320;
/** The same for a loop that makes objects, asks texts or writes: these need constant addresses, or are refused. */
const MOST_MAKING = 4000;

/**
 * Unrolls one loop; true where there was one to unroll. What only writes is left for index-memory unless
 * `evenWriting`, since choosing among few addresses is less code than copies.
 */
export function unrollLoops(func: Func, module: Module, evenWriting = false): boolean {
  const all = loops(func);
  const blocks = blockMap(func);
  const defs = definitions(func);
  for (const loop of all) {
    const body = [...loop.blocks].flatMap((id) => blocks.get(id) ?? []);
    const isOuter = all.some((other) => other !== loop && loop.blocks.has(other.header));
    const mustBeGone =
      makesObjects(body) || asksTexts(body, defs) || (evenWriting && writes(defs, body));
    if (isOuter && !mustBeGone) continue;
    const size = body.reduce((sum, block) => sum + block.instrs.length + 1, 0);
    const statics = staticMemory(module);
    const mostOf = greatest(func, { loop, body, defs }, { statics, lengthsOnly: !mustBeGone });
    const rounds = roundsOf(func, loop, evaluator(func, statics, mostOf));
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

/** True where something is written, and not at a constant address: what stays so is refused. */
function writes(defs: ReadonlyMap<ValueId, Instr>, body: readonly Block[]): boolean {
  return body.some(({ instrs }) =>
    instrs.some((instr) => instr.op === 'store.memory' && defs.get(instr.args[0])?.op !== 'const'),
  );
}

/** After how many whole rounds constants end the loop; null where that is not known. */
function roundsOf(func: Func, loop: Loop, evaluate: Evaluate): number | null {
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

interface LoopBody {
  readonly loop: Loop;
  readonly body: readonly Block[];
  readonly defs: ReadonlyMap<ValueId, Instr>;
}

/**
 * The most that a value can be which is the same in all rounds, as the length of one of two lists: with too many
 * rounds or too few the loop behind the copies does the rest. Null for other values.
 */
function greatest(
  func: Func,
  { loop, body, defs }: LoopBody,
  { statics, lengthsOnly }: { readonly statics: Uint8Array; readonly lengthsOnly: boolean },
): (value: ValueId) => bigint | null {
  const header = body.find(({ id }) => id === loop.header);
  const own = new Set(body.flatMap(({ params }) => params.map(({ id }) => id)));
  // Deep chains are no length.
  const changes = (value: ValueId, depth: number): boolean => {
    const def = defs.get(value);
    if (def === undefined || depth > 8) return own.has(value) || depth > 8;
    return 'args' in def && def.args.some((arg) => changes(arg, depth + 1));
  };
  // Most loops end by a constant, and need none.
  let placesOf: AddressesOf | null = null;
  return (value) => {
    const isLength = ['load.image', 'load.memory'].includes(defs.get(value)?.op ?? '');
    if (header === undefined || (lengthsOnly && !isLength) || changes(value, 0)) return null;
    placesOf ??= addressFinder(func, statics);
    const most = placesOf(header, value).at(-1);
    return most === undefined ? null : BigInt(most);
  };
}

/** The constant that a value is where a parameter is one; `mostOf` answers for what else it depends on. */
function evaluator(
  func: Func,
  statics: Uint8Array,
  mostOf: (value: ValueId) => bigint | null,
): Evaluate {
  const defs = definitions(func);
  const types = valueTypes(func);
  return (value, param, is) => {
    const known = new Map<ValueId, bigint | null>([[param.id, is]]);
    // Deep chains are no counter.
    const of = (id: ValueId, depth: number): bigint | null => {
      const found = known.get(id);
      if (found !== undefined) return found;
      const def = defs.get(id);
      if (depth > 8) return null;
      const operand = (arg: ValueId): bigint | null => of(arg, depth + 1);
      const typeOf = (arg: ValueId): Type => types.get(arg) ?? 'i64';
      const folded = (): bigint | null =>
        def === undefined ? null : foldInstr(def, operand, typeOf, statics);
      const result = mostOf(id) ?? folded();
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
