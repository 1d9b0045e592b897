/** Which bundle decides on this node now, whoever activated it. */
import type { Kernel } from '../kernel/index.js';
import { readActive } from './active.js';
import { hasNode, openNode } from './node.js';
import type { Paths } from './paths.js';
import { type GenerationRecord, readState } from './state.js';

export interface ActiveBundle {
  readonly generation: number;
  readonly digest: string;
  readonly name: string;
}

/** A record in the words of who asks what is active. */
export function activeOf({ generation, bundle, manifest }: GenerationRecord): ActiveBundle {
  return { generation, digest: bundle, name: manifest.name };
}

/** Null where nothing is active, or nothing is known of it. Throws KernelError. */
export function activeBundle(kernel: Kernel, paths: Paths): ActiveBundle | null {
  if (!hasNode(paths)) return null;
  using node = openNode(kernel, paths);
  const generation = readActive(node.map('weft_active'));
  const record = readState(paths).generations.find((g) => g.generation === generation);
  return record === undefined ? null : activeOf(record);
}
