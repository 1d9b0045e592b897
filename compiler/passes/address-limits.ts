/**
 * The greatest value that an address can have at a place: from the instructions that compute it, and from
 * the comparisons with constants that led there (`if (i >= length) abort()` before `list[i]`).
 */
import {
  type BlockId,
  definitions,
  type Func,
  type Instr,
  maskOf,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { decidedBranches } from './decided-branches.js';
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
  const decided = decidedBranches(func);
  const limitsAt = (start: BlockId): Map<ValueId, bigint> => {
    const limits = new Map<ValueId, bigint>();
    for (const { condition, holds } of decided(start)) {
      const def = defs.get(condition);
      if (def !== undefined) learn(limits, def, holds);
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
