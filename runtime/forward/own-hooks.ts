/**
 * Programs on the agent's own cgroup, where its sockets are made: what a pooled connection must not
 * send, and the proof that what it sends was judged (bpf/agent.bpf.c). Connections that outlive the agent
 * are in its cgroup still, and so the first of these outlives it with them.
 */
import { closeSync } from 'node:fs';
import {
  ATTACH_TYPE,
  cgroupId,
  type Kernel,
  type KernelLink,
  type KernelObject,
} from '../kernel/index.js';
import type { DescriptorStore } from './descriptor-store.js';

const HOOKS = [
  ['agent_egress', ATTACH_TYPE.cgroupInetEgress],
  ['agent_connects', ATTACH_TYPE.cgroupSockOps],
] as const;

const PREFIX = 'egress-';

/**
 * Attached until disposed, or until this process ends; where there is a store, what watches pooled
 * connections stays attached behind it. Throws KernelError; then nothing is left.
 */
export function attachOwnHooks(
  kernel: Kernel,
  programs: KernelObject,
  { cgroup, store }: { readonly cgroup: string; readonly store: DescriptorStore },
): Disposable {
  const links: KernelLink[] = [];
  const detach = (): void => {
    for (const link of links) link[Symbol.dispose]();
  };
  try {
    for (const [name, attachType] of HOOKS)
      links.push(kernel.attachCgroup(programs.program(name), cgroup, attachType));
    const own = `${PREFIX}${cgroupId(cgroup)}`;
    const before = store.take(own);
    // The one before is of no use any more: this one is attached beside it.
    if (before !== null) {
      closeSync(before);
      store.forget(own);
    }
    const [egress] = links;
    if (egress !== undefined) store.keep(own, egress.fd);
  } catch (error) {
    detach();
    throw error;
  }
  return { [Symbol.dispose]: detach };
}

/** Lets go of the programs on cgroups of agents before, and detaches them where no connection of theirs is left. */
export function leaveOtherHooks(store: DescriptorStore, isNeeded: boolean): void {
  for (const name of store.names) {
    if (!name.startsWith(PREFIX)) continue;
    const fd = store.take(name);
    if (fd !== null) closeSync(fd);
    if (!isNeeded) store.forget(name);
  }
}
