/**
 * tables/exact-peers: 100,000 keys of 32 bits in the kernel's own hash map, and in our image by what clang -O2 makes of the
 * same look-up, above the drawing of a key. It tells what of an exact table's cost is the machine's.
 */
import { join } from 'node:path';
import { buildPerfectHash } from '../../compiler/tables/index.js';
import type { Kernel } from '../../runtime/kernel/index.js';
import { benchFile, compileBpf } from './clang.js';
import { type BenchResult, measurePairs } from './pairs.js';
import { STEP } from './tables-kinds.js';
import { timeProgram } from './time-program.js';

const COUNT = 100_000;
const REPEAT = 100_000;
/** A packet that test-run takes; nobody reads it. */
const PACKET = new Uint8Array(64);

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** Measures both, for keys that are all there and for as many that are not. */
export function benchExactPeers(kernel: Kernel, folder: string): readonly BenchResult[] {
  const keys = Array.from({ length: COUNT }, (_, i) => Math.imul(i, STEP) >>> 0);
  const plan = buildPerfectHash(keys.map((key, value) => ({ key: BigInt(key), value })));
  const { width, values, displacementBytes } = plan;
  if (width !== 32 || values !== null || displacementBytes !== 1) {
    throw new Error('the image is not of the form that exact-peers.bpf.c reads');
  }
  const bytes = compileBpf(benchFile('exact-peers.bpf.c'), join(folder, 'exact-peers.o'), {
    IMAGE_BYTES: plan.bytes.length,
    SLOT_BITS: plan.slotBits,
    BUCKET_BITS: plan.bucketBits,
    DISPLACEMENTS_AT: plan.displacementsAt,
    MULTIPLIER: `${plan.multiplier}u`,
  });
  const results: BenchResult[] = [];
  for (const [times, drawn] of [
    [1, 'random_keys'],
    [2, 'hits_and_misses'],
  ] as const) {
    const globals = { weft_bench_count: u32(times * COUNT), weft_bench_step: u32(STEP) };
    using object = kernel.load({ name: 'bench_peers', bytes, globals });
    object.map('weft_bench_image').update(u32(0), plan.bytes);
    object
      .map('weft_bench_hash')
      .updateBatch(keys.map((key, value) => [u32(key), u32(value)] as const));
    const empty = object.program('weft_bench_draw');
    for (const [metric, name] of [
      [`clang_with_${drawn}`, 'weft_bench_two_loads'],
      [`kernel_hash_with_${drawn}`, 'weft_bench_kernel_hash'],
    ] as const) {
      const program = object.program(name);
      const { retval } = program.testRun(PACKET, { outSize: PACKET.length });
      if (retval !== 1 && times === 1) throw new Error(`${name}: a key was not found`);
      const measured = measurePairs({
        bench: 'tables/exact-peers',
        metric,
        unit: 'ns',
        peer: 'drawing a key',
        pairs: 11,
        slices: 30,
        limit: { kind: 'difference-at-most', value: 25 },
        ours: () => timeProgram(program, PACKET, REPEAT),
        theirs: () => timeProgram(empty, PACKET, REPEAT),
      });
      // Not ours: told, not judged.
      results.push({ ...measured, limit: null, held: null });
    }
  }
  return results;
}
