/**
 * Signatures as artifacts of their own that refer to a bundle by its digest, as OCI 1.1 and cosign
 * have it: a manifest with the bundle as its subject and one layer, the signature.
 */
import { digestOf, field, MEDIA_TYPE } from '../../compiler/bundle/index.js';

export const SIGNATURE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
export const EMPTY: Uint8Array = new TextEncoder().encode('{}');

/** Bytes of a signature that is fetched; as many as are read. */
export const MAX_REFERRER_BYTES = 65536;

export interface Subject {
  readonly digest: string;
  /** Of the bundle's manifest. */
  readonly size: number;
}

export interface Referrer {
  readonly digest: string;
  readonly manifest: Uint8Array;
  readonly signature: { readonly digest: string; readonly bytes: Uint8Array };
}

/** The artifact of one signature; the same signature gives the same bytes. */
export function makeReferrer(text: string, { digest, size }: Subject): Referrer {
  const bytes = new TextEncoder().encode(text);
  const signature = { digest: digestOf(bytes), bytes };
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    artifactType: SIGNATURE_TYPE,
    config: { mediaType: EMPTY_TYPE, digest: digestOf(EMPTY), size: EMPTY.length },
    layers: [{ mediaType: SIGNATURE_TYPE, digest: signature.digest, size: bytes.length }],
    subject: { mediaType: MEDIA_TYPE.manifest, digest, size },
    annotations: { 'dev.sigstore.bundle.content': 'dsse-envelope' },
  };
  const manifest = new TextEncoder().encode(JSON.stringify(document));
  return { digest: digestOf(manifest), manifest, signature };
}

/** How an index names it. */
export function referrerDescriptor({
  digest,
  manifest,
}: Referrer): Readonly<Record<string, unknown>> {
  return {
    mediaType: MEDIA_TYPE.manifest,
    digest,
    size: manifest.length,
    artifactType: SIGNATURE_TYPE,
  };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

export interface Pointer {
  readonly digest: string;
  readonly size: number;
}

function pointer(value: unknown): Pointer | null {
  const [digest, size] = [field(value, 'digest'), field(value, 'size')];
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest)) return null;
  return typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
    ? { digest, size }
    : null;
}

/** The entries of an index, as they stand there; null where it is no index. */
export function indexEntries(bytes: Uint8Array): readonly unknown[] | null {
  const entries = field(parse(bytes), 'manifests');
  return Array.isArray(entries) ? entries : null;
}

/** The signature artifacts that an index names. */
export function signatureEntries(index: Uint8Array): readonly Pointer[] {
  return (indexEntries(index) ?? [])
    .filter((entry) => field(entry, 'artifactType') === SIGNATURE_TYPE)
    .flatMap((entry) => pointer(entry) ?? []);
}

/** Where the signature of an artifact is; null where it is not about this bundle. */
export function signatureOf(manifest: Uint8Array, subject: string): Pointer | null {
  const document = parse(manifest);
  if (field(field(document, 'subject'), 'digest') !== subject) return null;
  const layers = field(document, 'layers');
  if (!Array.isArray(layers) || layers.length !== 1) return null;
  return field(layers[0], 'mediaType') === SIGNATURE_TYPE ? pointer(layers[0]) : null;
}
