/** Judges the pairs: one by one, and by the geometric mean over all of them. */
import { type BenchResult, judgePairs } from '../pairs.js';
import type { Side, Specimen } from './specimen.js';

/** No pair may be worse than this, and their geometric mean no worse than 1. */
export const WORST = 1.25;
export const MEAN = 1;

/** True where both sides mean the same: all but the number of the line. */
export function sameAnswers(ours: readonly number[], theirs: readonly number[]): boolean {
  return ours.every((answer, i) => meaning(answer) === meaning(theirs[i] ?? 0));
}

/** A verdict has 8 bits and a route's number 16; no number of a line is so small that they mix. */
function meaning(answer: number): number {
  return answer >>> 16 === 0 ? answer & 0xff : answer & 0xffff;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Nanoseconds above the empty loop: samples of both sides, taken by turns. */
export interface Timing {
  readonly name: string;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/** Measures one pair: in each sample the best of short slices by turns, less the best empty loop. */
export function timePair(specimen: Specimen, pairs: number, slices: number): Timing {
  const samples: Record<Side, number[]> = { ours: [], theirs: [] };
  for (const side of ['ours', 'theirs', 'empty'] as const) specimen.time(side);
  for (let pair = 0; pair < pairs; pair++) {
    const best = { ours: Infinity, theirs: Infinity, empty: Infinity };
    const order = pair % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const);
    for (let slice = 0; slice < slices; slice++) {
      for (const side of [...order, 'empty'] as const)
        best[side] = Math.min(best[side], specimen.time(side));
    }
    samples.ours.push(best.ours - best.empty);
    samples.theirs.push(best.theirs - best.empty);
  }
  return { name: specimen.name, ...samples };
}

/** Each pair and the geometric mean of all, sample by sample. */
export function judgeTimings(timings: readonly Timing[]): BenchResult[] {
  const figure = { metric: 'time_of_a_decision', unit: 'ns', peer: 'clang -O2' } as const;
  const each = timings.map(({ name, ours, theirs }) =>
    judgePairs(
      { ...figure, bench: `quality/${name}`, limit: { kind: 'ratio-at-most', value: WORST } },
      ours,
      theirs,
    ),
  );
  const samples = timings[0]?.ours.length ?? 0;
  const mean = (side: Side): number[] =>
    Array.from({ length: samples }, (_, i) => geometricMean(timings.map((t) => t[side][i] ?? 1)));
  const all = judgePairs(
    { ...figure, bench: 'quality/mean', limit: { kind: 'ratio-at-most', value: MEAN } },
    mean('ours'),
    mean('theirs'),
  );
  return [...each, all];
}

/** Instructions in the same words; a count has no spread. */
export function judgeInstructions(
  counts: readonly Pick<Specimen, 'name' | 'instructions'>[],
): BenchResult[] {
  const figure = { metric: 'instructions', unit: 'instructions', peer: 'clang -O2' } as const;
  const one = (bench: string, value: number, ours: number, theirs: number): BenchResult =>
    judgePairs({ ...figure, bench, limit: { kind: 'ratio-at-most', value } }, [ours], [theirs]);
  const each = counts.map(({ name, instructions: { ours, theirs } }) =>
    one(`quality/${name}`, WORST, ours, theirs),
  );
  const mean = (side: Side): number => geometricMean(counts.map((c) => c.instructions[side]));
  return [...each, one('quality/mean', MEAN, mean('ours'), mean('theirs'))];
}
