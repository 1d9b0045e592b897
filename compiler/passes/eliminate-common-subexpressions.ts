/**
 * Pass:    eliminate-common-subexpressions
 * Reads:   the whole function, its dominators
 * Writes:  uses the dominating one of two instructions that compute the same; an attribute, a port or
 *          a table entry asked for twice is asked for once
 * Refuses: nothing
 * Keeps:   order and effects; a load that can trap is dropped only behind an equal one that did not
 */
import {
  type BlockId,
  dominatorOrder,
  dominators,
  type Func,
  type Instr,
  mapOperands,
  mapTerm,
  resolver,
  type ValueId,
} from '../ir/index.js';

const COMMUTES: ReadonlySet<string> = new Set(['add', 'mul', 'and', 'or', 'xor', 'eq', 'ne']);

/** What an instruction computes, as text; null where two of them are not the same. */
function keyOf(instr: Instr, stores: boolean, written: boolean): string | null {
  const args = 'args' in instr ? [...instr.args] : [];
  switch (instr.op) {
    case 'const':
      return `const ${instr.type} ${instr.value}`;
    case 'binary':
    case 'compare':
      if (COMMUTES.has(instr.kind)) args.sort((a, b) => a - b);
      return `${instr.op} ${instr.kind} ${instr.type} ${args}`;
    case 'unary':
      return `unary ${instr.kind} ${instr.type} ${args}`;
    case 'select':
    case 'extend_u':
    case 'extend_s':
    case 'wrap':
      return `${instr.op} ${instr.type} ${args}`;
    case 'load.memory':
      return written
        ? null
        : `memory ${instr.type} ${instr.size} ${instr.signed} ${instr.offset} ${args}`;
    case 'load.image':
      return `image ${instr.type} ${instr.image} ${instr.size} ${instr.offset} ${instr.limit} ${args}`;
    case 'load.head':
      return `head ${instr.type} ${instr.size} ${instr.offset} ${instr.limit} ${args}`;
    case 'load.pointer':
      return stores ? null : `pointer ${instr.type} ${instr.size} ${instr.offset} ${args}`;
    case 'abi':
      if (instr.name === 'out_of_fuel' || instr.name.startsWith('refused.')) return null;
      return `abi ${instr.type} ${instr.name} ${args}`;
    default:
      return null;
  }
}

/** Computes each value once on a path. */
export function eliminateCommonSubexpressions(func: Func): boolean {
  const doms = dominators(func);
  const stores = func.blocks.some((b) => b.instrs.some((i) => i.op === 'store.pointer'));
  const written = func.blocks.some((b) => b.instrs.some((i) => i.op === 'store.memory'));
  const known = new Map<string, { block: BlockId; value: ValueId }>();
  const replaced = new Map<ValueId, ValueId>();
  const now = resolver(replaced);
  for (const block of dominatorOrder(func, doms)) {
    const kept: Instr[] = [];
    for (const original of block.instrs) {
      const instr = mapOperands(original, now);
      const key = keyOf(instr, stores, written);
      const found = key === null ? undefined : known.get(key);
      if (found !== undefined && doms.dominates(found.block, block.id)) {
        replaced.set(instr.id, found.value);
        continue;
      }
      // One that does not dominate this block dominates none that comes behind it in this order.
      if (key !== null) known.set(key, { block: block.id, value: instr.id });
      kept.push(instr);
    }
    block.instrs = kept;
  }
  if (replaced.size === 0) return false;
  for (const block of func.blocks) {
    block.instrs = block.instrs.map((instr) => mapOperands(instr, now));
    block.term = mapTerm(block.term, now);
  }
  return true;
}
