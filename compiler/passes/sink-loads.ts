/**
 * Pass:    sink-loads
 * Reads:   loads from a head whose index is `select(c, x, k)` with a constant k in bounds, in blocks that
 *          end in a branch on c
 * Writes:  the load, with index x, where c holds, if its value is needed only there
 * Refuses: nothing
 * Keeps:   traps: with k the load cannot trap, so it could trap only where c holds; no store, call or other
 *          trap is passed but such loads
 */
import {
  type Block,
  type BlockId,
  blockMap,
  definitions,
  dominators,
  type Func,
  type Instr,
  mapTerm,
  operandsOf,
  predecessors,
  type ValueId,
} from '../ir/index.js';

type Load = Instr & { op: 'load.head' };

/** Sinks loads in place. */
export function sinkLoads(func: Func): boolean {
  const defs = definitions(func);
  const blocks = blockMap(func);
  const preds = predecessors(func);
  const doms = dominators(func);
  const users = usersOf(func);
  let changed = false;
  for (const block of func.blocks) {
    const { term } = block;
    if (term.op !== 'br_if' || term.then.block === term.else.block) continue;
    const then = blocks.get(term.then.block);
    if (then === undefined || (preds.get(then.id) ?? []).length !== 1) continue;
    const isOnlyBehind = (value: ValueId): boolean =>
      (users.get(value) ?? []).every((user) => doms.dominates(then.id, user));
    const sunk: Load[] = [];
    // From the last, until something that loads may not pass.
    for (const instr of block.instrs.toReversed()) {
      const guarded = instr.op === 'load.head' ? unguard(instr, term.condition, defs) : null;
      if (guarded !== null && isOnlyBehind(instr.id)) {
        sunk.push(guarded);
        continue;
      }
      if (guarded === null && !PASSED.has(instr.op)) break;
    }
    if (sunk.length === 0) continue;
    const moved = new Set(sunk.map(({ id }) => id));
    block.instrs = block.instrs.filter(({ id }) => !moved.has(id));
    then.instrs = [...sunk.reverse(), ...then.instrs];
    changed = true;
  }
  return changed;
}

/** The load with the index that it has where the condition holds; null where another guards it. */
function unguard(load: Load, condition: ValueId, defs: ReadonlyMap<ValueId, Instr>): Load | null {
  const [request, index] = load.args;
  const select = defs.get(index);
  if (select?.op !== 'select' || select.args[0] !== condition) return null;
  const otherwise = defs.get(select.args[2]);
  if (otherwise?.op !== 'const' || otherwise.value > BigInt(load.limit)) return null;
  return { ...load, args: [request, select.args[1]] };
}

/** What a load that may trap changes places with. */
const PASSED: ReadonlySet<Instr['op']> = new Set<Instr['op']>([
  'const',
  'binary',
  'unary',
  'compare',
  'select',
  'extend_u',
  'extend_s',
  'wrap',
  'load.pointer',
]);

/** Blocks that use each value; a use by an edge is one of the block that the edge leaves. */
function usersOf(func: Func): ReadonlyMap<ValueId, readonly BlockId[]> {
  const users = new Map<ValueId, BlockId[]>();
  const use = (value: ValueId, { id }: Block): ValueId => {
    const known = users.get(value);
    if (known === undefined) users.set(value, [id]);
    else known.push(id);
    return value;
  };
  for (const block of func.blocks) {
    for (const instr of block.instrs) for (const value of operandsOf(instr)) use(value, block);
    mapTerm(block.term, (value) => use(value, block));
  }
  return users;
}
