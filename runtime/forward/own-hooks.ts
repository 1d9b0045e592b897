/**
 * Programs on the agent's own cgroup, where its sockets are made: what a pooled connection must not
 * send, and the proof that what it sends was judged (bpf/agent.bpf.c).
 */
import { ATTACH_TYPE, type Kernel, type KernelLink, type KernelObject } from '../kernel/index.js';

const HOOKS = [
  ['agent_egress', ATTACH_TYPE.cgroupInetEgress],
  ['agent_connects', ATTACH_TYPE.cgroupSockOps],
] as const;

/** Attached until disposed, or until this process ends. Throws KernelError; then nothing is left. */
export function attachOwnHooks(kernel: Kernel, programs: KernelObject, cgroup: string): Disposable {
  const links: KernelLink[] = [];
  const detach = (): void => {
    for (const link of links) link[Symbol.dispose]();
  };
  try {
    for (const [name, attachType] of HOOKS)
      links.push(kernel.attachCgroup(programs.program(name), cgroup, attachType));
  } catch (error) {
    detach();
    throw error;
  }
  return { [Symbol.dispose]: detach };
}
