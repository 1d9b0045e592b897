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

/** Reachable blocks in reverse postorder; the entry block comes first. */
export function reversePostorder(func: Func): Block[] {
  const entry = func.blocks[0];
  if (entry === undefined) return [];
  const blocks = blockMap(func);
  // Last successor first, so that the order follows the layout of if/else and loops.
  const order = postorder([entry.id], (id) => {
    const block = blocks.get(id);
    return block === undefined ? [] : successors(block).reverse();
  });
  return order.reverse().flatMap((id) => blocks.get(id) ?? []);
}

export interface Dominators {
  /** Immediate dominator; null of the entry, undefined of unreachable blocks. */
  readonly parent: ReadonlyMap<BlockId, BlockId | null>;
  /** True where `a` is on every path from the entry to `b` (also a = b). */
  readonly dominates: (a: BlockId, b: BlockId) => boolean;
}

/** Dominator tree by Cooper, Harvey and Kennedy's iteration. */
export function dominators(func: Func): Dominators {
  const order = reversePostorder(func).map((block) => block.id);
  const number = new Map(order.map((id, i) => [id, i]));
  const preds = predecessors(func);
  const idom: number[] = order.map((_, i) => (i === 0 ? 0 : -1));
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
      for (const pred of preds.get(order[i] as BlockId) ?? []) {
        const p = number.get(pred);
        if (p === undefined || idom[p] === -1) continue;
        best = best === -1 ? p : meet(p, best);
      }
      if (idom[i] !== best) {
        idom[i] = best;
        changed = true;
      }
    }
  }
  const parent = new Map<BlockId, BlockId | null>();
  order.forEach((id, i) => {
    parent.set(id, i === 0 ? null : (order[idom[i] ?? 0] ?? null));
  });
  // Intervals of a preorder of the tree answer dominance in constant time.
  const children = new Map<BlockId, BlockId[]>();
  for (const [id, up] of parent) {
    if (up === null) continue;
    const known = children.get(up);
    if (known === undefined) children.set(up, [id]);
    else known.push(id);
  }
  const finished = postorder(order.slice(0, 1), (id) => children.get(id) ?? []);
  const last = new Map(finished.map((id, i) => [id, i]));
  const size = new Map<BlockId, number>();
  for (const id of finished) {
    size.set(
      id,
      (children.get(id) ?? []).reduce((n, child) => n + (size.get(child) ?? 0), 1),
    );
  }
  const dominates = (a: BlockId, b: BlockId): boolean => {
    const end = last.get(a);
    const at = last.get(b);
    if (end === undefined || at === undefined) return a === b;
    return at <= end && at > end - (size.get(a) ?? 1);
  };
  return { parent, dominates };
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

/** Natural loops of the reachable blocks, outer before inner. */
export function loops(func: Func, doms: Dominators = dominators(func)): Loop[] {
  const preds = predecessors(func);
  const found: Loop[] = [];
  for (const { id: header } of reversePostorder(func)) {
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
