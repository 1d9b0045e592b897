/**
 * Decides blocks of lines for several bundles: what is usual in WASM, the rest by reading the line and
 * deciding the record in the plain way. A fault of a line is told once.
 */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { World } from '../discovery/index.js';
import { type BatchDecider, createBatchDecider } from '../simulate/index.js';
import { COLUMN, ROUTE_KINDS } from './columns.js';
import type { BatchParts } from './decided-batch.js';
import { endsFinder } from './ends-cache.js';
import type { LineBlock } from './line-blocks.js';
import { parseLines } from './parse-lines.js';
import { createRecordDecider, type RecordDecider } from './record-decider.js';
import { boundPlace } from './record-input.js';
import type { TrafficRecord } from './types.js';

export interface BlockDeciderOptions {
  readonly world: World;
  readonly seed: number;
  /** How the input is called in faults. */
  readonly file: string;
}

export type BlockDecider = (block: LineBlock) => BlockParts;
export interface BlockParts extends BatchParts {
  /** Lines that were not left to the plain way. */
  readonly byBlock: number;
}

interface Subject {
  /** Started where something is left to it. */
  readonly plain: () => RecordDecider;
  readonly decideBlock: ReturnType<typeof createBatchDecider>['decideBlock'];
}

/** Starts what decides by the block, with the ends of records found as everywhere. */
export function batchDecider(
  bundle: Pick<Bundle, 'manifest' | 'wasm'>,
  { world, seed }: Pick<BlockDeciderOptions, 'world' | 'seed'>,
): BatchDecider {
  const find = endsFinder(world);
  return createBatchDecider(bundle, {
    world,
    seed,
    routeKinds: ROUTE_KINDS,
    endsOf: ({ from, to, protocol, bound }) => {
      const found = find({ from, to, protocol });
      if (!found.ok) return null;
      const { ends } = found;
      return { ends, bound: bound === null ? null : boundPlace(JSON.parse(bound)) };
    },
  });
}

function subjectOf(
  bundle: Pick<Bundle, 'manifest' | 'wasm'>,
  { world, seed }: BlockDeciderOptions,
): Subject {
  let plain: RecordDecider | null = null;
  return {
    plain: () => {
      plain ??= createRecordDecider(bundle, { world, seed });
      return plain;
    },
    decideBlock: batchDecider(bundle, { world, seed }).decideBlock,
  };
}

/** A line's bytes as a block of its own. */
function lineAt(block: LineBlock, starts: ArrayLike<number>, line: number): LineBlock {
  const isLast = line === starts.length - 1;
  const bytes = block.bytes.subarray(starts[line], isLast ? block.bytes.length : starts[line + 1]);
  const one = { bytes, firstLine: block.firstLine + line, lines: 1 };
  return isLast && block.open === true ? { ...one, open: true } : one;
}

function decidePlainly(subjects: readonly Subject[], block: LineBlock, file: string): BlockParts {
  const { records, lines, faults } = parseLines(block, file);
  const columns = subjects.map(({ plain }) => plain().decideAll({ records, lines }));
  return { lines, columns, faults, byBlock: 0 };
}

/** Starts the bundles. Throws SimulateError SIMULATE_MODULE where a policy does not start. */
export function createBlockDecider(
  bundles: readonly Pick<Bundle, 'manifest' | 'wasm'>[],
  options: BlockDeciderOptions,
): BlockDecider {
  const subjects = bundles.map((bundle) => subjectOf(bundle, options));
  return (block) => {
    if (block.tooLong === true) return decidePlainly(subjects, block, options.file);
    const answers = subjects.map(({ decideBlock }) => decideBlock(block.bytes, block.firstLine));
    const [first] = answers;
    if (first === undefined) return { lines: [], columns: [], faults: [], byBlock: 0 };
    const { count, starts } = first;
    const left = [...new Set(answers.flatMap(({ plain }) => plain))].sort((a, b) => a - b);
    const lines = Uint32Array.from({ length: count }, (_, i) => block.firstLine + i);
    const byBlock = count - left.length;
    if (byBlock === count) {
      return { lines, columns: answers.map(({ rows }) => rows), faults: [], byBlock };
    }
    // Lines in another form than this program's: together they are read in half the time.
    if (left.length * 2 > count) return decidePlainly(subjects, block, options.file);
    const parsed = left.map((line) => ({
      line,
      ...parseLines(lineAt(block, starts, line), options.file),
    }));
    const records = new Map<number, TrafficRecord>();
    for (const { line, records: found } of parsed) {
      if (found[0] !== undefined) records.set(line, found[0]);
    }
    for (const [i, { plain }] of answers.entries()) {
      const decider = subjects[i]?.plain();
      const rows = answers[i]?.rows;
      for (const line of plain) {
        const record = records.get(line);
        if (record === undefined || decider === undefined || rows === undefined) continue;
        const own = decider.decideAll({ records: [record], lines: [block.firstLine + line] });
        rows.set(own, line * COLUMN.size);
      }
    }
    const gone = new Set(left.filter((line) => !records.has(line)));
    return {
      lines: gone.size === 0 ? lines : lines.filter((_, line) => !gone.has(line)),
      columns: answers.map(({ rows }) => (gone.size === 0 ? rows : without(rows, gone))),
      faults: parsed.flatMap(({ faults }) => faults),
      byBlock,
    };
  };
}

/** Rows but for those of lines that are no records. */
function without(rows: Int32Array, gone: ReadonlySet<number>): Int32Array {
  const out = new Int32Array(rows.length - gone.size * COLUMN.size);
  let at = 0;
  for (let line = 0; line * COLUMN.size < rows.length; line += 1) {
    if (gone.has(line)) continue;
    out.set(rows.subarray(line * COLUMN.size, (line + 1) * COLUMN.size), at);
    at += COLUMN.size;
  }
  return out;
}
