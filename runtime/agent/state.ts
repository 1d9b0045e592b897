/**
 * The state document: names for what the pins hold (bundle, policies, sites, workloads), so that
 * `status` and `events` can speak after the loader has exited. What is enforced is read from the
 * pins; this document is never the authority on it. Written by rename, so readers see whole ones.
 */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest, PolicyEntry } from '../../compiler/bundle/manifest.js';
import type { Verified } from '../trust/index.js';
import { AgentError } from './agent-error.js';
import type { JudgedConnections } from './judge-open.js';
import type { Paths } from './paths.js';
import { writeAtomic } from './write-atomic.js';

/** A manifest without what only the simulator and the compiler need. */
export interface ManifestSummary {
  readonly name: string;
  readonly policies: readonly Omit<PolicyEntry, 'tables' | 'cidrs' | 'ports' | 'patterns'>[];
  readonly routes: Manifest['routes'];
  readonly sites: Manifest['sites'];
  readonly default: Manifest['default'];
  /** Absent in what an older version wrote. */
  readonly onChange?: Manifest['onChange'];
}

export interface NamedWorkload {
  readonly name: string;
  readonly principal: string | null;
  readonly cgroup: string | null;
}

/** Names by the numbers that the kernel's records carry. */
export interface Names {
  readonly services: readonly string[];
  readonly clusters: readonly string[];
  readonly workloads: readonly NamedWorkload[];
}

export interface GenerationRecord {
  readonly generation: number;
  readonly bundle: string; // sha256:…
  /** Digest of all that it was made of; see generation-inputs.ts. */
  readonly inputs: string;
  /** Its world is followed: a newer one of the same bundle takes its place. */
  readonly followed?: true;
  readonly loadedAt: string;
  /** Who vouched for the bundle; null where no trust policy asked. */
  readonly trust: Verified | null;
  readonly manifest: ManifestSummary;
  readonly names: Names;
  readonly programs: readonly {
    readonly name: string;
    readonly id: number;
    readonly tag: string;
  }[];
}

export interface EnrolmentRecord {
  readonly cgroupId: string;
  readonly cgroup: string;
  readonly workload: string | null;
}

export interface State {
  readonly schemaVersion: 1;
  readonly generations: readonly GenerationRecord[];
  /** The highest generation that ran, where a way back left it; absent where none did. */
  readonly highest?: number;
  readonly enrolled: readonly EnrolmentRecord[];
  /** What became of open connections when it was last seen to; absent where it never was. */
  readonly open?: JudgedConnections;
  readonly lastError: { readonly time: string; readonly message: string } | null;
}

const EMPTY: State = { schemaVersion: 1, generations: [], enrolled: [], lastError: null };

function file(paths: Paths): string {
  return join(paths.run, 'state.json');
}

/**
 * The document that was read last: each look at a node asks for it several times, and with ten thousand workloads
 * it takes longer to read than all else. Each write makes another file.
 */
let last: { readonly is: string; readonly state: State } | null = null;

/** The document of this node, empty where none was written. Throws A005 where it is not one. */
export function readState(paths: Paths): State {
  const before = statSync(file(paths), { bigint: true, throwIfNoEntry: false });
  if (before === undefined) return EMPTY;
  const is = [file(paths), before.dev, before.ino, before.mtimeNs, before.size].join(' ');
  if (last?.is === is) return last.state;
  // The one before is not held beside the new one.
  last = null;
  const state = parseState(paths);
  last = { is, state };
  return state;
}

function parseState(paths: Paths): State {
  let text: string;
  try {
    text = readFileSync(file(paths), 'utf8');
  } catch {
    return EMPTY;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'generations' in value)
      return value as State;
  } catch (cause) {
    throw damaged(paths, cause);
  }
  throw damaged(paths, null);
}

function damaged(paths: Paths, cause: unknown): AgentError {
  const message = `the state document \`${file(paths)}\` cannot be read`;
  return new AgentError('A005', message, 'run `weft unload`, then load again', { cause });
}

/** Replaces the document. Throws A031; then the one before stays. */
export function writeState(paths: Paths, state: State): void {
  writeAtomic(file(paths), JSON.stringify(state));
}

/** Removes the document; harmless where there is none. */
export function removeState(paths: Paths): void {
  rmSync(file(paths), { force: true });
  rmSync(`${file(paths)}.new`, { force: true });
}

/** The part of a manifest that a state document keeps. */
export function summarizeManifest(manifest: Manifest): ManifestSummary {
  return {
    name: manifest.name,
    policies: manifest.policies.map(
      ({ tables: _, cidrs: __, ports: ___, patterns: ____, ...rest }) => rest,
    ),
    routes: manifest.routes,
    sites: manifest.sites,
    default: manifest.default,
    onChange: manifest.onChange,
  };
}
