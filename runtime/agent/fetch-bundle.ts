/** A bundle that an agent is started with: a file, an image layout, or a registry's. */
import { existsSync, readFileSync } from 'node:fs';
import { encodeArchive } from '../../compiler/bundle/index.js';
import {
  ImageError,
  openRegistry,
  parsePlace,
  pullImage,
  pullSignatures,
  readLayoutImage,
  readLayoutSignatures,
} from '../registry/index.js';
import { RefusedError, signaturesBeside } from '../trust/index.js';

export interface FetchedBundle {
  /** As a file holds it. */
  readonly bytes: Uint8Array;
  readonly signatures: readonly string[];
}

/** Plain HTTP is for verbs that are told so: a node asks nobody who cannot prove who they are. */
async function fetch(
  shown: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<FetchedBundle> {
  const place = existsSync(shown) ? ({ kind: 'file', path: shown } as const) : parsePlace(shown);
  if (place.kind === 'file')
    return { bytes: readFileSync(place.path), signatures: signaturesBeside(place.path) };
  if (place.kind === 'layout') {
    const image = readLayoutImage(place.path, place.name);
    const signatures = readLayoutSignatures(place.path, image.digest);
    return { bytes: encodeArchive(image), signatures };
  }
  const signal = new AbortController().signal;
  const access = { env, ca: null, plainHttp: 'never', signal } as const;
  const registry = openRegistry(place.reference, access);
  const image = await pullImage(registry, place.reference);
  const signatures = await pullSignatures(registry, image.digest);
  return { bytes: encodeArchive(image), signatures };
}

/** Fetches it with its signatures. Rejects with RefusedError where it is none, RegistryError, and errors of the file system. */
export async function fetchBundle(
  shown: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<FetchedBundle> {
  try {
    return await fetch(shown, env);
  } catch (error) {
    throw error instanceof ImageError ? new RefusedError(error.diagnostics) : error;
  }
}
