/**
 * Reads what encodeBundle wrote. Nothing is believed before its digest was checked: index ->
 * manifest -> config and layers, and the layers must be exactly those that the manifest calls for.
 */
import { type ParsedTarFileItem, type ParseTarOptions, parseTar } from 'nanotar';
import { type Diagnostic, diagnostic } from '../diagnostic/index.js';
import { canonicalJson } from './canonical-json.js';
import { checkTar } from './check-tar.js';
import { CODES } from './codes.js';
import type { Bundle, Manifest } from './manifest.js';
import {
  blobPath,
  type Descriptor,
  digestOf,
  type ImageManifest,
  MEDIA_TYPE,
  OBJECT_TITLES,
  OCI_INDEX_FILE,
  OCI_LAYOUT_FILE,
  TITLE,
} from './oci.js';

export type DecodeOutcome =
  | { readonly ok: true; readonly bundle: Bundle; readonly digest: string }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Carries a finding out of the steps below; never leaves this file. */
class Refusal extends Error {
  readonly finding: Diagnostic;
  constructor(code: string, message: string) {
    super(message);
    this.finding = diagnostic(code, message, { help: CODES[code]?.help ?? null });
  }
}

type Files = ReadonlyMap<string, Uint8Array>;

/** Decodes an archive; refuses with B1xx where it is not whole, not ours, or altered. */
export function decodeBundle(archive: Uint8Array): DecodeOutcome {
  try {
    const files = readFiles(archive);
    const { digest, image } = readImage(files);
    const manifest = readConfig(files, image.config);
    const bundle = { manifest, ...readLayers(files, image, manifest) };
    checkFrame(archive);
    return { ok: true, digest, bundle };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, diagnostics: [error.finding] };
    throw error;
  }
}

function readFiles(archive: Uint8Array): Files {
  if (archive.length === 0) throw new Refusal('B102', 'the file is empty');
  const files = new Map<string, Uint8Array>();
  let entries: ParsedTarFileItem[];
  try {
    entries = parseTar<never, ParseTarOptions, ParsedTarFileItem>(archive.slice()); // nanotar reads the whole ArrayBuffer behind a view
  } catch {
    throw new Refusal('B102', 'the archive is cut off');
  }
  for (const { name, type, data } of entries) {
    if (type === 'directory') continue;
    if (files.has(name)) throw new Refusal('B101', `the archive holds \`${name}\` twice`);
    files.set(name, data ?? new Uint8Array());
  }
  for (const name of [OCI_LAYOUT_FILE, OCI_INDEX_FILE]) {
    if (!files.has(name)) throw new Refusal('B101', `the archive has no \`${name}\``);
  }
  const layout = readJson(files.get(OCI_LAYOUT_FILE), OCI_LAYOUT_FILE);
  if (field(layout, 'imageLayoutVersion') !== '1.0.0') {
    throw new Refusal('B104', 'the OCI layout has an unknown version');
  }
  return files;
}

/** No digest covers the index, so each of its words is looked at; other tools add annotations. */
function checkIndex(index: unknown, descriptor: unknown): void {
  const known = {
    index: ['annotations', 'manifests', 'mediaType', 'schemaVersion'],
    descriptor: ['annotations', 'artifactType', 'digest', 'mediaType', 'platform', 'size'],
  };
  const stray = [
    ...Object.keys(index ?? {}).filter((key) => !known.index.includes(key)),
    ...Object.keys(descriptor ?? {}).filter((key) => !known.descriptor.includes(key)),
  ];
  const type = field(index, 'mediaType') ?? MEDIA_TYPE.index;
  const artifact = field(descriptor, 'artifactType') ?? MEDIA_TYPE.bundle;
  const version = field(index, 'schemaVersion');
  if (type === MEDIA_TYPE.index && artifact === MEDIA_TYPE.bundle && version === 2) {
    if (stray.length === 0) return;
  }
  throw new Refusal('B105', 'the index is not that of a bundle');
}

/** After the digests, whose findings say more. */
function checkFrame(archive: Uint8Array): void {
  const fault = checkTar(archive);
  if (fault === 'cut') throw new Refusal('B102', 'the archive is cut off');
  if (fault === 'altered') throw new Refusal('B103', 'the archive was altered between its files');
}

function readImage(files: Files): { digest: string; image: ImageManifest } {
  const index = readJson(files.get(OCI_INDEX_FILE), OCI_INDEX_FILE);
  const manifests = field(index, 'manifests');
  if (!Array.isArray(manifests) || manifests.length !== 1) {
    throw new Refusal('B104', 'the index does not name exactly one manifest');
  }
  checkIndex(index, manifests[0]);
  const descriptor = asDescriptor(manifests[0]);
  const image = readJson(readBlob(files, descriptor), 'the OCI manifest');
  if (
    descriptor.mediaType !== MEDIA_TYPE.manifest ||
    field(image, 'artifactType') !== MEDIA_TYPE.bundle
  ) {
    throw new Refusal('B104', 'the archive holds an OCI image that is no weft bundle');
  }
  const layers = field(image, 'layers');
  if (!Array.isArray(layers)) throw new Refusal('B105', 'the OCI manifest has no layers');
  return {
    digest: descriptor.digest,
    image: {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      artifactType: MEDIA_TYPE.bundle,
      config: asDescriptor(field(image, 'config')),
      layers: layers.map(asDescriptor),
    },
  };
}

function readConfig(files: Files, config: Descriptor): Manifest {
  const bytes = readBlob(files, config);
  if (config.mediaType !== MEDIA_TYPE.config) {
    throw new Refusal('B104', 'the config blob has an unknown media type');
  }
  const value = readJson(bytes, 'the bundle manifest');
  if (field(value, 'schemaVersion') !== 1 || field(value, 'abiVersion') !== 1) {
    throw new Refusal('B104', 'the bundle has an unknown schema or ABI version');
  }
  // Its digest is right, so these are the bytes that some builder wrote; a builder other than ours
  // would hardly write our canonical form, and what is read must be what a re-encoding gives.
  if (canonicalJson(value) !== new TextDecoder().decode(bytes)) {
    throw new Refusal('B105', 'the bundle manifest is not in canonical form');
  }
  if (!Array.isArray(field(value, 'policies'))) {
    throw new Refusal('B105', 'the bundle manifest lists no policies');
  }
  return value as Manifest;
}

function readLayers(
  files: Files,
  image: ImageManifest,
  manifest: Manifest,
): Pick<Bundle, 'wasm' | 'maps' | 'objects'> {
  const layers = new Map<string, Uint8Array>();
  for (const layer of image.layers) {
    const title = layer.annotations?.[TITLE];
    if (title === undefined || layers.has(`${layer.mediaType} ${title}`)) {
      throw new Refusal('B105', 'a layer has no name of its own');
    }
    layers.set(`${layer.mediaType} ${title}`, readBlob(files, layer));
  }
  const take = (mediaType: string, title: string): Uint8Array => {
    const bytes = layers.get(`${mediaType} ${title}`);
    if (bytes === undefined) throw new Refusal('B102', `the bundle has no layer \`${title}\``);
    return bytes;
  };
  const wasm = new Map(
    manifest.policies.map((p) => [p.name, take(MEDIA_TYPE.policy, `${p.name}.wasm`)]),
  );
  const text = new TextDecoder();
  const maps = new Map(
    manifest.policies.map((p) => [p.name, text.decode(take(MEDIA_TYPE.map, `${p.name}.wasm.map`))]),
  );
  const objects = {
    base: take(MEDIA_TYPE.object, OBJECT_TITLES.base),
    mayGoto: take(MEDIA_TYPE.object, OBJECT_TITLES.mayGoto),
  };
  if (layers.size !== wasm.size + maps.size + 2)
    throw new Refusal('B105', 'the bundle has unknown layers');
  return { wasm, maps, objects };
}

function readBlob(files: Files, { digest, size }: Descriptor): Uint8Array {
  const bytes = files.get(blobPath(digest));
  if (bytes === undefined) throw new Refusal('B102', `the bundle has no blob \`${digest}\``);
  if (bytes.length !== size || digestOf(bytes) !== digest) {
    throw new Refusal('B103', `blob \`${digest}\` does not match its digest`);
  }
  return bytes;
}

function readJson(bytes: Uint8Array | undefined, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal('B105', `${what} is not valid JSON`);
  }
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

function asDescriptor(value: unknown): Descriptor {
  const [mediaType, digest, size, annotations] = ['mediaType', 'digest', 'size', 'annotations'].map(
    (key) => field(value, key),
  );
  if (
    typeof mediaType !== 'string' ||
    typeof digest !== 'string' ||
    !/^sha256:[0-9a-f]{64}$/.test(digest) ||
    typeof size !== 'number'
  ) {
    throw new Refusal('B105', 'a descriptor has no media type, digest or size');
  }
  const title = field(annotations, TITLE);
  const plain = { mediaType, digest, size };
  return typeof title === 'string' ? { ...plain, annotations: { [TITLE]: title } } : plain;
}
