/** A file of recorded traffic, whatever its form, as a stream of decided records. */
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { diagnostic } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/types.js';
import {
  type DecidedBatch,
  type DecideStreamOptions,
  decideLines,
  decideRecords,
  INPUT_FORMATS,
  type InputFormat,
  inputFormat,
  readEnvoy,
  readHar,
  readPcap,
  SNIFFED_BYTES,
} from '../record/index.js';
import { type Env, pathIn, STDIN } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { readFault } from './file-fault.js';
import type { Progress } from './progress.js';

/** Files below this are decided before a thread has started. */
const THREADS_FROM_BYTES = 4 * 1024 * 1024;
const MAX_THREADS = 2;
const CHUNK_BYTES = 1024 * 1024;

/** The forms that are traffic, not a scenario. */
export type TrafficFormat = Exclude<InputFormat, 'scenario'>;

/** The first bytes; null of a pipe, which is read once, so that nobody can look at it beforehand. */
function start(path: string): Uint8Array | null {
  const stat = statSync(path);
  if (stat.isFIFO() || stat.isSocket()) return null;
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(SNIFFED_BYTES);
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(file);
  }
}

/** The form of a file, as asked or as it begins. Throws CliError U010 and W405. */
export function formatOf(env: Env, shown: string, asked: string | null): InputFormat {
  const named = INPUT_FORMATS.find((format) => format === asked);
  if (named === 'scenario' && shown === STDIN) {
    const help = 'write it to a file: it names its world beside itself';
    throw new CliError(
      [diagnostic('U003', 'a scenario is not read from stdin', { help })],
      EXIT.usage,
    );
  }
  if (named !== undefined) return named;
  let bytes: Uint8Array | null;
  try {
    bytes = shown === STDIN ? null : start(pathIn(env, shown));
  } catch (error) {
    throw new CliError([readFault(shown, error)], EXIT.failure);
  }
  const found = bytes === null ? null : inputFormat(bytes);
  if (found !== null) return found;
  if (/\.(ya?ml)$/.test(shown)) return 'scenario'; // its faults are told by its reader
  const forms = INPUT_FORMATS.filter((name) => shown !== STDIN || name !== 'scenario');
  const form = `say which it is with \`--format\`: ${forms.join(', ')}`;
  const [message, help] =
    bytes === null
      ? [
          `\`${shown}\` is ${shown === STDIN ? 'standard input' : 'a pipe'}, whose form cannot be looked at`,
          form,
        ]
      : bytes.length === 0
        ? [`\`${shown}\` is empty`, 'name a file that holds traffic']
        : [`\`${shown}\` begins like no form of traffic that is known`, form];
  const fault = diagnostic('W405', message, { at: { file: shown, line: 1, column: 1 }, help });
  throw new CliError([fault], EXIT.findings);
}

export interface TrafficInput {
  readonly file: string;
  readonly format: TrafficFormat;
  readonly world: World;
  readonly subjects: readonly Pick<Bundle, 'manifest' | 'wasm'>[];
  readonly seed: number;
  /** The client of a HAR; null where none is named. */
  readonly from: string | null;
  readonly progress: Progress;
}

async function* fileChunks(
  env: Env,
  shown: string,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  try {
    const stream: AsyncIterable<Uint8Array> =
      shown === STDIN
        ? env.stdin()
        : createReadStream(pathIn(env, shown), { highWaterMark: CHUNK_BYTES });
    for await (const chunk of stream) {
      onBytes(chunk.length);
      yield chunk;
      if (env.signal.aborted) return;
    }
  } catch (error) {
    throw new CliError([readFault(shown, error)], EXIT.failure);
  }
}

function decide(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
  { file, format, world, subjects, seed, from }: TrafficInput,
): AsyncIterable<DecidedBatch> {
  const options: DecideStreamOptions = { world, subjects, file, seed };
  switch (format) {
    case 'records': {
      const threads = size < THREADS_FROM_BYTES ? 0 : Math.min(MAX_THREADS, availableParallelism());
      return decideLines(chunks, { ...options, threads });
    }
    case 'har': {
      if (from === null) {
        const help = 'name the client with `--from WORKLOAD`';
        const fault = diagnostic('U003', 'a HAR does not say who its client is', { help });
        throw new CliError([fault], EXIT.usage);
      }
      return decideRecords(readHar(chunks, { world, file, from }), options);
    }
    case 'envoy': {
      const headers = [...new Set(subjects.flatMap(({ manifest }) => manifest.headers))];
      return decideRecords(readEnvoy(chunks, { world, file, headers }), options);
    }
    case 'pcap':
      return decideRecords(readPcap(chunks, { file }), options);
  }
}

/** Decides a file, batch by batch in order. Throws CliError where it cannot be read. */
export async function* decideTraffic(env: Env, input: TrafficInput): AsyncGenerator<DecidedBatch> {
  let size: number;
  try {
    size = input.file === STDIN ? 0 : statSync(pathIn(env, input.file)).size;
  } catch (error) {
    throw new CliError([readFault(input.file, error)], EXIT.failure);
  }
  let [done, records] = [0, 0];
  const chunks = fileChunks(env, input.file, (count) => {
    done += count;
  });
  try {
    for await (const batch of decide(chunks, size, input)) {
      records += batch.count;
      input.progress.show(done, size, records);
      yield batch;
    }
  } finally {
    input.progress.clear();
  }
}
