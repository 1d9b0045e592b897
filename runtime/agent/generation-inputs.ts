/**
 * What a generation is made of, as one digest: the bundle, the world, the cgroups of this node, how it
 * was asked for, and the hooks of this version of weft. Where it is the same, a load would make the same again.
 */
import { createHash } from 'node:crypto';
import type { World } from '../discovery/types.js';
import type { CgroupIds } from './fill.js';
import { readObject } from './objects.js';

export interface GenerationInputs {
  /** Digest of the bundle. */
  readonly digest: string;
  readonly world: World;
  readonly cgroups: CgroupIds;
  readonly shortCircuit: boolean;
}

/** A world without where it was written, which decides nothing. */
function worldText({ services, workloads }: World): string {
  return JSON.stringify([services, workloads], (key, value: unknown) =>
    key === 'at' || key === 'bytes' ? undefined : value,
  );
}

/** The digest. */
export function inputsDigest({ digest, world, cgroups, shortCircuit }: GenerationInputs): string {
  const hash = createHash('sha256');
  const ids = [...cgroups].map(([workload, id]) => `${workload}:${id}`);
  hash.update(JSON.stringify([digest, ids, shortCircuit]));
  hash.update(worldText(world));
  for (const name of ['hooks', 'request-hooks'] as const) hash.update(readObject(name));
  return hash.digest('hex');
}
