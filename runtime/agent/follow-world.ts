/**
 * A world that changes while the agent runs: the bundle that decides is loaded anew in each new one, as a
 * generation of its own, so that nobody sees half of a change and no connection is dropped. Changes that come
 * together are one, and loads take a tenth of the time at most, however often pods come and go.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { readActive } from './active.js';
import type { NodeBundles } from './bundles.js';
import { enrolAll, unenrolGone } from './enrol-all.js';
import { withLock } from './lock.js';
import type { NodeCluster } from './node-cluster.js';
import { pinsOf } from './paths.js';
import type { NodeParts } from './serve-node.js';

/** Changes that come within so long of each other are one … */
const QUIET_MS = 250;
/** … but the first of them waits no longer. */
const PATIENCE_MS = 2000;
/** A load that took t is followed by a pause of so many t. */
const REST = 9;
const LONGEST_REST_MS = 60_000;
/** Whether somebody else changed what decides is looked at so often … */
const LOOK_MS = 1000;
/** … and whether cgroups are gone behind each change and so often. */
const SWEEP_MS = 10_000;
/** What was refused is tried again although nothing changed. */
const AGAIN_MS = 30_000;

export interface FollowedWorld extends AsyncDisposable {
  /** Why this node does not run in the world as it is; null while it does. */
  problem(): string | null;
}

export interface FollowWorldOptions {
  readonly bundles: Pick<NodeBundles, 'boot'>;
  readonly cluster: NodeCluster;
  /** Pods of this node are enrolled as they come. */
  readonly enrol: boolean;
}

class Follower implements FollowedWorld {
  readonly #parts: NodeParts;
  readonly #options: FollowWorldOptions;
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;
  #changes = 0;
  #refusal: string | null = null;
  #wake: () => void = () => {};

  constructor(parts: NodeParts, options: FollowWorldOptions) {
    [this.#parts, this.#options] = [parts, options];
    options.cluster.onChange = () => this.#note();
    this.#note();
    this.#done = this.#run();
  }

  problem(): string | null {
    return this.#refusal ?? this.#options.cluster.problem();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    this.#wake();
    await this.#done;
  }

  #note(): void {
    this.#changes += 1;
    this.#wake();
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#ending.signal }).catch(() => undefined);
  }

  /** Resolves at the next change, the end, or behind the time. */
  async #next(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (!this.#ending.signal.aborted) await Promise.race([woken, this.#pause(ms)]);
  }

  /** Until no more changes come for a while. */
  async #settle(): Promise<void> {
    const late = performance.now() + PATIENCE_MS;
    for (let seen = -1; seen !== this.#changes && performance.now() < late; ) {
      seen = this.#changes;
      await this.#pause(QUIET_MS);
      if (this.#ending.signal.aborted) return;
    }
  }

  async #run(): Promise<void> {
    let seen = 0;
    let active = this.#active();
    let tried = performance.now();
    let swept = Number.NEGATIVE_INFINITY;
    while (!this.#ending.signal.aborted) {
      const isRefused = this.#refusal !== null && performance.now() - tried > AGAIN_MS;
      if (seen === this.#changes && active === this.#active() && !isRefused) {
        if (performance.now() - swept > SWEEP_MS) {
          await this.#sweep();
          swept = performance.now();
        }
        await this.#next(LOOK_MS);
        continue;
      }
      await this.#settle();
      if (this.#ending.signal.aborted) return;
      swept = Number.NEGATIVE_INFINITY;
      seen = this.#changes;
      tried = performance.now();
      await this.#change(active !== this.#active() || isRefused);
      active = this.#active();
      await this.#pause(Math.min(LONGEST_REST_MS, REST * (performance.now() - tried)));
    }
  }

  /** Brings the world into force; `anyway`: also one that was brought already, to another bundle. */
  async #change(anyway: boolean): Promise<void> {
    const { log } = this.#parts;
    const { bundles, cluster, enrol } = this.#options;
    const before = this.#active();
    try {
      if (!(await cluster.write()) && !anyway && this.#refusal === null) return;
      const booted = await bundles.boot();
      if (booted !== null && !booted.ok) throw new Error(booted.message);
      this.#refusal = null;
      const generation = booted?.generation ?? null;
      if (generation !== null && generation !== before)
        log('info', `generation ${generation} is active: the world is another one`, { generation });
      if (enrol) await this.#enrol();
    } catch (error) {
      this.#refusal = messageOf(error);
      log('error', `the world stays as it was: ${this.#refusal}`, { part: 'kubernetes' });
    }
  }

  async #enrol(): Promise<void> {
    const { kernel, paths, log } = this.#parts;
    const { enrolled } = await withLock(paths, () => enrolAll(kernel, paths));
    for (const { workload, cgroup } of enrolled)
      log('info', `enrolled ${workload}: ${cgroup}`, { workload, cgroup });
  }

  /** With a pod went its cgroup; what was pinned for it is let go. */
  async #sweep(): Promise<void> {
    const { kernel, paths, log } = this.#parts;
    if (!this.#options.enrol) return;
    try {
      for (const { workload, cgroup } of await unenrolGone(kernel, paths))
        log('info', `its cgroup is gone: ${workload ?? cgroup}`, { workload, cgroup });
    } catch (error) {
      log('warn', messageOf(error), { part: 'kubernetes' });
    }
  }

  /** Number of the generation that decides, whoever made it so. */
  #active(): number | null {
    const { kernel, paths } = this.#parts;
    const pin = join(pinsOf.maps(paths), 'weft_active');
    if (!existsSync(pin)) return null;
    using map = kernel.openMap(pin);
    return readActive(map);
  }
}

/** Follows until it is disposed of; a generation is active. */
export function followWorld(parts: NodeParts, options: FollowWorldOptions): FollowedWorld {
  return new Follower(parts, options);
}
