/**
 * A program on a socket map: it then runs for what the sockets send (sk_msg) or receive (sk_skb). A
 * socket keeps the program that the map had when it was added, so attach before the first one.
 */
import { callError } from './kernel-error.js';
import type { Native } from './native.js';
import type { KernelMap, KernelProgram } from './types.js';

/** BPF_PROG_ATTACH on a socket map; lives as long as the map. Throws KernelError. */
export function attachMap(
  native: Native,
  program: KernelProgram,
  map: KernelMap,
  attachType: number,
): void {
  const result = native.prog_attach(program.fd, map.fd, attachType, 0);
  if (result < 0)
    throw callError(
      'bpf_prog_attach',
      -result,
      `cannot attach \`${program.name}\` to map \`${map.name}\``,
    );
}
