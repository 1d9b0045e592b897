/**
 * Staging: the bundle's object joined with the hooks, loaded beside what runs, its maps fresh and
 * filled. Nothing is visible to traffic until activation; closing the result removes it all.
 */
import { REQUEST_HOOK, VERDICT } from '../../compiler/abi/index.js';
import type { Bundle, Manifest, Outcome } from '../../compiler/bundle/manifest.js';
import { hasErrors } from '../../compiler/diagnostic/index.js';
import { type Plan, planGeneration, principalOf } from '../discovery/index.js';
import type { World } from '../discovery/types.js';
import { cgroupId, type Kernel, type KernelMap, type KernelObject } from '../kernel/index.js';
import { AgentError, PlanError } from './agent-error.js';
import { CODES } from './codes.js';
import { type CgroupIds, generationEntries, generationSizes } from './fill.js';
import { encodeU32, encodeU64, type HookName, NODE_MAPS } from './layout.js';
import { readObject } from './objects.js';
import { cgroupPath, type Paths } from './paths.js';
import { hooksOf } from './sockops.js';
import type { Names } from './state.js';

export interface StageOptions {
  readonly generation: number;
  readonly nodeMaps: Readonly<Record<string, KernelMap>>;
  /** Cgroup ids of workloads by index; see nodeCgroups. */
  readonly cgroups: CgroupIds;
  /** CLOCK_REALTIME - CLOCK_MONOTONIC, ns. */
  readonly clockOffset: bigint;
  /** Joined instead of the hooks; the test harness. */
  readonly part?: 'hooks' | 'harness';
}

export interface Staged extends Disposable {
  readonly generation: number;
  readonly object: KernelObject;
  /** Hooks that have a program in it. */
  readonly hooks: readonly HookName[];
  readonly plan: Plan;
  readonly names: Names;
}

function outcome(value: Outcome): Uint8Array {
  return encodeU32(VERDICT[value]);
}

function globals(manifest: Manifest, options: StageOptions): Readonly<Record<string, Uint8Array>> {
  return {
    weft_generation: encodeU32(options.generation),
    weft_on_trap: outcome(manifest.failure.trap),
    weft_on_fuel: outcome(manifest.failure.fuel),
    weft_on_unknown_identity: outcome(manifest.failure.unknownIdentity),
    weft_on_parse: outcome(manifest.failure.parse),
    weft_clock_offset: encodeU64(options.clockOffset),
  };
}

/** Ids of the workloads' cgroups that exist on this node. */
export function nodeCgroups(paths: Paths, world: World): CgroupIds {
  const ids = new Map<number, bigint>();
  for (const [index, { cgroup }] of world.workloads.entries()) {
    if (cgroup === null) continue;
    try {
      ids.set(index, cgroupId(cgroupPath(paths, cgroup)));
    } catch {
      // Not here, or not yet: enrolment tells the generation.
    }
  }
  return ids;
}

function namesOf(plan: Plan): Names {
  return {
    services: plan.services.map((s) => s.name),
    clusters: plan.clusters.map((c) => c.name),
    workloads: plan.workloads.map(({ workload }) => ({
      name: workload.name,
      principal: principalOf(workload),
      cgroup: workload.cgroup,
    })),
  };
}

/** What the kernel part cannot enforce is not loaded, since it would let everything pass: throws A023. */
export function refuseRequests({ policies }: Manifest): void {
  const asked = policies.find((p) => p.exports.some((name) => REQUEST_HOOK.includes(name)));
  if (asked === undefined) return;
  const name = asked.exports.find((n) => REQUEST_HOOK.includes(n)) ?? '';
  const message = `policy \`${asked.name}\` exports \`${name}\`, which no hook of this version enforces`;
  throw new AgentError('A023', message, CODES['A023']?.help ?? null);
}

/** Loads a generation without activating it. Throws PlanError, KernelError or VerifierError; then nothing is left. */
export function stage(kernel: Kernel, bundle: Bundle, world: World, options: StageOptions): Staged {
  const { manifest, objects } = bundle;
  if (options.part !== 'harness') refuseRequests(manifest);
  const plan = planGeneration(manifest, world);
  if (hasErrors(plan.diagnostics)) throw new PlanError(plan.diagnostics);
  const part = options.part ?? 'hooks';
  const joined = kernel.link([
    { name: part, bytes: readObject(part) },
    { name: 'policy', bytes: kernel.hasMayGoto() ? objects.mayGoto : objects.base },
  ]);
  const entries = generationEntries(plan, options.cgroups);
  const reuse = Object.fromEntries(
    NODE_MAPS.flatMap((name) => {
      const map = options.nodeMaps[name];
      return map === undefined ? [] : [[name, map] as const];
    }),
  );
  const hooks = part === 'harness' ? [] : hooksOf(manifest);
  const object = kernel.load({
    name: `weft_${options.generation}`,
    bytes: joined,
    reuse,
    resize: generationSizes(entries, manifest.sites.length),
    globals: globals(manifest, options),
    ...(part === 'harness' ? {} : { only: hooks.map((hook) => `weft_${hook}`) }),
  });
  try {
    for (const [name, list] of entries) {
      if (list.length > 0) object.map(name).updateBatch(list);
    }
  } catch (error) {
    object[Symbol.dispose]();
    throw error;
  }
  return {
    generation: options.generation,
    object,
    hooks,
    plan,
    names: namesOf(plan),
    [Symbol.dispose]: () => object[Symbol.dispose](),
  };
}
