/** One of many: the record of a file of recorded traffic that the user names, as the input of a decision. */
import { diagnostic, type Position } from '../../compiler/diagnostic/index.js';
import { type RecordedDecision, recordInput, type TrafficRecord } from '../record/index.js';
import { type DecideInput, resolveConnect } from '../simulate/index.js';
import { type Input, textOption } from './command-spec.js';
import { refuseSingle } from './decision-options.js';
import type { Env } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { progressBar } from './progress.js';
import { openSubject, type Subject, worldOf } from './subject.js';
import { decideTraffic, formatOf } from './traffic-input.js';
import { seedOption } from './traffic-run.js';
import { usageFault } from './usage-fault.js';

export interface RecordedCase {
  readonly subject: Subject;
  readonly world: Awaited<ReturnType<typeof worldOf>>;
  readonly id: string;
  /** What was asked, as a person would write it. */
  readonly asked: string;
  readonly input: DecideInput;
  readonly at: Position | null;
  /** What was decided when it was seen; null where nobody noted it. */
  readonly recorded: RecordedDecision | null;
}

function askedText({ from, to, request }: TrafficRecord): string {
  const ends = `${from} -> ${to}`;
  return request === undefined ? ends : `${ends} ${request.method} ${request.path}`;
}

/**
 * The record whose `id` it is, or the one of a line, or of `LINE.N` the line's Nth; each is looked for, and its own id goes
 * before. Throws CliError where a line has several and none of them is said.
 */
async function findRecord(
  env: Env,
  input: Input,
  { subject, world, file, id }: Pick<RecordedCase, 'subject' | 'world' | 'id'> & { file: string },
): Promise<{ readonly record: TrafficRecord; readonly line: number } | null> {
  const format = formatOf(env, file, textOption(input, 'format'));
  if (format === 'scenario')
    throw usageFault('a scenario is no recorded traffic', 'give it as SCENARIO');
  const batches = decideTraffic(env, {
    file,
    format,
    world,
    subjects: [subject.bundle],
    seed: seedOption(input),
    from: textOption(input, 'from'),
    progress: progressBar(env),
  });
  let ofLine: { readonly record: TrafficRecord; readonly line: number } | null = null;
  const [wanted, nth] = id.split('.');
  let onLine = 0;
  for await (const batch of batches) {
    for (let row = 0; row < batch.count; row += 1) {
      const line = batch.lines[row] ?? 0;
      const record = batch.record(row);
      if (record.id === id) return { record, line };
      if (String(line) !== wanted) continue;
      onLine += 1;
      if (nth === undefined || nth === String(onLine)) ofLine = { record, line };
    }
  }
  if (onLine > 1 && nth === undefined) {
    const help = `name one of them, as \`${id}.1\` to \`${id}.${onLine}\``;
    throw usageFault(`line ${id} of \`${file}\` has ${onLine} records`, help);
  }
  return ofLine;
}

/** Opens what `--record FILE --id ID` names. Throws CliError where there is no such record, or the world lacks an end of it. */
export async function openRecorded(env: Env, input: Input, file: string): Promise<RecordedCase> {
  const id = textOption(input, 'id');
  if (id === null)
    throw usageFault('`--record` needs `--id`', 'name a record by its id or its line');
  const [shown = '.', scenario] = input.arguments;
  refuseSingle(input);
  if (scenario !== undefined) throw usageFault('give a scenario or `--record`, not both');
  const subject = await openSubject(env, shown);
  const world = await worldOf(env, subject, textOption(input, 'world'));
  const found = await findRecord(env, input, { subject, world, file, id });
  if (found === null) {
    throw usageFault(`\`${file}\` has no record \`${id}\``, 'give the id of a record, or its line');
  }
  const { record, line } = found;
  const { from, to, protocol = 'tcp' } = record;
  const resolved = resolveConnect(world, { from, to, protocol });
  if (!resolved.ok) {
    const { code, message, help } = resolved.fault;
    const at = { file, line, column: 1 };
    throw new CliError([diagnostic(code, message, { at, help })], EXIT.findings);
  }
  const decided = recordInput(record, resolved.ends, { seed: seedOption(input), line });
  const recorded = record.decided ?? null;
  const at = { file, line, column: 1 };
  return { subject, world, id, asked: askedText(record), input: decided, at, recorded };
}
