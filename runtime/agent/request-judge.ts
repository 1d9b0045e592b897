/**
 * Requests that the agent decides itself, by the same policy.wasm as the simulator: those that wait
 * for others on their connection, and those whose route says more than a cluster.
 */
import { randomInt } from 'node:crypto';
import {
  PARSE_REFUSAL,
  type Reply,
  refusalOf,
  replyBytes,
  VERDICT,
} from '../../compiler/abi/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { parseAddress, type World } from '../discovery/index.js';
import type { AskedRequest, Handover, Judgement, Told, Unreadable } from '../forward/index.js';
import { type Head, redirectedOf, redirectReply, viewText } from '../http/index.js';
import { addressText } from '../kernel/index.js';
import {
  type BoundPlace,
  connectionOf,
  type DecideInput,
  encodeRequests,
  type Flow,
  type RequestText,
  type Simulator,
} from '../simulate/index.js';
import type { Account, AgentVerdict } from './account.js';

export interface RequestJudge {
  judge(asked: AskedRequest): Promise<Judgement>;
  /** To a head that cannot be read, by the status that the parser gives. */
  unreadable(asked: Unreadable): Uint8Array;
}

export interface RequestJudgeOptions {
  readonly bundle: Pick<Bundle, 'manifest'>;
  readonly world: World;
  readonly simulator: Pick<Simulator, 'decide' | 'plan'>;
  readonly account: Account;
  /** Index of the workload by its enrolled cgroup. */
  readonly workloadOf: (cgroup: bigint) => number | null;
}

const U32 = 2 ** 32;

type Answer = Extract<Judgement, { kind: 'answer' }> & { readonly status: number };
type Judged = Extract<Judgement, { kind: 'forward' }> | Answer;

const now = (): bigint => BigInt(Date.now()) * 1_000_000n;

/** struct weft_request, as the policies were asked. */
function requestBytes(flow: Flow): Uint8Array | null {
  const { request } = flow;
  if (!request?.ok) return null;
  return encodeRequests([
    { connection: connectionOf(flow), head: request.head, bytes: request.bytes },
  ]);
}

function textOf(sent: Uint8Array): RequestText {
  const [first = '', ...lines] = Buffer.from(sent).toString('latin1').split('\r\n');
  const [method = '', target = ''] = first.split(' ');
  const headers = lines.flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()]];
  });
  return { method, target, headers };
}

/** Opens it for one loaded generation. */
export function openRequestJudge(options: RequestJudgeOptions): RequestJudge {
  const { simulator, account } = options;
  const { refusals } = options.bundle.manifest;
  const answer = (reply: Reply, isHead: boolean): Answer => ({
    kind: 'answer',
    bytes: replyBytes(reply, isHead),
    closes: /^connection: close$/im.test(reply.head),
    status: reply.status,
  });

  /** Where its own connection goes; its cluster only by the names of the generation that knows it. */
  const boundOf = ({ endpoint, generation, bound }: Handover): BoundPlace | null => {
    const address = parseAddress(addressText(endpoint.address));
    if (address === null) return null;
    const cluster = generation === account.generation ? simulator.plan.clusters[bound] : undefined;
    return { address, port: endpoint.port, cluster: cluster?.name ?? null };
  };

  const input = ({ handover, told, sent }: AskedRequest): DecideInput | null => {
    const address = parseAddress(addressText(handover.name.address));
    const bound = boundOf(handover);
    if (address === null || bound === null) return null;
    return {
      source: { workload: options.workloadOf(handover.cgroup), address: null },
      destination: { address, port: handover.name.port },
      protocol: 6,
      random: told?.random ?? randomInt(U32),
      pick: told?.pick ?? randomInt(U32),
      now: now(),
      bound,
      request: textOf(sent),
    };
  };

  const outcome = (flow: Flow, head: Head, port: number): Judged => {
    const isHead = viewText(head.bytes, head.method) === 'HEAD';
    const { end } = flow;
    if (end === null) return answer(refusals.unavailable, isHead);
    if (end.verdict === 'deny') return answer(refusals[refusalOf(end.reason)], isHead);
    const edits = flow.answer?.kind === 'cluster' ? flow.answer.edits : [];
    if (flow.answer?.kind === 'reply') return answer(flow.answer.reply, isHead);
    if (flow.answer?.kind === 'redirect') {
      return answer(redirectReply(flow.answer.redirect, redirectedOf(head, port)), isHead);
    }
    const { address, port: to } = flow.endpoint;
    return { kind: 'forward', endpoint: { address: address.bytes, port: to }, edits };
  };

  /** Has the kernel told this very verdict? */
  const isTold = ({ generation }: Handover, told: Told | null, verdict: AgentVerdict): boolean =>
    told !== null &&
    generation === account.generation &&
    told.verdict === VERDICT[verdict.verdict] &&
    told.site === (verdict.flow?.record?.site ?? 0);

  const tell = (
    { handover, told }: Pick<AskedRequest, 'handover' | 'told'>,
    verdict: AgentVerdict,
  ): void => {
    if (isTold(handover, told, verdict)) return;
    account.tell(verdict, () => (verdict.flow === null ? null : requestBytes(verdict.flow)));
  };

  return {
    judge: async (asked) => {
      const { handover, head } = asked;
      const known = input(asked);
      const isHead = viewText(head.bytes, head.method) === 'HEAD';
      if (known === null) return answer(refusals.unavailable, isHead);
      const flow = await simulator.decide(known);
      const judged = outcome(flow, head, handover.name.port);
      const { workload } = known.source;
      const status = judged.kind === 'answer' ? judged.status : 0;
      const { random, pick } = known;
      if (flow.end !== null)
        tell(asked, {
          ...{ handover, workload, random, pick, flow, status, head },
          ...flow.end,
          now: known.now,
        });
      return judged;
    },
    unreadable: ({ handover, told, status }) => {
      const reply = refusals[PARSE_REFUSAL[status] ?? 'parse'];
      const workload = options.workloadOf(handover.cgroup);
      const draws = { now: now(), random: 0, pick: 0 };
      const verdict = { verdict: 'deny', reason: 'parse' } as const;
      const unread = { handover, workload, flow: null, head: null, status: reply.status };
      tell({ handover, told }, { ...unread, ...draws, ...verdict });
      return replyBytes(reply);
    },
  };
}
