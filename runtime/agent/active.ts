/** Reads and writes the one word that says which generation decides. */
import type { KernelMap } from '../kernel/index.js';
import { slotOf } from './hooks.js';
import { decodeActive, encodeActive, encodeU32 } from './layout.js';

/** The active generation; null where none was ever activated. */
export function readActive(active: KernelMap): number | null {
  const value = active.lookup(encodeU32(0));
  if (value === null) return null;
  const { generation } = decodeActive(value);
  return generation === 0 ? null : generation;
}

/** Activates a generation whose programs stand in the slots: one aligned 8-byte write. */
export function writeActive(active: KernelMap, generation: number): void {
  active.update(encodeU32(0), encodeActive(slotOf(generation), generation));
}
