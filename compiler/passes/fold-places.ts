/**
 * Pass:    fold-places
 * Reads:   functions that ask for a text that is no constant: what their values can be in each block
 * Writes:  constants for what is the same wherever an operand lies, as the length of one of two lists, so that
 *          rounds of a loop that no list reaches go away
 * Refuses: nothing
 * Keeps:   blocks and edges, traps
 */
import {
  definitions,
  type Func,
  foldCompare,
  type Instr,
  type Module,
  valueTypes,
} from '../ir/index.js';
import { type AddressesOf, addressFinder, staticMemory } from './places.js';
import { asksTexts } from './variable-operands.js';

/** Folds in place; true where it changed anything. */
export function foldPlaces(func: Func, module: Module): boolean {
  const defs = definitions(func);
  if (!asksTexts(func.blocks, defs)) return false;
  const placesOf = addressFinder(func, staticMemory(module));
  const types = valueTypes(func);
  let changed = false;
  for (const block of func.blocks) {
    block.instrs = block.instrs.map((instr) => {
      const isWide = 'args' in instr && instr.args.some((arg) => types.get(arg) !== 'i32');
      const value = isWide ? null : outcome(instr, (id) => placesOf(block, id));
      if (value === null) return instr;
      changed = true;
      return { op: 'const', id: instr.id, type: 'i32', loc: instr.loc, value };
    });
  }
  return changed;
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
