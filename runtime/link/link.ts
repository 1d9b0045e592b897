/**
 * A node's link to its control planes: connected to one of them, to another when that one is gone, with
 * waits that grow and differ from node to node. Without any, the node runs on as it is.
 *
 * A renewed certificate does not break the stream: a second connection is made with it, at a moment of
 * its own, and the first one ends when the second one stands.
 */
import { messageOf } from '../../compiler/diagnostic/index.js';
import {
  type Clock,
  create,
  type DeltaDiscoveryResponse,
  NodeSchema,
  pause,
  type ToNode,
} from '../control/wire/index.js';
import { outOfTime, type WatchedKeys } from '../spiffe/index.js';
import { createBackoff } from './backoff.js';
import { createEventBatch, type EventBatch } from './event-batch.js';
import { openHeld } from './held.js';
import type { LinkHooks } from './hooks.js';
import { openSession, PATIENCE, type Patience, type Session } from './session.js';
import { takeResponse } from './take-response.js';

/** A session that lived so long was a good one: the next wait is a first one, in milliseconds. */
export const STEADY_MS = 30_000;
/** Renewed certificates are taken up within this time, in milliseconds, each node at its own moment. */
export const RENEWAL_SPREAD_MS = 600_000;

export interface LinkOptions {
  /** HOST:PORT of control planes. */
  readonly control: readonly string[];
  readonly keys: WatchedKeys;
  readonly labels: Readonly<Record<string, string>>;
  /** Version of the agent. */
  readonly version: string;
  readonly hooks: LinkHooks;
  /** Where to keep which versions this node has; null: nowhere. */
  readonly heldFile: string | null;
  readonly clock: Clock;
  /** With connections that say nothing. */
  readonly patience?: Patience | undefined;
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
}

export interface LinkStatus {
  /** The control plane that this node is connected to. */
  readonly connected: string | null;
  /** Milliseconds since the epoch: since when it is, or is not. */
  readonly since: number;
  /** Why the last connection ended or was not made. */
  readonly fault: string | null;
}

export interface Link {
  status(): LinkStatus;
  /** Something worth telling has changed on the node. */
  reportSoon(): void;
  close(): Promise<void>;
}

/** Connects, and stays so until `close`. */
export function openLink(options: LinkOptions): Link {
  const { control, keys, labels, version, hooks, clock, log } = options;
  const { patience = PATIENCE } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const backoff = createBackoff(clock);
  const held = openHeld(options.heldFile, (error) => log('warn', `versions not kept: ${error}`));
  let turn = Math.floor(clock.random() * control.length);
  let current: Session | null = null;
  let status: LinkStatus = { connected: null, since: clock.now(), fault: null };
  let work: Promise<void> = Promise.resolve();
  let events: { readonly session: Session; readonly batch: EventBatch } | null = null;
  let intervalMs = 0;
  let leaveInterval: (() => void) | null = null;

  function note(connected: string | null, fault: string | null): void {
    const isSame = status.connected === connected;
    status = { connected, since: isSame ? status.since : clock.now(), fault };
  }

  async function report(session: Session): Promise<void> {
    if (session !== current) return;
    try {
      session.tell({ case: 'report', value: JSON.stringify(await hooks.report()) });
    } catch (error) {
      log('warn', `no report: ${messageOf(error)}`);
    }
  }

  /** The next report, a while after this one. */
  function plan(): void {
    leaveInterval?.();
    leaveInterval = null;
    if (intervalMs === 0 || signal.aborted) return;
    // Between a half and the whole: nodes that connected together do not report together.
    leaveInterval = clock.after(intervalMs * (0.5 + clock.random() / 2), () => {
      if (current !== null) void report(current);
      plan();
    });
  }

  function onResponse(session: Session, response: DeltaDiscoveryResponse): void {
    work = work.then(async () => {
      const refused = await takeResponse(response, held, hooks).catch((error: unknown) => {
        log('error', `internal fault: ${error instanceof Error ? error.stack : String(error)}`);
        session.close();
        return undefined;
      });
      if (refused === undefined) return;
      if (refused !== null) log('error', `refused: ${refused.message}`);
      if (current !== null) await report(current);
      const nonce = { responseNonce: response.nonce };
      session.answer(refused === null ? nonce : { ...nonce, errorDetail: refused });
    });
  }

  function onWish(session: Session, wish: ToNode): void {
    if (wish.intervalMs > 0) {
      intervalMs = wish.intervalMs;
      plan();
    }
    if (wish.events === undefined) return;
    dropEvents();
    if (!wish.events.wanted) return;
    const batch = createEventBatch(clock, session);
    events = { session, batch };
    hooks.events(wish.events, batch.take);
  }

  function dropEvents(): void {
    if (events === null) return;
    events.batch.close();
    events = null;
    hooks.events(null, () => {});
  }

  function connect(): Session {
    const address = control[turn % control.length] ?? '';
    turn += 1;
    const { id } = keys.current;
    const node = create(NodeSchema, {
      ...{ id: id.name, userAgentName: 'weft-agent', userAgentVersion: version },
      metadata: { labels: { ...labels } },
    });
    const initialResourceVersions = held.versions(hooks.running());
    const hello = { node, initialResourceVersions };
    const session = openSession({
      ...{ address, pair: keys.current, clock, patience, hello, onResponse, onWish },
    });
    const close = (): void => session.close();
    signal.addEventListener('abort', close, { once: true });
    void session.done.then(() => signal.removeEventListener('abort', close));
    return session;
  }

  function takeUp(session: Session): void {
    current = session;
    note(session.address, null);
    void report(session);
  }

  /** Resolves, at this node's own moment, when another certificate is there than the session has. */
  async function renewal(session: Session, until: AbortSignal): Promise<void> {
    if (keys.current === session.pair) {
      await new Promise<void>((resolve) => {
        const leave = keys.onChange(() => {
          leave();
          resolve();
        });
        until.addEventListener('abort', leave, { once: true });
      });
    }
    const left = session.pair.notAfter - clock.now();
    const spread = Math.max(0, Math.min(RENEWAL_SPREAD_MS, left / 2));
    await pause(clock, clock.random() * spread, until);
  }

  /** Stays connected, over renewals; resolves to the session that ended. */
  async function stay(first: Session): Promise<Session> {
    let session = first;
    takeUp(session);
    for (;;) {
      const over = new AbortController();
      const isRenewal = await Promise.race([
        session.done.then(() => false),
        renewal(session, over.signal).then(() => true),
      ]);
      over.abort();
      if (!isRenewal) return session;
      const next = connect();
      if (await next.established) {
        const before = session;
        session = next;
        takeUp(session);
        before.close();
        log('info', `connected to ${session.address} with the renewed certificate`);
      } else {
        log('warn', `not renewed: ${(await next.done).reason}`);
        await Promise.race([session.done, pause(clock, backoff.next(), signal)]);
      }
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const began = clock.now();
      const session = connect();
      const ended = (await session.established) ? await stay(session) : session;
      const { reason } = await ended.done;
      const late = outOfTime(keys.current, clock.now());
      current = null;
      if (events !== null) dropEvents();
      if (signal.aborted) return;
      note(null, late ?? reason);
      if (clock.now() - began >= STEADY_MS) backoff.reset();
      const wait = backoff.next();
      log(
        'warn',
        `no control plane: ${session.address}: ${late ?? reason}; again in ${Math.round(wait)} ms`,
      );
      await pause(clock, wait, signal);
    }
  }

  const running = run();
  return {
    status: () => status,
    reportSoon: () => {
      if (current !== null) void report(current);
    },
    async close() {
      stop.abort();
      leaveInterval?.();
      await running;
      await work;
    },
  };
}
