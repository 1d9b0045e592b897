/**
 * Staging: the bundle's object joined with the hooks, loaded beside what runs, its maps fresh and
 * filled. Nothing is visible to traffic until activation; closing the result removes it all.
 */
import { type ExportName, VERDICT } from '../../compiler/abi/index.js';
import type { Bundle, Manifest, Outcome } from '../../compiler/bundle/manifest.js';
import { hasErrors } from '../../compiler/diagnostic/index.js';
import { type Plan, planGeneration, principalOf } from '../discovery/index.js';
import type { World } from '../discovery/types.js';
import { cgroupId, type Kernel, type KernelMap, type KernelObject } from '../kernel/index.js';
import { PlanError } from './agent-error.js';
import { type CgroupIds, generationEntries, generationSizes, isRequestMap } from './fill.js';
import {
  EXCHANGE_NODE_MAPS,
  encodePolicies,
  encodeU32,
  encodeU64,
  type HookName,
  NODE_MAPS,
  REQUEST_NODE_MAPS,
} from './layout.js';
import { readObject } from './objects.js';
import { OPEN_PROGRAM } from './open-program.js';
import { cgroupPath, type Paths } from './paths.js';
import { policyObject } from './policy-object.js';
import { judgesRequests, programsOf } from './sockops.js';
import type { Names } from './state.js';

export interface StageOptions {
  readonly generation: number;
  readonly nodeMaps: Readonly<Record<string, KernelMap>>;
  /** Cgroup ids of workloads by index; see nodeCgroups. */
  readonly cgroups: CgroupIds;
  /** CLOCK_REALTIME - CLOCK_MONOTONIC, ns. */
  readonly clockOffset: bigint;
  /** Requests between workloads of this node may go past TCP. */
  readonly shortCircuit?: boolean;
  /** Joined instead of the hooks; the test harness. */
  readonly part?: 'harness';
}

export interface Staged extends Disposable {
  readonly generation: number;
  readonly object: KernelObject;
  /** The program of each hook; none in a harness. */
  readonly programs: Readonly<Partial<Record<HookName, string>>>;
  readonly plan: Plan;
  readonly names: Names;
}

function outcome(value: Outcome): Uint8Array {
  return encodeU32(VERDICT[value]);
}

/** The policies that export a function, as a mask. */
function maskOf({ policies }: Manifest, name: ExportName): bigint {
  const asked = policies.filter(({ exports }) => exports.includes(name));
  return asked.reduce((mask, { index }) => mask | (1n << BigInt(index)), 0n);
}

function globals(manifest: Manifest, options: StageOptions): Readonly<Record<string, Uint8Array>> {
  return {
    weft_generation: encodeU32(options.generation),
    weft_on_trap: outcome(manifest.failure.trap),
    weft_on_fuel: outcome(manifest.failure.fuel),
    weft_on_unknown_identity: outcome(manifest.failure.unknownIdentity),
    weft_on_parse: outcome(manifest.failure.parse),
    weft_connection_mask: encodePolicies(maskOf(manifest, 'authorizeConnection')),
    weft_route_mask: encodePolicies(maskOf(manifest, 'routeRequest')),
    weft_request_mask: encodePolicies(maskOf(manifest, 'authorizeRequest')),
    weft_attribute_slots: encodeU32(Math.max(0, ...manifest.attributes.map((a) => a.slot + 1))),
    weft_clock_offset: encodeU64(options.clockOffset),
    weft_short_circuit: encodeU32(options.shortCircuit ? 1 : 0),
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

/** The node's maps that a part uses. */
function sharedBy(
  part: 'hooks' | 'request-hooks' | 'harness' | 'request-harness',
): readonly string[] {
  const exchanges = part === 'request-hooks' ? EXCHANGE_NODE_MAPS : [];
  return [...NODE_MAPS, ...REQUEST_NODE_MAPS, ...exchanges];
}

/** Loads a generation without activating it. Throws PlanError, KernelError or VerifierError; then nothing is left. */
export function stage(kernel: Kernel, bundle: Bundle, world: World, options: StageOptions): Staged {
  const { manifest } = bundle;
  const plan = planGeneration(manifest, world);
  if (hasErrors(plan.diagnostics)) throw new PlanError(plan.diagnostics);
  const part = options.part ?? (judgesRequests(manifest) ? 'request-hooks' : 'hooks');
  const joined = kernel.link([
    { name: part, bytes: readObject(part) },
    { name: 'policy', bytes: policyObject(kernel, bundle) },
  ]);
  const all = generationEntries(plan, options.cgroups, manifest);
  const isHere = (name: string): boolean => part === 'request-hooks' || !isRequestMap(name);
  const entries = new Map([...all].filter(([name]) => isHere(name)));
  const reuse = Object.fromEntries(
    sharedBy(part).flatMap((name) => {
      const map = options.nodeMaps[name];
      return map === undefined ? [] : [[name, map] as const];
    }),
  );
  const programs = part === 'harness' ? {} : programsOf(manifest);
  const object = kernel.load({
    name: `weft_${options.generation}`,
    bytes: joined,
    reuse,
    resize: generationSizes(entries, manifest.sites.length),
    globals: globals(manifest, options),
    ...(part === 'harness' ? {} : { only: [...Object.values(programs), OPEN_PROGRAM] }),
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
    programs,
    plan,
    names: namesOf(plan),
    [Symbol.dispose]: () => object[Symbol.dispose](),
  };
}
