/**
 * A bundle as bytes: an OCI image, and an image layout in a tar file. Equal bundles are equal bytes:
 * keys are sorted, files are in a fixed order, times and owners are zero. skopeo and oras can copy it.
 */
import { createTar } from 'nanotar';
import { canonicalJson } from './canonical-json.js';
import type { Bundle } from './manifest.js';
import {
  blobPath,
  CASES_TITLE,
  type Descriptor,
  digestOf,
  type Image,
  type ImageManifest,
  MEDIA_TYPE,
  OBJECT_TITLES,
  OCI_INDEX_FILE,
  OCI_LAYOUT,
  OCI_LAYOUT_FILE,
  REF_NAME,
  SBOM_TITLE,
  TITLE,
} from './oci.js';

const TAR_BLOCK = 512;
const ATTRS = { mode: '644', uid: 0, gid: 0, mtime: 0, user: '', group: '' } as const;

/** Encodes a bundle; the same bundle gives the same bytes on any machine. */
export function encodeBundle(bundle: Bundle): Uint8Array {
  return encodeArchive(encodeImage(bundle));
}

/** Digest of a bundle without encoding the archive: that of its OCI manifest. */
export function bundleDigest(bundle: Bundle): string {
  return encodeImage(bundle).digest;
}

/** An image as the archive that a bundle file is; its own bytes, whoever wrote them. A tag is a name in its index. */
export function encodeArchive(
  { digest, manifest, blobs }: Image,
  tag: string | null = null,
): Uint8Array {
  const name = tag === null ? {} : { annotations: { [REF_NAME]: tag } };
  const descriptor = { mediaType: MEDIA_TYPE.manifest, digest, size: manifest.length, ...name };
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.index,
    manifests: [{ ...descriptor, artifactType: MEDIA_TYPE.bundle }],
  };
  const files = [
    { name: OCI_LAYOUT_FILE, data: utf8(OCI_LAYOUT) },
    { name: OCI_INDEX_FILE, data: utf8(canonicalJson(index)) },
    ...[...blobs, [digest, manifest] as const]
      .map(([of, data]) => ({ name: blobPath(of), data }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  ];
  const blocks = files.reduce((sum, { data }) => sum + 1 + Math.ceil(data.length / TAR_BLOCK), 0);
  // Exactly two zero blocks end the archive, so that every cut is seen; nanotar fills up a record.
  const archive = new Uint8Array((blocks + 2) * TAR_BLOCK);
  archive.set(createTar(files, { attrs: ATTRS }).subarray(0, blocks * TAR_BLOCK));
  return archive;
}

/** A bundle as an image: a typed layer for each of its parts, its manifest as the config. */
export function encodeImage(bundle: Bundle): Image {
  const blobs = new Map<string, Uint8Array>();
  const add = (mediaType: string, bytes: Uint8Array, title: string | null): Descriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    const plain = { mediaType, digest, size: bytes.length };
    return title === null ? plain : { ...plain, annotations: { [TITLE]: title } };
  };
  const policies = bundle.manifest.policies.flatMap(({ name }) => {
    const wasm = bundle.wasm.get(name);
    return wasm === undefined ? [] : [add(MEDIA_TYPE.policy, wasm, `${name}.wasm`)];
  });
  const maps = bundle.manifest.policies.flatMap(({ name }) => {
    const map = bundle.maps.get(name);
    return map === undefined ? [] : [add(MEDIA_TYPE.map, utf8(map), `${name}.wasm.map`)];
  });
  const objects = (['base', 'mayGoto'] as const).map((variant) =>
    add(MEDIA_TYPE.object, bundle.objects[variant], OBJECT_TITLES[variant]),
  );
  const cases =
    bundle.cases === null
      ? []
      : [add(MEDIA_TYPE.cases, utf8(canonicalJson(bundle.cases)), CASES_TITLE)];
  const image: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    artifactType: MEDIA_TYPE.bundle,
    config: add(MEDIA_TYPE.config, utf8(canonicalJson(bundle.manifest)), null),
    layers: [
      ...policies,
      ...maps,
      ...objects,
      ...cases,
      add(MEDIA_TYPE.sbom, utf8(bundle.sbom), SBOM_TITLE),
    ],
  };
  const manifest = utf8(canonicalJson(image));
  return { digest: digestOf(manifest), manifest, blobs };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
