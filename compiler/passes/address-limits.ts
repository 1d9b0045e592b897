/**
 * The greatest value that an address can have at a place: from the instructions that compute it, and from
 * the comparisons with constants that led there (`if (i >= length) abort()` before `list[i]`).
 */
import {
  type BlockId,
  blockMap,
  definitions,
  dominators,
  type Func,
  type Instr,
  maskOf,
  predecessors,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { mostOf } from './most.js';

/** What `value op constant` being so says at most of the value; null where nothing. */
function limitOf(kind: string, holds: boolean, constant: bigint): bigint | null {
  if ((kind === 'lt_u' && holds) || (kind === 'ge_u' && !holds)) return constant - 1n;
  if ((kind === 'le_u' && holds) || (kind === 'gt_u' && !holds)) return constant;
  if ((kind === 'eq' && holds) || (kind === 'ne' && !holds)) return constant;
  return null;
}

/** A function that answers for a value in a block; what it found is kept. */
export function addressLimits(func: Func): (block: BlockId, value: ValueId) => bigint {
  const defs = definitions(func);
  const types = valueTypes(func);
  const blocks = blockMap(func);
  const preds = predecessors(func);
  const { parent } = dominators(func);

  const learn = (limits: Map<ValueId, bigint>, compare: Instr, holds: boolean): void => {
    if (compare.op !== 'compare') return;
    const [value, bound] = compare.args;
    const def = defs.get(bound);
    if (def?.op !== 'const') return;
    const limit = limitOf(compare.kind, holds, def.value);
    if (limit === null || limit < 0n) return;
    const old = limits.get(value);
    if (old === undefined || limit < old) limits.set(value, limit);
  };
  /** Limits by the branches that every way to a block takes. */
  const limitsAt = (start: BlockId): Map<ValueId, bigint> => {
    const limits = new Map<ValueId, bigint>();
    for (let id: BlockId | null = start; id !== null; id = parent.get(id) ?? null) {
      const before = preds.get(id) ?? [];
      const [only] = before;
      if (only === undefined || before.length !== 1) continue;
      const term = blocks.get(only)?.term;
      const def = term?.op === 'br_if' ? defs.get(term.condition) : undefined;
      if (term?.op === 'br_if' && def !== undefined) learn(limits, def, term.then.block === id);
    }
    return limits;
  };
  const known = new Map<BlockId, Map<ValueId, bigint>>();
  return (block, value) => {
    const limits = known.get(block) ?? limitsAt(block);
    known.set(block, limits);
    const most = (id: ValueId, depth: number): bigint => {
      const def = defs.get(id);
      const all = maskOf(types.get(id) ?? 'i64');
      const constant = (a: ValueId): bigint | null => {
        const of = defs.get(a);
        return of?.op === 'const' ? of.value : null;
      };
      const computed =
        def === undefined || depth === 0 ? all : mostOf(def, (a) => most(a, depth - 1), constant);
      const limit = limits.get(id);
      return limit !== undefined && limit < computed ? limit : computed;
    };
    return most(value, 12);
  };
}
