/**
 * The judge of requests for whatever generation is active: opened from what was kept of it when a request
 * first needs it, and closed once another generation is active or nobody has asked for a while: with it go
 * the world and the instances of the policies.
 */
import {
  DEFAULT_REFUSALS,
  PARSE_REFUSAL,
  refusalReplies,
  replyBytes,
} from '../../compiler/abi/index.js';
import type { AskedRequest, Judgement, Unreadable } from '../forward/index.js';
import { viewText } from '../http/index.js';
import type { JudgedNode } from './account.js';
import type { OpenedJudge, Refusals } from './open-judge.js';
import type { RequestJudge } from './request-judge.js';

export interface ActiveJudge extends AsyncDisposable {
  /** By the generation that is active now. Rejects with SimulateError where its judge does not open. */
  judge(asked: AskedRequest): Promise<Judgement>;
  unavailable(isHead: boolean): Uint8Array;
  unreadable(asked: Unreadable): Promise<Uint8Array>;
}

/** Before any bundle of requests is known. */
const DEFAULTS: Refusals = refusalReplies(DEFAULT_REFUSALS);

/** The active generation's and the one before: requests that it judges end meanwhile. */
const KEPT = 2;
/** What nobody asked for so long is closed. */
const IDLE_MS = 60_000;

interface Opened {
  readonly generation: number;
  readonly it: Promise<OpenedJudge | null>;
}

/** Opens it; `active` tells the active generation. */
export function openActiveJudge(node: JudgedNode, active: () => number | null): ActiveJudge {
  const opened: Opened[] = [];
  let latest: RequestJudge | null = null;
  /** Of the generation that was judged by last, also once its judge is closed. */
  let refusals: Refusals = DEFAULTS;
  let underway = 0;
  let idle: NodeJS.Timeout | null = null;

  const close = async ({ it }: Opened): Promise<void> => {
    try {
      await (await it)?.[Symbol.asyncDispose]();
    } catch {
      // It did not open.
    }
  };
  const closeAll = async (): Promise<void> => {
    latest = null;
    await Promise.all(opened.splice(0).map(close));
  };

  const open = async (generation: number): Promise<OpenedJudge | null> => {
    const { openJudge } = await import('./open-judge.js');
    return openJudge(node, generation);
  };

  const current = async (): Promise<RequestJudge | null> => {
    const generation = active();
    if (generation === null) return null;
    let known = opened.find((one) => one.generation === generation);
    if (known === undefined) {
      known = { generation, it: open(generation) };
      opened.push(known);
      for (const old of opened.splice(0, opened.length - KEPT)) void close(old);
    }
    const found = await known.it;
    if (found === null) return null;
    refusals = found.refusals;
    latest = found.judge;
    return latest;
  };

  /** Nothing is closed while somebody waits for an answer. */
  const using = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (idle !== null) clearTimeout(idle);
    idle = null;
    underway += 1;
    try {
      return await ask();
    } finally {
      underway -= 1;
      if (underway === 0) idle = setTimeout(() => void closeAll(), IDLE_MS).unref();
    }
  };

  const unavailable = (isHead: boolean): Uint8Array => replyBytes(refusals.unavailable, isHead);
  return {
    judge: (asked) =>
      using(async () => {
        const judge = await current();
        if (judge !== null) return judge.judge(asked);
        const isHead = viewText(asked.head.bytes, asked.head.method) === 'HEAD';
        return { kind: 'answer', bytes: unavailable(isHead), closes: false };
      }),
    unavailable,
    unreadable: (asked) =>
      using(async () => {
        const judge = (await current()) ?? latest;
        const refusal = refusals[PARSE_REFUSAL[asked.status] ?? 'parse'];
        return judge?.unreadable(asked) ?? replyBytes(refusal);
      }),
    [Symbol.asyncDispose]: async () => {
      if (idle !== null) clearTimeout(idle);
      await closeAll();
    },
  };
}
