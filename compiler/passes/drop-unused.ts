/**
 * Pass:    drop-unused
 * Reads:   loads of all functions
 * Writes:  removes images that nothing loads from
 * Refuses: nothing
 * Keeps:   functions
 */
import type { Module } from '../ir/index.js';

/** Removes images without a load. */
export function dropUnused(module: Module): boolean {
  const used = new Set(
    module.functions.flatMap((func) =>
      func.blocks.flatMap((b) => b.instrs.flatMap((i) => (i.op === 'load.image' ? i.image : []))),
    ),
  );
  const kept = module.images.filter((image) => used.has(image.name));
  const changed = kept.length !== module.images.length;
  module.images = kept;
  return changed;
}
