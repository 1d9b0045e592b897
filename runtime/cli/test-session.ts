/**
 * What `weft test --watch` keeps between its answers, so that a change runs what it may have changed: the
 * tests that read a changed file, and those that met a changed policy.
 */
import type { Bundle, Manifest, PolicyEntry } from '../../compiler/bundle/manifest.js';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { TestRun } from '../testing/index.js';
import { inputDigest } from './digest.js';

export interface FileRun extends TestRun {
  readonly diagnostics: readonly Diagnostic[];
}

/** A run of a file of tests, and what it depends on. */
export interface MetRun {
  readonly run: FileRun;
  /** Files that were read, as the project names them. */
  readonly reads: readonly string[];
  /** Bit per policy that a decision could ask. */
  readonly policies: bigint;
}

interface Kept extends MetRun {
  readonly digests: readonly (string | null)[];
}

/** A compiled file of tests with the digests of what it was compiled from. */
interface KeptModule<T> {
  readonly reads: readonly string[];
  readonly digests: readonly (string | null)[];
  readonly value: T;
}

/** What decisions depend on beside single policies. */
function rest({ manifest }: Pick<Bundle, 'manifest'>): string {
  const { policies, sites: _, cost: __, sources: ___, ...others } = manifest;
  return JSON.stringify([others, policies.map(({ name }) => name)]);
}

function policyText(bundle: Pick<Bundle, 'manifest' | 'wasm'>, policy: PolicyEntry): string {
  const { sites }: Pick<Manifest, 'sites'> = bundle.manifest;
  const own = sites.filter(({ file }) => file === policy.file);
  const wasm = Buffer.from(bundle.wasm.get(policy.name) ?? []).toString('latin1');
  return JSON.stringify([policy, own]) + wasm;
}

const ALL = -1n;

/** Bit per policy that two bundles of one project decide by differently. */
export function changedPolicies(
  before: Pick<Bundle, 'manifest' | 'wasm'>,
  now: Pick<Bundle, 'manifest' | 'wasm'>,
): bigint {
  if (rest(before) !== rest(now)) return ALL;
  let changed = 0n;
  for (const [i, policy] of now.manifest.policies.entries()) {
    const old = before.manifest.policies[i];
    if (old === undefined || policyText(before, old) !== policyText(now, policy)) {
      changed |= 1n << BigInt(policy.index);
    }
  }
  return changed;
}

export class TestSession {
  private readonly folder: string;
  private readonly kept = new Map<string, Kept>();
  private readonly modules = new Map<string, KeptModule<unknown>>();
  private last: { readonly bundle: Bundle; readonly setting: string } | null = null;
  private changed = ALL;

  /** `folder` is the project's. */
  constructor(folder: string) {
    this.folder = folder;
  }

  private digests(reads: readonly string[]): readonly (string | null)[] {
    return reads.map((path) => inputDigest(this.folder, path));
  }

  private isCurrent(kept: {
    readonly reads: readonly string[];
    readonly digests: readonly (string | null)[];
  }): boolean {
    return this.digests(kept.reads).every((digest, i) => digest === kept.digests[i]);
  }

  /** Begins an answer; `setting` is what else every test depends on. */
  begin(bundle: Bundle, setting: string): void {
    const same = this.last !== null && this.last.setting === setting;
    this.changed = this.last !== null && same ? changedPolicies(this.last.bundle, bundle) : ALL;
    this.last = { bundle, setting };
    // What a change touched is run by this answer, or by a later one that gets so far.
    for (const [file, { policies }] of this.kept) {
      if (this.changed === ALL || (policies & this.changed) !== 0n) this.kept.delete(file);
    }
  }

  /** The run of a file that nothing has changed since; null where it has to run. */
  unaffected(file: string): FileRun | null {
    const kept = this.kept.get(file);
    return kept !== undefined && this.isCurrent(kept) ? kept.run : null;
  }

  keep(file: string, met: MetRun): void {
    this.kept.set(file, { ...met, digests: this.digests(met.reads) });
  }

  /** What a file of tests compiles to, kept while what it read is the same. */
  async module<T>(
    file: string,
    compile: (onRead: (path: string) => void) => Promise<T>,
  ): Promise<T> {
    const known = this.modules.get(file);
    if (known !== undefined && this.isCurrent(known)) return known.value as T;
    const reads = new Set<string>();
    const value = await compile((path) => reads.add(path));
    const all = [...reads];
    this.modules.set(file, { reads: all, digests: this.digests(all), value });
    return value;
  }

  /** Every file that a test depends on, with its digest. */
  inputs(): ReadonlyMap<string, string | null> {
    const all = [...this.kept.values(), ...this.modules.values()].flatMap(({ reads }) => reads);
    return new Map(all.map((path) => [path, inputDigest(this.folder, path)]));
  }
}
