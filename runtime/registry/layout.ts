/**
 * Bundles and their signatures in a folder: an OCI image layout, as skopeo's `oci:DIR`. Blobs are
 * written first and by rename, the index last: a reader finds the old content or the new one.
 */
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  digestOf,
  field,
  type Image,
  knowLayout,
  MAX_BLOB_BYTES,
  MAX_IMAGE_MANIFEST_BYTES,
  MEDIA_TYPE,
  OCI_INDEX_FILE,
  OCI_LAYOUT,
  OCI_LAYOUT_FILE,
  REF_NAME,
  readImage,
  readLayout,
  tagOf,
} from '../../compiler/bundle/index.js';
import { ImageError } from './image-error.js';
import {
  EMPTY,
  indexEntries,
  MAX_REFERRER_BYTES,
  makeReferrer,
  referrerDescriptor,
  type Subject,
  signatureEntries,
  signatureOf,
} from './referrer.js';
import { RegistryError } from './registry-error.js';

function read(path: string, limit: number): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > limit) throw new RegistryError('O107', `\`${path}\` has more than ${limit} bytes`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof RegistryError) throw cause;
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new RegistryError('O110', `\`${path}\` cannot be read: ${reason}`, { cause });
  }
}

function blobFile(folder: string, digest: string): string {
  return join(folder, 'blobs', digest.replace(':', '/'));
}

/** The image in a layout; `name` is a tag or digest, null where there is one bundle. Throws RegistryError, ImageError. */
export function readLayoutImage(folder: string, name: string | null): Image {
  const layout = read(join(folder, OCI_LAYOUT_FILE), MAX_IMAGE_MANIFEST_BYTES);
  const index = read(join(folder, OCI_INDEX_FILE), MAX_IMAGE_MANIFEST_BYTES);
  const located = readLayout(layout, index, name);
  if (!located.ok) throw new ImageError(located.diagnostics);
  const digest = located.descriptors[0]?.digest ?? '';
  const manifest = read(blobFile(folder, digest), MAX_IMAGE_MANIFEST_BYTES);
  const parts = readImage(manifest, digest);
  if (!parts.ok) throw new ImageError(parts.diagnostics);
  const blobs = new Map(
    parts.descriptors.map((d) => [d.digest, read(blobFile(folder, d.digest), MAX_BLOB_BYTES)]),
  );
  return { digest, manifest, blobs };
}

/** The signatures of a bundle in its layout. Throws RegistryError. */
export function readLayoutSignatures(folder: string, digest: string): readonly string[] {
  const index = read(join(folder, OCI_INDEX_FILE), MAX_IMAGE_MANIFEST_BYTES);
  return signatureEntries(index).flatMap((entry) => {
    const manifest = read(blobFile(folder, entry.digest), MAX_IMAGE_MANIFEST_BYTES);
    const pointer = digestOf(manifest) === entry.digest ? signatureOf(manifest, digest) : null;
    if (pointer === null) return [];
    return [
      Buffer.from(read(blobFile(folder, pointer.digest), MAX_REFERRER_BYTES)).toString('utf8'),
    ];
  });
}

function write(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${randomUUID()}`);
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeBlob(folder: string, digest: string, bytes: Uint8Array): void {
  write(blobFile(folder, digest), bytes);
}

/** What a layout lists, before anything is written into it. Throws RegistryError O110, ImageError. */
function entriesOf(folder: string): readonly unknown[] {
  const version = join(folder, OCI_LAYOUT_FILE);
  if (existsSync(version)) {
    const known = knowLayout(read(version, MAX_IMAGE_MANIFEST_BYTES));
    if (!known.ok) throw new ImageError(known.diagnostics);
  }
  const path = join(folder, OCI_INDEX_FILE);
  if (!existsSync(path)) return [];
  const entries = indexEntries(read(path, MAX_IMAGE_MANIFEST_BYTES));
  if (entries === null) throw new RegistryError('O110', `\`${path}\` is no index`);
  return entries;
}

function writeIndex(folder: string, manifests: readonly unknown[]): void {
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests };
  write(join(folder, OCI_LAYOUT_FILE), Buffer.from(OCI_LAYOUT));
  write(join(folder, OCI_INDEX_FILE), Buffer.from(JSON.stringify(index)));
}

/** Puts an image into a layout, making it where there is none. All other tags stay, those of the same image too. Throws RegistryError, ImageError. */
export function writeLayoutImage(folder: string, name: string | null, image: Image): void {
  const before = entriesOf(folder);
  for (const [digest, bytes] of image.blobs) writeBlob(folder, digest, bytes);
  writeBlob(folder, image.digest, image.manifest);
  const isThere = (e: unknown): boolean => field(e, 'digest') === image.digest;
  if (name === null && before.some(isThere)) {
    writeIndex(folder, before);
    return;
  }
  const others = before.filter((e) => tagOf(e) !== name && !(isThere(e) && tagOf(e) === undefined));
  const entry = {
    mediaType: MEDIA_TYPE.manifest,
    digest: image.digest,
    size: image.manifest.length,
    artifactType: MEDIA_TYPE.bundle,
    ...(name === null ? {} : { annotations: { [REF_NAME]: name } }),
  };
  writeIndex(folder, [...others, entry]);
}

/** Adds signatures of a bundle that is there. Throws RegistryError, ImageError. */
export function addLayoutSignatures(
  folder: string,
  subject: Subject,
  signatures: readonly string[],
): void {
  const entries = [...entriesOf(folder)];
  for (const text of signatures) {
    const referrer = makeReferrer(text, subject);
    if (entries.some((e) => field(e, 'digest') === referrer.digest)) continue;
    writeBlob(folder, digestOf(EMPTY), EMPTY);
    writeBlob(folder, referrer.signature.digest, referrer.signature.bytes);
    writeBlob(folder, referrer.digest, referrer.manifest);
    entries.push(referrerDescriptor(referrer));
  }
  writeIndex(folder, entries);
}
