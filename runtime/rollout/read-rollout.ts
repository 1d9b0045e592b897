/** A rollout's document from the bytes of the store, and back. */
import { isRollout } from '../schema/index.js';
import type { RolloutDocument } from './types.js';

/** What the store holds is no rollout. Code `C111`. */
export class RolloutError extends Error {
  override readonly name = 'RolloutError';
  readonly code = 'C111';
  constructor(key: string) {
    super(`\`${key}\` of the store holds no rollout`);
  }
}

/** Reads it. Throws RolloutError, named by its key, where it is not one. */
export function decodeRollout(bytes: Uint8Array, key: string): RolloutDocument {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new RolloutError(key);
  }
  if (!isRollout(value)) throw new RolloutError(key);
  const document = value as RolloutDocument;
  if (document.stage >= document.spec.stages.length) throw new RolloutError(key);
  return document;
}

/** Writes it. */
export function encodeRollout(document: RolloutDocument): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
