/** Names and shapes of the OCI image layout that a bundle is stored in (image-spec 1.1). */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

export const OCI_LAYOUT_FILE = 'oci-layout';
export const OCI_INDEX_FILE = 'index.json';
export const OCI_LAYOUT = '{"imageLayoutVersion":"1.0.0"}';

export const MEDIA_TYPE = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  bundle: 'application/vnd.weft.bundle.v1',
  config: 'application/vnd.weft.bundle.config.v1+json',
  policy: 'application/vnd.weft.policy.v1+wasm',
  map: 'application/vnd.weft.policy.map.v1+json',
  object: 'application/vnd.weft.object.v1.elf',
  cases: 'application/vnd.weft.cases.v1+json',
  sbom: 'application/vnd.cyclonedx+json',
} as const;

/** OCI's own annotations for the name of a layer, and for the tag of an image in a layout. */
export const TITLE = 'org.opencontainers.image.title';
export const REF_NAME = 'org.opencontainers.image.ref.name';

export const OBJECT_TITLES = { base: 'base.o', mayGoto: 'may-goto.o' } as const;
export const SBOM_TITLE = 'sbom.cdx.json';
export const CASES_TITLE = 'cases.json';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** An image as bytes: what registries and layouts hold. */
export interface Image {
  /** Of the manifest. */
  readonly digest: string;
  readonly manifest: Uint8Array;
  /** Config and layers, by digest. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** `sha256:` and 64 hex digits. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${bytesToHex(sha256(bytes))}`;
}

/** Path of a blob inside the layout. */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
