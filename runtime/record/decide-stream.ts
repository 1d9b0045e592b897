/**
 * Decides a stream of records, in order and in constant memory: lines of NDJSON in as many threads
 * as asked, records of any other form in this one.
 */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/index.js';
import { createBlockDecider } from './block-decider.js';
import { type BatchParts, type DecidedBatch, decidedBatch } from './decided-batch.js';
import { type LineBlock, lineBlocks } from './line-blocks.js';
import { parseLines } from './parse-lines.js';
import { createRecordDecider, type RecordDecider } from './record-decider.js';
import { type RecordThread, startRecordThread } from './record-thread.js';
import type { RecordBatch } from './types.js';

export interface DecideStreamOptions {
  readonly world: World;
  /** Decided by each of them. */
  readonly subjects: readonly Pick<Bundle, 'manifest' | 'wasm'>[];
  /** How the input is called in faults. */
  readonly file: string;
  /** Of the draws that records do not give. */
  readonly seed?: number;
  /** 0, which is the default, decides in the calling thread. */
  readonly threads?: number;
}

/** A batch of records, and what was left out beside them. */
export interface SourceBatch extends RecordBatch {
  readonly faults: readonly Diagnostic[];
}

/** Blocks that wait for a thread or for their turn. */
const AHEAD = 3;

type DeciderOf = (subject: number) => RecordDecider;

/** Deciders of this thread, each started when somebody asks for it. */
function localDeciders({ subjects, world, seed = 0 }: DecideStreamOptions): DeciderOf {
  const made: RecordDecider[] = [];
  return (subject) => {
    const bundle = subjects[subject];
    if (bundle === undefined) throw new RangeError(`there is no subject ${subject}`);
    made[subject] ??= createRecordDecider(bundle, { world, seed });
    return made[subject];
  };
}

function batchOfBlock(
  block: LineBlock,
  parts: BatchParts,
  deciderOf: DeciderOf,
  file: string,
): DecidedBatch {
  return decidedBatch(parts, () => parseLines(block, file).records, deciderOf);
}

async function* decideInThreads(
  blocks: AsyncIterable<LineBlock>,
  options: DecideStreamOptions,
): AsyncGenerator<DecidedBatch> {
  const { subjects, world, seed = 0, file, threads = 1 } = options;
  const deciderOf = localDeciders(options);
  const setup = {
    subjects: subjects.map(({ manifest, wasm }) => ({ manifest, wasm: [...wasm] })),
    world,
    seed,
    file,
  };
  const pool: RecordThread[] = Array.from({ length: threads }, () => startRecordThread(setup));
  const waiting: { block: LineBlock; parts: Promise<BatchParts> }[] = [];
  const next = async (): Promise<DecidedBatch | null> => {
    const first = waiting.shift();
    return first === undefined
      ? null
      : batchOfBlock(first.block, await first.parts, deciderOf, file);
  };
  try {
    let turn = 0;
    for await (const block of blocks) {
      const thread = pool[turn % pool.length];
      if (thread === undefined) throw new RangeError('no thread');
      turn += 1;
      const parts = thread.decide(block);
      parts.catch(() => {}); // it is awaited at its turn
      waiting.push({ block, parts });
      if (waiting.length <= AHEAD * pool.length) continue;
      const batch = await next();
      if (batch !== null) yield batch;
    }
    for (let batch = await next(); batch !== null; batch = await next()) yield batch;
  } finally {
    await Promise.all(pool.map((thread) => thread[Symbol.asyncDispose]()));
  }
}

/**
 * Decides NDJSON of the record format: a stream of its bytes. Lines that are no records are faults of
 * their batch. Rejects with SimulateError where a policy does not start.
 */
export async function* decideLines(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: DecideStreamOptions,
): AsyncGenerator<DecidedBatch> {
  const { subjects, world, seed = 0, file, threads = 0 } = options;
  if (threads > 0) {
    yield* decideInThreads(lineBlocks(input), options);
    return;
  }
  const deciderOf = localDeciders(options);
  const decide = createBlockDecider(subjects, { world, seed, file });
  for await (const block of lineBlocks(input)) {
    yield batchOfBlock(block, decide(block), deciderOf, file);
  }
}

/** Decides records that a reader of another form has made. */
export async function* decideRecords(
  input: AsyncIterable<SourceBatch> | Iterable<SourceBatch>,
  options: DecideStreamOptions,
): AsyncGenerator<DecidedBatch> {
  const deciderOf = localDeciders(options);
  for await (const { records, lines, faults } of input) {
    const columns = options.subjects.map((_, i) => deciderOf(i).decideAll({ records, lines }));
    yield decidedBatch({ lines, columns, faults }, () => records, deciderOf);
  }
}
