/** What this process may do, read from its effective capabilities (user ids say too little). */
import { readFileSync } from 'node:fs';
import { CAPABILITY } from './constants.js';

function capabilities(): (bit: number) => boolean {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const mask = BigInt(`0x${line?.[1] ?? '0'}`);
  return (bit) => ((mask >> BigInt(bit)) & 1n) === 1n;
}

/** True where this process may load and attach the programs that Weft uses. */
export function isPrivileged(): boolean {
  const has = capabilities();
  return has(CAPABILITY.sysAdmin) || (has(CAPABILITY.bpf) && has(CAPABILITY.netAdmin));
}

/** True where this process may open what any other has: its namespaces, its sockets (pidfd_getfd(2)). */
export function canReachProcesses(): boolean {
  return capabilities()(CAPABILITY.sysPtrace);
}
