/** table/exact-100000: an exact table of 100,000 integer keys, another random key in each run. */
import { join } from 'node:path';
import { encodePolicyPacket, TEST_MODE } from '../../runtime/agent/harness-codec.js';
import type { Kernel } from '../../runtime/kernel/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { encodeConnection, Interner } from '../support/encode-connection.js';
import { benchFile, compileBpf } from './clang.js';
import { type BenchResult, measurePairs } from './pairs.js';
import { timeProgram } from './time-program.js';

/** Odd, so that number * STEP modulo 2^32 are all different and lie anywhere. */
const STEP = 2_654_435_761;

function policy(count: number): string {
  return `import { Connection, Table, Verdict } from "weft";
const keys = new Table<u32>("keys");
for (let i: u32 = 0; i < ${count}; i++) keys.set<u32>(i * ${STEP}, i + 1);
export function authorizeConnection(connection: Connection): Verdict {
  return keys.get<u32>(connection.source.address.word(3)) != 0 ? Verdict.Allow : Verdict.Deny;
}
`;
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

export async function benchTable(kernel: Kernel, folder: string): Promise<readonly BenchResult[]> {
  const harness = compileBpf(benchFile('random-key.bpf.c'), join(folder, 'random-key.o'));
  const results: BenchResult[] = [];
  for (const count of [1_000, 100_000]) {
    const bundle = await mustCompile(new Map([['keys.ts', policy(count)]]));
    const bytes = kernel.link([
      { name: 'random-key', bytes: harness },
      { name: 'policy', bytes: bundle.objects.base },
    ]);
    using object = kernel.load({
      name: 'bench_table',
      bytes,
      globals: { weft_bench_count: u32(count), weft_bench_step: u32(STEP) },
    });
    const none = {
      address: new Uint8Array(16),
      family: 4 as const,
      texts: new Map<string, string>(),
    };
    const facts = {
      source: none,
      destination: none,
      port: 80,
      protocol: 6 as const,
      random: 0,
      now: 0n,
      policies: null,
    };
    const connection = encodeConnection(facts, bundle.manifest, new Interner(bundle.manifest));
    const packet = encodePolicyPacket(connection, TEST_MODE.authorize);
    // weft_bench_random reads the connection right behind the head, without the mode word.
    const plain = new Uint8Array(packet.length);
    plain.set(connection, 16);
    const random = object.program('weft_bench_random');
    for (let i = 0; i < 1000; i++) {
      const { retval } = random.testRun(plain, { outSize: plain.length });
      if (retval !== 1) throw new Error(`a key of the table was not found: ${retval}`);
    }
    results.push(
      measurePairs({
        bench: `table/exact-${count}`,
        metric: 'time_with_random_keys',
        unit: 'ns',
        peer: 'empty harness',
        pairs: 21,
        limit: { kind: 'difference-at-most', value: 25 },
        ours: () => timeProgram(random, plain),
        theirs: () => timeProgram(object.program('weft_bench_empty'), plain),
      }),
    );
  }
  return results;
}
