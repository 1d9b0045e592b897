/**
 * The record of what a hook saw: ends by name where the node knows them, draws, clock, where the
 * connection went, the head of a request, and what was decided.
 */

import { REASON } from '../../compiler/abi/index.js';
import { formatAddress } from '../discovery/index.js';
import { decodeHead, viewText } from '../http/index.js';
import { describeEvent, type EventNames, type KernelEvent } from '../probe/index.js';
import { placeText } from './place-finder.js';
import { timeText } from './record-input.js';
import { requestOfHead } from './request-of-head.js';
import type { RecordedRequest, TrafficRecord } from './types.js';

export interface SeenEvent {
  readonly event: KernelEvent;
  /** Of a request: struct weft_head and the bytes that its views are into. */
  readonly head: { readonly head: Uint8Array; readonly bytes: Uint8Array } | null;
  readonly names: EventNames | null;
  readonly node: string;
}

/** Hooks that decide; those of names and replies only translate. */
const DECIDING: readonly string[] = [
  'connect4',
  'connect6',
  'sendmsg4',
  'sendmsg6',
  'ingress',
  'request',
  'server',
];
const UDP = 17;

/** The target is stale where the path was normalised in its place: the path and query say what is meant. */
function requestOf({ head, bytes }: NonNullable<SeenEvent['head']>): RecordedRequest | null {
  const parsed = decodeHead(head, bytes);
  if (parsed.status !== 'ok') return null;
  const request = requestOfHead(bytes);
  if (!parsed.normalised) return request;
  const query = viewText(bytes, parsed.query);
  const path = viewText(bytes, parsed.path) ?? '/';
  return { ...request, path: query === null ? path : `${path}?${query}` };
}

/** Makes the record; null where nothing was decided, or the head of a request is not there. */
export function recordOfEvent({ event, head, names, node }: SeenEvent): TrafficRecord | null {
  // Of a connection that is judged request by request nothing was decided yet.
  if (!DECIDING.includes(event.hook) || event.reason === REASON.requests) return null;
  const isRequest = event.hook === 'request' || event.hook === 'server';
  const request = head === null ? null : requestOf(head);
  if (isRequest && request === null) return null;
  const told = describeEvent(event, { node, names, lost: 0 });
  const isService = names?.services[event.service] !== undefined;
  const { verdict, reason, rule, site, route, cluster, endpoint, status, bundle, hook } = told;
  return {
    time: timeText(event.now),
    from: told.source.workload ?? formatAddress(event.source),
    to: placeText(formatAddress(event.destination), event.destinationPort),
    ...(event.protocol === UDP ? { protocol: 'udp' } : {}),
    random: event.random,
    pick: event.pick,
    ...(isService && cluster !== null ? { bound: { cluster, endpoint } } : {}),
    ...(request === null ? {} : { request }),
    decided: { verdict, reason, rule, site, route, cluster, endpoint, status, bundle, node, hook },
  };
}
