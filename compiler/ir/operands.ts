/**
 * Uniform access to what instructions and terminators use, so that passes need no switch over all
 * operations to rename or count operands.
 */
import type {
  Block,
  BlockId,
  FrameKind,
  Func,
  Instr,
  Target,
  Terminator,
  Type,
  ValueId,
} from './types.js';

/** How many values a `frame` reads. */
export const FRAME_OPERANDS: Readonly<Record<FrameKind, number>> = {
  take: 1,
  release: 1,
  load: 2,
  store: 3,
};

/** Values that an instruction reads. */
export function operandsOf(instr: Instr): readonly ValueId[] {
  return 'args' in instr ? instr.args : [];
}

/** The values renamed, each once and in order; the same array where nothing changes. */
function mapValues(
  values: readonly ValueId[],
  rename: (value: ValueId) => ValueId,
): readonly ValueId[] {
  let renamed: ValueId[] | null = null;
  for (const [i, value] of values.entries()) {
    const now = rename(value);
    if (renamed === null && now !== value) renamed = values.slice(0, i);
    renamed?.push(now);
  }
  return renamed ?? values;
}

/** The instruction with every operand renamed; the same object where nothing changes. */
export function mapOperands(instr: Instr, rename: (value: ValueId) => ValueId): Instr {
  if (!('args' in instr)) return instr;
  const args = mapValues(instr.args, rename);
  if (args === instr.args) return instr;
  // The number of operands stays, which the tuple types cannot see through map.
  return { ...instr, args } as unknown as Instr;
}

/** Successors of a block as written, duplicates included. */
export function targetsOf(term: Terminator): readonly Target[] {
  switch (term.op) {
    case 'br':
      return [term.to];
    case 'br_if':
      return [term.then, term.else];
    case 'switch':
      return [...term.cases, term.default];
    case 'return':
    case 'trap':
      return [];
  }
}

/** The value that a terminator decides on or returns; null where none. */
export function termValue(term: Terminator): ValueId | null {
  switch (term.op) {
    case 'br_if':
      return term.condition;
    case 'switch':
    case 'return':
      return term.value;
    default:
      return null;
  }
}

/** The terminator with values renamed and targets replaced; the same object where nothing changes. */
export function mapTerm(
  term: Terminator,
  rename: (value: ValueId) => ValueId,
  retarget: (target: Target) => Target = (target) => target,
): Terminator {
  const go = (target: Target): Target => {
    const args = mapValues(target.args, rename);
    return retarget(args === target.args ? target : { block: target.block, args });
  };
  switch (term.op) {
    case 'br': {
      const to = go(term.to);
      return to === term.to ? term : { ...term, to };
    }
    case 'br_if': {
      const condition = rename(term.condition);
      const [then, otherwise] = [go(term.then), go(term.else)];
      const isSame = condition === term.condition && then === term.then && otherwise === term.else;
      return isSame ? term : { ...term, condition, then, else: otherwise };
    }
    case 'switch':
      return {
        ...term,
        value: rename(term.value),
        cases: term.cases.map(go),
        default: go(term.default),
      };
    case 'return': {
      const value = term.value === null ? null : rename(term.value);
      return value === term.value ? term : { ...term, value };
    }
    case 'trap':
      return term;
  }
}

/** Renames every use in a function; definitions stay. */
export function renameUses(func: Func, rename: (value: ValueId) => ValueId): void {
  for (const block of func.blocks) {
    block.instrs = block.instrs.map((instr) => mapOperands(instr, rename));
    block.term = mapTerm(block.term, rename);
  }
}

/** Replaces along chains: a value replaced by one that is itself replaced ends at the last. */
export function resolver(replaced: ReadonlyMap<ValueId, ValueId>): (value: ValueId) => ValueId {
  return (value) => {
    let now = value;
    for (let next = replaced.get(now); next !== undefined; next = replaced.get(now)) now = next;
    return now;
  };
}

/** How often each value is used. */
export function useCounts(func: Func): Map<ValueId, number> {
  const counts = new Map<ValueId, number>();
  const use = (value: ValueId): void => {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  };
  for (const block of func.blocks) {
    for (const instr of block.instrs) for (const value of operandsOf(instr)) use(value);
    const value = termValue(block.term);
    if (value !== null) use(value);
    for (const target of targetsOf(block.term)) target.args.forEach(use);
  }
  return counts;
}

/** The instruction that defines each value; parameters are absent. */
export function definitions(func: Func): Map<ValueId, Instr> {
  const defs = new Map<ValueId, Instr>();
  for (const block of func.blocks) for (const instr of block.instrs) defs.set(instr.id, instr);
  return defs;
}

/** The type of each value of a function. */
export function valueTypes(func: Func): Map<ValueId, Type> {
  const types = new Map<ValueId, Type>();
  for (const param of func.params) types.set(param.id, param.type);
  for (const block of func.blocks) {
    for (const param of block.params) types.set(param.id, param.type);
    for (const instr of block.instrs) types.set(instr.id, instr.type);
  }
  return types;
}

/** A fresh value number. */
export function newValue(func: Func): ValueId {
  const id = func.nextValue as ValueId;
  func.nextValue += 1;
  return id;
}

/** A fresh block number. */
export function newBlock(func: Func): BlockId {
  const id = func.nextBlock as BlockId;
  func.nextBlock += 1;
  return id;
}

/** Blocks by number. */
export function blockMap(func: Func): Map<BlockId, Block> {
  return new Map(func.blocks.map((block) => [block.id, block]));
}

/** Calls that can end the decision: by fuel, or where a header stands more than once. */
const MAY_STOP: ReadonlySet<string> = new Set(['out_of_fuel', 'request_header']);

/** True where removing an unused instruction, or running it once instead of twice, can be observed. */
export function hasEffect(instr: Instr): boolean {
  switch (instr.op) {
    case 'store.pointer':
    case 'store.memory':
    case 'call':
    case 'frame':
    case 'loop':
    case 'may_goto':
    case 'load.memory':
      return true;
    case 'abi':
      return MAY_STOP.has(instr.name) || instr.name.startsWith('refused.');
    case 'load.image':
    case 'load.head':
      return true;
    case 'context':
      return instr.kind === 'store';
    default:
      return false;
  }
}
