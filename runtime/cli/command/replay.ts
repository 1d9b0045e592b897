/** `weft replay`: decides records again and compares with what was decided when they were seen. */
import { diagnostic, hasErrors } from '../../../compiler/diagnostic/index.js';
import type { Difference, TrafficRecord } from '../../record/index.js';
import {
  type CommandSpec,
  flagOption,
  type Input,
  type Result,
  textOption,
} from '../command-spec.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';

/** Of what differs, so much is told one by one. */
const TOLD = 100;

interface Differing {
  readonly record: number;
  readonly id: string | null;
  readonly from: string;
  readonly to: string;
  readonly fields: readonly Difference[];
}

function differing(line: number, record: TrafficRecord, fields: readonly Difference[]): Differing {
  const { id = null, from, to } = record;
  return { record: line, id, from, to, fields };
}

function lineOf({ record, from, to, fields }: Differing, file: string): string {
  const text = fields.map(({ field, seen, now }) => `${field} was ${seen}, is ${now}`).join('; ');
  return `${file}:${record}  ${from} -> ${to}  ${text}`;
}

async function replay(env: Env, input: Input): Promise<Result> {
  const [shown = '.', file = ''] = input.arguments;
  if (!flagOption(input, 'verify')) {
    const help = 'add `--verify`; `weft simulate` decides records without comparing';
    throw new CliError([diagnostic('U003', 'nothing to compare with', { help })], EXIT.usage);
  }
  const { openSubject, worldOf } = await import('../subject.js');
  const { decideTraffic } = await import('../traffic-input.js');
  const { progressBar } = await import('../progress.js');
  const { differencesOf, FaultList } = await import('../../record/index.js');
  const { nothingCompared } = await import('../nothing-compared.js');
  const { UnknownEnds } = await import('../unknown-ends.js');
  const { UnseenTraffic } = await import('../unseen-traffic.js');
  const { seedOption } = await import('../traffic-run.js');
  const subject = await openSubject(env, shown);
  const world = await worldOf(env, subject, textOption(input, 'world'));
  const faults = new FaultList();
  const unseen = new UnseenTraffic([subject.bundle.manifest], world);
  const unknown = new UnknownEnds(world);
  const found: Differing[] = [];
  let [records, compared, undecided, different] = [0, 0, 0, 0];
  const batches = decideTraffic(env, {
    file,
    format: 'records',
    world,
    subjects: [subject.bundle],
    seed: seedOption(input),
    from: null,
    progress: progressBar(env),
  });
  for await (const batch of batches) {
    faults.add(...batch.faults);
    unseen.add(batch);
    unknown.add(batch);
    records += batch.count;
    for (let row = 0; row < batch.count; row += 1) {
      const record = batch.record(row);
      if (record.decided === undefined) continue;
      const outcome = batch.outcome(row);
      if (outcome === null) {
        undecided += 1;
        continue;
      }
      compared += 1;
      const fields = differencesOf(record, outcome, record.decided.bundle === subject.digest);
      if (fields.length === 0) continue;
      different += 1;
      if (found.length < TOLD) found.push(differing(batch.lines[row] ?? 0, record, fields));
    }
  }
  const summary = { records, compared, undecided, different, faults: faults.count };
  const total = `${records} records: ${compared} compared, ${different} differ, ${undecided} not decided; ${faults.count} faults of the file`;
  const nothing = nothingCompared({ records, compared }, file);
  const exit = hasErrors(faults.told)
    ? EXIT.findings
    : nothing !== null
      ? EXIT.unsupported
      : EXIT.ok;
  return {
    exit: different > 0 ? EXIT.differences : exit,
    document: { bundle: subject.digest, file, summary, differences: found },
    text: [...found.map((one) => lineOf(one, file)), total].join('\n'),
    diagnostics: [
      ...subject.diagnostics,
      ...faults.told,
      ...unknown.warnings(file),
      ...unseen.warnings(file),
      ...(nothing === null ? [] : [nothing]),
    ],
    sources: subject.sources,
  };
}

export const REPLAY_COMMAND: CommandSpec = {
  name: 'replay',
  summary: 'decide records again and compare',
  description:
    'Decides each record of a file by the simulator and compares verdict, site or rule, and route with\nwhat was decided when it was seen. Exit code 5 where any differ, 4 where none could be compared.',
  example:
    '$ weft replay --verify shop.weft seen.ndjson --world world.yaml\n1000 records: 1000 compared, 0 differ, 0 not decided; 0 faults of the file',
  arguments: [
    { syntax: '<BUNDLE>', description: 'a bundle file or a project folder' },
    { syntax: '<FILE>', description: 'records, as `weft record` writes them; `-` for stdin' },
  ],
  options: [
    { flags: '--verify', description: 'compare with what was decided' },
    { flags: '--world <FILE>', description: 'the world (default: that of the project)' },
    { flags: '--seed <N>', description: 'of the draws that records do not have (default: 0)' },
  ],
  formats: ['text', 'json'],
  run: replay,
};
