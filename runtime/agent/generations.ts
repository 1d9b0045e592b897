/**
 * The generations that are loaded: each is a directory of pins and one slot of every hook. Which stay,
 * which go, and what number the next one has.
 */
import { type Kernel, pinDirectory, removePinTree } from '../kernel/index.js';
import { readActive } from './active.js';
import { followChain } from './chain.js';
import { slotOf } from './hooks.js';
import { sweepBundles } from './last-good.js';
import { encodeU32, HOOKS, SLOTS } from './layout.js';
import type { NodeMaps } from './node.js';
import { type Paths, pinsOf } from './paths.js';
import { type Pinnable, pinAll, pinNames } from './pins.js';
import { dropSource } from './sources.js';
import type { Staged } from './stage.js';
import { type GenerationRecord, readState, writeState } from './state.js';

/** Generations that stay loaded behind an activation: the active one and those before it. */
export const KEPT = 2;
/** As many may be kept: a slot stays for the next one. */
export const MAX_KEPT: number = SLOTS - 1;

/** Numbers of the pinned generations, oldest first. */
export function pinnedGenerations(paths: Paths): readonly number[] {
  return pinNames(pinsOf.generations(paths))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Pins what was staged, so that it outlives this process. Throws KernelError. */
export function pinGeneration(paths: Paths, staged: Staged): void {
  const { object } = staged;
  const items = new Map<string, Pinnable>();
  for (const name of object.mapNames) {
    if (name.startsWith('weft_')) items.set(`maps/${name}`, object.map(name));
  }
  for (const name of object.programNames) items.set(`programs/${name}`, object.program(name));
  pinDirectory(pinsOf.generations(paths));
  pinAll(pinsOf.generation(paths, staged.generation), items);
}

/** Lets the hooks jump into the programs of a generation. */
export function fillSlots(node: NodeMaps, staged: Staged): void {
  const slot = encodeU32(slotOf(staged.generation));
  for (const [hook, name] of Object.entries(staged.programs)) {
    const program = staged.object.program(name);
    node.map(`weft_slots_${hook}`).update(slot, encodeU32(program.fd));
  }
}

function emptySlots(node: NodeMaps, generation: number): void {
  for (const hook of HOOKS) node.map(`weft_slots_${hook}`).delete(encodeU32(slotOf(generation)));
}

/** Removes a generation that is not active. */
export function retire(node: NodeMaps, paths: Paths, generation: number): void {
  const active = readActive(node.map('weft_active'));
  // INVARIANT: the slots that traffic runs through are never emptied, whoever had them before.
  if (active === null || slotOf(active) !== slotOf(generation)) emptySlots(node, generation);
  removePinTree(pinsOf.generation(paths, generation));
  dropSource(paths, generation);
}

/**
 * Has a newer one the same bundle, in a world that was followed? Then it is no way back: whoever goes back
 * wants another bundle, and would be led to the world of now again.
 */
export function isSuperseded(
  { generation, bundle }: GenerationRecord,
  records: readonly GenerationRecord[],
): boolean {
  return records.some(
    (other) => other.generation > generation && other.bundle === bundle && other.followed === true,
  );
}

/** Which stay of those up to the active one: that, the one before, and the newest that are ways back. */
function keptOf(
  pinned: readonly number[],
  records: readonly GenerationRecord[],
  keep: number,
): ReadonlySet<number> {
  const superseded = records.filter((record) => isSuperseded(record, records));
  const numbers = new Set(superseded.map(({ generation }) => generation));
  const waysBack = pinned.filter((g) => !numbers.has(g)).slice(-keep);
  // What began under the one before may still be on its way.
  const kept = new Set([...waysBack, ...pinned.slice(-Math.min(keep, 2))]);
  return new Set([...kept].sort((a, b) => a - b).slice(-MAX_KEPT));
}

/**
 * Drops all but the active generation and the `keep - 1` before it: also those that a load which died
 * pinned and never activated, else numbers run ahead and two generations meet in one slot.
 */
export function prune(node: NodeMaps, paths: Paths, keep: number): void {
  const active = readActive(node.map('weft_active'));
  const pinned = pinnedGenerations(paths);
  const state = readState(paths);
  const ran = pinned.filter((g) => active !== null && g <= active);
  const records = state.generations.filter((g) => ran.includes(g.generation));
  const kept = keptOf(ran, records, keep);
  for (const generation of pinned) if (!kept.has(generation)) retire(node, paths, generation);
  const generations = state.generations.filter((g) => kept.has(g.generation));
  if (generations.length < state.generations.length) writeState(paths, { ...state, generations });
  sweepBundles(
    paths,
    generations.map((g) => g.bundle),
  );
}

/**
 * The number of a new generation: above every one that ran, since connections, flows and cgroups remember
 * by which they were judged; and in the slot of none that stays.
 */
export function nextGeneration(paths: Paths, active: number | null): number {
  const pinned = pinnedGenerations(paths);
  const taken = new Set(pinned.map(slotOf));
  let next = Math.max(0, active ?? 0, readState(paths).highest ?? 0, ...pinned) + 1;
  while (taken.has(slotOf(next))) next += 1;
  return next;
}

/** What runs, where the kernel holds all that was loaded of it; null where nothing does, or something is missing. */
export function wholeActive(kernel: Kernel, paths: Paths, node: NodeMaps): GenerationRecord | null {
  const active = readActive(node.map('weft_active'));
  const record = readState(paths).generations.find((g) => g.generation === active);
  if (record === undefined) return null;
  return followChain(kernel, { node, paths }, record).breaks.length === 0 ? record : null;
}
