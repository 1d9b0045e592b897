/**
 * The greatest value that an address can have at a place: from the instructions that compute it, from what comes
 * together in it where ways meet, and from the comparisons with constants that led there (`if (i >= length) abort()`
 * before `list[i]`).
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
import { arrivingValues } from './arriving-values.js';
import { decidedBranches } from './decided-branches.js';
import { mostOf } from './most.js';

/** Steps from a value to those that it comes from. */
const MOST_STEPS = 12;

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
  const arrivals = arrivingValues(func);
  /** Of parameters; all that their type holds while it is looked for, as where a loop brings one to itself. */
  const joined = new Map<ValueId, bigint>();
  const constant = (value: ValueId): bigint | null => {
    const def = defs.get(value);
    return def?.op === 'const' ? def.value : null;
  };
  const mostOfParam = (id: ValueId, all: bigint, depth: number): bigint => {
    const found = joined.get(id);
    if (found !== undefined) return found;
    joined.set(id, all);
    const from = arrivals.get(id) ?? [];
    let most = from.length === 0 ? all : 0n;
    for (const arrival of from) {
      if (most === all) break;
      const one = mostAt(arrival.from, arrival.value, depth);
      if (one > most) most = one;
    }
    joined.set(id, most);
    return most;
  };
  const mostAt = (block: BlockId, value: ValueId, depth: number): bigint => {
    const limits = known.get(block) ?? limitsAt(block);
    known.set(block, limits);
    const most = (id: ValueId, left: number): bigint => {
      const def = defs.get(id);
      const all = maskOf(types.get(id) ?? 'i64');
      const computed =
        left === 0
          ? all
          : def === undefined
            ? mostOfParam(id, all, left - 1)
            : mostOf(def, (a) => most(a, left - 1), constant);
      const limit = limits.get(id);
      return limit !== undefined && limit < computed ? limit : computed;
    };
    return most(value, depth);
  };
  return (block, value) => mostAt(block, value, MOST_STEPS);
}
