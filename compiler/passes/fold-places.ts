/**
 * Pass:    fold-places
 * Reads:   functions that ask for a text that is no constant, or read one of a few places of constant memory: what
 *          their values can be in each block
 * Writes:  constants for what is the same wherever an operand lies, as the length of one of two lists, so that
 *          rounds of a loop that no list reaches go away. Where memory is written no comparison: what a store may
 *          reach is known by the check of its index
 * Refuses: nothing
 * Keeps:   blocks and edges, traps
 */
import {
  definitions,
  type Func,
  foldCompare,
  type Instr,
  type Module,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { type AddressesOf, addressFinder, staticMemory } from './places.js';
import { asksTexts } from './variable-operands.js';

/** Folds in place; true where it changed anything. */
export function foldPlaces(func: Func, module: Module): boolean {
  const defs = definitions(func);
  const loads = func.blocks.some(({ instrs }) => instrs.some((instr) => isChosen(instr, defs)));
  if (!loads && !asksTexts(func.blocks, defs)) return false;
  const placesOf = addressFinder(func, staticMemory(module));
  const types = valueTypes(func);
  const writes = func.blocks.some((b) => b.instrs.some(({ op }) => op === 'store.memory'));
  let changed = false;
  for (const block of func.blocks) {
    block.instrs = block.instrs.map((instr) => {
      if (instr.op === 'compare' && writes) return instr;
      const isWide = 'args' in instr && instr.args.some((arg) => types.get(arg) !== 'i32');
      const value = isWide ? null : outcome(instr, (id) => placesOf(block, id));
      if (value === null) return instr;
      changed = true;
      return { op: 'const', id: instr.id, type: 'i32', loc: instr.loc, value };
    });
  }
  return changed;
}

/** True for a load of what one of several objects holds. */
function isChosen(instr: Instr, defs: ReadonlyMap<ValueId, Instr>): boolean {
  if (instr.op !== 'load.image' && instr.op !== 'load.memory') return false;
  const def = defs.get(instr.args[0]);
  return def === undefined || def.op === 'select';
}

/** The only value of a comparison or a load; null where there are more. */
function outcome(
  instr: Instr,
  placesOf: (value: Parameters<AddressesOf>[1]) => readonly number[],
): bigint | null {
  if (instr.op === 'load.memory' || instr.op === 'load.image') {
    const [only, ...others] = instr.type === 'i32' ? placesOf(instr.id) : [];
    return only === undefined || others.length > 0 ? null : BigInt(only);
  }
  if (instr.op !== 'compare') return null;
  const [left, right] = instr.args.map(placesOf);
  const outcomes = (left ?? []).flatMap((a) =>
    (right ?? []).map((b) => foldCompare(instr.kind, 'i32', BigInt(a), BigInt(b))),
  );
  const [first] = outcomes;
  return first === undefined || outcomes.includes(!first) ? null : first ? 1n : 0n;
}
