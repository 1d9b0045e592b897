/** Opens the store that a control plane is told to use. */
import { openFolder } from './folder-store.js';
import { StoreError } from './store-error.js';
import type { Store } from './types.js';

/** Opens `file:FOLDER`. Throws D101 for anything else, and what opening throws. */
export async function openStore(place: string): Promise<Store> {
  const folder = /^file:(.+)$/s.exec(place)?.[1];
  if (folder !== undefined) return openFolder(folder);
  throw new StoreError('D101', `\`${place}\` names no store`);
}
