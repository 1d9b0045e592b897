/**
 * The agent as its control plane sees it: bundles come in through the same door as from a file, and what
 * the node says of itself is what `weft status` reads. Nothing here is asked of the control plane: when
 * it is away, all goes on.
 */
import { hostname, release } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { REAL_CLOCK } from '../control/wire/index.js';
import { type Link, type LinkHooks, openLink, type Running } from '../link/index.js';
import { describeEvent } from '../probe/index.js';
import { watchKeys } from '../spiffe/index.js';
import type { ControlPlace } from './agent-options.js';
import type { EventHub } from './event-hub.js';
import { hasNode } from './node.js';
import type { NodeParts } from './serve-node.js';
import { openShadowDesk } from './shadow-desk.js';
import type { StagedBundles } from './staged-bundles.js';
import type { EnforcedStatus } from './status.js';

export interface FollowedControl extends AsyncDisposable {
  readonly link: Link;
  /** Resolves when a generation is active here, or the signal aborts. */
  active(signal: AbortSignal): Promise<void>;
  /** Verdicts can be sent from now on. */
  serve(hub: EventHub): void;
}

/** Lines of rules in a report: the busiest ones. */
const MAX_RULES = 256;

function count(value: bigint): number {
  return Number(value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : value);
}

const NONE = { allowed: 0, denied: 0, lost: 0 };

/** What of a node's status a report tells. */
export function reportOf(status: EnforcedStatus | null): {
  readonly counters: { readonly allowed: number; readonly denied: number; readonly lost: number };
  readonly rules: readonly {
    readonly rule: string;
    readonly policy: string;
    readonly verdict: string;
    readonly count: number;
  }[];
  readonly drift: string | null;
} {
  if (status === null) return { counters: NONE, rules: [], drift: null };
  const reasons = Object.values(status.reasons);
  const sum = (read: (reason: { allow: bigint; deny: bigint }) => bigint): number =>
    count(reasons.reduce((total, reason) => total + read(reason), 0n));
  const rules = status.policies
    .flatMap(({ name, sites }) => sites.map((site) => ({ policy: name, ...site })))
    .map(({ rule, policy, verdict, count: n }) => ({ rule, policy, verdict, count: count(n) }))
    .sort((a, b) => b.count - a.count)
    .slice(0, MAX_RULES);
  const active = status.generations.find((g) => g.active);
  return {
    counters: {
      allowed: sum((r) => r.allow),
      denied: sum((r) => r.deny),
      lost: count(status.lost),
    },
    rules,
    drift: active?.breaks[0] ?? null,
  };
}

/** Connects the node. Throws IdentityError where the files are no pair. */
export function followControl(
  { paths, env, log }: NodeParts,
  bundles: Pick<StagedBundles, 'apply' | 'active' | 'enforced' | 'world'>,
  { control, labels, ...files }: ControlPlace,
): FollowedControl {
  const part = { part: 'control' };
  const onFault = (error: unknown): void => log('warn', messageOf(error), part);
  const keys = watchKeys(files, { onFault });
  const desk = openShadowDesk({ world: () => bundles.world(), onFault });
  /** Bundles that the kernel of this node would take, by name. */
  const shadows = new Map<string, Running>();
  const waiting = new Set<() => void>();
  let hub: EventHub | null = null;
  let following: Disposable | null = null;
  let wish: Parameters<LinkHooks['events']> = [null, () => {}];

  function follow(): void {
    following?.[Symbol.dispose]();
    following = null;
    const [asked, take] = wish;
    if (asked === null || hub === null) return;
    const { verdict, workload } = asked;
    following = hub.follow({
      wanted: 'waiting',
      onSeen: ({ event, names, node }, lost) => {
        const record = describeEvent(event, { node, names, lost });
        if (verdict !== '' && record.verdict !== verdict) return;
        const ends = [record.source.workload, record.destination.workload];
        if (workload === '' || ends.includes(workload)) take(JSON.stringify(record));
      },
    });
  }

  const hooks: LinkHooks = {
    async apply({ name, digest, mode, bundle, signatures }) {
      const applied = await bundles.apply(bundle, signatures, mode);
      const message = applied.ok ? `bundle ${name} ${digest} taken` : applied.message;
      log(applied.ok ? 'info' : 'error', message, { ...part, mode, bundle: digest });
      if (applied.ok && mode === 'shadow') {
        shadows.set(name, { name, digest, mode });
        await desk.begin(bundle, digest);
      }
      if (applied.ok) for (const go of [...waiting]) go();
      return applied;
    },
    async withdraw(name, mode) {
      if (mode !== 'shadow') return;
      const ended = shadows.get(name);
      shadows.delete(name);
      if (ended !== undefined) desk.end(ended.digest);
    },
    running() {
      const active = bundles.active();
      if (active === null) return [...shadows.values()];
      const { name, digest } = active;
      return [{ name, digest, mode: 'enforce' }, ...shadows.values()];
    },
    async report() {
      const active = bundles.active();
      return {
        ...{ agent: env.version, kernel: release(), active },
        ...reportOf(hasNode(paths) ? bundles.enforced() : null),
        shadow: desk.counts(),
      };
    },
    events(asked, take) {
      wish = [asked, take];
      follow();
    },
  };
  const link = openLink({
    ...{ control, keys, labels, version: env.version, hooks, clock: REAL_CLOCK },
    patience: env.patience,
    heldFile: join(paths.lib, 'control', 'held.json'),
    log: (level, message) => log(level, message, part),
  });
  log('info', `${keys.current.id.name} on ${hostname()} follows ${control.join(', ')}`, part);
  return {
    link,
    serve(opened) {
      hub = opened;
      desk.follow(opened);
      follow();
    },
    async active(signal) {
      if (bundles.active() !== null) return;
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
    async [Symbol.asyncDispose]() {
      following?.[Symbol.dispose]();
      desk.close();
      await link.close();
      keys.close();
    },
  };
}
