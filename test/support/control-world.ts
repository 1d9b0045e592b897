/**
 * A control plane on loopback with certificates of a test's own, nodes without a kernel, and an
 * operator: real gRPC between them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBundle } from '../../compiler/bundle/index.js';
import { openAdmin } from '../../runtime/control/client/index.js';
import { type Control, openControl } from '../../runtime/control/index.js';
import { type Clock, type Item, REAL_CLOCK } from '../../runtime/control/wire/index.js';
import {
  type Applied,
  type Link,
  openLink,
  type Patience,
  type Running,
} from '../../runtime/link/index.js';
import type { Admin, NodeReport } from '../../runtime/rollout/index.js';
import { type WatchedKeys, watchKeys } from '../../runtime/spiffe/index.js';
import type { StatusPlace } from '../../runtime/status-page/index.js';
import { memoryStore, type Store } from '../../runtime/store/index.js';
import { type TestAuthority, testAuthority } from './authority.js';
import { sampleBundle } from './sample-bundle.js';

/** The bundle of a test: another one for another `variant`, with so many bytes more. */
export function testBundle(variant: string, bytes = 0): Uint8Array {
  const { manifest, ...rest } = sampleBundle();
  const [policy] = manifest.policies;
  if (policy === undefined) throw new Error('a sample has a policy');
  const padding = 'x'.repeat(bytes);
  const attach = [{ namespace: `n-${variant}${padding}` }];
  return encodeBundle({ ...rest, manifest: { ...manifest, policies: [{ ...policy, attach }] } });
}

export interface FakeNode {
  readonly name: string;
  readonly link: Link;
  readonly keys: WatchedKeys;
  /** Everything that it was told to apply, in order. */
  readonly applied: readonly Item[];
  readonly withdrawn: readonly string[];
  readonly running: () => readonly Running[];
  readonly log: readonly string[];
  /** What it answers from now on. */
  answer: (item: Item) => Applied;
  close(): Promise<void>;
}

export interface ControlWorld {
  readonly folder: string;
  readonly authority: TestAuthority;
  readonly store: Store;
  readonly faults: readonly unknown[];
  control(name?: string, clock?: Clock, options?: ControlExtras): Promise<Control>;
  node(name: string, options?: NodeOptions): Promise<FakeNode>;
  admin(port: number): Promise<Admin>;
  close(): Promise<void>;
}

export interface ControlExtras {
  readonly page?: StatusPlace | null;
  /** Instead of the world's own. */
  readonly store?: Store;
  readonly patience?: Patience;
  /** Of its first certificate. */
  readonly times?: NodeOptions['times'];
}

export interface NodeOptions {
  readonly ports: readonly number[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly heldFile?: string | null;
  readonly patience?: Patience;
  /** Of its first certificate. */
  readonly times?: { readonly now?: number; readonly lifetimeMs?: number };
  /** What it runs already. */
  readonly running?: readonly Running[];
}

/** Resolves when the condition holds. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const COUNTERS = { allowed: 0, denied: 0, lost: 0 };

/** Opens an empty world; `close` ends all of it. */
export async function controlWorld(): Promise<ControlWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-control-'));
  const authority = await testAuthority(folder);
  const store = memoryStore();
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => {
    faults.push(error);
  };
  const closing: (() => unknown)[] = [];
  const keysOf = async (
    kind: 'node' | 'control',
    name: string,
    times: NodeOptions['times'] = {},
  ): Promise<WatchedKeys> => {
    const keys = watchKeys(await authority.issue(kind, name, times), { onFault, lookMs: 20 });
    closing.push(() => keys.close());
    return keys;
  };

  return {
    ...{ folder, authority, store, faults },
    async control(
      name = 'one',
      clock = REAL_CLOCK,
      { page = null, store: own = store, patience, times } = {},
    ) {
      const keys = await keysOf('control', name, times);
      const control = await openControl({
        ...{ store: own, keys, listen: '127.0.0.1:0', clock, page, onFault },
        ...(patience === undefined ? {} : { patience }),
      });
      closing.push(() => control.close());
      return control;
    },
    async node(
      name,
      { ports, labels = {}, clock = REAL_CLOCK, heldFile = null, running = [], times, patience } = {
        ports: [],
      },
    ) {
      const keys = await keysOf('node', name, times);
      const applied: Item[] = [];
      const withdrawn: string[] = [];
      const log: string[] = [];
      const runs = new Map(running.map((r) => [`${r.name} ${r.mode}`, r]));
      let generation = 0;
      const report = (): Omit<NodeReport, 'node' | 'labels' | 'control' | 'heard' | 'refused'> => {
        const own = [...runs.values()];
        const active = own.find(({ mode }) => mode === 'enforce');
        const shadow = own.find(({ mode }) => mode === 'shadow');
        return {
          ...{ agent: 'test', kernel: '6.18', counters: COUNTERS, rules: [], drift: null },
          active: active === undefined ? null : { ...active, generation },
          shadow:
            shadow === undefined
              ? null
              : { digest: shadow.digest, same: 0, different: 0, lost: 0, rules: [] },
        };
      };
      const link = openLink({
        control: ports.map((port) => `127.0.0.1:${port}`),
        ...{ keys, labels, version: 'test', heldFile, clock, patience },
        log: (_level, message) => log.push(message),
        hooks: {
          async apply(item) {
            applied.push(item);
            const answer = node.answer(item);
            if (!answer.ok) return answer;
            generation += 1;
            const { name: bundle, digest, mode } = item;
            runs.set(`${bundle} ${mode}`, { name: bundle, digest, mode });
            return answer;
          },
          async withdraw(bundle, mode) {
            withdrawn.push(`${bundle} ${mode}`);
            if (mode === 'shadow') runs.delete(`${bundle} ${mode}`);
          },
          running: () => [...runs.values()],
          report: async () => report(),
          events: () => {},
        },
      });
      const node: FakeNode = {
        ...{ name, link, keys, applied, withdrawn, log },
        running: () => [...runs.values()],
        answer: () => ({ ok: true, generation: generation + 1 }),
        close: () => link.close(),
      };
      closing.push(() => link.close());
      return node;
    },
    async admin(port) {
      const paths = await authority.issue('operator', 'ann');
      const admin = openAdmin({ control: [`127.0.0.1:${port}`], ...paths });
      closing.push(() => admin.close());
      return admin;
    },
    async close() {
      for (const end of closing.reverse()) await end();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
