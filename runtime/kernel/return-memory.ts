/**
 * Memory that this process holds and does not need: what malloc keeps of freed blocks, and pages of program
 * files that only a start has run or read. The latter are mapped again when they are touched, from the
 * file's cache; of a mapping with pages of its own (relocations, breakpoints) none is let go.
 */
import { readFileSync } from 'node:fs';
import type { Native } from './native.js';

/** include/uapi/asm-generic/mman-common.h */
const MADV_DONTNEED = 4;

interface Mapping {
  readonly from: number;
  readonly bytes: number;
}

/** Mappings of files that are only read, and are what the file says (proc_pid_smaps(5)). */
export function cleanMappings(smaps: string): Mapping[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((text) => {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ [1-9]\d* +\//.exec(text);
    if (head === null || !/^Anonymous: +0 kB$/m.test(text)) return [];
    const [from, to] = [Number(`0x${head[1]}`), Number(`0x${head[2]}`)];
    return [{ from, bytes: to - from }];
  });
}

/** Gives it back to the system. Best effort: what the kernel refuses stays. */
export function returnMemory(native: Native): void {
  native.malloc_trim(0);
  for (const { from, bytes } of cleanMappings(readFileSync('/proc/self/smaps', 'utf8')))
    native.madvise(from, bytes, MADV_DONTNEED);
}
