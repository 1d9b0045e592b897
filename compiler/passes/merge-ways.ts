/**
 * Pass:    merge-ways
 * Reads:   how many ways of a verifier come to each place (verifier-ways)
 * Writes:  a `launder` of what the ways know differently, where they would be too many; nothing where a
 *          function is cheap to walk as it is
 * Refuses: nothing; tells what the walk takes
 * Keeps:   values (a launder adds a zero that only the verifier does not know); counters by which it sees
 *          that a loop ends
 *
 * What is forgotten costs an addition at run time, so it is as little as makes the walk short enough.
 */
import {
  type Block,
  type BlockId,
  blockMap,
  type Func,
  type Instr,
  mapOperands,
  mapTerm,
  newBlock,
  newValue,
  type Param,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { partCompares } from './part-compares.js';
import { repairSsa } from './repair-ssa.js';
import { simplifyParams } from './simplify-params.js';
import { verifierWays, type Ways } from './verifier-ways.js';

export interface MergeOptions {
  /** A function that takes no more instructions to walk stays as it is. */
  readonly limit: number;
  /** How often a loop is walked, by its header. */
  readonly turns: ReadonlyMap<BlockId, number>;
  /** What a walk comes to, more exactly than counted here, and slower: asked where that seems too much. */
  readonly walk?: ((func: Func) => number) | undefined;
  /** Is told how many instructions are walked then, about. */
  readonly onWalked?: ((name: string, walked: number) => void) | undefined;
}

/** Ways that may come to a block, tried from the most. */
const TRIED: readonly number[] = [1024, 256, 64, 16, 4, 1];
/** Where the limit cannot be kept, the walk may take so many times the least. */
const NEAR_LEAST = 1.5;

/** Merges the ways of a function. */
export function mergeWays(func: Func, options: MergeOptions): boolean {
  const { limit, turns, walk, onWalked } = options;
  const [connection] = func.params;
  let count = verifierWays(func);
  let ways = count({ most: Number.POSITIVE_INFINITY, turns });
  if (ways.walked > limit && connection?.type === 'ptr') {
    const walked = walk?.(func) ?? ways.walked;
    if (walked <= limit) {
      onWalked?.(func.name, walked);
      return false;
    }
    if (partCompares(func)) count = verifierWays(func);
    const enough = Math.max(limit, NEAR_LEAST * count({ most: 1, turns }).walked);
    for (const most of TRIED) {
      ways = count({ most, turns });
      if (ways.walked <= enough) break;
    }
    forget(func, connection, ways.meetings);
  }
  onWalked?.(func.name, ways.walked);
  return ways.meetings.length > 0;
}

/** Launders values where ways meet; what stands behind uses the new names. */
function forget(func: Func, connection: Param, meetings: Ways['meetings']): void {
  const types = valueTypes(func);
  const blocks = blockMap(func);
  const names = new Map<BlockId, ReadonlyMap<ValueId, ValueId>>();
  // From the last, so that what stands before one in its block keeps its place.
  for (const { block: id, before, values } of meetings.toReversed()) {
    const block = blocks.get(id);
    if (block === undefined) continue;
    const named = new Map(values.map((value) => [value, newValue(func)]));
    const now = (value: ValueId): ValueId => named.get(value) ?? value;
    const rest: Block = {
      id: newBlock(func),
      params: [],
      instrs: block.instrs.slice(before).map((instr) => mapOperands(instr, now)),
      term: mapTerm(block.term, now),
    };
    const { loc } = block.instrs.slice(before).find((instr) => instr.loc !== null) ?? block.term;
    const launders = [...named].map(([value, to]): Instr => {
      const type = types.get(value) ?? 'i64';
      return { op: 'launder', id: to, type, loc, args: [value, connection.id] };
    });
    block.instrs = [...block.instrs.slice(0, before), ...launders];
    block.term = { op: 'br', to: { block: rest.id, args: [] }, loc };
    func.blocks.splice(func.blocks.indexOf(block) + 1, 0, rest);
    names.set(rest.id, named);
  }
  const homes = new Map<ValueId, BlockId>();
  for (const [i, block] of func.blocks.entries()) {
    const params = i === 0 ? func.params : block.params;
    for (const { id } of [...params, ...block.instrs]) homes.set(id, block.id);
  }
  const values = [...new Set(meetings.flatMap((meeting) => meeting.values))];
  repairSsa(func, values, (value, at) => {
    return names.get(at)?.get(value) ?? (homes.get(value) === at ? value : null);
  });
  simplifyParams(func);
}
