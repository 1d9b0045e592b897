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
  type Func,
  foldInstr,
  type Instr,
  loops,
  type Module,
  mapTerm,
  operandsOf,
  type Target,
  targetsOf,
  termValue,
  type ValueId,
} from '../ir/index.js';
import { constantOf, EdgeFacts } from './edge-facts.js';
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

/** Threads edges through blocks that they decide; `onAsked` is told of each edge that is looked at. */
export function threadBranches(func: Func, _module?: Module, onAsked?: () => void): boolean {
  const most = Math.max(MOST_COPIES, Math.floor(func.blocks.length / BLOCKS_A_COPY));
  const rounds = new Rounds(func, onAsked);
  let copies = 0;
  for (let made = -1; made !== 0 && copies < most; copies += made) {
    made = rounds.next(most - copies);
  }
  return copies > 0;
}

function isShort(block: Block): boolean {
  const { term, instrs } = block;
  if (term.op !== 'br_if' && term.op !== 'switch') return false;
  return instrs.length <= LONGEST && instrs.every((i) => PURE.has(i.op));
}

/**
 * Threads edges by what is known of the function as a round begins. What was known of values before
 * an edge was threaded holds after it too, since the copy is one more way along the same branches; of
 * values that came with a copy nothing is known before the next round.
 */
class Rounds {
  readonly #func: Func;
  readonly #flow: FlowIndex;
  readonly #defs: Map<ValueId, Instr>;
  readonly #facts: EdgeFacts;
  readonly #onAsked: (() => void) | undefined;
  #headers: ReadonlySet<BlockId> = new Set();

  constructor(func: Func, onAsked: (() => void) | undefined) {
    this.#func = func;
    this.#flow = new FlowIndex(func);
    this.#defs = definitions(func);
    this.#facts = new EdgeFacts(this.#defs);
    this.#onAsked = onAsked;
  }

  /**
   * One round; how many edges were threaded. An edge that was not decided is looked at again only where its
   * ends were written, or more is known before it: in a function of many branches that is seldom.
   */
  next(most: number): number {
    const func = this.#func;
    const flow = this.#flow;
    const [firstNew, firstCopy] = [func.nextValue, func.nextBlock];
    const isNew = (value: ValueId): boolean => value >= firstNew;
    const written = flow.renew(func);
    for (const id of written) {
      for (const instr of flow.blocks.get(id)?.instrs ?? []) this.#defs.set(instr.id, instr);
    }
    const gained = this.#facts.renew(func, flow);
    const headers = new Set(loops(func).map((loop) => loop.header));
    const before = this.#headers;
    this.#headers = headers;
    let made = 0;
    for (const block of func.blocks.slice(1)) {
      if (headers.has(block.id) || !isShort(block)) continue;
      const isDue = written.has(block.id) || before.has(block.id);
      const preds = (flow.preds.get(block.id) ?? []).filter((id) => id < firstCopy);
      const due = isDue ? preds : preds.filter((id) => written.has(id) || gained.has(id));
      if (due.length === 0 || mentions(block, isNew)) continue;
      const edges = preds.flatMap((id) => targetsOf(flow.blocks.get(id)?.term ?? block.term));
      if (edges.filter((edge) => edge.block === block.id).length < 2) continue;
      for (const from of due) {
        const pred = flow.blocks.get(from);
        if (pred === undefined || pred === block || mentions(block, isNew)) continue;
        if (this.#thread(pred, block)) made += 1;
        if (made === most) return made;
      }
    }
    return made;
  }

  /** Sends the first edge from `pred` that decides `block` through a copy of it. */
  #thread(pred: Block, block: Block): boolean {
    for (const edge of targetsOf(pred.term)) {
      const taken = edge.block === block.id ? this.#decide(pred, block, edge) : null;
      if (taken === null) continue;
      copyWay(this.#func, this.#flow, { pred, block, edge, taken });
      return true;
    }
    return false;
  }

  /** Where `block` goes on what an edge to it passes. */
  #decide(pred: Block, block: Block, { args }: Target): Target | null {
    this.#onAsked?.();
    const facts = this.#facts.on(pred, block.id);
    const known = new Map<ValueId, bigint>();
    const constant = (value: ValueId): bigint | null =>
      known.get(value) ?? facts.constant(value) ?? constantOf(this.#defs, value);
    block.params.forEach((param, i) => {
      const value = constant(args[i] ?? param.id);
      if (value !== null) known.set(param.id, value);
    });
    const { types } = this.#flow;
    for (const instr of block.instrs) {
      const value = foldInstr(instr, constant, (v) => types.get(v) ?? 'i64', null);
      if (value !== null) known.set(instr.id, value);
    }
    return takenTarget(block, constant, facts.isSet);
  }
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

interface Way {
  readonly pred: Block;
  readonly block: Block;
  /** From `pred` to `block`. */
  readonly edge: Target;
  /** Where `block` goes then. */
  readonly taken: Target;
}

/** Gives an edge a copy of the block that it goes to, without what is decided there. */
function copyWay(func: Func, flow: FlowIndex, { pred, block, edge, taken }: Way): void {
  const bound = new Map(block.params.map((param, i) => [param.id, edge.args[i] ?? param.id]));
  const { blocks, nameOf } = copyBlocks(func, [block], bound);
  const [copy] = blocks;
  if (copy === undefined) return;
  let isLed = false;
  const lead = (target: Target): Target => {
    if (isLed || target !== edge) return target;
    isLed = true;
    return { block: copy.id, args: [] };
  };
  pred.term = mapTerm(pred.term, (value) => value, lead);
  const { block: to, args: passed } = taken;
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
}
