/**
 * Reads the OCI documents around a bundle: descriptors, the image manifest, the index of a layout.
 * Sizes that they announce are held against the limits here, before anybody fetches anything.
 */
import {
  MAX_BLOB_BYTES,
  MAX_BUNDLE_BYTES,
  MAX_IMAGE_MANIFEST_BYTES,
  MAX_LAYERS,
} from './limits.js';
import {
  type Descriptor,
  digestOf,
  type ImageManifest,
  MEDIA_TYPE,
  REF_NAME,
  TITLE,
} from './oci.js';
import { field, Refusal, readJson } from './refusal.js';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** True for `sha256:` and 64 hex digits, the only kind of digest there is here. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** A descriptor. Refuses with B105 what is none, with B106 one that announces too much. */
export function asDescriptor(value: unknown, limit: number = MAX_BLOB_BYTES): Descriptor {
  const [mediaType, digest, size, annotations] = ['mediaType', 'digest', 'size', 'annotations'].map(
    (key) => field(value, key),
  );
  if (
    typeof mediaType !== 'string' ||
    typeof digest !== 'string' ||
    !isDigest(digest) ||
    typeof size !== 'number' ||
    !Number.isSafeInteger(size) ||
    size < 0
  ) {
    throw new Refusal('B105', 'a descriptor has no media type, digest or size');
  }
  if (size > limit) {
    throw new Refusal('B106', `blob \`${digest}\` has ${size} bytes, more than ${limit}`);
  }
  const title = field(annotations, TITLE);
  const plain = { mediaType, digest, size };
  return typeof title === 'string' ? { ...plain, annotations: { [TITLE]: title } } : plain;
}

/** The image manifest of a bundle. Refuses with B103 other bytes, B104 another artifact's, B105 and B106. */
export function readImageManifest(bytes: Uint8Array, digest: string): ImageManifest {
  if (bytes.length > MAX_IMAGE_MANIFEST_BYTES) {
    const message = `the OCI manifest has ${bytes.length} bytes, more than ${MAX_IMAGE_MANIFEST_BYTES}`;
    throw new Refusal('B106', message);
  }
  if (digestOf(bytes) !== digest) {
    throw new Refusal('B103', `manifest \`${digest}\` does not match its digest`);
  }
  const image = readJson(bytes, 'the OCI manifest');
  const type = field(image, 'mediaType') ?? MEDIA_TYPE.manifest;
  if (type !== MEDIA_TYPE.manifest || field(image, 'artifactType') !== MEDIA_TYPE.bundle) {
    throw new Refusal('B104', 'this is an OCI image, but no weft bundle');
  }
  const layers = field(image, 'layers');
  if (!Array.isArray(layers)) throw new Refusal('B105', 'the OCI manifest has no layers');
  if (layers.length > MAX_LAYERS) {
    throw new Refusal('B106', `the image has ${layers.length} layers, more than ${MAX_LAYERS}`);
  }
  const read = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    artifactType: MEDIA_TYPE.bundle,
    config: asDescriptor(field(image, 'config')),
    layers: layers.map((layer) => asDescriptor(layer)),
  } as const;
  const total = [read.config, ...read.layers].reduce((sum, { size }) => sum + size, 0);
  if (total > MAX_BUNDLE_BYTES) {
    throw new Refusal('B106', `the image has ${total} bytes, more than ${MAX_BUNDLE_BYTES}`);
  }
  return read;
}

const KNOWN = {
  index: ['annotations', 'manifests', 'mediaType', 'schemaVersion'],
  descriptor: ['annotations', 'artifactType', 'digest', 'mediaType', 'platform', 'size'],
};

/** No digest covers an index, so each of its words is looked at; other tools add annotations. */
function checkWords(index: unknown, descriptor: unknown): void {
  const strays = (value: unknown, known: readonly string[]): boolean =>
    Object.keys(value ?? {}).some((key) => !known.includes(key));
  if (
    (field(index, 'mediaType') ?? MEDIA_TYPE.index) !== MEDIA_TYPE.index ||
    field(index, 'schemaVersion') !== 2 ||
    strays(index, KNOWN.index) ||
    strays(descriptor, KNOWN.descriptor)
  ) {
    throw new Refusal('B105', 'the index is not that of a bundle');
  }
}

/** The manifests that an index names, as they stand there. Refuses with B104, B105. */
export function manifestsOf(index: unknown): readonly unknown[] {
  const manifests = field(index, 'manifests');
  if (!Array.isArray(manifests)) throw new Refusal('B105', 'the index names no manifests');
  return manifests;
}

/** The tag of an entry of an index, where it has one. */
export function tagOf(entry: unknown): unknown {
  return field(field(entry, 'annotations'), REF_NAME);
}

/** Tags that a remedy tells: as many as fit on a line. Other tools may write anything there. */
const TOLD_TAGS = 8;
const TAG = /^[\x21-\x7e]{1,128}$/;

/** The remedy where an index was asked for something else than it has; null for that of the code. */
function whichTags(entries: readonly unknown[]): string | null {
  const tags = entries.map(tagOf).filter((tag) => TAG.test(String(tag ?? '')));
  if (tags.length === 0) return null;
  const told = tags.slice(0, TOLD_TAGS).map((tag) => `\`${tag}\``);
  return `name one of its tags: ${told.join(', ')}${tags.length > TOLD_TAGS ? ', …' : ''}`;
}

/**
 * The bundle that an index names: by its tag or digest, or the only one there is. Other artifacts,
 * such as signatures, may stand beside it. Refuses with B104 where that is not one.
 */
export function chooseManifest(index: unknown, name: string | null): Descriptor {
  const all = manifestsOf(index);
  const candidates = all.filter((entry) => {
    if (name !== null) return tagOf(entry) === name || field(entry, 'digest') === name;
    return (field(entry, 'artifactType') ?? MEDIA_TYPE.bundle) === MEDIA_TYPE.bundle;
  });
  // One bundle may have several tags: then it stands there once for each.
  const count = new Set(candidates.map((entry) => field(entry, 'digest'))).size;
  const [entry] = candidates;
  if (entry === undefined || count > 1) {
    const what = name === null ? 'a bundle' : `\`${name}\``;
    const message = `the index names ${count} manifests as ${what}, not one`;
    throw new Refusal('B104', message, whichTags(all));
  }
  checkWords(index, entry);
  const descriptor = asDescriptor(entry, MAX_IMAGE_MANIFEST_BYTES);
  if (descriptor.mediaType !== MEDIA_TYPE.manifest) {
    throw new Refusal('B104', 'the index names something else than an OCI image');
  }
  return descriptor;
}
