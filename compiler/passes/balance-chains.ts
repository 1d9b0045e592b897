/**
 * Pass:    balance-chains
 * Reads:   blocks that one after the other compare one value with constants, and nothing else
 * Writes:  a long chain as a tree: unsigned comparisons that halve the constants, short chains at its ends
 * Refuses: nothing
 * Keeps:   where each value leads, with its arguments; of two equal constants the first counts
 */
import {
  type Block,
  type BlockId,
  blockMap,
  definitions,
  type Func,
  type Instr,
  newBlock,
  newValue,
  predecessors,
  type Target,
  useCounts,
  type ValueId,
} from '../ir/index.js';

/** A shorter chain is quicker than its tree, most of whose ways are as long. */
const LONG = 8;
/** Where most constants lead to one place, each takes a single instruction of the chain. */
const LONG_TO_ONE = 24;
/** So few constants are compared one by one. */
const FEW = 3;

/** One comparison of a chain. */
interface Link {
  readonly block: Block;
  readonly value: ValueId;
  readonly type: Instr['type'];
  readonly constant: bigint;
  readonly hit: Target;
  readonly miss: Target;
}

/** Makes trees of long chains. */
export function balanceChains(func: Func): boolean {
  const defs = definitions(func);
  const counts = useCounts(func);
  const blocks = blockMap(func);
  const preds = predecessors(func);
  const gone = new Set<BlockId>();
  const made: Block[] = [];

  const linkOf = (block: Block): Link | null => {
    const { term } = block;
    if (term.op !== 'br_if' || counts.get(term.condition) !== 1) return null;
    const compare = defs.get(term.condition);
    if (compare?.op !== 'compare' || (compare.kind !== 'eq' && compare.kind !== 'ne')) return null;
    const [value, other] = compare.args;
    const constant = defs.get(other);
    if (constant?.op !== 'const' || !block.instrs.includes(compare)) return null;
    const [hit, miss] = compare.kind === 'eq' ? [term.then, term.else] : [term.else, term.then];
    const { type, value: number } = constant;
    return { block, value, type, constant: number, hit, miss };
  };
  const nextOf = ({ value, block: { id }, miss }: Link): Link | null => {
    const block = blocks.get(miss.block);
    if (block === undefined || block.params.length > 0 || block.id === id) return null;
    const { term } = block;
    const only = (preds.get(block.id) ?? []).length === 1;
    const bare = block.instrs.every(
      (i) => i.op === 'const' || (term.op === 'br_if' && i.id === term.condition),
    );
    const link = only && bare ? linkOf(block) : null;
    return link?.value === value ? link : null;
  };

  for (const head of func.blocks) {
    const first = gone.has(head.id) ? null : linkOf(head);
    if (first === null) continue;
    const chain = [first];
    for (let link = nextOf(first); link !== null; link = nextOf(link)) chain.push(link);
    const targets = new Set(chain.map(({ hit }) => hit.block));
    if (chain.length < (targets.size * 2 > chain.length ? LONG : LONG_TO_ONE)) continue;
    for (const { block } of chain.slice(1)) gone.add(block.id);
    made.push(...plant(func, chain));
  }
  func.blocks = [...func.blocks.filter((block) => !gone.has(block.id)), ...made];
  return gone.size > 0;
}

/** Ends the first block of a chain by a tree, whose other blocks it returns. */
function plant(func: Func, chain: readonly Link[]): Block[] {
  const [head] = chain;
  const last = chain.at(-1);
  if (head === undefined || last === undefined) return [];
  const { value, type, block: root } = head;
  const compare = root.instrs.find((i) => root.term.op === 'br_if' && i.id === root.term.condition);
  const { loc } = root.term;
  // Constants that chains pass on are cheap anywhere; here they come before all that use them.
  const constants = chain.slice(1).flatMap(({ block }) => block.instrs.filter(isConstant));
  root.instrs = [...root.instrs.filter((i) => i !== compare), ...constants];
  const known = new Map<bigint, Link>();
  for (const link of chain) if (!known.has(link.constant)) known.set(link.constant, link);
  const sorted = [...known.values()].sort((a, b) => (a.constant < b.constant ? -1 : 1));

  const made: Block[] = [];
  const test = (
    block: Block,
    kind: 'eq' | 'lt_u',
    than: bigint,
    [then, otherwise]: readonly [Target, Target],
  ): void => {
    const [bound, condition] = [newValue(func), newValue(func)];
    block.instrs = [
      ...block.instrs,
      { op: 'const', id: bound, type, value: than, loc },
      { op: 'compare', kind, id: condition, type: 'i32', args: [value, bound], loc },
    ];
    block.term = { op: 'br_if', condition, then, else: otherwise, loc };
  };
  const fresh = (): Block => {
    const block: Block = { id: newBlock(func), params: [], instrs: [], term: root.term };
    made.push(block);
    return block;
  };
  const grow = (block: Block, links: readonly Link[]): void => {
    const [link, ...others] = links;
    if (link === undefined) return;
    if (links.length <= FEW) {
      const next = others.length > 0 ? fresh() : null;
      const miss = next === null ? last.miss : { block: next.id, args: [] };
      test(block, 'eq', link.constant, [link.hit, miss]);
      if (next !== null) grow(next, others);
      return;
    }
    const middle = links.length >> 1;
    const [low, high] = [fresh(), fresh()];
    const bound = links[middle]?.constant ?? 0n;
    const [below, above] = [low, high].map(({ id }): Target => ({ block: id, args: [] })) as [
      Target,
      Target,
    ];
    test(block, 'lt_u', bound, [below, above]);
    grow(low, links.slice(0, middle));
    grow(high, links.slice(middle));
  };
  grow(root, sorted);
  return made;
}

function isConstant(instr: Instr): boolean {
  return instr.op === 'const';
}
