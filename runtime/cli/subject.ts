/**
 * What a verb works on: a bundle (a file, an image layout, or one in a registry), or a project folder
 * built in memory. Either way a bundle with its digest, and the world that goes with it.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  bundleDigest,
  type DecodeOutcome,
  decodeBundle,
  decodeImage,
  MAX_BUNDLE_BYTES,
} from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/types.js';
import type { Access } from '../registry/index.js';
import { type Env, pathIn, STDIN } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { readFault } from './file-fault.js';

export interface Subject {
  readonly bundle: Bundle;
  readonly digest: string;
  /** Warnings of the build; none for a file. */
  readonly diagnostics: readonly Diagnostic[];
  /** The world of the project; null for a file. */
  readonly world: World | null;
  readonly sources: (file: string) => string | null;
}

/** A decoded bundle as a subject. Throws CliError where it did not decode. */
export function subjectOf(decoded: DecodeOutcome, shown: string): Subject {
  if (!decoded.ok) {
    const findings = decoded.diagnostics.map((d) => ({ ...d, file: d.file ?? shown }));
    throw new CliError(findings, EXIT.integrity);
  }
  const { bundle, digest } = decoded;
  const sources = (file: string): string | null => bundle.manifest.sources[file] ?? null;
  return { bundle, digest, diagnostics: [], world: null, sources };
}

function readBundle(path: string, shown: string): Subject {
  const { size } = statSync(path);
  // As the decoder says it, before the file is read.
  if (size > MAX_BUNDLE_BYTES) {
    const message = `the archive has ${size} bytes, more than ${MAX_BUNDLE_BYTES}`;
    return subjectOf({ ok: false, diagnostics: [diagnostic('B106', message)] }, shown);
  }
  try {
    return subjectOf(decodeBundle(readFileSync(path)), shown);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError([readFault(shown, error)], EXIT.failure);
  }
}

export interface SubjectOptions {
  /** How registries are reached. */
  readonly access?: Access;
  /** Builds a folder anew, and keeps nothing of it. */
  readonly isFresh?: boolean;
}

/**
 * Opens a bundle or builds a project folder. Throws CliError: findings, damage, or neither of the two;
 * RegistryError.
 */
export async function openSubject(
  env: Env,
  shown: string,
  options: SubjectOptions = {},
): Promise<Subject> {
  const path = pathIn(env, shown);
  if (shown === STDIN) {
    const help = 'name the project first, as `. -`';
    throw new CliError(
      [diagnostic('U013', 'a bundle is not read from stdin', { help })],
      EXIT.usage,
    );
  }
  if (!existsSync(path)) {
    const { parsePlace } = await import('../registry/index.js');
    const place = parsePlace(shown);
    if (place.kind !== 'file' || place.path !== shown) {
      const { plainAccess, readPlace } = await import('./bundle-place.js');
      const how = { shown, access: options.access ?? plainAccess(env) };
      return subjectOf(decodeImage(await readPlace(env, place, how)), shown);
    }
    const message = `\`${shown}\` does not exist`;
    throw new CliError([diagnostic('U010', message, { help: 'check the path' })], EXIT.failure);
  }
  if (!statSync(path).isDirectory()) {
    if (/\.(ts|ya?ml)$/.test(path)) {
      const help = `name the project first, as \`. ${shown}\``;
      const message = `\`${shown}\` is a file of a project, no bundle`;
      throw new CliError([diagnostic('U013', message, { help })], EXIT.usage);
    }
    return readBundle(path, shown);
  }
  if (!existsSync(join(path, 'weft.json'))) {
    const message = `\`${shown}\` holds no weft.json`;
    const help =
      'name a project folder, a file written by `weft build`, `oci:DIR`, or HOST/REPOSITORY:TAG';
    throw new CliError([diagnostic('U013', message, { help })], EXIT.failure);
  }
  const isFresh = options.isFresh ?? false;
  const { openKept } = await import('./kept-subject.js');
  const kept = isFresh ? null : openKept(env, shown);
  if (kept !== null) return kept;
  const { buildProject } = await import('./build-project.js');
  const built = await buildProject(env, shown, { isKept: !isFresh });
  return { ...built, digest: bundleDigest(built.bundle) };
}

/** Reads a world file. Throws CliError with its findings. */
export async function openWorld(env: Env, shown: string): Promise<World> {
  const { readWorld } = await import('../discovery/index.js');
  const text = readText(env, shown);
  const read = readWorld(text, shown);
  if (read.world === null) {
    throw new CliError(read.diagnostics, EXIT.findings, (file) => (file === shown ? text : null));
  }
  return read.world;
}

/** Text of a file that the user named. Throws CliError U010. */
export function readText(env: Env, shown: string): string {
  try {
    return readFileSync(pathIn(env, shown), 'utf8');
  } catch (error) {
    throw new CliError([readFault(shown, error)], EXIT.failure);
  }
}

/** The world given with `--world`, else that of the project. Throws CliError where there is neither. */
export async function worldOf(env: Env, subject: Subject, shown: string | null): Promise<World> {
  if (shown !== null) return openWorld(env, shown);
  if (subject.world !== null) return subject.world;
  const message = 'there is no world: a bundle file brings none, nor a weft.json without `world`';
  const help = 'give one with `--world FILE`, or name it in weft.json';
  throw new CliError([diagnostic('U003', message, { help })], EXIT.usage);
}
