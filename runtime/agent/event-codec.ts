/** Records of weft_events. */
import { CONNECTION, HEAD, REQUEST, VERDICT } from '../../compiler/abi/index.js';
import { type InetName, type SocketName, viewOf } from '../kernel/index.js';
import type { KernelEvent } from '../probe/index.js';
import { decodeResult } from './harness-codec.js';
import { REQUEST_LAYOUT } from './request-layout.js';
import { ADDRESS_BYTES } from './struct-bytes.js';
import { HOOKS, LAYOUT } from './struct-layout.js';

export type { KernelEvent };

/** Of an event whose connection was open, and was judged again. */
const INPUT_OPEN = 4; // WEFT_INPUT_OPEN

/** What `weft_open` said of a connection: its ends, and null where there was no room to decide. */
export interface OpenConnection extends SocketName {
  readonly verdict: 'allow' | 'deny' | null;
}

/** Reads a record of it. */
export function decodeOpen(record: Uint8Array): OpenConnection {
  const at = LAYOUT.weft_open;
  const view = viewOf(record, at.size);
  const end = (address: number, port: number): InetName => ({
    address: record.slice(address, address + ADDRESS_BYTES),
    port: view.getUint16(port, true),
  });
  const verdict = view.getUint32(at.verdict, true);
  return {
    cookie: view.getBigUint64(at.cookie, true),
    local: end(at.local, at.local_port),
    remote: end(at.remote, at.remote_port),
    verdict: verdict === 0 ? null : verdict === VERDICT.allow ? 'allow' : 'deny',
  };
}

/** Reads a record of weft_events; throws RangeError where it is none (another data plane version). */
export function decodeEvent(record: Uint8Array): KernelEvent {
  const at = LAYOUT.weft_event;
  const view = viewOf(record, at.size);
  const hook = HOOKS[view.getUint8(at.hook)];
  if (hook === undefined) throw new RangeError(`no hook has number ${view.getUint8(at.hook)}`);
  const input = LAYOUT.weft_input; // at the start of the event
  const result = decodeResult(record.subarray(at.result));
  const address = (offset: number): Uint8Array => record.slice(offset, offset + ADDRESS_BYTES);
  return {
    // Field by field: spreading the result costs thirty times as much as all the rest.
    verdict: result.verdict,
    reason: result.reason,
    site: result.site,
    policy: result.policy,
    route: result.route,
    routeSite: result.routeSite,
    service: result.service,
    cluster: result.cluster,
    endpoint: result.endpoint,
    endpointPort: result.endpointPort,
    pick: result.pick,
    audited: result.audited,
    shadowAllow: result.shadowAllow,
    shadowDeny: result.shadowDeny,
    time: view.getBigUint64(at.time, true),
    now: view.getBigUint64(input.now, true),
    cookie: view.getBigUint64(at.cookie, true),
    cgroup: view.getBigUint64(input.cgroup, true),
    source: address(input.source),
    destination: address(input.destination),
    generation: view.getUint32(at.generation, true),
    sourceWorkload: result.source,
    destinationWorkload: result.destination,
    random: view.getUint32(input.random, true),
    sourcePort: view.getUint16(at.source_port, true),
    destinationPort: view.getUint16(input.port, true),
    protocol: view.getUint8(input.protocol),
    family: view.getUint8(at.family),
    hook,
    open: (view.getUint8(input.flags) & INPUT_OPEN) !== 0,
    request: record.length < REQUEST_LAYOUT.weft_request_event.size ? null : decodeRequest(record),
  };
}

/** The text of a view's bytes, as far as the record has them. */
function textAt(record: Uint8Array, from: number, to: number, length: number): string {
  return Buffer.from(record.subarray(from, Math.min(to, from + length))).toString('latin1');
}

function decodeRequest(record: Uint8Array): NonNullable<KernelEvent['request']> {
  const at = REQUEST_LAYOUT.weft_request_event;
  const view = viewOf(record, at.size);
  const length = (offset: number): number => view.getUint32(offset, true) & 0xffff;
  return {
    method: textAt(record, at.method, at.path, length(at.method_length)),
    path: textAt(record, at.path, at.size, length(at.path_length)),
    status: view.getUint32(at.status, true),
  };
}

/** What the policies were asked about, as WEFT_WANTED_HEADS has it reported: struct weft_request up to the head's end. */
export interface HeadRecord {
  /** These two are those of the event that it belongs to. */
  readonly now: bigint;
  readonly random: number;
  /** struct weft_head. */
  readonly head: Uint8Array;
  /** The head, its path normalised. */
  readonly bytes: Uint8Array;
}

/** Whether a record of weft_events is a head: each is longer than any event. */
export function isHeadRecord(record: Uint8Array): boolean {
  return record.length >= REQUEST.bytes;
}

/** Reads such a record. */
export function decodeHeadRecord(record: Uint8Array): HeadRecord {
  const view = viewOf(record, REQUEST.bytes);
  const length = view.getUint16(REQUEST.head + HEAD.length, true);
  return {
    now: view.getBigUint64(CONNECTION.now, true),
    random: view.getUint32(CONNECTION.random, true),
    head: record.slice(REQUEST.head, REQUEST.head + HEAD.size),
    bytes: record.slice(REQUEST.bytes, REQUEST.bytes + length),
  };
}
