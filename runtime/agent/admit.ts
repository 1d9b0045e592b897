/**
 * Whether a bundle may run on this node: what its trust policy says, held against the highest version
 * that ran here. That one is kept where a restart does not forget it; what is loaded also says it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import {
  RefusedError,
  readTrustFile,
  type TrustPolicy,
  type Verified,
  verifyBundle,
} from '../trust/index.js';
import { AgentError } from './agent-error.js';
import { CODES } from './codes.js';
import type { Paths } from './paths.js';
import { readState } from './state.js';
import { writeAtomic } from './write-atomic.js';

/** The trust policy that holds where none is named. */
export function trustFile(paths: Paths): string {
  return join(paths.etc, 'trust.json');
}

/** The trust policy of a load: the one that is named, else the node's own; null where there is neither. */
export function trustPolicyOf(
  paths: Paths,
  named: { readonly path: string; readonly shown: string } | null,
): TrustPolicy | null {
  if (named !== null) return readTrustFile(named.path, named.shown);
  const own = trustFile(paths);
  return existsSync(own) ? readTrustFile(own, own) : null;
}

function versionFile(paths: Paths): string {
  return join(paths.lib, 'versions.json');
}

function damaged(paths: Paths, cause: unknown): AgentError {
  const message = `the record of versions \`${versionFile(paths)}\` cannot be read`;
  return new AgentError('A027', message, CODES['A027']?.help ?? null, { cause });
}

/** Highest versions that ran here, by the name of the bundle. Throws A027. */
function readVersions(paths: Paths): ReadonlyMap<string, number> {
  let text: string;
  try {
    text = readFileSync(versionFile(paths), 'utf8');
  } catch (cause) {
    // Any other reason than that there is none must not pass for it.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return new Map();
    throw damaged(paths, cause);
  }
  try {
    const entries = Object.entries(JSON.parse(text));
    const versions = entries.map(([name, version]): [string, number] => {
      if (!Number.isSafeInteger(version)) throw new Error(`no version of ${name}`);
      return [name, Number(version)];
    });
    return new Map(versions);
  } catch (cause) {
    throw damaged(paths, cause);
  }
}

/** The highest version of a bundle of a name that ran here; null where none did. Throws A027. */
export function versionFloor(paths: Paths, name: string): number | null {
  // A load that died behind its activation has noted it in the state document alone.
  const loaded = readState(paths).generations.flatMap((g) =>
    g.manifest.name === name && g.trust !== null ? [g.trust.version] : [],
  );
  const known = readVersions(paths).get(name);
  const all = known === undefined ? loaded : [known, ...loaded];
  return all.length === 0 ? null : Math.max(...all);
}

/** Notes that a version runs; older ones are refused from now on. Throws A027, A031. */
export function noteVersion(paths: Paths, name: string, version: number): void {
  const versions = new Map(readVersions(paths));
  if ((versions.get(name) ?? -1) >= version) return;
  versions.set(name, version);
  writeAtomic(versionFile(paths), JSON.stringify(Object.fromEntries(versions)), { flush: true });
}

export interface Candidate {
  readonly name: string;
  readonly digest: string;
  readonly signatures: readonly string[];
}

export interface Admission extends Verified {
  /** Signatures that did not count. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Admits a bundle by a trust policy; call it under the lock. Throws RefusedError (V1xx), A027. */
export function admit(
  paths: Paths,
  candidate: Candidate,
  {
    policy,
    now,
    isKept,
  }: { readonly policy: TrustPolicy; readonly now: Date; readonly isKept: boolean },
): Admission {
  const floor = isKept ? null : versionFloor(paths, candidate.name);
  const verification = verifyBundle(candidate, { policy, now, floor });
  if (!verification.ok) throw new RefusedError(verification.diagnostics);
  return { ...verification.verified, diagnostics: verification.diagnostics };
}
