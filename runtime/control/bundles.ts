/**
 * Bundles in the store: `bundles/<digest>` says what there is, `bundles/<digest>/<n>` are the pieces of
 * the file and then of its signatures. The head is written last, so that who reads it finds them all.
 */
import type { Store } from '../store/index.js';
import { ControlError } from './control-error.js';
import { versionOf } from './resource.js';
import { MAX_RESOURCE_BYTES, PIECE_BYTES } from './wire/index.js';

/** What goes around a bundle in a resource: its names. */
const FRAME_BYTES = 4096;

/** `bundle-versions/<digest>`: the hash of what was put last, with its signatures. */
export const BUNDLE_VERSIONS = 'bundle-versions/';

export interface StoredBundle {
  readonly name: string;
  readonly bundle: Uint8Array;
  readonly signatures: Uint8Array | null;
}

/** The head as it lies in the store. */
interface Head {
  readonly name: string;
  readonly size: number;
  readonly signatureSize: number;
  /** Of the file and the signatures, one behind the other. */
  readonly hash: string;
}

function headKey(digest: string): string {
  return `bundles/${digest}`;
}

function pieceKey(digest: string, n: number): string {
  return `${headKey(digest)}/${n}`;
}

function joined({ bundle, signatures }: StoredBundle): Buffer {
  return Buffer.concat(signatures === null ? [bundle] : [bundle, signatures]);
}

/** Keeps a bundle. Throws C020 where nodes could not be given it. */
export async function putBundle(store: Store, digest: string, stored: StoredBundle): Promise<void> {
  const bytes = joined(stored);
  if (bytes.length > MAX_RESOURCE_BYTES - FRAME_BYTES) {
    throw new ControlError(
      'C020',
      `\`${stored.name}\` and its signatures are ${bytes.length} bytes`,
    );
  }
  for (let n = 0; n * PIECE_BYTES < bytes.length; n += 1) {
    const value = bytes.subarray(n * PIECE_BYTES, (n + 1) * PIECE_BYTES);
    await store.commit([], [{ key: pieceKey(digest, n), value }]);
  }
  const head: Head = {
    name: stored.name,
    size: stored.bundle.length,
    signatureSize: stored.signatures?.length ?? 0,
    hash: versionOf(bytes),
  };
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  await store.commit(
    [],
    [
      { key: headKey(digest), value: encode(JSON.stringify(head)) },
      // So that others need not watch the pieces.
      { key: `${BUNDLE_VERSIONS}${digest}`, value: encode(head.hash) },
    ],
  );
}

function readHead(bytes: Uint8Array): Head | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value !== 'object' || value === null) return null;
    const { name, size, signatureSize, hash } = value as Record<string, unknown>;
    const isSize = (n: unknown): n is number =>
      typeof n === 'number' && Number.isSafeInteger(n) && n >= 0 && n <= MAX_RESOURCE_BYTES;
    if (typeof name !== 'string' || typeof hash !== 'string') return null;
    return isSize(size) && isSize(signatureSize) ? { name, size, signatureSize, hash } : null;
  } catch {
    return null;
  }
}

/** A bundle as it was put. Throws C021 where there is none, C022 where it is not whole. */
export async function readBundle(store: Store, digest: string): Promise<StoredBundle> {
  const entry = await store.get(headKey(digest));
  if (entry === null) throw new ControlError('C021', `bundle ${digest} is not in the store`);
  const head = readHead(entry.value);
  const damaged = new ControlError('C022', `bundle ${digest} in the store is not whole`);
  if (head === null) throw damaged;
  const total = head.size + head.signatureSize;
  const pieces: Uint8Array[] = [];
  for (let n = 0; n * PIECE_BYTES < total; n += 1) {
    const piece = await store.get(pieceKey(digest, n));
    if (piece === null) throw damaged;
    pieces.push(piece.value);
  }
  const bytes = Buffer.concat(pieces);
  if (bytes.length !== total || versionOf(bytes) !== head.hash) throw damaged;
  return {
    name: head.name,
    bundle: bytes.subarray(0, head.size),
    signatures: head.signatureSize === 0 ? null : bytes.subarray(head.size),
  };
}
