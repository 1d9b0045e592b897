/**
 * A process that loads one world after the other, over and over, as `weft load` would: endpoints leave
 * and come. Argument: JSON of Changes; prints a line a load, and ends after the one at SIGTERM.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { load, type Paths } from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { mustCompile } from '../support/compile-texts.js';

export interface Changes {
  readonly paths: Paths;
  readonly policy: string;
  /** Texts of worlds, taken by turns. */
  readonly worlds: readonly string[];
  readonly everyMs: number;
}

const { paths, policy, worlds, everyMs }: Changes = JSON.parse(process.argv[2] ?? '');
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
const kernel = openKernel();
const bundle = await mustCompile(new Map([['shop.ts', policy]]));
for (let turn = 0; !stop.signal.aborted; turn++) {
  const { world } = readWorld(worlds[turn % worlds.length] ?? '', 'world.yaml');
  if (world === null) throw new Error('the world is not read');
  const digest = 'sha256:soak';
  await load(kernel, paths, {
    ...{ bundle, digest, world, now: new Date(), clockOffset: 0n, shortCircuit: false },
  });
  console.log(`world ${turn}`);
  await wait(everyMs, undefined, { signal: stop.signal }).catch(() => {});
}
