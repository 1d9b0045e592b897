/**
 * Sizes beyond which nothing is read. Bundles come from outside: what a descriptor announces is held
 * against these before a byte of it is fetched or kept.
 */

/** Bytes of an archive, and of all blobs of an image. */
export const MAX_BUNDLE_BYTES = 536870912;
/** Bytes of one blob: a module, an object with its tables, the bundle manifest. */
export const MAX_BLOB_BYTES = 268435456;
/** Bytes of an OCI manifest or index; registries take at least four times as many. */
export const MAX_IMAGE_MANIFEST_BYTES = 1048576;
/** Bytes of the layer of cases, and how many there may be: a node runs them before each activation. */
export const MAX_CASES_BYTES = 1048576;
export const MAX_CASES = 256;
/** Worlds that the cases are about: each is loaded into the kernel for them (cases.schema.json says it too). */
export const MAX_CASE_WORLDS = 8;
/** Layers of an image: two a policy, two objects, the bill of materials, and room. */
export const MAX_LAYERS = 320;
