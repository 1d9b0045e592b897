/**
 * Flow graph of a function: order, predecessors, dominators, loops, strongly connected components.
 * All of it iterative, since the depth of a graph is the input's choice.
 */
import { blockMap, targetsOf } from './operands.js';
import type { Block, BlockId, Func } from './types.js';

/** Distinct successors. */
export function successors({ term }: Block): BlockId[] {
  if (term.op === 'br') return [term.to.block];
  if (term.op === 'br_if' && term.then.block !== term.else.block) {
    return [term.then.block, term.else.block];
  }
  return [...new Set(targetsOf(term).map((target) => target.block))];
}

/** Predecessors of each block, each once; blocks without any have an empty list. */
export function predecessors(func: Func): Map<BlockId, BlockId[]> {
  const preds = new Map<BlockId, BlockId[]>(func.blocks.map((block) => [block.id, []]));
  for (const block of func.blocks) {
    for (const next of successors(block)) preds.get(next)?.push(block.id);
  }
  return preds;
}

/** Postorder from some roots over any graph. */
export function postorder<T>(roots: readonly T[], next: (node: T) => readonly T[]): T[] {
  const order: T[] = [];
  const seen = new Set<T>();
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    const stack = [{ node: root, children: next(root), at: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = top.children[top.at];
      top.at += 1;
      if (child === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!seen.has(child)) {
        seen.add(child);
        stack.push({ node: child, children: next(child), at: 0 });
      }
    }
  }
  return order;
}

/** Where each block stands among some, by its number; -1 where it does not. */
function placesOf(blocks: readonly Block[]): Int32Array {
  const most = blocks.reduce((id, block) => Math.max(id, block.id), -1);
  const places = new Int32Array(most + 1).fill(-1);
  for (const [i, { id }] of blocks.entries()) places[id] = i;
  return places;
}

/** Reachable blocks in reverse postorder; the entry block comes first. */
export function reversePostorder({ blocks }: Func): Block[] {
  const [entry] = blocks;
  if (entry === undefined) return [];
  const places = placesOf(blocks);
  const seen = new Uint8Array(blocks.length);
  const order: Block[] = [];
  // Last successor first, so that the order follows the layout of if/else and loops.
  const path = [{ block: entry, rest: successors(entry) }];
  seen[places[entry.id] ?? 0] = 1;
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const id = top.rest.pop();
    if (id === undefined) {
      order.push(top.block);
      path.pop();
      continue;
    }
    const place = places[id] ?? -1;
    const block = blocks[place];
    if (block === undefined || seen[place] === 1) continue;
    seen[place] = 1;
    path.push({ block, rest: successors(block) });
  }
  return order.reverse();
}

export interface Dominators {
  /** Immediate dominator; null of the entry, undefined of unreachable blocks. */
  readonly parent: ReadonlyMap<BlockId, BlockId | null>;
  /** True where `a` is on every path from the entry to `b` (also a = b). */
  readonly dominates: (a: BlockId, b: BlockId) => boolean;
}

/** Dominator tree by Cooper, Harvey and Kennedy's iteration. */
export function dominators(func: Func): Dominators {
  const order = reversePostorder(func);
  const number = placesOf(order);
  const idom = immediateDominators(order, number);
  const parent = new Map<BlockId, BlockId | null>();
  for (const [i, { id }] of order.entries()) {
    parent.set(id, i === 0 ? null : (order[idom[i] ?? 0]?.id ?? null));
  }
  // Intervals of a preorder of the tree answer dominance in constant time; what dominates comes before.
  const size = new Int32Array(order.length).fill(1);
  for (let i = order.length - 1; i > 0; i--) {
    const up = idom[i] ?? 0;
    size[up] = (size[up] ?? 1) + (size[i] ?? 1);
  }
  const start = new Int32Array(order.length);
  const free = new Int32Array(order.length).fill(1);
  for (let i = 1; i < order.length; i++) {
    const up = idom[i] ?? 0;
    const at = free[up] ?? 0;
    start[i] = at;
    free[up] = at + (size[i] ?? 1);
    free[i] = at + 1;
  }
  const dominates = (a: BlockId, b: BlockId): boolean => {
    const above = number[a] ?? -1;
    const below = number[b] ?? -1;
    if (above < 0 || below < 0) return a === b;
    const from = start[above] ?? 0;
    const at = start[below] ?? 0;
    return at >= from && at < from + (size[above] ?? 1);
  };
  return { parent, dominates };
}

/** Of blocks in reverse postorder the immediate dominator of each, both as places in that order. */
function immediateDominators(order: readonly Block[], number: Int32Array): Int32Array {
  const preds = order.map((): number[] => []);
  for (const [i, block] of order.entries()) {
    for (const next of successors(block)) preds[number[next] ?? -1]?.push(i);
  }
  const idom = new Int32Array(order.length).fill(-1);
  idom[0] = 0;
  const meet = (left: number, right: number): number => {
    let a = left;
    let b = right;
    while (a !== b) {
      while (a > b) a = idom[a] ?? 0;
      while (b > a) b = idom[b] ?? 0;
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 1; i < order.length; i++) {
      let best = -1;
      for (const pred of preds[i] ?? []) {
        if (idom[pred] !== -1) best = best === -1 ? pred : meet(pred, best);
      }
      if (idom[i] === best) continue;
      idom[i] = best;
      changed = true;
    }
  }
  return idom;
}

/** Reachable blocks in an order in which all that a block dominates stands right behind it. */
export function dominatorOrder(func: Func, { parent }: Dominators = dominators(func)): Block[] {
  const blocks = blockMap(func);
  const children = new Map<BlockId, BlockId[]>();
  const work: BlockId[] = [];
  for (const [id, up] of parent) {
    const siblings = up === null ? work : children.get(up);
    if (siblings !== undefined) siblings.push(id);
    else if (up !== null) children.set(up, [id]);
  }
  const order: Block[] = [];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const block = blocks.get(id);
    if (block !== undefined) order.push(block);
    work.push(...(children.get(id) ?? []));
  }
  return order;
}

/** Strongly connected components of any graph (Tarjan), those without successors first. */
export function components<T>(nodes: readonly T[], next: (node: T) => readonly T[]): T[][] {
  const index = new Map<T, number>();
  const low = new Map<T, number>();
  const open: T[] = [];
  const inOpen = new Set<T>();
  const found: T[][] = [];
  const enter = (node: T): { node: T; rest: T[] } => {
    index.set(node, index.size);
    low.set(node, index.get(node) ?? 0);
    open.push(node);
    inOpen.add(node);
    return { node, rest: [...next(node)] };
  };
  const lower = (node: T, value: number | undefined): void => {
    low.set(node, Math.min(low.get(node) ?? 0, value ?? 0));
  };
  for (const root of nodes) {
    if (index.has(root)) continue;
    const stack = [enter(root)];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = top.rest.shift();
      if (child !== undefined) {
        if (!index.has(child)) stack.push(enter(child));
        else if (inOpen.has(child)) lower(top.node, index.get(child));
        continue;
      }
      stack.pop();
      const parent = stack.at(-1);
      if (parent !== undefined) lower(parent.node, low.get(top.node));
      if (low.get(top.node) !== index.get(top.node)) continue;
      const component = open.splice(open.indexOf(top.node));
      for (const node of component) inOpen.delete(node);
      found.push(component);
    }
  }
  return found;
}

/** A natural loop; loops with one header are one. */
export interface Loop {
  readonly header: BlockId;
  /** All blocks of it, the header included. */
  readonly blocks: ReadonlySet<BlockId>;
  /** Sources of back edges. */
  readonly latches: readonly BlockId[];
}

/** True where an edge among some blocks in reverse postorder goes back. */
function goesBack(order: readonly Block[]): boolean {
  const number = placesOf(order);
  return order.some((block, i) => successors(block).some((next) => (number[next] ?? i + 1) <= i));
}

/** Natural loops of the reachable blocks, outer before inner. */
export function loops(func: Func, known?: Dominators): Loop[] {
  const order = reversePostorder(func);
  // Most functions have none, and are asked often.
  if (!goesBack(order)) return [];
  const doms = known ?? dominators(func);
  const preds = predecessors(func);
  const found: Loop[] = [];
  for (const { id: header } of order) {
    const latches = (preds.get(header) ?? []).filter(
      (pred) => doms.parent.has(pred) && doms.dominates(header, pred),
    );
    if (latches.length === 0) continue;
    const blocks = new Set<BlockId>([header]);
    const work = [...latches];
    for (let id = work.pop(); id !== undefined; id = work.pop()) {
      if (blocks.has(id) || !doms.parent.has(id)) continue;
      blocks.add(id);
      work.push(...(preds.get(id) ?? []));
    }
    found.push({ header, blocks, latches });
  }
  return found;
}
