/** What this process may do, read from its effective capabilities (user ids say too little). */
import { readFileSync } from 'node:fs';
import { CAPABILITY } from './constants.js';

/** True where this process may load and attach the programs that Weft uses. */
export function isPrivileged(): boolean {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const mask = BigInt(`0x${line?.[1] ?? '0'}`);
  const has = (bit: number): boolean => ((mask >> BigInt(bit)) & 1n) === 1n;
  return has(CAPABILITY.sysAdmin) || (has(CAPABILITY.bpf) && has(CAPABILITY.netAdmin));
}
