/**
 * Pass:    thread-branches
 * Reads:   short blocks of pure instructions that end in a branch, the constants that their predecessors
 *          pass to them, and what the branches before an edge decided
 * Writes:  an edge that decides the branch goes straight on, by a copy of the block
 * Refuses: nothing
 * Keeps:   loop headers (no edge is threaded through one, so loops stay reducible), traps; what is executed,
 *          but for the branch
 */
import {
  type Block,
  type BlockId,
  definitions,
  dominators,
  type Func,
  foldInstr,
  type Instr,
  loops,
  mapTerm,
  operandsOf,
  type Target,
  targetsOf,
  termValue,
  type ValueId,
} from '../ir/index.js';
import { branchTo, type Decided, entryBranches } from './decided-branches.js';
import { copyBlocks, FlowIndex, repairSsa } from './repair-ssa.js';

/** A longer block is not copied. */
const LONGEST = 10;
/** A function does not grow by more copies than this in one run, or than one for so many blocks. */
const MOST_COPIES = 64;
const BLOCKS_A_COPY = 4;

const PURE: ReadonlySet<Instr['op']> = new Set<Instr['op']>([
  'const',
  'binary',
  'unary',
  'compare',
  'select',
  'extend_u',
  'extend_s',
  'wrap',
]);

/** Threads edges through blocks that they decide. */
export function threadBranches(func: Func): boolean {
  const most = Math.max(MOST_COPIES, Math.floor(func.blocks.length / BLOCKS_A_COPY));
  let copies = 0;
  for (let made = -1; made !== 0 && copies < most; copies += made) {
    made = threadRound(func, most - copies);
  }
  return copies > 0;
}

function isShort(block: Block): boolean {
  const { term, instrs } = block;
  if (term.op !== 'br_if' && term.op !== 'switch') return false;
  return instrs.length <= LONGEST && instrs.every((i) => PURE.has(i.op));
}

/**
 * Threads edges by what is known of the function as it is now; how many. What was known of values before
 * an edge was threaded holds after it too, since the copy is one more way along the same branches; of
 * values that came with a copy nothing is known before the next round.
 */
function threadRound(func: Func, most: number): number {
  const [firstNew, firstCopy] = [func.nextValue, func.nextBlock];
  const isNew = (value: ValueId): boolean => value >= firstNew;
  let made = 0;
  const headers = new Set(loops(func).map((loop) => loop.header));
  const defs = definitions(func);
  const flow = new FlowIndex(func);
  const { types, blocks: byId } = flow;
  const factsOf = edgeFacts(func, defs);
  for (const block of func.blocks.slice(1)) {
    if (headers.has(block.id) || !isShort(block) || mentions(block, isNew)) continue;
    const before = (flow.preds.get(block.id) ?? []).filter((id) => id < firstCopy);
    const edges = before.flatMap((id) => targetsOf(byId.get(id)?.term ?? block.term));
    if (edges.filter((edge) => edge.block === block.id).length < 2) continue;
    const decide = (pred: Block, { args }: Target): Target | null => {
      const facts = factsOf(pred, block.id);
      const known = new Map<ValueId, bigint>();
      const constant = (value: ValueId): bigint | null =>
        known.get(value) ?? facts.constant(value) ?? constantOf(defs, value);
      block.params.forEach((param, i) => {
        const value = constant(args[i] ?? param.id);
        if (value !== null) known.set(param.id, value);
      });
      for (const instr of block.instrs) {
        const value = foldInstr(instr, constant, (v) => types.get(v) ?? 'i64', null);
        if (value !== null) known.set(instr.id, value);
      }
      return takenTarget(block, constant, facts.isSet);
    };
    for (const from of before) {
      const pred = byId.get(from);
      if (pred === undefined || pred === block || mentions(block, isNew)) continue;
      if (threadEdge(func, flow, { pred, block, decide })) made += 1;
      if (made === most) return made;
    }
  }
  return made;
}

/** Does a block take, make or use such a value? */
function mentions({ params, instrs, term }: Block, isSuch: (value: ValueId) => boolean): boolean {
  const value = termValue(term);
  return (
    params.some(({ id }) => isSuch(id)) ||
    instrs.some((instr) => operandsOf(instr).some(isSuch)) ||
    (value !== null && isSuch(value)) ||
    targetsOf(term).some(({ args }) => args.some(isSuch))
  );
}

function constantOf(defs: ReadonlyMap<ValueId, Instr>, value: ValueId): bigint | null {
  const def = defs.get(value);
  return def?.op === 'const' ? def.value : null;
}

/** What holds on an edge, by the branches that lead there. */
interface Facts {
  readonly constant: (value: ValueId) => bigint | null;
  /** Whether a value is known not to be 0. */
  readonly isSet: (value: ValueId) => boolean;
}
/** What a branch says of a value: which constant it is, or (null) that it is not 0. */
interface Said {
  readonly value: ValueId;
  readonly constant: bigint | null;
}

/** What a decided branch says of its condition, and of what that compares. */
function saidBy({ condition, holds }: Decided, defs: ReadonlyMap<ValueId, Instr>): readonly Said[] {
  const said: Said[] = [{ value: condition, constant: holds ? null : 0n }];
  const def = defs.get(condition);
  if (def?.op !== 'compare') return said;
  if (holds) said.push({ value: condition, constant: 1n });
  const constant = constantOf(defs, def.args[1]);
  if (constant !== null && def.kind === (holds ? 'eq' : 'ne')) {
    said.push({ value: def.args[0], constant });
  }
  return said;
}

function edgeFacts(
  func: Func,
  defs: ReadonlyMap<ValueId, Instr>,
): (from: Block, to: BlockId) => Facts {
  const entry = entryBranches(func);
  const { dominates } = dominators(func);
  // Of each value: where something is said of it, which holds in all that stands behind.
  const known = new Map<ValueId, (Said & { readonly at: BlockId })[]>();
  for (const { id } of func.blocks) {
    const branch = entry(id);
    for (const said of branch === null ? [] : saidBy(branch, defs)) {
      const before = known.get(said.value);
      if (before === undefined) known.set(said.value, [{ ...said, at: id }]);
      else before.push({ ...said, at: id });
    }
  }
  return (from, to) => {
    const last = branchTo(from, to);
    const here = last === null ? [] : saidBy(last, defs);
    const find = (value: ValueId, isSuch: (said: Said) => boolean): Said | undefined =>
      here.find((said) => said.value === value && isSuch(said)) ??
      known.get(value)?.find((said) => isSuch(said) && dominates(said.at, from.id));
    return {
      constant: (value) => find(value, ({ constant }) => constant !== null)?.constant ?? null,
      isSet: (value) => find(value, ({ constant }) => constant === null) !== undefined,
    };
  };
}

function takenTarget(
  { term }: Block,
  constant: (value: ValueId) => bigint | null,
  isSet: (value: ValueId) => boolean,
): Target | null {
  if (term.op === 'br_if') {
    const value = isSet(term.condition) ? 1n : constant(term.condition);
    return value === null ? null : value !== 0n ? term.then : term.else;
  }
  if (term.op !== 'switch') return null;
  const value = constant(term.value);
  return value === null ? null : (term.cases[Number(value)] ?? term.default);
}

interface Threading {
  readonly pred: Block;
  readonly block: Block;
  readonly decide: (pred: Block, edge: Target) => Target | null;
}

/** Sends the first edge from `pred` that decides `block` through a copy of it. */
function threadEdge(func: Func, flow: FlowIndex, { pred, block, decide }: Threading): boolean {
  let copied: BlockId | null = null;
  let taken: Target | null = null;
  let args: readonly ValueId[] = [];
  pred.term = mapTerm(
    pred.term,
    (value) => value,
    (target) => {
      if (target.block !== block.id || copied !== null) return target;
      taken = decide(pred, target);
      if (taken === null) return target;
      args = target.args;
      copied = func.nextBlock as BlockId;
      return { block: copied, args: [] };
    },
  );
  if (copied === null || taken === null) return false;
  const bound = new Map(block.params.map((param, i) => [param.id, args[i] ?? param.id]));
  const { blocks, nameOf } = copyBlocks(func, [block], bound);
  const [copy] = blocks;
  if (copy === undefined) return false;
  const { block: to, args: passed } = taken as Target;
  copy.params = [];
  copy.term = {
    op: 'br',
    to: { block: to, args: passed.map((value) => nameOf.get(value) ?? value) },
    loc: block.term.loc,
  };
  flow.addCopy(copy, block.id, pred);
  const values = [...block.params, ...block.instrs].map(({ id }) => id);
  const endValue = (value: ValueId, at: BlockId): ValueId | null => {
    if (at === block.id) return value;
    return at === copy.id ? (nameOf.get(value) ?? value) : null;
  };
  repairSsa(func, values, endValue, flow);
  return true;
}
