/**
 * Pass:    inline
 * Reads:   calls of internal functions of the module
 * Writes:  the callee's blocks in place of a call, where it is called once, is small, or asks the ABI with an
 *          operand that must be a constant and there is none; functions that nothing calls any more are removed
 * Refuses: nothing (recursive functions stay calls)
 * Keeps:   traps: what stopped the callee stops the caller; fuel: it is carried through the callee
 *
 * An internal function returns fuel and value packed into an i64. The copy unpacks them at each
 * return, so that they reach the caller as two values.
 */
import { STOPPED } from '../abi/index.js';
import {
  type Block,
  type BlockId,
  components,
  definitions,
  type Func,
  type Instr,
  type Module,
  newBlock,
  newValue,
  type Param,
  type Terminator,
  type ValueId,
} from '../ir/index.js';
import {
  type Call,
  callsOf,
  copyFunction,
  insertCopies,
  sizeOf,
  splitAtCall,
} from './copy-function.js';
import { asksVariable } from './variable-operands.js';

/** A callee of at most so many instructions is copied into every caller. */
const SMALL = 24;
/** A caller does not grow beyond this by inlining. */
const LARGEST = 4000;
const MARK = 0xffffffffn;

/**
 * True where a function asks with what its callers say, as `isAdmin(party: Party)` does: operands that
 * must be constants are so only in the callers.
 */
function asksByParameter(func: Func): boolean {
  const defs = definitions(func);
  return func.blocks.some((block) => block.instrs.some((instr) => asksVariable(instr, defs)));
}

/** A function with frames gives back what its caller took for it, however it ends, so it has to return. */
function hasFrames(func: Func): boolean {
  return func.blocks.some((block) => block.instrs.some(({ op }) => op === 'frame'));
}

function recursive(module: Module): Set<string> {
  const byName = new Map(module.functions.map((func) => [func.name, func]));
  const next = (func: Func): Func[] => callsOf(func).flatMap((c) => byName.get(c.callee) ?? []);
  const groups = components(module.functions, next);
  return new Set(
    groups
      .filter((group) => group.length > 1 || group.some((func) => next(func).includes(func)))
      .flatMap((group) => group.map((func) => func.name)),
  );
}

/** Fuel and value of a packed result, as instructions. */
function unpack(func: Func, packed: ValueId): { instrs: Instr[]; fuel: ValueId; value: ValueId } {
  const [shift, high, fuel, value] = Array.from({ length: 4 }, () => newValue(func)) as [
    ValueId,
    ValueId,
    ValueId,
    ValueId,
  ];
  const loc = null;
  const instrs: Instr[] = [
    { op: 'const', id: shift, type: 'i64', loc, value: 32n },
    { op: 'binary', kind: 'shr_u', id: high, type: 'i64', loc, args: [packed, shift] },
    { op: 'wrap', id: fuel, type: 'i32', loc, args: [high] },
    { op: 'wrap', id: value, type: 'i32', loc, args: [packed] },
  ];
  return { instrs, fuel, value };
}

/** Packs two parameters again, as the value of the call; folding sees through it. */
function pack(func: Func, fuel: Param, value: Param, id: ValueId): Instr[] {
  const [shift, wide, high, low] = Array.from({ length: 4 }, () => newValue(func)) as [
    ValueId,
    ValueId,
    ValueId,
    ValueId,
  ];
  const loc = null;
  return [
    { op: 'const', id: shift, type: 'i64', loc, value: 32n },
    { op: 'extend_u', id: wide, type: 'i64', loc, args: [fuel.id] },
    { op: 'binary', kind: 'shl', id: high, type: 'i64', loc, args: [wide, shift] },
    { op: 'extend_u', id: low, type: 'i64', loc, args: [value.id] },
    { op: 'binary', kind: 'or', id, type: 'i64', loc, args: [high, low] },
  ];
}

/** A callee's callee stopped: the caller, if it is an entry, tells how from the code in the low half. */
function stopBlocks(caller: Func, block: Block, packed: ValueId, term: Terminator): Block[] {
  if (caller.kind !== 'entry') {
    block.term = { op: 'return', value: packed, loc: term.loc };
    return [];
  }
  const [low, code, same] = [newValue(caller), newValue(caller), newValue(caller)];
  const { loc } = term;
  const ends = (['fuel', 'trap'] as const).map(
    (kind): Block => ({
      id: newBlock(caller),
      params: [],
      instrs: [],
      term: { op: 'trap', kind, loc },
    }),
  );
  block.instrs = [
    ...block.instrs,
    { op: 'wrap', id: low, type: 'i32', loc, args: [packed] },
    { op: 'const', id: code, type: 'i32', loc, value: BigInt(STOPPED.fuel) },
    { op: 'compare', kind: 'eq', id: same, type: 'i32', loc, args: [low, code] },
  ];
  const [fuel, trap] = ends.map((end) => ({ block: end.id, args: [] }));
  if (fuel !== undefined && trap !== undefined) {
    block.term = { op: 'br_if', condition: same, then: fuel, else: trap, loc };
  }
  return ends;
}

/** The callee's blocks with its parameters bound, its returns leading to `after`. */
function copyBlocks(caller: Func, callee: Func, call: Call, after: BlockId): Block[] {
  const defs = definitions(callee);
  return copyFunction(caller, callee, call).flatMap((copy, i) => {
    const { term } = copy;
    if (term.op !== 'return' || term.value === null) return [copy];
    const original = callee.blocks[i]?.term;
    const returned = original?.op === 'return' ? original.value : null;
    if (returned !== null && defs.get(returned)?.op === 'call') {
      return [copy, ...stopBlocks(caller, copy, term.value, term)];
    }
    const parts = unpack(caller, term.value);
    copy.instrs = [...copy.instrs, ...parts.instrs];
    copy.term = { op: 'br', to: { block: after, args: [parts.fuel, parts.value] }, loc: term.loc };
    return [copy];
  });
}

/** The caller's test whether this call stopped; inlined code stops by itself. */
function stopTests(caller: Func, call: ValueId): Set<ValueId> {
  const defs = definitions(caller);
  const found = new Set<ValueId>();
  for (const instr of defs.values()) {
    if (instr.op !== 'compare' || instr.kind !== 'eq') continue;
    const [left, mark] = instr.args.map((arg) => defs.get(arg));
    if (mark?.op !== 'const' || mark.value !== MARK || left?.op !== 'wrap') continue;
    const high = defs.get(left.args[0]);
    if (high?.op === 'binary' && high.kind === 'shr_u' && high.args[0] === call)
      found.add(instr.id);
  }
  return found;
}

function inlineCall(caller: Func, callee: Func, call: Call): void {
  const tests = stopTests(caller, call.id);
  const fuel: Param = { id: newValue(caller), type: 'i32' };
  const value: Param = { id: newValue(caller), type: 'i32' };
  const halves = splitAtCall(caller, call, [fuel, value]);
  if (halves === null) return;
  const { after } = halves;
  after.instrs = [...pack(caller, fuel, value, call.id), ...after.instrs];
  insertCopies(caller, halves, copyBlocks(caller, callee, call, after.id), call);
  for (const each of caller.blocks) {
    each.instrs = each.instrs.map((i) =>
      tests.has(i.id) ? { op: 'const', id: i.id, type: 'i32', loc: i.loc, value: 0n } : i,
    );
  }
}

function removeUncalled(module: Module): boolean {
  const byName = new Map(module.functions.map((func) => [func.name, func]));
  const kept = new Set(module.functions.filter((func) => func.kind !== 'internal'));
  // The set grows while it is walked.
  for (const func of kept) {
    for (const call of callsOf(func)) {
      const callee = byName.get(call.callee);
      if (callee !== undefined) kept.add(callee);
    }
  }
  const changed = kept.size !== module.functions.length;
  module.functions = module.functions.filter((func) => kept.has(func));
  return changed;
}

/** Inlines what is small or called once, callees first. */
export function inline(module: Module): boolean {
  let changed = removeUncalled(module);
  const loops = recursive(module);
  const byName = new Map(module.functions.map((func) => [func.name, func]));
  const next = (func: Func): Func[] => callsOf(func).flatMap((c) => byName.get(c.callee) ?? []);
  const uses = new Map<string, number>();
  for (const call of module.functions.flatMap(callsOf)) {
    uses.set(call.callee, (uses.get(call.callee) ?? 0) + 1);
  }
  for (const caller of components(module.functions, next).flat()) {
    for (const call of callsOf(caller)) {
      const callee = byName.get(call.callee);
      if (callee?.kind !== 'internal' || loops.has(callee.name) || callee === caller) continue;
      if (hasFrames(callee)) continue;
      const once = uses.get(callee.name) === 1;
      if (!once && sizeOf(callee) > SMALL && !asksByParameter(callee)) continue;
      if (sizeOf(caller) + sizeOf(callee) > LARGEST) continue;
      inlineCall(caller, callee, call);
      changed = true;
    }
  }
  return removeUncalled(module) || changed;
}
