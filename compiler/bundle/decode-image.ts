/**
 * An OCI image to a bundle. Nothing is believed before its digest was checked: manifest -> config and
 * layers; the config is held against its schema, and the layers must be exactly those that it calls for.
 */
import { ABI_VERSION } from '../abi/index.js';
import { canonicalJson } from './canonical-json.js';
import { readCaseLayer } from './cases.js';
import { validate } from './gen/bundle.gen.js';
import { readImageManifest } from './image-manifest.js';
import type { Bundle, Manifest } from './manifest.js';
import {
  CASES_TITLE,
  type Descriptor,
  digestOf,
  type Image,
  type ImageManifest,
  MEDIA_TYPE,
  OBJECT_TITLES,
  SBOM_TITLE,
  TITLE,
} from './oci.js';
import { answering, field, Refusal, type Refused, readJson } from './refusal.js';

export type DecodeOutcome =
  | { readonly ok: true; readonly bundle: Bundle; readonly digest: string }
  | Refused;

/** Opens an image; refuses with B1xx where it is not whole, not ours, or altered. */
export function decodeImage(image: Image): DecodeOutcome {
  return answering(() => openImage(image));
}

/** As `decodeImage`; refuses by throwing, for readers of this room. */
export function openImage(image: Image): Extract<DecodeOutcome, { ok: true }> {
  const read = readImageManifest(image.manifest, image.digest);
  const manifest = readConfig(image, read.config);
  return {
    ok: true,
    digest: image.digest,
    bundle: { manifest, ...readLayers(image, read, manifest) },
  };
}

function readBlob({ blobs }: Image, { digest, size }: Descriptor): Uint8Array {
  const bytes = blobs.get(digest);
  if (bytes === undefined) throw new Refusal('B102', `the bundle has no blob \`${digest}\``);
  if (bytes.length !== size || digestOf(bytes) !== digest) {
    throw new Refusal('B103', `blob \`${digest}\` does not match its digest`);
  }
  return bytes;
}

function readConfig(image: Image, config: Descriptor): Manifest {
  const bytes = readBlob(image, config);
  if (config.mediaType !== MEDIA_TYPE.config) {
    throw new Refusal('B104', 'the config blob has an unknown media type');
  }
  const value = readJson(bytes, 'the bundle manifest');
  if (field(value, 'schemaVersion') !== 1 || field(value, 'abiVersion') !== ABI_VERSION) {
    throw new Refusal('B104', 'the bundle has an unknown schema or ABI version');
  }
  if (!validate(value)) {
    const [first] = validate.errors ?? [];
    const place = first?.instancePath === '' ? 'the bundle manifest' : `\`${first?.instancePath}\``;
    throw new Refusal('B105', `${place} ${first?.message ?? 'is not as its schema says'}`);
  }
  // Its digest is right, so these are the bytes that some builder wrote; a builder other than ours
  // would hardly write our canonical form, and what is read must be what a re-encoding gives.
  if (canonicalJson(value) !== new TextDecoder().decode(bytes)) {
    throw new Refusal('B105', 'the bundle manifest is not in canonical form');
  }
  const manifest = value as Manifest;
  checkNumbers(manifest);
  return manifest;
}

/** What a schema cannot say: numbers that point into lists. */
function checkNumbers({ policies, routes }: Manifest): void {
  const names = new Set(policies.map((p) => p.name));
  const isPlaced = policies.every(
    (p, i) => p.index === i && p.firstRoute + p.routes <= routes.length,
  );
  if (
    !isPlaced ||
    names.size !== policies.length ||
    routes.some((r) => r.policy >= policies.length)
  ) {
    throw new Refusal('B105', 'the numbers of the bundle manifest do not go together');
  }
}

function readLayers(
  image: Image,
  { layers: descriptors }: ImageManifest,
  manifest: Manifest,
): Omit<Bundle, 'manifest'> {
  const layers = new Map<string, Uint8Array>();
  for (const layer of descriptors) {
    const title = layer.annotations?.[TITLE];
    if (title === undefined || layers.has(`${layer.mediaType} ${title}`)) {
      throw new Refusal('B105', 'a layer has no name of its own');
    }
    layers.set(`${layer.mediaType} ${title}`, readBlob(image, layer));
  }
  const take = (mediaType: string, title: string): Uint8Array => {
    const bytes = layers.get(`${mediaType} ${title}`);
    if (bytes === undefined) throw new Refusal('B102', `the bundle has no layer \`${title}\``);
    return bytes;
  };
  const text = new TextDecoder();
  const { policies } = manifest;
  const wasm = new Map(policies.map((p) => [p.name, take(MEDIA_TYPE.policy, `${p.name}.wasm`)]));
  const maps = new Map(
    policies.map((p) => [p.name, text.decode(take(MEDIA_TYPE.map, `${p.name}.wasm.map`))]),
  );
  const objects = {
    base: take(MEDIA_TYPE.object, OBJECT_TITLES.base),
    mayGoto: take(MEDIA_TYPE.object, OBJECT_TITLES.mayGoto),
  };
  const sbom = text.decode(take(MEDIA_TYPE.sbom, SBOM_TITLE));
  const asked = layers.get(`${MEDIA_TYPE.cases} ${CASES_TITLE}`);
  if (layers.size !== wasm.size + maps.size + (asked === undefined ? 3 : 4)) {
    throw new Refusal('B105', 'the bundle has unknown layers');
  }
  const cases = asked === undefined ? null : readCaseLayer(asked);
  return { wasm, maps, objects, cases, sbom };
}
