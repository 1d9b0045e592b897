/** quality/...: policies in AssemblyScript by our compiler against the same in C by clang -O2. */
import type { Kernel } from '../../runtime/kernel/index.js';
import type { BenchResult } from './pairs.js';
import { judgeInstructions, judgeTimings, sameAnswers, timePair } from './quality/compare.js';
import { openSpecimen, specimenNames } from './quality/specimen.js';

export async function benchQuality(
  kernel: Kernel,
  folder: string,
  { part, quick }: { readonly part: string; readonly quick: boolean },
): Promise<readonly BenchResult[]> {
  const timings = [];
  const counts = [];
  for (const name of specimenNames()) {
    if (!`quality/${name}`.startsWith(part)) continue;
    using specimen = await openSpecimen(kernel, folder, name);
    if (!sameAnswers(specimen.answers('ours'), specimen.answers('theirs')))
      throw new Error(`${name}: the two sides answer differently`);
    timings.push(timePair(specimen, quick ? 3 : 11, quick ? 5 : 15));
    counts.push({ name, instructions: specimen.instructions });
  }
  const results = [...judgeTimings(timings), ...judgeInstructions(counts)];
  console.error(tableOf(results));
  return results;
}

/** A line a pair: nanoseconds and instructions of ours, of clang's, and their ratio. */
function tableOf(results: readonly BenchResult[]): string {
  const rows = [...new Set(results.map((r) => r.bench))].map((bench) => {
    const cells = results
      .filter((r) => r.bench === bench)
      .flatMap((r) => [r.value.toFixed(1), r.peerValue.toFixed(1), r.ratio.toFixed(2)]);
    return [bench.replace('quality/', ''), ...cells];
  });
  const head = ['policy', 'ns', 'clang', 'ratio', 'instructions', 'clang', 'ratio'];
  return [head, ...rows]
    .map((cells) => cells.map((c, i) => (i === 0 ? c.padEnd(16) : c.padStart(i === 4 ? 13 : 7))))
    .map((cells) => cells.join(' '))
    .join('\n');
}
