/**
 * Nanoseconds of one run of a program, by test-run with many repetitions. The clock is read here and
 * not taken from the kernel, which rounds to whole nanoseconds: too coarse for a decision of 15.
 */
import type { KernelProgram } from '../../runtime/kernel/index.js';

export const REPEAT = 1_000_000;

export function timeProgram(
  program: KernelProgram,
  packet: Uint8Array,
  repeat: number = REPEAT,
): number {
  const from = process.hrtime.bigint();
  program.testRun(packet, { repeat, outSize: packet.length });
  return Number(process.hrtime.bigint() - from) / repeat;
}
