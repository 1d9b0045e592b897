/** Removes all of Weft from a node: links first, so that nothing is judged by half of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Kernel, removePinTree } from '../kernel/index.js';
import { detachLinks, enrolledIds } from './enrol.js';
import { removeKeptWorld } from './kept-world.js';
import { removeBundles } from './last-good.js';
import { type Paths, pinsOf } from './paths.js';
import { pinNames } from './pins.js';
import { removeSources } from './sources.js';
import { removeState } from './state.js';

export interface Unloaded {
  readonly generations: number;
  readonly enrolled: number;
}

/** Gives sockets whose requests were judged back to TCP, which goes on with them. */
function releaseClients(kernel: Kernel, paths: Paths): void {
  const pin = join(pinsOf.maps(paths), 'weft_clients');
  if (!existsSync(pin)) return;
  using clients = kernel.openMap(pin);
  for (const cookie of clients.keys()) clients.delete(cookie);
}

/** Detaches, unpins and forgets everything. Harmless where nothing is loaded. Throws KernelError. */
export function unload(kernel: Kernel, paths: Paths): Unloaded {
  const ids = enrolledIds(paths);
  for (const id of ids) detachLinks(kernel, paths, id);
  releaseClients(kernel, paths);
  const generations = pinNames(pinsOf.generations(paths)).length;
  if (existsSync(paths.pins)) removePinTree(paths.pins);
  removeState(paths);
  removeSources(paths);
  removeBundles(paths);
  removeKeptWorld(paths);
  return { generations, enrolled: ids.length };
}
