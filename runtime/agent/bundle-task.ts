/**
 * One change of what this node runs, as a value: who serves the node hands it to a process of its own
 * (stager.ts), which holds a world and bundles for as long as it lasts. It reads the world as it is now.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readWorld, type World } from '../discovery/index.js';
import type { Kernel } from '../kernel/index.js';
import { trustPolicyOf } from './admit.js';
import { WorldError } from './agent-error.js';
import { type Adopted, type Applied, type NodeBundles, openNodeBundles } from './bundles.js';
import { fetchBundle } from './fetch-bundle.js';
import { type FollowedTask, type KeptFollowed, keepFollowed } from './keep-followed.js';
import { readKeptWorld } from './kept-world.js';
import type { Paths } from './paths.js';

/** What changes on this node are made with. */
export interface BundleSettings {
  /** The file of the world; null: the last one that was followed. */
  readonly world: string | null;
  readonly trust: string | null;
  readonly shortCircuit: boolean;
  /** Generations that stay loaded; null: as many as usual. */
  readonly keep: number | null;
}

/** What is asked. */
export type BundleTask =
  | { readonly kind: 'adopt'; readonly place: string }
  | {
      readonly kind: 'apply';
      readonly bundle: Uint8Array;
      readonly signatures: Uint8Array | null;
      readonly mode: 'enforce' | 'shadow';
    }
  | { readonly kind: 'boot' }
  | ({ readonly kind: 'keep' } & FollowedTask)
  | { readonly kind: 'world' };

/** What comes of it, by kind. */
export interface TaskAnswers {
  readonly adopt: Adopted;
  readonly apply: Applied;
  readonly boot: Applied | null;
  readonly keep: KeptFollowed;
  readonly world: World;
}

/** Where it is done. */
export interface TaskPlace {
  readonly kernel: Kernel;
  readonly paths: Paths;
  /** Credentials of registries. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  readonly clockOffset: () => bigint;
}

function worldOf(file: string): World {
  const { world, diagnostics } = readWorld(readFileSync(file, 'utf8'), file);
  if (world === null) throw new WorldError(diagnostics);
  return world;
}

function open(
  { kernel, paths, now, clockOffset }: TaskPlace,
  settings: BundleSettings,
): NodeBundles {
  const { trust, shortCircuit, keep } = settings;
  const named = trust === null ? null : { path: resolve(trust), shown: trust };
  const world = settings.world === null ? readKeptWorld(paths) : worldOf(settings.world);
  return openNodeBundles({
    ...{ kernel, paths, shortCircuit, now, clockOffset },
    ...{ world: () => world, followed: settings.world === null },
    ...{ trust: () => trustPolicyOf(paths, named) },
    ...(keep === null ? {} : { keep }),
  });
}

/** Does it. Rejects with WorldError, and with what NodeBundles reject with. */
export async function performTask<K extends BundleTask['kind']>(
  task: Extract<BundleTask, { kind: K }>,
  place: TaskPlace,
  settings: BundleSettings,
): Promise<TaskAnswers[K]>;
export async function performTask(
  task: BundleTask,
  place: TaskPlace,
  settings: BundleSettings,
): Promise<TaskAnswers[BundleTask['kind']]> {
  // Behind it there is a world to open bundles in.
  if (task.kind === 'keep') return keepFollowed(place.paths, task);
  const bundles = open(place, settings);
  switch (task.kind) {
    case 'adopt': {
      const { bytes, signatures } = await fetchBundle(task.place, place.env);
      return bundles.adopt(bytes, signatures);
    }
    case 'apply':
      return bundles.apply(task.bundle, task.signatures, task.mode);
    case 'boot':
      return bundles.boot();
    case 'world':
      return bundles.world();
  }
}
