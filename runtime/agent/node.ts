/**
 * The node's own objects: maps that outlive every generation and the stubs that are attached. Made
 * by the first load or enrolment, pinned as one directory, removed by unload.
 */
import { join } from 'node:path';
import { type Kernel, type KernelMap, pinDirectory } from '../kernel/index.js';
import { AgentError } from './agent-error.js';
import { CODES } from './codes.js';
import { MAP_STUBS, STUB_ATTACH } from './hooks.js';
import { EXCHANGE_NODE_MAPS, NODE_MAPS, REQUEST_NODE_MAPS } from './layout.js';
import { readObject } from './objects.js';
import { Owned } from './owned.js';
import { type Paths, pinsOf } from './paths.js';
import { type Pinnable, pinAll, pinNames, sweepUnfinished } from './pins.js';

export interface NodeMaps extends Disposable {
  /** All of them by name; none where nothing was ever loaded. Throws KernelError. */
  all(): Readonly<Record<string, KernelMap>>;
  /** Throws KernelError where the node has no such map. */
  map(name: string): KernelMap;
}

function create(kernel: Kernel, paths: Paths): void {
  using object = kernel.load({ name: 'stubs', bytes: readObject('stubs') });
  const items = new Map<string, Pinnable>();
  for (const name of object.mapNames) {
    if (!name.startsWith('.')) items.set(`maps/${name}`, object.map(name));
  }
  for (const name of Object.keys(STUB_ATTACH)) {
    items.set(`stubs/${name}`, object.program(`stub_${name}`));
  }
  for (const { map, stub, attachType } of MAP_STUBS) {
    const program = object.program(`stub_${stub}`);
    kernel.attachMap(program, object.map(map), attachType);
    items.set(`stubs/${stub}`, program);
  }
  pinDirectory(paths.pins);
  pinAll(pinsOf.node(paths), items);
}

/** True where the node's objects are pinned. */
export function hasNode(paths: Paths): boolean {
  return pinNames(pinsOf.node(paths)).length > 0;
}

/** The node's maps as pinned, each opened when it is first asked for: there are some fifty, and most ask for three. */
export function openNode(kernel: Kernel, paths: Paths): NodeMaps {
  const owned = new Owned();
  const opened = new Map<string, KernelMap>();
  const folder = pinsOf.maps(paths);
  const map = (name: string): KernelMap => {
    const before = opened.get(name);
    if (before !== undefined) return before;
    const found = owned.add(kernel.openMap(join(folder, name)));
    opened.set(name, found);
    return found;
  };
  return {
    all: () => Object.fromEntries(pinNames(folder).map((name) => [name, map(name)])),
    map,
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

/** Removes what a change that died left half done; only under the lock. Throws KernelError. */
export function sweepNode(paths: Paths): void {
  for (const path of [paths.pins, pinsOf.generations(paths), pinsOf.links(paths)]) {
    sweepUnfinished(path);
  }
}

/**
 * Opens the node's objects for a change, making them first where they do not exist. Throws
 * KernelError, and A024 where another version made them.
 */
export function ensureNode(kernel: Kernel, paths: Paths): NodeMaps {
  sweepNode(paths);
  if (!hasNode(paths)) create(kernel, paths);
  const node = openNode(kernel, paths);
  const there = new Set(pinNames(pinsOf.maps(paths)));
  const missing = [...NODE_MAPS, ...REQUEST_NODE_MAPS, ...EXCHANGE_NODE_MAPS].find(
    (name) => !there.has(name),
  );
  if (missing === undefined) return node;
  node[Symbol.dispose]();
  const message = `this node was set up by another version: it has no map \`${missing}\``;
  throw new AgentError('A024', message, CODES['A024']?.help ?? null);
}
