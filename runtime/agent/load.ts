/**
 * Loading a bundle: admit, stage, check, pin, fill the slots, write the state document, lay the bundle
 * down, activate, retire the oldest. Until the one write that activates, the running generation is
 * untouched; a failure before it removes what it made.
 */
import { existsSync } from 'node:fs';
import { encodeBundle } from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic, messageOf } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/types.js';
import { type Kernel, removePinTree } from '../kernel/index.js';
import type { TrustPolicy, Verified } from '../trust/index.js';
import { readActive, writeActive } from './active.js';
import { type Admission, admit, noteVersion } from './admit.js';
import { AgentError, isAgentError } from './agent-error.js';
import { CODES } from './codes.js';
import { enrolledIds } from './enrol.js';
import { inputsDigest } from './generation-inputs.js';
import {
  fillSlots,
  KEPT,
  nextGeneration,
  pinGeneration,
  pinnedGenerations,
  prune,
  retire,
} from './generations.js';
import type { JudgedConnections } from './judge-open.js';
import { layBundle, markGood } from './last-good.js';
import { ensureNode, type NodeMaps } from './node.js';
import { Owned } from './owned.js';
import type { Paths } from './paths.js';
import { openReplyCircuit } from './reply-circuit.js';
import { selfTest } from './self-test.js';
import { settleOpen } from './settle-open.js';
import { followSockops, judgesRequests } from './sockops.js';
import { keepSource } from './sources.js';
import { nodeCgroups, type Staged, stage } from './stage.js';
import {
  type GenerationRecord,
  readState,
  type State,
  summarizeManifest,
  writeState,
} from './state.js';
import type { LoadStep } from './steps.js';

export interface LoadOptions {
  readonly bundle: Bundle;
  readonly digest: string;
  /** The archive that the bundle came in; else it is encoded anew. */
  readonly archive?: Uint8Array;
  readonly world: World;
  /** The world is followed, not written by hand: see GenerationRecord. */
  readonly followed?: boolean;
  readonly now: Date;
  readonly clockOffset: bigint;
  /** Its signatures, and the trust policy that must accept them; null where this node has none. */
  readonly trust?: {
    readonly policy: TrustPolicy;
    readonly signatures: readonly string[];
    /** By what time the policy judges; now, unless the bundle was admitted before. */
    readonly asOf?: Date;
    /** It ran here and is kept: going back to it is no fall of versions. */
    readonly isKept?: boolean;
  } | null;
  /** As they came, to be kept with the bundle; those of `trust` unless told. */
  readonly signatures?: readonly string[];
  /** Told behind each step. */
  readonly onStep?: (step: LoadStep) => void;
  /** Requests between workloads of this node may go past TCP; where the kernel bounds what waits. */
  readonly shortCircuit?: boolean;
  /** Generations that stay loaded, 1 to MAX_KEPT; KEPT unless told. */
  readonly keep?: number;
}

export interface Loaded {
  readonly generation: number;
  readonly previous: number | null;
  /** What became of open connections; null where the bundle keeps them. */
  readonly open: JudgedConnections | null;
  /** Of the plan: the bundle in its world. */
  readonly diagnostics: readonly Diagnostic[];
  /** Who vouched for the bundle; null where nobody was asked. */
  readonly trust: Verified | null;
  /** Of the change from the generation before, and of signatures that did not count. */
  readonly ofChange: readonly Diagnostic[];
}

/** A bundle that this node takes: admitted, staged beside what runs. */
interface Prepared extends Disposable {
  readonly node: NodeMaps;
  readonly staged: Staged;
  readonly trust: Verified | null;
  readonly record: GenerationRecord;
  /** Of signatures that did not count. */
  readonly diagnostics: readonly Diagnostic[];
}

function recordOf(
  { generation, object, names }: Staged,
  { digest, now, bundle, trust: asked, followed = false }: LoadOptions,
  { trust, inputs }: Pick<GenerationRecord, 'trust' | 'inputs'>,
): GenerationRecord {
  return {
    ...{ generation, bundle: digest, inputs, trust, names },
    ...(followed ? { followed } : {}),
    loadedAt: (asked?.asOf ?? now).toISOString(),
    manifest: summarizeManifest(bundle.manifest),
    programs: object.programNames.map((name) => {
      const { id, tag } = object.program(name).info();
      return { name, id, tag };
    }),
  };
}

/** What is left of a change that failed must not hide why it failed. */
function attempt(undo: () => void): void {
  try {
    undo();
  } catch {
    // The next change clears up what this one could not.
  }
}

/** What fails behind the activation is told, and does not undo it. */
function warned(note: () => void): readonly Diagnostic[] {
  try {
    note();
    return [];
  } catch (error) {
    if (!isAgentError(error)) throw error;
    const { code, message, help } = error;
    return [diagnostic(code, message, { severity: 'warning', help })];
  }
}

/** Makes a staged generation the deciding one; on failure removes it again. */
function activate(
  kernel: Kernel,
  paths: Paths,
  {
    prepared: { node, staged, record },
    options,
  }: { readonly prepared: Prepared; readonly options: LoadOptions },
): void {
  const { generation } = staged;
  const { onStep = () => {}, bundle, digest, world, archive = encodeBundle(bundle) } = options;
  const signatures = options.signatures ?? options.trust?.signatures ?? [];
  const before: State = readState(paths);
  try {
    pinGeneration(paths, staged);
    onStep('pinned');
    if (judgesRequests(bundle.manifest)) keepSource(paths, generation, { archive, world });
    onStep('kept');
    fillSlots(node, staged);
    onStep('slotted');
    followSockops(kernel, paths);
    onStep('followed');
    const generations = [...before.generations, record];
    writeState(paths, { ...before, generations, lastError: null });
    onStep('recorded');
    layBundle(paths, { digest, bytes: archive, signatures });
    onStep('laid');
    writeActive(node.map('weft_active'), generation);
  } catch (error) {
    attempt(() => retire(node, paths, generation));
    attempt(() => writeState(paths, before));
    attempt(() => followSockops(kernel, paths));
    throw error;
  }
}

/** Who vouches for the bundle, where this node asks. Throws RefusedError, AgentError. */
export function admitted(
  paths: Paths,
  { bundle, digest, trust, now }: LoadOptions,
): Admission | null {
  if (trust === undefined || trust === null) return null;
  const { policy, signatures, asOf, isKept = false } = trust;
  const candidate = { name: bundle.manifest.name, digest, signatures };
  return admit(paths, candidate, { policy, now: asOf ?? now, isKept });
}

/**
 * Everything of a load that no traffic sees: admitted, staged beside what runs, checked. What older changes left
 * is cleared up first. Throws as `load`; then nothing is left.
 */
async function prepare(kernel: Kernel, paths: Paths, options: LoadOptions): Promise<Prepared> {
  const { onStep = () => {}, bundle, world, clockOffset, shortCircuit = false } = options;
  const admission = admitted(paths, options);
  const trust =
    admission === null ? null : { signers: admission.signers, version: admission.version };
  onStep('admitted');
  if (shortCircuit && !kernel.chargesRedirects()) throw tooOldForShortCircuit();
  const owned = new Owned();
  try {
    const node = owned.add(ensureNode(kernel, paths));
    if (shortCircuit) openReplyCircuit(kernel, paths, node);
    prune(node, paths, options.keep ?? KEPT);
    const cgroups = nodeCgroups(paths, world);
    const generation = nextGeneration(paths, readActive(node.map('weft_active')));
    const staged = owned.add(
      stage(kernel, bundle, world, {
        ...{ generation, cgroups, clockOffset, shortCircuit },
        nodeMaps: node.all(),
      }),
    );
    onStep('staged');
    await selfTest(kernel, bundle);
    onStep('checked');
    const inputs = inputsDigest({ digest: options.digest, world, cgroups, shortCircuit });
    return {
      ...{ node, staged, trust, record: recordOf(staged, options, { trust, inputs }) },
      diagnostics: admission?.diagnostics ?? [],
      [Symbol.dispose]: () => owned[Symbol.dispose](),
    };
  } catch (error) {
    owned[Symbol.dispose]();
    throw error;
  }
}

/**
 * Loads and activates a bundle; call it under `withLock`. Throws RefusedError, PlanError, SelfTestError,
 * AgentError, KernelError or VerifierError; then the generation that ran runs on.
 */
export async function load(kernel: Kernel, paths: Paths, options: LoadOptions): Promise<Loaded> {
  const { onStep = () => {}, bundle, digest } = options;
  using prepared = await prepare(kernel, paths, options);
  const { node, staged, trust, record } = prepared;
  const previous = readActive(node.map('weft_active'));
  activate(kernel, paths, { prepared, options });
  onStep('activated');
  const { name } = bundle.manifest;
  const late: Diagnostic[] = [];
  late.push(...warned(() => markGood(paths, { digest, name, admittedAt: record.loadedAt })));
  onStep('saved');
  if (trust !== null) late.push(...warned(() => noteVersion(paths, name, trust.version)));
  onStep('noted');
  const { open, diagnostics } = await settleOpen(kernel, paths);
  onStep('judged');
  prune(node, paths, options.keep ?? KEPT);
  followSockops(kernel, paths);
  onStep('pruned');
  return {
    generation: staged.generation,
    previous,
    trust,
    open,
    diagnostics: staged.plan.diagnostics,
    ofChange: [...prepared.diagnostics, ...late, ...diagnostics],
  };
}

function tooOldForShortCircuit(): AgentError {
  const message =
    'this kernel does not count what is redirected into a socket, so nothing bounds it';
  return new AgentError('A025', message, CODES['A025']?.help ?? null);
}

/** As `load`; why it failed is noted for `status`. */
export async function loadOrNote(
  kernel: Kernel,
  paths: Paths,
  options: LoadOptions,
): Promise<Loaded> {
  try {
    return await load(kernel, paths, options);
  } catch (error) {
    noteFailure(paths, options.now, error);
    throw error;
  }
}

/** All of a load but the activation, for a bundle that is not to decide; throws as `load` does. */
export async function tryLoad(kernel: Kernel, paths: Paths, options: LoadOptions): Promise<void> {
  try {
    (await prepare(kernel, paths, options))[Symbol.dispose]();
  } catch (error) {
    noteFailure(paths, options.now, error);
    throw error;
  }
}

function noteFailure(paths: Paths, now: Date, error: unknown): void {
  const message = messageOf(error);
  attempt(() => {
    // A first load that fails leaves no pins of the node's own either.
    const unused = pinnedGenerations(paths).length === 0 && enrolledIds(paths).length === 0;
    if (unused && existsSync(paths.pins)) removePinTree(paths.pins);
  });
  attempt(() => {
    const lastError = { time: now.toISOString(), message };
    writeState(paths, { ...readState(paths), lastError });
  });
}
