/** The plan for an input's health: that of the world as it stands, or with some workloads otherwise. */
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { planGeneration, type World } from '../discovery/index.js';
import type { DecideInput } from './outcome.js';
import { indexPlan, type PlanIndex } from './plan-index.js';

/** Kept at a time; a stream may name any number of them. */
const MAX_INDICES = 256;

/** The world with the health of some workloads as it is told. */
export function withHealth(world: World, healthy: Readonly<Record<string, boolean>>): World {
  return {
    ...world,
    workloads: world.workloads.map((workload) =>
      Object.hasOwn(healthy, workload.name)
        ? { ...workload, healthy: healthy[workload.name] ?? workload.healthy }
        : workload,
    ),
  };
}

/** Identities do not depend on health, so every plan of a world has the same symbols. */
export function healthIndex(
  manifest: Manifest,
  world: World,
): { readonly base: PlanIndex; readonly indexFor: (input: DecideInput) => PlanIndex } {
  const base = indexPlan(planGeneration(manifest, world));
  const indices = new Map<string, PlanIndex>();
  const indexFor = ({ healthy }: DecideInput): PlanIndex => {
    if (healthy === undefined) return base;
    const key = JSON.stringify(Object.entries(healthy).sort());
    const index =
      indices.get(key) ?? indexPlan(planGeneration(manifest, withHealth(world, healthy)));
    if (indices.size >= MAX_INDICES) indices.clear();
    indices.set(key, index);
    return index;
  };
  return { base, indexFor };
}
