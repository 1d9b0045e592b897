/** `weft record`: what the hooks of this node decide, as records that can be decided again. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import type { TrafficRecord } from '../../record/index.js';
import { type CommandSpec, type Input, type Result, textOption } from '../command-spec.js';
import { type Env, pathIn } from '../env.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';
import { writeFault } from '../file-fault.js';

type Redact = (record: TrafficRecord) => TrafficRecord;

function countOption(input: Input): number | null {
  const text = textOption(input, 'count');
  if (text === null) return null;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new CliError([diagnostic('U004', `\`${text}\` is not a count`)], EXIT.usage);
}

function openOut(env: Env, shown: string): number {
  try {
    return openSync(pathIn(env, shown), 'w', 0o600);
  } catch (error) {
    throw new CliError([writeFault(shown, error)], EXIT.failure);
  }
}

/** The redaction of each generation; null for one of which nothing was kept, which judges no requests. */
async function redactions(env: Env): Promise<(generation: number) => Redact | null> {
  const { readSource } = await import('../../agent/index.js');
  const { createRecordDecider, redactor } = await import('../../record/index.js');
  const paths = await env.nodePaths();
  const known = new Map<number, Redact | null>();
  return (generation) => {
    const cached = known.get(generation);
    if (cached !== undefined) return cached;
    const source = readSource(paths, generation);
    const made =
      source === null
        ? null
        : redactor(source.bundle, createRecordDecider(source.bundle, { world: source.world }));
    known.set(generation, made);
    return made;
  };
}

async function record(env: Env, input: Input): Promise<Result> {
  const limit = countOption(input);
  const shown = textOption(input, 'out') ?? '';
  const isOpen = textOption(input, 'redact') === 'none';
  const { readSeen } = await import('../../agent/index.js');
  const { recordLine, recordOfEvent } = await import('../../record/index.js');
  const kernel = await env.openKernel();
  const paths = await env.nodePaths();
  const redactionOf = await redactions(env);
  const file = openOut(env, shown);
  let [written, skipped] = [0, 0];
  try {
    const { lost, headless } = await readSeen(kernel, paths, {
      signal: env.signal,
      onReady: () => env.stderr.write('recording; Ctrl-C ends it\n'),
      onSeen: (seen) => {
        const found = recordOfEvent(seen);
        if (found === null) return false;
        const redact = redactionOf(seen.event.generation);
        if (found.request !== undefined && redact === null && !isOpen) {
          skipped += 1; // nothing says what may be left out
          return false;
        }
        writeSync(file, recordLine(isOpen || redact === null ? found : redact(found)));
        written += 1;
        return limit !== null && written >= limit;
      },
    });
    return {
      exit: env.signal.aborted ? EXIT.interrupted : EXIT.ok,
      document: { file: shown, records: written, lost, withoutHead: headless + skipped },
      text: `${shown}: ${written} records; ${lost} lost, ${headless + skipped} requests without their head`,
    };
  } finally {
    closeSync(file);
  }
}

export const RECORD_COMMAND: CommandSpec = {
  name: 'record',
  summary: 'write what this node decides as records',
  description:
    'Writes each connection and request that the hooks of this node decide to a file of records\n(docs/files.md), with all that is needed to decide it again: ends, draws, clock, the head of a\nrequest. Goes on until Ctrl-C, or with --count until so many are written. Values of headers and\nqueries are left out but where the loaded policies decide otherwise without them; the file can be\nread by its owner alone.',
  example:
    '$ sudo weft record --out seen.ndjson --count 1000\nseen.ndjson: 1000 records; 0 lost, 0 requests without their head\n$ weft replay --verify shop.weft seen.ndjson --world world.yaml',
  arguments: [],
  options: [
    { flags: '--out <FILE>', description: 'where the records go', required: true },
    { flags: '--count <N>', description: 'end after N records' },
    {
      flags: '--redact <WHAT>',
      description: 'what is left out: values (of headers and queries) or none',
      choices: ['values', 'none'],
      default: 'values',
    },
  ],
  formats: ['text', 'json'],
  run: record,
};
