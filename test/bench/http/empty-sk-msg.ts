/**
 * The peer `sk_msg`: no mesh, but a program on the client's sockets that passes everything. It tells what
 * of Weft's figures is the kernel's price for a program in that place.
 */
import { join } from 'node:path';
import { ATTACH_TYPE, type Kernel } from '../../../runtime/kernel/index.js';
import { benchFile, compileBpf } from '../clang.js';
import { Group } from './network.js';
import type { Where } from './peers.js';
import { CPUS, type Variant } from './variant.js';

/** `none` asked by a client in a cgroup of its own. The programs go with this process. */
export function emptySkMsg(kernel: Kernel, where: Where, none: Variant): Variant {
  const group = new Group(where.cgroups, 'sk-msg-client');
  const bytes = compileBpf(
    benchFile('http/empty-sk-msg.bpf.c'),
    join(where.folder, 'empty-sk-msg.o'),
  );
  const object = kernel.load({ name: 'empty_sk_msg', bytes });
  kernel.attachMap(object.program('pass'), object.map('sockets'), ATTACH_TYPE.skMsgVerdict);
  kernel.attachCgroup(object.program('keep'), group.path, ATTACH_TYPE.cgroupSockOps);
  return {
    ...none,
    name: 'sk_msg',
    client: { side: 'client', cgroup: group.path, cpus: CPUS.client },
  };
}
