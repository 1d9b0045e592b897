/**
 * Bundles where they lie: a file, an image layout, a registry. Reads and writes images as bytes, and
 * the signatures beside them: of a file in FILE.sigstore.jsonl, one a line; elsewhere as artifacts
 * that refer to the bundle.
 */
import { readFileSync, rmSync, statSync } from 'node:fs';
import {
  encodeArchive,
  type Image,
  MAX_BUNDLE_BYTES,
  readArchive,
} from '../../compiler/bundle/index.js';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import {
  type Access,
  addLayoutSignatures,
  ImageError,
  openRegistry,
  type Place,
  pullImage,
  pullSignatures,
  pushImage,
  pushSignatures,
  readLayoutImage,
  readLayoutSignatures,
  writeLayoutImage,
} from '../registry/index.js';
import { signatureFile, signaturesBeside } from '../trust/index.js';
import { flagOption, type Input, textOption } from './command-spec.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { readFault, writeFault } from './file-fault.js';
import { writeAtomic } from './write-atomic.js';

/** How registries are reached where a verb has no options for it. */
export function plainAccess(env: Env): Access {
  return { env: env.env, ca: null, plainHttp: 'never', signal: env.signal };
}

/** The same, by the options of a verb that say where TLS is not asked for. */
export function plainHttpAccess(env: Env, input: Input): Access {
  const isAnywhere = flagOption(input, 'plainHttpAnywhere');
  const isLocal = flagOption(input, 'plainHttp');
  return {
    ...plainAccess(env),
    plainHttp: isAnywhere ? 'anywhere' : isLocal ? 'loopback' : 'never',
  };
}

/** How registries are reached, by the options of a verb. Throws CliError. */
export function accessOf(env: Env, input: Input): Access {
  const ca = textOption(input, 'ca');
  return {
    ...plainHttpAccess(env, input),
    ca: ca === null ? null : readSmall(env, ca).toString('utf8'),
  };
}

/** Bytes of a file of keys, certificates or signatures. */
export const MAX_SMALL_FILE = 8388608;

/** A small file that the user named. Throws CliError U010. */
export function readSmall(env: Env, shown: string): Buffer {
  return readLimited(pathIn(env, shown), shown, MAX_SMALL_FILE);
}

function readLimited(path: string, shown: string, limit: number): Buffer {
  try {
    const { size } = statSync(path);
    if (size <= limit) return readFileSync(path);
    const message = `\`${shown}\` has ${size} bytes, more than ${limit}`;
    throw new CliError([diagnostic('U020', message)], EXIT.failure);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError([readFault(shown, error)], EXIT.failure);
  }
}

/** Throws CliError with where it was: a bundle that is none, is altered, or is not whole. */
export function refuseBundle(findings: readonly Diagnostic[], shown: string): never {
  throw new CliError(
    findings.map((d) => ({ ...d, file: d.file ?? shown })),
    EXIT.integrity,
  );
}

function damaged<T>(shown: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ImageError) refuseBundle(error.diagnostics, shown);
    throw error;
  }
}

/** Bytes of an archive as a file holds them. Throws CliError. */
export function readArchiveFile(env: Env, path: string): Uint8Array {
  return readLimited(pathIn(env, path), path, MAX_BUNDLE_BYTES);
}

/** The image at a place. Rejects with CliError, RegistryError. */
export async function readPlace(
  env: Env,
  place: Place,
  { shown, access }: { readonly shown: string; readonly access: Access },
): Promise<Image> {
  if (place.kind === 'file') {
    const read = readArchive(readArchiveFile(env, place.path), place.name);
    return read.ok ? read.image : refuseBundle(read.diagnostics, shown);
  }
  if (place.kind === 'layout') {
    return damaged(shown, () => readLayoutImage(pathIn(env, place.path), place.name));
  }
  try {
    return await pullImage(openRegistry(place.reference, access), place.reference);
  } catch (error) {
    if (error instanceof ImageError) refuseBundle(error.diagnostics, shown);
    throw error;
  }
}

/** Writes an image to a place, whole or not at all. Rejects with CliError, RegistryError. */
export async function writePlace(
  env: Env,
  place: Place,
  { image, access }: { readonly image: Image; readonly access: Access },
): Promise<{ readonly sent: number; readonly there: number } | null> {
  if (place.kind === 'registry') {
    return pushImage(openRegistry(place.reference, access), place.reference, image);
  }
  try {
    if (place.kind === 'layout') writeLayoutImage(pathIn(env, place.path), place.name, image);
    else {
      writeAtomic(pathIn(env, place.path), encodeArchive(image, place.name));
      // Those that lay there are of another bundle; until the new ones come it counts as unsigned.
      rmSync(pathIn(env, signatureFile(place.path)), { force: true });
    }
  } catch (error) {
    // The layout is at fault, not the bundle that should go into it.
    if (error instanceof ImageError) refuseBundle(error.diagnostics, `oci:${place.path}`);
    throw unwritten(place.path, error);
  }
  return null;
}

function unwritten(path: string, error: unknown): unknown {
  const isSystem = error instanceof Error && 'errno' in error;
  return isSystem ? new CliError([writeFault(path, error)], EXIT.failure) : error;
}

/** The signatures of a bundle at a place, as they are found. Rejects with CliError, RegistryError. */
export async function readSignatures(
  env: Env,
  place: Place,
  { digest, access }: { readonly digest: string; readonly access: Access },
): Promise<readonly string[]> {
  if (place.kind === 'registry') {
    return pullSignatures(openRegistry(place.reference, access), digest);
  }
  if (place.kind === 'layout') return readLayoutSignatures(pathIn(env, place.path), digest);
  return signaturesBeside(pathIn(env, place.path));
}

/** Adds signatures to those of a bundle at a place. Rejects with CliError, RegistryError. */
export async function addSignatures(
  env: Env,
  place: Place,
  {
    image,
    signatures,
    access,
  }: { readonly image: Image; readonly signatures: readonly string[]; readonly access: Access },
): Promise<void> {
  if (signatures.length === 0) return;
  const subject = { digest: image.digest, size: image.manifest.length };
  if (place.kind === 'registry') {
    await pushSignatures(openRegistry(place.reference, access), subject, signatures);
    return;
  }
  try {
    if (place.kind === 'layout') {
      addLayoutSignatures(pathIn(env, place.path), subject, signatures);
      return;
    }
    const path = signatureFile(place.path);
    const before = await readSignatures(env, place, { digest: image.digest, access });
    const all = [...new Set([...before, ...signatures])];
    writeAtomic(pathIn(env, path), `${all.join('\n')}\n`);
  } catch (error) {
    throw unwritten(place.path, error);
  }
}
