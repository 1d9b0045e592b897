/**
 * Tells the verdicts of the agent on requests where the kernel tells its own: counters by site and
 * reason, events, and the heads that a recording asks for (bpf/account.bpf.c).
 */
import { join } from 'node:path';
import {
  NO_POLICY,
  putPolicies,
  REASON,
  type ReasonName,
  VERDICT,
} from '../../compiler/abi/index.js';
import type { Handover } from '../forward/index.js';
import type { Head, View } from '../http/index.js';
import { isMapped, type Kernel, type KernelMap, viewOf } from '../kernel/index.js';
import type { Flow } from '../simulate/index.js';
import { WANTED } from './events.js';
import {
  encodeInput,
  encodeU32,
  HOOKS,
  LAYOUT,
  NODE_MAPS,
  NONE,
  REQUEST_LAYOUT,
} from './layout.js';
import { readObject } from './objects.js';
import { type Paths, pinsOf } from './paths.js';
import { putAddress } from './struct-bytes.js';

/** A verdict on one request of a client that is in the agent's hands. */
export interface AgentVerdict {
  readonly handover: Handover;
  /** Of the client's workload in the world of the generation. */
  readonly workload: number | null;
  readonly now: bigint;
  readonly random: number;
  readonly pick: number;
  readonly verdict: 'allow' | 'deny';
  readonly reason: ReasonName;
  /** As far as the decision came; null where the head could not be read. */
  readonly flow: Flow | null;
  /** Of the reply that it is answered with; 0 where it is forwarded. */
  readonly status: number;
  /** Null where it could not be read. */
  readonly head: Head | null;
}

export interface Account extends Disposable {
  readonly generation: number;
  /**
   * Counts a verdict and reports it where the kernel would. `request`: struct weft_request, for a
   * recording; null where there is none. Throws KernelError.
   */
  tell(verdict: AgentVerdict, request: () => Uint8Array | null): void;
}

/** The node whose generations the agent judges by. */
export interface JudgedNode {
  readonly kernel: Kernel;
  readonly paths: Paths;
  readonly map: (name: string) => KernelMap;
}

/** Maps of the node that the programs are loaded onto. */
export const ACCOUNT_MAPS: readonly string[] = [
  ...NODE_MAPS,
  'weft_http',
  'weft_wanted',
  'weft_endings',
  'weft_clients',
];

/** struct weft_event.family, as the policies see it. */
const [IPV4, IPV6] = [4, 6] as const;

function putResult(view: DataView, verdict: AgentVerdict): void {
  const { flow, handover } = verdict;
  const at = LAYOUT.weft_result;
  const decision = LAYOUT.weft_decision; // at the start of the result
  const record = flow?.record ?? null;
  view.setUint32(decision.verdict, VERDICT[verdict.verdict], true);
  view.setUint32(decision.reason, REASON[verdict.reason], true);
  view.setUint32(decision.site, record?.site ?? 0, true);
  view.setUint32(decision.policy, record?.policy ?? NO_POLICY, true);
  putPolicies(view, decision.audited, record?.audited ?? 0n);
  putPolicies(view, decision.shadow_allow, record?.shadowAllow ?? 0n);
  putPolicies(view, decision.shadow_deny, record?.shadowDeny ?? 0n);
  view.setUint32(at.route_site, flow?.routeSite ?? 0, true);
  view.setUint32(at.service, flow?.service?.index ?? NONE, true);
  view.setUint32(at.cluster, flow?.cluster?.index ?? NONE, true);
  const place = flow?.endpoint;
  putAddress(view, at.endpoint, place?.address.bytes ?? handover.endpoint.address);
  view.setUint16(at.endpoint_port, place?.port ?? handover.endpoint.port, true);
  view.setUint32(at.pick, verdict.pick, true);
  view.setUint32(at.source, verdict.workload ?? NONE, true);
  view.setUint32(at.destination, flow?.destination?.index ?? NONE, true);
}

/** The first bytes of a view, at `to`; longer texts are cut, as the kernel cuts them. */
function putText(record: Uint8Array, to: number, end: number, head: Head, text: View): number {
  const { offset, length } = text;
  record.set(head.bytes.subarray(offset, offset + Math.min(length, end - to)), to);
  return length;
}

function encodeRecord(verdict: AgentVerdict, generation: number): Uint8Array {
  const at = REQUEST_LAYOUT.weft_request_event;
  const event = LAYOUT.weft_event;
  const record = new Uint8Array(at.size);
  const view = new DataView(record.buffer);
  const { handover, flow, head, workload, now, random, pick } = verdict;
  const isFour = isMapped(handover.name.address);
  const from = isFour ? flow?.source?.v4 : flow?.source?.v6;
  record.set(
    encodeInput({
      ...{ now, random, pick, protocol: 6, cgroup: handover.cgroup, workload: workload ?? NONE },
      ...(from ? { source: from.bytes } : {}),
      destination: handover.name.address,
      port: handover.name.port,
    }),
    event.input,
  );
  putResult(new DataView(record.buffer, event.result), verdict);
  view.setBigUint64(event.cookie, handover.client.cookie, true);
  view.setUint32(event.generation, generation, true);
  view.setUint8(event.family, isFour ? IPV4 : IPV6);
  view.setUint8(event.hook, HOOKS.indexOf('request'));
  view.setUint32(at.status, verdict.status, true);
  if (head !== null) {
    const method = putText(record, at.method, at.path, head, head.method);
    const path = head.path === null ? 0 : putText(record, at.path, at.size, head, head.path);
    view.setUint32(at.method_length, method, true);
    view.setUint32(at.path_length, path, true);
  }
  return record;
}

/** Loads the programs for one generation. Throws KernelError and VerifierError; then nothing is left. */
export function openAccount({ kernel, paths, map }: JudgedNode, generation: number): Account {
  const pin = join(pinsOf.generation(paths, generation), 'maps', 'weft_sites');
  using sites = kernel.openMap(pin);
  const reuse = Object.fromEntries(ACCOUNT_MAPS.map((name) => [name, map(name)] as const));
  const bytes = readObject('account');
  const object = kernel.load({ name: 'account', bytes, reuse: { ...reuse, weft_sites: sites } });
  const at = REQUEST_LAYOUT.weft_account;
  const input = new Uint8Array(at.size);
  const write = (part: Uint8Array, to: number): void => {
    input.set(part, to);
    object.map('weft_account_input').update(encodeU32(0), input);
  };
  return {
    generation,
    tell: (verdict, request) => {
      const { flow, status } = verdict;
      const isMarked =
        ((flow?.record?.audited ?? 0n) |
          (flow?.record?.shadowAllow ?? 0n) |
          (flow?.record?.shadowDeny ?? 0n)) !==
        0n;
      write(encodeRecord(verdict, generation), at.record);
      const accounting = REQUEST_LAYOUT.weft_accounting;
      const argument = new Uint8Array(accounting.size);
      new DataView(argument.buffer).setUint32(
        accounting.told,
        status !== 0 || isMarked ? 1 : 0,
        true,
      );
      const { contextOut } = object.program('account_verdict').testRun(argument);
      const wanted = viewOf(contextOut).getUint32(accounting.wanted, true);
      const asked = wanted === WANTED.heads ? request() : null;
      if (asked === null) return;
      write(asked, at.request);
      object.program('account_head').testRun(argument);
    },
    [Symbol.dispose]: () => object[Symbol.dispose](),
  };
}
