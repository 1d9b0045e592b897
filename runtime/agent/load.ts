/**
 * Loading a bundle: stage, pin, fill the slots, write the state document, activate, retire the
 * oldest. Until the one write that activates, the running generation is untouched; a failure before
 * it removes what it made.
 */
import { existsSync } from 'node:fs';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/types.js';
import { type Kernel, pinDirectory, removePinTree } from '../kernel/index.js';
import type { TrustPolicy, Verified } from '../trust/index.js';
import { readActive, writeActive } from './active.js';
import { type Admission, admit, noteVersion } from './admit.js';
import { AgentError } from './agent-error.js';
import { CODES } from './codes.js';
import { enrolledIds } from './enrol.js';
import { slotOf } from './hooks.js';
import { encodeU32, HOOKS } from './layout.js';
import { ensureNode, type NodeMaps } from './node.js';
import { type Paths, pinsOf } from './paths.js';
import { type Pinnable, pinAll, pinNames } from './pins.js';
import { openReplyCircuit } from './reply-circuit.js';
import { followSockops, judgesRequests } from './sockops.js';
import { dropSource, keepSource } from './sources.js';
import { nodeCgroups, type Staged, stage } from './stage.js';
import {
  type GenerationRecord,
  readState,
  type State,
  summarizeManifest,
  writeState,
} from './state.js';
import type { LoadStep } from './steps.js';

/** Generations that stay loaded after an activation: the active one and the one before. */
export const KEPT = 2;

export interface LoadOptions {
  readonly bundle: Bundle;
  readonly digest: string;
  readonly world: World;
  readonly now: Date;
  readonly clockOffset: bigint;
  /** Its signatures, and the trust policy that must accept them; null where this node has none. */
  readonly trust?: { readonly policy: TrustPolicy; readonly signatures: readonly string[] } | null;
  /** Told behind each step. */
  readonly onStep?: (step: LoadStep) => void;
  /** Requests between workloads of this node may go past TCP; where the kernel bounds what waits. */
  readonly shortCircuit?: boolean;
}

export interface Loaded {
  readonly generation: number;
  readonly previous: number | null;
  /** Of the plan: the bundle in its world. */
  readonly diagnostics: readonly Diagnostic[];
  /** Who vouched for the bundle; null where nobody was asked. */
  readonly trust: Verified | null;
  /** Of the change from the generation before, and of signatures that did not count. */
  readonly ofChange: readonly Diagnostic[];
}

/** Numbers of the pinned generations, oldest first. */
export function pinnedGenerations(paths: Paths): readonly number[] {
  return pinNames(pinsOf.generations(paths))
    .map(Number)
    .sort((a, b) => a - b);
}

function pinGeneration(paths: Paths, staged: Staged): void {
  const { object } = staged;
  const items = new Map<string, Pinnable>();
  for (const name of object.mapNames) {
    if (name.startsWith('weft_')) items.set(`maps/${name}`, object.map(name));
  }
  for (const name of object.programNames) items.set(`programs/${name}`, object.program(name));
  pinDirectory(pinsOf.generations(paths));
  pinAll(pinsOf.generation(paths, staged.generation), items);
}

function record(staged: Staged, options: LoadOptions, trust: Verified | null): GenerationRecord {
  const { object } = staged;
  return {
    generation: staged.generation,
    bundle: options.digest,
    loadedAt: options.now.toISOString(),
    trust,
    manifest: summarizeManifest(options.bundle.manifest),
    names: staged.names,
    programs: object.programNames.map((name) => {
      const { id, tag } = object.program(name).info();
      return { name, id, tag };
    }),
  };
}

function fillSlots(node: NodeMaps, staged: Staged): void {
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
function retire(node: NodeMaps, paths: Paths, generation: number): void {
  const active = readActive(node.map('weft_active'));
  // INVARIANT: the slots that traffic runs through are never emptied, whoever had them before.
  if (active === null || slotOf(active) !== slotOf(generation)) emptySlots(node, generation);
  removePinTree(pinsOf.generation(paths, generation));
  dropSource(paths, generation);
}

/** Makes a staged generation the deciding one; on failure removes it again. */
function activate(
  kernel: Kernel,
  node: NodeMaps,
  paths: Paths,
  {
    staged,
    options,
    trust,
  }: {
    readonly staged: Staged;
    readonly options: LoadOptions;
    readonly trust: Verified | null;
  },
): void {
  const { generation } = staged;
  const { onStep = () => {} } = options;
  const before: State = readState(paths);
  try {
    pinGeneration(paths, staged);
    onStep('pinned');
    if (judgesRequests(options.bundle.manifest)) keepSource(paths, generation, options);
    onStep('kept');
    fillSlots(node, staged);
    onStep('slotted');
    followSockops(kernel, paths);
    onStep('followed');
    writeState(paths, {
      ...before,
      generations: [...before.generations, record(staged, options, trust)],
      lastError: null,
    });
    onStep('recorded');
    writeActive(node.map('weft_active'), generation);
  } catch (error) {
    retire(node, paths, generation);
    writeState(paths, before);
    followSockops(kernel, paths);
    throw error;
  }
}

/**
 * Drops all but the active generation and the KEPT - 1 before it: also those that a load which died
 * pinned and never activated, else numbers run ahead and two generations meet in one slot.
 */
function prune(node: NodeMaps, paths: Paths): void {
  const active = readActive(node.map('weft_active'));
  const pinned = pinnedGenerations(paths);
  const kept = new Set(pinned.filter((g) => active !== null && g <= active).slice(-KEPT));
  for (const generation of pinned) if (!kept.has(generation)) retire(node, paths, generation);
  const state = readState(paths);
  const generations = state.generations.filter((g) => kept.has(g.generation));
  if (generations.length < state.generations.length) writeState(paths, { ...state, generations });
}

/**
 * The number of a new generation: above every one that ran, since connections, flows and cgroups remember
 * by which they were judged; and in the slot of none that stays.
 */
function nextGeneration(paths: Paths, active: number | null): number {
  const pinned = pinnedGenerations(paths);
  const taken = new Set(pinned.map(slotOf));
  let next = Math.max(0, active ?? 0, readState(paths).highest ?? 0, ...pinned) + 1;
  while (taken.has(slotOf(next))) next += 1;
  return next;
}

/** Who vouches for the bundle, where this node asks. Throws RefusedError, AgentError. */
function admitted(paths: Paths, { bundle, digest, trust, now }: LoadOptions): Admission | null {
  if (trust === undefined || trust === null) return null;
  const { policy, signatures } = trust;
  return admit(paths, { name: bundle.manifest.name, digest, signatures }, { policy, now });
}

/**
 * Loads and activates a bundle; call it under `withLock`. Throws RefusedError, PlanError, AgentError,
 * KernelError or VerifierError; then the generation that ran runs on.
 */
export function load(kernel: Kernel, paths: Paths, options: LoadOptions): Loaded {
  const admission = admitted(paths, options);
  const trust =
    admission === null ? null : { signers: admission.signers, version: admission.version };
  const { onStep = () => {} } = options;
  onStep('admitted');
  const shortCircuit = options.shortCircuit === true;
  if (shortCircuit && !kernel.chargesRedirects()) throw tooOldForShortCircuit();
  using node = ensureNode(kernel, paths);
  if (shortCircuit) openReplyCircuit(kernel, paths, node);
  prune(node, paths);
  const previous = readActive(node.map('weft_active'));
  using staged = stage(kernel, options.bundle, options.world, {
    generation: nextGeneration(paths, previous),
    nodeMaps: node.maps,
    cgroups: nodeCgroups(paths, options.world),
    clockOffset: options.clockOffset,
    shortCircuit,
  });
  onStep('staged');
  activate(kernel, node, paths, { staged, options, trust });
  onStep('activated');
  if (trust !== null) noteVersion(paths, options.bundle.manifest.name, trust.version);
  onStep('noted');
  prune(node, paths);
  followSockops(kernel, paths);
  onStep('pruned');
  return {
    generation: staged.generation,
    previous,
    trust,
    diagnostics: staged.plan.diagnostics,
    ofChange: [
      ...(admission?.diagnostics ?? []),
      ...(previous === null ? [] : findingsOfChange(options.bundle)),
    ],
  };
}

function tooOldForShortCircuit(): AgentError {
  const message =
    'this kernel does not count what is redirected into a socket, so nothing bounds it';
  return new AgentError('A025', message, CODES['A025']?.help ?? null);
}

/** What weft.json asks of a change and this agent does not do. */
function findingsOfChange({ manifest }: Bundle): Diagnostic[] {
  if (manifest.onChange === 'keep') return [];
  const message = 'open TCP connections live on: they are not judged again yet';
  const help = CODES['A022']?.help ?? null;
  return [diagnostic('A022', message, { severity: 'warning', help })];
}

/** As `load`; why it failed is noted for `status`. */
export function loadOrNote(kernel: Kernel, paths: Paths, options: LoadOptions): Loaded {
  try {
    return load(kernel, paths, options);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const lastError = { time: options.now.toISOString(), message };
    // A first load that fails leaves no pins of the node's own either.
    const unused = pinnedGenerations(paths).length === 0 && enrolledIds(paths).length === 0;
    if (unused && existsSync(paths.pins)) removePinTree(paths.pins);
    writeState(paths, { ...readState(paths), lastError });
    throw error;
  }
}
