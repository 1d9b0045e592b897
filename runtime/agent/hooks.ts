/** Where each stub is attached, and in which slot a generation's programs stand. */
import { ATTACH_TYPE } from '../kernel/index.js';
import { type HookName, SLOTS } from './layout.js';

/** Attach type of each stub (program `stub_<name>`), in the order of attaching. */
export const STUB_ATTACH: Readonly<
  Record<
    Exclude<HookName, 'request' | 'server' | 'accept'> | 'sock_create' | 'egress' | 'sockops',
    number
  >
> = {
  // First what refuses sockets that no hook judges, last what judges arrivals.
  sock_create: ATTACH_TYPE.cgroupInetSockCreate,
  egress: ATTACH_TYPE.cgroupInetEgress,
  sockops: ATTACH_TYPE.cgroupSockOps, // not always: see sockops.ts
  getpeername4: ATTACH_TYPE.cgroupInet4Getpeername,
  getpeername6: ATTACH_TYPE.cgroupInet6Getpeername,
  recvmsg4: ATTACH_TYPE.cgroupUdp4Recvmsg,
  recvmsg6: ATTACH_TYPE.cgroupUdp6Recvmsg,
  sendmsg4: ATTACH_TYPE.cgroupUdp4Sendmsg,
  sendmsg6: ATTACH_TYPE.cgroupUdp6Sendmsg,
  connect4: ATTACH_TYPE.cgroupInet4Connect,
  connect6: ATTACH_TYPE.cgroupInet6Connect,
  ingress: ATTACH_TYPE.cgroupInetIngress,
};

/** The stubs that are attached to a node map instead: by map, and the attach type. */
export const MAP_STUBS: readonly {
  readonly map: string;
  readonly stub: string;
  readonly attachType: number;
}[] = [
  { map: 'weft_clients', stub: 'request', attachType: ATTACH_TYPE.skMsgVerdict },
  { map: 'weft_strangers', stub: 'server', attachType: ATTACH_TYPE.skSkbStreamVerdict },
  { map: 'weft_upstreams', stub: 'reply', attachType: ATTACH_TYPE.skSkbStreamVerdict },
  { map: 'weft_agents', stub: 'agent', attachType: ATTACH_TYPE.skMsgVerdict },
];

/** The program-array slot of a generation: kept ones are consecutive, so they never share one. */
export function slotOf(generation: number): number {
  return generation % SLOTS;
}
