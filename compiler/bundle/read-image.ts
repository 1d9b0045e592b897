/** For whoever fetches an image piece by piece: what the pieces before say to fetch next. */
import { checkLayout } from './decode.js';
import { chooseManifest, readImageManifest } from './image-manifest.js';
import { type Descriptor, OCI_INDEX_FILE } from './oci.js';
import { answering, type Refused, readJson } from './refusal.js';

export type Located = { readonly ok: true; readonly descriptors: readonly Descriptor[] } | Refused;

/** The blobs that a bundle's OCI manifest of a digest calls for, each once. */
export function readImage(manifest: Uint8Array, digest: string): Located {
  return answering(() => {
    const { config, layers } = readImageManifest(manifest, digest);
    const each = new Map([config, ...layers].map((d) => [d.digest, d]));
    return { ok: true, descriptors: [...each.values()] } as const;
  });
}

/** Whether an image layout's version is known: who writes into another would damage it. */
export function knowLayout(layout: Uint8Array): { readonly ok: true } | Refused {
  return answering(() => {
    checkLayout(layout);
    return { ok: true } as const;
  });
}

/** The manifest of the bundle in an image layout; `name` is a tag or digest, or null. */
export function readLayout(layout: Uint8Array, index: Uint8Array, name: string | null): Located {
  return answering(() => {
    checkLayout(layout);
    return {
      ok: true,
      descriptors: [chooseManifest(readJson(index, OCI_INDEX_FILE), name)],
    } as const;
  });
}
