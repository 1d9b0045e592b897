/** What a node enforces, read back from its pins; names come from the state document. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { REASON } from '../../compiler/abi/index.js';
import type { Kernel, KernelMap } from '../kernel/index.js';
import { readActive } from './active.js';
import { type Chain, followChain } from './chain.js';
import { enrolledIds } from './enrol.js';
import { type ExchangeStatus, exchangeStatus, NO_EXCHANGES } from './exchange-status.js';
import { pinnedGenerations } from './generations.js';
import type { JudgedConnections } from './judge-open.js';
import { encodeU32, sumCounter } from './layout.js';
import { type NodeMaps, openNode } from './node.js';
import { type Paths, pinsOf } from './paths.js';
import { type GenerationRecord, readState, type State } from './state.js';

export interface SiteCount {
  readonly site: number;
  readonly rule: string;
  readonly verdict: string;
  readonly count: bigint;
}

export interface GenerationStatus {
  readonly generation: number;
  readonly active: boolean;
  readonly bundle: string | null;
  readonly name: string | null;
  readonly loadedAt: string | null;
  /** Who vouched for the bundle; null where nobody was asked. */
  readonly trust: GenerationRecord['trust'];
  readonly programs: Chain['programs'];
  /** Where the kernel does not hold what was loaded. */
  readonly breaks: Chain['breaks'];
}

export interface PolicyStatus {
  readonly name: string;
  readonly file: string;
  readonly mode: string;
  readonly attach: readonly unknown[];
  readonly sites: readonly SiteCount[];
}

/** What is in force and what it decided; of a large node a few ms, as it is asked for again and again. */
export interface EnforcedStatus {
  readonly active: number | null;
  readonly generations: readonly GenerationStatus[];
  readonly policies: readonly PolicyStatus[];
  /** Decisions of the active generation in which no policy's line decided. */
  readonly defaulted: bigint;
  /** Verdicts of this node since the first load, by reason. */
  readonly reasons: Readonly<Record<string, { readonly allow: bigint; readonly deny: bigint }>>;
  /** Verdicts whose event found no room. */
  readonly lost: bigint;
}

export interface NodeStatus extends EnforcedStatus {
  readonly enrolled: readonly {
    readonly cgroupId: string;
    readonly cgroup: string | null;
    readonly workload: string | null;
  }[];
  readonly exchanges: ExchangeStatus;
  /** What became of open connections when a generation last took over; null where none were judged. */
  readonly open: JudgedConnections | null;
  readonly lastError: State['lastError'];
}

/** A per-CPU counter at an index; 0 where the map has none. */
export function readCounter(map: KernelMap, index: number): bigint {
  const value = map.lookup(encodeU32(index));
  return value === null ? 0n : sumCounter(value);
}

/** Of each site, by its number. */
function policies(
  { manifest }: GenerationRecord,
  counts: readonly bigint[],
): readonly PolicyStatus[] {
  const sites = new Map<string, SiteCount[]>();
  for (const { site, file, line, kind, verdict } of manifest.sites) {
    if (kind !== 'verdict') continue;
    const of = sites.get(file) ?? [];
    of.push({ site, rule: `${file}:${line}`, verdict: verdict ?? '', count: counts[site] ?? 0n });
    sites.set(file, of);
  }
  return manifest.policies.map(({ name, file, mode, attach }) => ({
    ...{ name, file, mode, attach },
    sites: sites.get(file) ?? [],
  }));
}

/** weft_reasons: index reason * 2 + (deny). Reasons that never came are left out. */
function reasons(map: KernelMap): NodeStatus['reasons'] {
  const found = map.values().map(sumCounter);
  const all = Object.entries(REASON).map(([name, n]) => {
    const counts = { allow: found[n * 2] ?? 0n, deny: found[n * 2 + 1] ?? 0n };
    return [name, counts] as const;
  });
  return Object.fromEntries(all.filter(([, { allow, deny }]) => allow + deny > 0n));
}

const NOTHING: EnforcedStatus = {
  active: null,
  generations: [],
  policies: [],
  defaulted: 0n,
  reasons: {},
  lost: 0n,
};

interface Place {
  readonly kernel: Kernel;
  readonly paths: Paths;
  readonly node: NodeMaps;
}

function enforced({ kernel, paths, node }: Place, state: State): EnforcedStatus {
  const active = readActive(node.map('weft_active'));
  const recordOf = (n: number): GenerationRecord | undefined =>
    state.generations.find((g) => g.generation === n);
  const current = active === null ? undefined : recordOf(active);
  let counted: { policies: readonly PolicyStatus[]; defaulted: bigint } = {
    policies: [],
    defaulted: 0n,
  };
  if (active !== null && current !== undefined) {
    using sites = kernel.openMap(join(pinsOf.generation(paths, active), 'maps', 'weft_sites'));
    const counts = sites.values().map(sumCounter);
    counted = { policies: policies(current, counts), defaulted: counts[0] ?? 0n };
  }
  return {
    active,
    generations: pinnedGenerations(paths).map((generation) => {
      const known = recordOf(generation);
      return {
        generation,
        active: generation === active,
        bundle: known?.bundle ?? null,
        name: known?.manifest.name ?? null,
        loadedAt: known?.loadedAt ?? null,
        trust: known?.trust ?? null,
        ...(known === undefined
          ? { programs: [], breaks: ['nothing is known of it'] }
          : followChain(kernel, { node, paths }, known)),
      };
    }),
    ...counted,
    reasons: reasons(node.map('weft_reasons')),
    lost: readCounter(node.map('weft_losses'), 0),
  };
}

/** What this node enforces. Throws KernelError, and AgentError where the state document is damaged. */
export function enforcedStatus(kernel: Kernel, paths: Paths): EnforcedStatus {
  const state = readState(paths);
  if (!existsSync(pinsOf.maps(paths))) return NOTHING;
  using node = openNode(kernel, paths);
  return enforced({ kernel, paths, node }, state);
}

/** The state of this node, with who is enrolled and what is open. Throws as enforcedStatus. */
export function nodeStatus(kernel: Kernel, paths: Paths): NodeStatus {
  const state = readState(paths);
  const { lastError } = state;
  if (!existsSync(pinsOf.maps(paths)))
    return { ...NOTHING, enrolled: [], exchanges: NO_EXCHANGES, open: null, lastError };
  using node = openNode(kernel, paths);
  return {
    ...enforced({ kernel, paths, node }, state),
    enrolled: enrolledIds(paths).map((cgroupId) => {
      const known = state.enrolled.find((e) => e.cgroupId === cgroupId);
      return { cgroupId, cgroup: known?.cgroup ?? null, workload: known?.workload ?? null };
    }),
    exchanges: exchangeStatus(node),
    open: state.open ?? null,
    lastError,
  };
}
