/**
 * The objects of one kind, kept as the API server has them: a list read in pages, then a watch from its
 * version ("Efficient detection of changes", Kubernetes API Concepts). Of each object only what `read`
 * keeps is held. A watch that ends goes on from the last version that was seen (bookmarks count); a
 * version that the server has forgotten (410) is answered by a new list; anything else by waiting. What
 * was known stays until a new list is whole.
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { parseObject, readLines, readRefusal } from './answer.js';
import type { ApiServer } from './api-server.js';
import { KubernetesError } from './kubernetes-error.js';
import { packItem } from './packed.js';
import { objectOf, type Raw, textOf } from './raw.js';
import { readList } from './read-list.js';

/** Objects of a page: a few MiB of JSON at a time. */
const PAGE = 250;
/** The server ends a watch after so long, so that they spread over several servers again. */
const WATCH_S = { least: 240, spread: 240 };
/** Behind that a watch is ended from here: its server is gone without a word. */
const GRACE_MS = 30_000;
/** A watch that tells nothing and ends sooner is a fault. */
const SHORT_MS = 1000;

export interface Pauses {
  readonly first: number;
  readonly longest: number;
}

export interface ListKind<T extends object> {
  /** As rights name it: `pods`. */
  readonly resource: string;
  readonly path: string;
  /** Null: of no interest. */
  readonly read: (raw: Raw) => T | null;
  /** Those that are wanted unpacked besides. */
  readonly isNear: (item: T) => boolean;
}

export interface FollowOptions {
  /** Told behind each change of what `items` holds. */
  readonly onChange: () => void;
  /** Told each time that something went wrong; it is tried again. */
  readonly onFault: (error: unknown) => void;
  /** Between tries, doubling, each with jitter. */
  readonly pauses?: Pauses;
}

export interface FollowedList<T extends object> {
  /** By `namespace/name`, packed. */
  readonly items: ReadonlyMap<string, string>;
  /** Those that are near. */
  readonly near: ReadonlyMap<string, T>;
  /** The first list is whole, or the signal aborted. */
  readonly listed: Promise<void>;
  /** Why it is out of touch with the server; null while it is not. */
  readonly problem: () => string | null;
  /** Ends behind the signal. */
  readonly done: Promise<void>;
}

const PAUSES: Pauses = { first: 500, longest: 30_000 };

/** The server has forgotten the version. */
class Gone extends Error {}

function keyOf(raw: Raw): string {
  const metadata = objectOf(raw['metadata']);
  return `${textOf(metadata['namespace']) ?? ''}/${textOf(metadata['name']) ?? ''}`;
}

function versionOf(raw: Raw): string | null {
  return textOf(objectOf(raw['metadata'])['resourceVersion']);
}

/** An answer of status 200. Throws N101, N102; Gone. */
async function answerOf(
  server: ApiServer,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const response = await server.get(path, signal);
  const { statusCode } = response;
  if (statusCode === 200) return response;
  const said = await readRefusal(response);
  if (statusCode === 410) throw new Gone(said);
  const code = statusCode === 401 || statusCode === 403 ? 'N102' : 'N101';
  throw new KubernetesError(code, `\`${server.name}\` answers ${said}`);
}

interface Kept<T> {
  readonly packed: string;
  readonly near: T | null;
}

class Follower<T extends object> {
  readonly items: Map<string, string> = new Map();
  readonly near: Map<string, T> = new Map();
  readonly #server: ApiServer;
  readonly #kind: ListKind<T>;
  readonly #options: FollowOptions;
  readonly #signal: AbortSignal;
  #version: string | null = null;
  #problem: string | null = null;
  /** Tries since something went well. */
  #turn = 0;

  constructor(
    server: ApiServer,
    kind: ListKind<T>,
    { options, signal }: { readonly options: FollowOptions; readonly signal: AbortSignal },
  ) {
    [this.#server, this.#kind, this.#options, this.#signal] = [server, kind, options, signal];
  }

  get problem(): string | null {
    return this.#problem;
  }

  /** Until the signal; `onListed` behind each whole list. */
  async run(onListed: () => void): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        if (this.#version === null) {
          await this.#list();
          onListed();
        }
        await this.#watch();
      } catch (error) {
        if (this.#signal.aborted) return;
        await this.#fail(error);
      }
    }
  }

  async #fail(error: unknown): Promise<void> {
    if (error instanceof Gone) this.#version = null;
    else {
      const { resource } = this.#kind;
      this.#problem = error instanceof Error ? `${resource}: ${error.message}` : resource;
      this.#options.onFault(error);
    }
    // Who cannot read what comes may have missed something.
    if (error instanceof KubernetesError && error.code === 'N103') this.#version = null;
    const { first, longest } = this.#options.pauses ?? PAUSES;
    const bound = Math.min(longest, first * 2 ** Math.min(this.#turn, 20));
    this.#turn += 1;
    const ms = bound * (0.5 + Math.random() / 2);
    await wait(ms, undefined, { signal: this.#signal }).catch(() => undefined);
  }

  async #list(): Promise<void> {
    const found = new Map<string, Kept<T>>();
    let version: string | null = null;
    for (let next: string | null = ''; next !== null; ) {
      const from = next === '' ? '' : `&continue=${encodeURIComponent(next)}`;
      const path = `${this.#kind.path}?limit=${PAGE}${from}`;
      const response = await answerOf(this.#server, path, this.#signal);
      const page = await readList(response, (raw) => {
        const item = this.#kind.read(raw);
        if (item !== null) found.set(keyOf(raw), this.#pack(item));
      });
      version = versionOf(page);
      next = textOf(objectOf(page['metadata'])['continue']);
    }
    if (version === null) throw new KubernetesError('N103', 'a list without a version');
    this.#version = version;
    this.#problem = null;
    let isChanged = false;
    for (const key of [...this.items.keys()])
      if (!found.has(key)) isChanged = this.#drop(key) || isChanged;
    for (const [key, kept] of found) isChanged = this.#put(key, kept) || isChanged;
    if (isChanged) this.#options.onChange();
  }

  #pack(item: T): Kept<T> {
    return { packed: packItem(item), near: this.#kind.isNear(item) ? item : null };
  }

  /** Whether that changed anything. */
  #put(key: string, { packed, near }: Kept<T>): boolean {
    if (this.items.get(key) === packed) return false;
    this.items.set(key, packed);
    if (near !== null) this.near.set(key, near);
    else this.near.delete(key);
    return true;
  }

  #drop(key: string): boolean {
    this.near.delete(key);
    return this.items.delete(key);
  }

  async #watch(): Promise<void> {
    const seconds = WATCH_S.least + Math.floor(Math.random() * WATCH_S.spread);
    const from = `resourceVersion=${encodeURIComponent(this.#version ?? '')}`;
    const asked = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${seconds}&${from}`;
    const overdue = AbortSignal.timeout(seconds * 1000 + GRACE_MS);
    const signal = AbortSignal.any([this.#signal, overdue]);
    const response = await answerOf(this.#server, `${this.#kind.path}?${asked}`, signal);
    this.#problem = null;
    const opened = performance.now();
    let isAlive = false;
    try {
      for await (const line of readLines(response)) {
        this.#take(parseObject(line));
        isAlive = true;
        this.#turn = 0;
      }
    } catch (cause) {
      if (overdue.aborted) return;
      if (cause instanceof Gone || cause instanceof KubernetesError) throw cause;
      const reason = messageOf(cause);
      throw new KubernetesError('N101', `the watch broke off: ${reason}`, { cause });
    } finally {
      response.destroy();
    }
    // A server that ends each watch at once is not asked without a pause.
    if (isAlive || performance.now() - opened > SHORT_MS) return;
    throw new KubernetesError('N101', 'a watch ended as soon as it began');
  }

  #take(event: Raw): void {
    const raw = objectOf(event['object']);
    const { type } = event;
    if (type === 'ERROR') {
      const said = `${String(raw['code'])}: ${textOf(raw['message']) ?? 'an error'}`;
      if (raw['code'] === 410) throw new Gone(said);
      throw new KubernetesError('N101', `the watch ends with ${said}`);
    }
    const version = versionOf(raw);
    if (version === null) throw new KubernetesError('N103', 'an event without a version');
    const key = keyOf(raw);
    let isChanged = false;
    if (type === 'DELETED') isChanged = this.#drop(key);
    else if (type === 'ADDED' || type === 'MODIFIED') {
      const item = this.#kind.read(raw);
      isChanged = item === null ? this.#drop(key) : this.#put(key, this.#pack(item));
    }
    this.#version = version;
    if (isChanged) this.#options.onChange();
  }
}

/** Follows until `signal` aborts. */
export function followList<T extends object>(
  server: ApiServer,
  kind: ListKind<T>,
  { options, signal }: { readonly options: FollowOptions; readonly signal: AbortSignal },
): FollowedList<T> {
  const follower = new Follower(server, kind, { options, signal });
  let onListed = (): void => {};
  const listed = new Promise<void>((resolve) => {
    onListed = resolve;
  });
  signal.addEventListener('abort', () => onListed(), { once: true });
  return {
    ...{ items: follower.items, near: follower.near },
    listed,
    problem: () => follower.problem,
    done: follower.run(() => onListed()),
  };
}
