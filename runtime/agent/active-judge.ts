/**
 * The judge of requests for whatever generation is active: opened from what was kept of it, and
 * closed again once another one is.
 */
import {
  DEFAULT_REFUSALS,
  PARSE_REFUSAL,
  refusalReplies,
  replyBytes,
} from '../../compiler/abi/index.js';
import type { AskedRequest, Judgement, Unreadable } from '../forward/index.js';
import { viewText } from '../http/index.js';
import { createSimulator, type Simulator } from '../simulate/index.js';
import { type JudgedNode, openAccount } from './account.js';
import { openRequestJudge, type RequestJudge } from './request-judge.js';
import { readSource } from './sources.js';
import { nodeCgroups } from './stage.js';

export interface ActiveJudge extends AsyncDisposable {
  /** Opens the judge of the active generation, if it has one. Rejects with SimulateError. */
  ready(): Promise<void>;
  /** By the generation that is active now. */
  judge(asked: AskedRequest): Promise<Judgement>;
  unavailable(isHead: boolean): Uint8Array;
  unreadable(asked: Unreadable): Promise<Uint8Array>;
}

/** Before any bundle of requests is known. */
const DEFAULTS = refusalReplies(DEFAULT_REFUSALS);

/** The active generation's and the one before: requests that it judges end meanwhile. */
const KEPT = 2;

interface Opened {
  readonly generation: number;
  /** Null where nothing was kept of the generation. */
  readonly judge: RequestJudge | null;
  close(): Promise<void>;
}

async function open(node: JudgedNode, generation: number): Promise<Opened> {
  const { paths } = node;
  const source = readSource(paths, generation);
  if (source === null) return { generation, judge: null, close: async () => {} };
  const { bundle, world } = source;
  const account = openAccount(node, generation);
  let simulator: Simulator;
  try {
    simulator = await createSimulator(bundle, { world });
  } catch (error) {
    account[Symbol.dispose]();
    throw error;
  }
  let workloads = new Map<bigint, number>();
  const judge = openRequestJudge({
    ...{ bundle, world, simulator, account },
    workloadOf: (cgroup) => {
      if (!workloads.has(cgroup)) {
        workloads = new Map([...nodeCgroups(paths, world)].map(([index, id]) => [id, index]));
      }
      return workloads.get(cgroup) ?? null;
    },
  });
  const close = async (): Promise<void> => {
    account[Symbol.dispose]();
    await simulator[Symbol.asyncDispose]();
  };
  return { generation, judge, close };
}

/** Opens it; `active` tells the active generation. */
export function openActiveJudge(node: JudgedNode, active: () => number | null): ActiveJudge {
  const opened: { readonly generation: number; readonly it: Promise<Opened> }[] = [];
  let latest: RequestJudge | null = null;

  const close = async (it: Promise<Opened>): Promise<void> => {
    try {
      await (await it).close();
    } catch {
      // It did not open.
    }
  };

  const current = async (): Promise<RequestJudge | null> => {
    const generation = active();
    if (generation === null) return null;
    let known = opened.find((one) => one.generation === generation);
    if (known === undefined) {
      known = { generation, it: open(node, generation) };
      opened.push(known);
      for (const { it } of opened.splice(0, opened.length - KEPT)) void close(it);
    }
    const { judge } = await known.it;
    latest = judge ?? latest;
    return judge;
  };

  const unavailable = (isHead: boolean): Uint8Array =>
    latest?.refusal('unavailable', isHead) ?? replyBytes(DEFAULTS.unavailable, isHead);
  return {
    ready: async () => {
      await current();
    },
    judge: async (asked) => {
      const judge = await current();
      if (judge !== null) return judge.judge(asked);
      const isHead = viewText(asked.head.bytes, asked.head.method) === 'HEAD';
      return { kind: 'answer', bytes: unavailable(isHead), closes: false };
    },
    unavailable,
    unreadable: async (asked) => {
      const judge = (await current()) ?? latest;
      const refusal = DEFAULTS[PARSE_REFUSAL[asked.status] ?? 'parse'];
      return judge?.unreadable(asked) ?? replyBytes(refusal);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.splice(0).map(({ it }) => close(it)));
    },
  };
}
