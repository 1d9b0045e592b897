/**
 * Pass:    simplify-params
 * Reads:   block parameters and the arguments on all edges to them
 * Writes:  removes a parameter where every edge passes the same value (or the parameter itself), and
 *          uses that value instead
 * Refuses: nothing
 * Keeps:   blocks and edges
 */
import {
  type BlockId,
  blockMap,
  type Func,
  mapTerm,
  renameUses,
  resolver,
  reversePostorder,
  targetsOf,
  type ValueId,
} from '../ir/index.js';

/** Removes parameters that are another name for one value. */
export function simplifyParams(func: Func): boolean {
  const replaced = new Map<ValueId, ValueId>();
  const now = resolver(replaced);
  const order = reversePostorder(func);
  const blocks = blockMap(func);
  for (let again = true; again; ) {
    again = false;
    // For each block and parameter: the only value passed, null for several.
    const passed = new Map<BlockId, (ValueId | null | undefined)[]>();
    for (const { term } of order) {
      for (const target of targetsOf(term)) {
        const seen = passed.get(target.block) ?? [];
        passed.set(target.block, seen);
        const params = blocks.get(target.block)?.params ?? [];
        target.args.forEach((arg, i) => {
          const value = now(arg);
          if (value === params[i]?.id) return;
          if (seen[i] === undefined) seen[i] = value;
          else if (seen[i] !== value) seen[i] = null;
        });
      }
    }
    for (const block of order) {
      block.params.forEach((param, i) => {
        const value = passed.get(block.id)?.[i];
        if (replaced.has(param.id) || value === null || value === undefined) return;
        const root = now(value);
        if (root === param.id) return;
        replaced.set(param.id, root);
        again = true;
      });
    }
  }
  if (replaced.size === 0) return false;
  dropParams(func, new Set(replaced.keys()));
  renameUses(func, now);
  return true;
}

/** Removes parameters and the arguments passed for them. */
export function dropParams(func: Func, gone: ReadonlySet<ValueId>): void {
  const keep = new Map(
    func.blocks.map((block) => [block.id, block.params.map((param) => !gone.has(param.id))]),
  );
  for (const block of func.blocks) {
    block.params = block.params.filter((param) => !gone.has(param.id));
    block.term = mapTerm(
      block.term,
      (value) => value,
      (target) => ({
        block: target.block,
        args: target.args.filter((_, i) => keep.get(target.block)?.[i] ?? true),
      }),
    );
  }
}
