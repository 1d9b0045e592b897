/** The blocks of a function in an order in which each loop stands in one piece, after everything that leads into it. */
import {
  type Block,
  type BlockId,
  type Func,
  loops,
  reversePostorder,
} from '../../compiler/index.js';

export interface LoopPart {
  readonly header: BlockId;
  readonly blocks: ReadonlySet<BlockId>;
  /** The header first. */
  readonly body: readonly Part[];
}
export type Part = Block | LoopPart;

export function isLoop(part: Part): part is LoopPart {
  return 'header' in part;
}

/** Nests the loops of a function. */
export function loopOrder(func: Func): readonly Part[] {
  const found = new Map(loops(func).map((loop) => [loop.header, loop]));
  const nest = (blocks: readonly Block[], within: BlockId | null): readonly Part[] => {
    const parts: Part[] = [];
    const taken = new Set<BlockId>();
    for (const block of blocks) {
      if (taken.has(block.id)) continue;
      const loop = block.id === within ? undefined : found.get(block.id);
      if (loop === undefined) {
        parts.push(block);
        continue;
      }
      for (const id of loop.blocks) taken.add(id);
      const inside = blocks.filter(({ id }) => loop.blocks.has(id));
      parts.push({ header: loop.header, blocks: loop.blocks, body: nest(inside, loop.header) });
    }
    return parts;
  };
  return nest(reversePostorder(func), null);
}
