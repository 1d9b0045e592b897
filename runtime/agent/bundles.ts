/**
 * What this node runs, as whoever brings bundles sees it (a control plane, the command line, a restart):
 * a bundle is verified, staged, checked and activated, or refused and nothing changes. All of it goes by
 * `load`; the last good bundle lies on disk, and a start brings that one and what is pinned together.
 */
import { decodeBundle } from '../../compiler/bundle/index.js';
import type { World } from '../discovery/types.js';
import type { Kernel } from '../kernel/index.js';
import { RefusedError, signatureLines, type TrustPolicy } from '../trust/index.js';
import { readActive } from './active.js';
import { type ActiveBundle, activeBundle, activeOf } from './active-bundle.js';
import { followChain } from './chain.js';
import { inputsDigest } from './generation-inputs.js';
import { pinnedGenerations, wholeActive } from './generations.js';
import {
  type GoodBundle,
  isLaid,
  laidSignatures,
  layBundle,
  markGood,
  readGood,
} from './last-good.js';
import { admitted, type Loaded, type LoadOptions, loadOrNote, tryLoad } from './load.js';
import { withLock } from './lock.js';
import { hasNode, openNode, sweepNode } from './node.js';
import type { Paths } from './paths.js';
import { type Refusal, refusalOf } from './refusal.js';
import { type RolledBack, rollback } from './rollback.js';
import { settleOpen } from './settle-open.js';
import { nodeCgroups } from './stage.js';
import { type GenerationRecord, readState, writeState } from './state.js';
import { type NodeStatus, nodeStatus } from './status.js';
import type { LoadStep } from './steps.js';

/** What became of a bundle; where it was refused, what ran runs on. */
export type Applied = { readonly ok: true; readonly generation: number } | Refusal;

export interface NodeBundlesOptions {
  readonly kernel: Kernel;
  readonly paths: Paths;
  /** The world of this node, asked anew for each bundle. */
  readonly world: () => World;
  /** That world is followed, not written by hand. */
  readonly followed?: boolean;
  /** The trust policy of this node, asked anew for each bundle; null where it has none. */
  readonly trust: () => TrustPolicy | null;
  readonly now: () => Date;
  readonly clockOffset: () => bigint;
  readonly shortCircuit?: boolean;
  /** Generations that stay loaded. */
  readonly keep?: number;
  /** Told behind each step of a load. */
  readonly onStep?: (step: LoadStep) => void;
}

export interface NodeBundles {
  /**
   * Verifies, stages, checks, and activates (`enforce`) or releases (`shadow`: the generation in the
   * answer is the one that runs, 0 where none does). Signatures as a file of them holds them, one a
   * line. Rejects only for faults of ours.
   */
  apply(
    bundle: Uint8Array,
    signatures: Uint8Array | null,
    mode: 'enforce' | 'shadow',
  ): Promise<Applied>;
  /**
   * As `apply` with `enforce`: what runs already stays, a generation that is kept is gone back to, anything
   * else is loaded. Rejects with what `load` throws, and RefusedError (B1xx) where the bytes
   * are no bundle.
   */
  adopt(bundle: Uint8Array, signatures: readonly string[]): Promise<Adopted>;
  /** At a start: what is pinned, where it is whole and the last good bundle; else that one is loaded. Null where this node never ran one. */
  boot(): Promise<Applied | null>;
  /** As the verb. Rejects with AgentError A013, A029, KernelError. */
  rollback(to?: number): Promise<RolledBack>;
  /** What decides now, whoever activated it. */
  active(): ActiveBundle | null;
  status(): NodeStatus;
  /** What bundles are loaded in, here and now. */
  world(): Promise<World>;
}

/** `loaded` is null where the bundle was loaded already, in the same world. */
export interface Adopted extends ActiveBundle {
  readonly loaded: Loaded | null;
}

type Brought = Pick<GoodBundle, 'bytes' | 'signatures'> & { readonly asOf?: Date };

class Bundles implements NodeBundles {
  readonly #options: NodeBundlesOptions;

  constructor(options: NodeBundlesOptions) {
    this.#options = options;
  }

  async apply(
    bytes: Uint8Array,
    signed: Uint8Array | null,
    mode: 'enforce' | 'shadow',
  ): Promise<Applied> {
    const { kernel, paths } = this.#options;
    const signatures = signed === null ? [] : signatureLines(new TextDecoder().decode(signed));
    return this.#answer(async () => {
      if (mode === 'enforce') return this.adopt(bytes, signatures);
      const options = this.#loadOptions({ bytes, signatures });
      await withLock(paths, () => tryLoad(kernel, paths, options));
      return { generation: this.active()?.generation ?? 0 };
    });
  }

  async adopt(bytes: Uint8Array, signatures: readonly string[]): Promise<Adopted> {
    const { paths } = this.#options;
    return withLock(paths, () => this.#adopt({ bytes, signatures }));
  }

  async boot(): Promise<Applied | null> {
    const { paths } = this.#options;
    const applied = await this.#answer(() =>
      withLock(paths, async () => {
        const good = this.#settle();
        if (good === null) return this.active() ?? { generation: 0 };
        const { bytes, signatures, admittedAt } = good;
        // It was admitted here: neither a clock that is wrong nor a key that has run out since stops it.
        return this.#adopt({ bytes, signatures, asOf: admittedAt });
      }),
    );
    return applied.ok && applied.generation === 0 ? null : applied;
  }

  async rollback(to?: number): Promise<RolledBack> {
    const { kernel, paths } = this.#options;
    return withLock(paths, () => rollback(kernel, paths, { to: to ?? null }));
  }

  active(): ActiveBundle | null {
    return activeBundle(this.#options.kernel, this.#options.paths);
  }

  async world(): Promise<World> {
    return this.#options.world();
  }

  status(): NodeStatus {
    return nodeStatus(this.#options.kernel, this.#options.paths);
  }

  /** The answer to a change that may be refused. */
  async #answer(change: () => Promise<{ readonly generation: number }>): Promise<Applied> {
    try {
      const { generation } = await change();
      return { ok: true, generation };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      return refusal;
    }
  }

  async #adopt(brought: Brought): Promise<Adopted> {
    const { kernel, paths } = this.#options;
    const options = this.#loadOptions(brought);
    const running = this.#running(options);
    if (running !== null) {
      this.#vouchAnew(running, options);
      // A change that died behind its activation may not have come so far.
      await settleOpen(kernel, paths);
      return { ...activeOf(running), loaded: null };
    }
    const kept = this.#kept(options);
    if (kept !== null) {
      const { record } = await rollback(kernel, paths, { to: kept.generation });
      return { ...activeOf(record), loaded: null };
    }
    const loaded = await loadOrNote(kernel, paths, options);
    const { digest, bundle } = options;
    return { generation: loaded.generation, digest, name: bundle.manifest.name, loaded };
  }

  /**
   * What runs came again with other signatures: they are asked like those of a new bundle, and kept with it, so
   * that a start finds them and `status` names who vouches now. Refused, those from before stay.
   */
  #vouchAnew({ generation }: GenerationRecord, options: LoadOptions): void {
    const { paths } = this.#options;
    const { digest, archive, signatures = [] } = options;
    const laid = laidSignatures(paths, digest);
    if (archive === undefined || laid?.join('\n') === signatures.join('\n')) return;
    const admission = admitted(paths, options);
    layBundle(paths, { digest, bytes: archive, signatures });
    if (admission === null) return;
    const trust = { signers: admission.signers, version: admission.version };
    const state = readState(paths);
    const generations = state.generations.map((g) =>
      g.generation === generation ? { ...g, trust } : g,
    );
    writeState(paths, { ...state, generations });
  }

  #loadOptions({ bytes, signatures, asOf }: Brought): LoadOptions {
    const { paths, world, trust, now, clockOffset, shortCircuit = false, keep } = this.#options;
    const { onStep, followed = false } = this.#options;
    const decoded = decodeBundle(bytes);
    if (!decoded.ok) throw new RefusedError(decoded.diagnostics);
    const policy = trust();
    const isKept = readState(paths).generations.some((g) => g.bundle === decoded.digest);
    const judged = { signatures, isKept, ...(asOf === undefined ? {} : { asOf }) };
    return {
      ...{ bundle: decoded.bundle, digest: decoded.digest, archive: bytes, signatures },
      ...{ world: world(), followed, now: now(), clockOffset: clockOffset(), shortCircuit },
      trust: policy === null ? null : { policy, ...judged },
      ...(keep === undefined ? {} : { keep }),
      ...(onStep === undefined ? {} : { onStep }),
    };
  }

  /** A generation that is kept, where a load would only make the same again: a way back leads there. */
  #kept({ digest, world, shortCircuit = false }: LoadOptions): GenerationRecord | null {
    const { kernel, paths } = this.#options;
    if (!hasNode(paths)) return null;
    using node = openNode(kernel, paths);
    const inputs = inputsDigest({
      ...{ digest, world, shortCircuit },
      cgroups: nodeCgroups(paths, world),
    });
    const pinned = pinnedGenerations(paths);
    const found = readState(paths).generations.find(
      (g) => g.inputs === inputs && pinned.includes(g.generation),
    );
    if (found === undefined || readActive(node.map('weft_active')) === null) return null;
    return followChain(kernel, { node, paths }, found).breaks.length === 0 ? found : null;
  }

  /** The generation that runs, where a load would only make the same again. */
  #running({ digest, world, shortCircuit = false }: LoadOptions): GenerationRecord | null {
    const { kernel, paths } = this.#options;
    if (!hasNode(paths)) return null;
    using node = openNode(kernel, paths);
    const record = wholeActive(kernel, paths, node);
    const cgroups = nodeCgroups(paths, world);
    const inputs = inputsDigest({ digest, world, cgroups, shortCircuit });
    return record?.inputs === inputs ? record : null;
  }

  /**
   * The last good bundle. Where a change died between its activation and the note of it, that is the one
   * which the kernel runs.
   */
  #settle(): GoodBundle | null {
    const { kernel, paths } = this.#options;
    const good = readGood(paths);
    if (!hasNode(paths)) return good;
    sweepNode(paths);
    using node = openNode(kernel, paths);
    const record = wholeActive(kernel, paths, node);
    if (record === null || record.bundle === good?.digest || !isLaid(paths, record.bundle)) {
      return good;
    }
    const { bundle: digest, loadedAt: admittedAt, manifest } = record;
    markGood(paths, { digest, name: manifest.name, admittedAt });
    return readGood(paths);
  }
}

/** What this node runs; holds nothing open between its calls. */
export function openNodeBundles(options: NodeBundlesOptions): NodeBundles {
  return new Bundles(options);
}
