/**
 * Pass:    expand-abi-split (before calls are resolved)
 * Reads:   ABI calls whose operand should be a constant (or, of predicates, an attribute) and is one
 *          of a few, by `select`, by block parameter, or as what the configure phase left in one of a few places
 * Writes:  no for a predicate of an absent attribute; else one call for each of them, and the choice by comparing the operand: optimisers turn
 *          `c ? f("a") : f("b")` into `f(c ? "a" : "b")`, and this turns it back
 * Refuses: nothing; what stays without a constant is refused by resolveAbi
 * Keeps:   value numbers of the answers
 */
import { ABI_IMPORTS, CONSTANT_OPERANDS, isImport, SYMBOL_ABSENT } from '../abi/index.js';
import { Emitter } from '../ir/emitter.js';
import {
  type Block,
  definitions,
  type Func,
  type Instr,
  type Module,
  type ValueId,
} from '../ir/index.js';
import { incomingValues } from './expand-abi-incoming.js';
import type { AbiInstr } from './expand-abi-resolve.js';
import { type AddressesOf, addressFinder, staticMemory } from './places.js';

/** More cases than this are no accident of an optimiser, and each would cost a call. */
const MAX_CASES = 8;
/**
 * Each round settles one operand of each call. A predicate of a merged label needs most: the label's
 * side and key first, then which label, then the text; twice that leaves room and still ends.
 */
const MAX_ROUNDS = 8;
/** Splits the calls of a module, in place; true where it changed anything. */
export function splitAbi(module: Module): boolean {
  let changed = false;
  const statics = staticMemory(module);
  for (const func of module.functions) {
    for (let round = 0; round < MAX_ROUNDS && splitFunction(func, statics); round++) changed = true;
  }
  return changed;
}

function splitFunction(func: Func, statics: Uint8Array): boolean {
  const defs = definitions(func);
  const cases = possibleCases(func, { defs, statics });
  let changed = false;
  for (const block of func.blocks) {
    block.instrs = block.instrs.flatMap((instr) => {
      if (instr.op !== 'abi') return [instr];
      if (isPredicateOfAbsent(instr, defs)) {
        changed = true;
        return [{ op: 'const', id: instr.id, type: instr.type, loc: instr.loc, value: 0n }];
      }
      const split = splitCall(func, instr, { defs, cases: (...asked) => cases(block, ...asked) });
      changed ||= split !== null;
      return split ?? [instr];
    });
  }
  return changed;
}

/**
 * True for a predicate asked where the attribute is known to be absent, as in the other arm of
 * `if (x.exists)`: optimisers put the constant there, and the answer is no.
 */
function isPredicateOfAbsent(instr: AbiInstr, defs: ReadonlyMap<ValueId, Instr>): boolean {
  if (!isImport(instr.name)) return false;
  if (ABI_IMPORTS[instr.name].params[0] !== 'symbol') return false;
  const operand = instr.args[0];
  const def = operand === undefined ? undefined : defs.get(operand);
  return def?.op === 'const' && def.value === BigInt(SYMBOL_ABSENT);
}

type Settled = (def: Instr | undefined) => boolean;
type Cases = (value: ValueId, settled: Settled) => readonly Instr[] | null;
type CasesAt = (block: Block, ...asked: Parameters<Cases>) => readonly Instr[] | null;

const isConstant: Settled = (def) => def?.op === 'const';
/** An attribute, or the constant that an optimiser knows it to be where it is absent. */
const isAttribute: Settled = (def) =>
  (def?.op === 'abi' && (def.name === 'attribute' || def.name === 'label')) ||
  (def?.op === 'const' && def.value === BigInt(SYMBOL_ABSENT));

function splitCall(
  func: Func,
  instr: AbiInstr,
  { defs, cases }: { readonly defs: ReadonlyMap<ValueId, Instr>; readonly cases: Cases },
): readonly Instr[] | null {
  const kinds = isImport(instr.name) ? ABI_IMPORTS[instr.name].params : [];
  for (const [index, operand] of instr.args.entries()) {
    const def = defs.get(operand);
    const kind = kinds[index] ?? 'i32';
    const settled = kind === 'symbol' ? isAttribute : isConstant;
    if ((kind !== 'symbol' && !CONSTANT_OPERANDS.has(kind)) || settled(def)) continue;
    const found = cases(operand, settled);
    if (found !== null) return splitCases(func, instr, { defs, index, operand, found });
  }
  return null;
}

/**
 * One call a case, and the first whose case equals the operand. For attributes too: where two have
 * the same symbol they are the same text, so either answers right.
 */
function splitCases(
  func: Func,
  instr: AbiInstr,
  at: {
    readonly defs: ReadonlyMap<ValueId, Instr>;
    readonly index: number;
    readonly operand: ValueId;
    readonly found: readonly Instr[];
  },
): readonly Instr[] {
  const emit = new Emitter(func, instr.loc);
  const { type, name } = instr;
  let result: ValueId | null = null;
  at.found.forEach((found, i) => {
    const value = repeat(emit, found, at.defs);
    if (value === null) return;
    const args = withArg(instr, at.index, value);
    // The last instruction takes over the number of the call.
    const id = i === at.found.length - 1 ? instr.id : emit.fresh();
    if (result === null) {
      result = emit.emit({ op: 'abi', type, name, args }, id);
      return;
    }
    const answer = emit.emit({ op: 'abi', type, name, args });
    const chosen = emit.compare('eq', at.operand, value);
    result = emit.select(type, chosen, answer, result, id);
  });
  return emit.instrs;
}

/** The definition of a case once more, since the written one need not lie on every way here. */
function repeat(emit: Emitter, found: Instr, defs: ReadonlyMap<ValueId, Instr>): ValueId | null {
  if (found.op === 'const') return emit.constant('i32', found.value);
  if (found.op !== 'abi') return null;
  const operands = found.args.map((arg) => defs.get(arg));
  if (!operands.every((def) => def?.op === 'const')) return null;
  const args = operands.map((def) => emit.constant('i32', def?.op === 'const' ? def.value : 0n));
  return emit.emit({ op: 'abi', type: found.type, name: found.name, args });
}

function withArg(instr: AbiInstr, index: number, value: ValueId): ValueId[] {
  return instr.args.map((arg, i) => (i === index ? value : arg));
}

/** The definitions that a value may come from, distinct; null where any is not settled. */
function possibleCases(
  func: Func,
  { defs, statics }: { readonly defs: ReadonlyMap<ValueId, Instr>; readonly statics: Uint8Array },
): CasesAt {
  const written = writtenCases(func, defs);
  let placesOf: AddressesOf | null = null;
  return (block, value, settled) => {
    const found = written(value, settled);
    if (found !== null || settled !== isConstant) return found;
    placesOf ??= addressFinder(func, statics);
    const places = placesOf(block, value);
    if (places.length === 0) return null;
    return places.map(
      (at): Instr => ({ op: 'const', id: value, type: 'i32', loc: null, value: BigInt(at) }),
    );
  };
}

/** The same by what the function writes alone. */
function writtenCases(func: Func, defs: ReadonlyMap<ValueId, Instr>): Cases {
  const incoming = incomingValues(func);
  return (value, settled) => {
    const found = new Map<string, Instr>();
    const seen = new Set<ValueId>();
    const work = [value];
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      const def = defs.get(next);
      const from = incoming.get(next);
      if (from !== undefined) work.push(...from);
      else if (def !== undefined && settled(def)) found.set(caseKey(def, defs), def);
      else if (def?.op === 'compare' && settled === isConstant) {
        // `c ? 1 : 0` has become c itself.
        for (const bit of [0n, 1n])
          found.set(bit.toString(), {
            op: 'const',
            id: def.id,
            type: 'i32',
            loc: def.loc,
            value: bit,
          });
      } else if (def?.op === 'select') work.push(def.args[1], def.args[2]);
      else return null;
      if (found.size > MAX_CASES) return null;
    }
    const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
    const settledCases = sorted.map(([, def]) => def);
    return settledCases.length === 0 || !settledCases.every((d) => canRepeat(d, defs))
      ? null
      : settledCases;
  };
}

function canRepeat(def: Instr, defs: ReadonlyMap<ValueId, Instr>): boolean {
  return def.op === 'const' || (def.op === 'abi' && def.args.every((a) => isConstant(defs.get(a))));
}

function caseKey(def: Instr, defs: ReadonlyMap<ValueId, Instr>): string {
  if (def.op === 'const') return def.value.toString();
  if (def.op !== 'abi') return '';
  const operands = def.args.map((arg) => {
    const operand = defs.get(arg);
    return operand?.op === 'const' ? operand.value.toString() : `v${arg}`;
  });
  return [def.name, ...operands].join(' ');
}
