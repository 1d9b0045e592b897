/**
 * Requests that the agent decides itself, by the same policy.wasm as the simulator: those that wait
 * for others on their connection, and those whose route says more than a cluster.
 */
import { randomInt } from 'node:crypto';
import {
  PARSE_REFUSAL,
  type RefusalName,
  type Reply,
  refusalOf,
  replyBytes,
} from '../../compiler/abi/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { parseAddress, type World } from '../discovery/index.js';
import type { Handover, Judgement } from '../forward/index.js';
import { type Head, redirectedOf, redirectReply, viewText } from '../http/index.js';
import { addressText } from '../kernel/index.js';
import type { DecideInput, Flow, RequestText, Simulator } from '../simulate/index.js';

export interface RequestJudge {
  /** `sent`: the head's bytes as they came. */
  judge(handover: Handover, head: Head, sent: Uint8Array): Promise<Judgement>;
  refusal(name: RefusalName, isHead: boolean): Uint8Array;
  /** To a head that cannot be read, by the status that the parser gives. */
  unreadable(status: number): Uint8Array;
}

export interface RequestJudgeOptions {
  readonly bundle: Pick<Bundle, 'manifest'>;
  readonly world: World;
  readonly simulator: Pick<Simulator, 'decide'>;
  /** Index of the workload by its enrolled cgroup. */
  readonly workloadOf: (cgroup: bigint) => number | null;
}

const U32 = 2 ** 32;

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
  const { refusals } = options.bundle.manifest;
  const answer = (reply: Reply, isHead: boolean): Judgement => ({
    kind: 'answer',
    bytes: replyBytes(reply, isHead),
    closes: /^connection: close$/im.test(reply.head),
  });

  const input = (handover: Handover, sent: Uint8Array): DecideInput | null => {
    const address = parseAddress(addressText(handover.name.address));
    if (address === null) return null;
    return {
      source: { workload: options.workloadOf(handover.cgroup), address: null },
      destination: { address, port: handover.name.port },
      protocol: 6,
      random: randomInt(U32),
      pick: randomInt(U32),
      now: BigInt(Date.now()) * 1_000_000n,
      request: textOf(sent),
    };
  };

  const outcome = (flow: Flow, handover: Handover, head: Head, isHead: boolean): Judgement => {
    const { end } = flow;
    if (end === null) return answer(refusals.unavailable, isHead);
    if (end.verdict === 'deny') return answer(refusals[refusalOf(end.reason)], isHead);
    const edits = flow.answer?.kind === 'cluster' ? flow.answer.edits : [];
    if (flow.answer?.kind === 'reply') return answer(flow.answer.reply, isHead);
    if (flow.answer?.kind === 'redirect') {
      const request = redirectedOf(head, handover.name.port);
      return answer(redirectReply(flow.answer.redirect, request), isHead);
    }
    const { address, port } = flow.endpoint;
    return { kind: 'forward', endpoint: { address: address.bytes, port }, edits };
  };

  return {
    judge: async (handover, head, sent) => {
      const isHead = viewText(head.bytes, head.method) === 'HEAD';
      const known = input(handover, sent);
      if (known === null) return answer(refusals.unavailable, isHead);
      return outcome(await options.simulator.decide(known), handover, head, isHead);
    },
    refusal: (name, isHead) => replyBytes(refusals[name], isHead),
    unreadable: (status) => replyBytes(refusals[PARSE_REFUSAL[status] ?? 'parse']),
  };
}
