/** `weft simulate BUNDLE FILE` where the file is recorded traffic: every record decided, and counted. */
import { diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import { jsonLine } from '../agent/api/json.js';
import { createRecordDecider, type DecidedBatch } from '../record/index.js';
import { columns } from './columns.js';
import { type Input, type Result, textOption } from './command-spec.js';
import { refuseSingle } from './decision-options.js';
import type { Env } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { progressBar } from './progress.js';
import { openSubject, worldOf } from './subject.js';
import { TrafficCounts } from './traffic-counts.js';
import { decideTraffic, type TrafficFormat } from './traffic-input.js';
import { TOLD_UNKNOWN, unknownWarnings } from './unknown-ends.js';
import { UnseenTraffic } from './unseen-traffic.js';

/** The seed of draws. Throws CliError where it is no u32. */
export function seedOption(input: Input): number {
  const text = textOption(input, 'seed') ?? '0';
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (seed <= 0xffffffff) return seed;
  const help = 'write a whole number below 4294967296';
  throw new CliError([diagnostic('U003', `\`${text}\` is not a seed`, { help })], EXIT.usage);
}

function lines(batch: DecidedBatch): string {
  let text = '';
  for (let row = 0; row < batch.count; row += 1) {
    const outcome = batch.outcome(row);
    const { id } = batch.record(row);
    const decided = outcome ?? { verdict: null };
    text += jsonLine({ record: batch.lines[row], ...(id === undefined ? {} : { id }), ...decided });
  }
  return text;
}

/** Decides a file of traffic and says what became of it. Throws CliError. */
export async function runTraffic(env: Env, input: Input, format: TrafficFormat): Promise<Result> {
  const [shown = '.', file = ''] = input.arguments;
  refuseSingle(input);
  const engine = textOption(input, 'engine');
  if (engine !== null && engine !== 'wasm') {
    const help = 'leave `--engine` out; `weft replay --verify` compares with what a kernel decided';
    throw new CliError(
      [diagnostic('U003', 'recorded traffic is decided by the simulator', { help })],
      EXIT.usage,
    );
  }
  const subject = await openSubject(env, shown);
  const world = await worldOf(env, subject, textOption(input, 'world'));
  const seed = seedOption(input);
  const { faultOf, plan } = createRecordDecider(subject.bundle, { world, seed });
  const counts = new TrafficCounts();
  const unseen = new UnseenTraffic([subject.bundle.manifest], world);
  const isStream = input.format === 'ndjson';
  const batches = decideTraffic(env, {
    file,
    format,
    world,
    subjects: [subject.bundle],
    seed,
    from: textOption(input, 'from'),
    progress: progressBar(env),
  });
  for await (const batch of batches) {
    counts.add(batch, (row) => faultOf(batch.record(row))?.message ?? 'unknown');
    unseen.add(batch);
    if (isStream) env.stdout.write(lines(batch));
  }
  const { records, decided, allowed, faults } = counts;
  const rules = counts.ruleCounts(subject.bundle.manifest);
  const clusters = counts.clusterCounts(plan);
  const unknown = counts.unknownCounts();
  const diagnostics = [
    ...subject.diagnostics,
    ...faults.told,
    ...unknownWarnings(counts, file),
    ...unseen.warnings(file),
  ];
  const summary = { records, decided, allowed, denied: decided - allowed, faults: faults.count };
  const text = [
    columns(rules.map((r) => [r.verdict, String(r.count), r.rule])),
    columns(clusters.map((c) => ['to', String(c.count), c.name])),
    `${records} records: ${allowed} allowed, ${decided - allowed} denied, ${records - decided} not decided; ${faults.count} faults of the file`,
  ].filter((part) => part !== '');
  return {
    exit: hasErrors(faults.told) ? EXIT.findings : EXIT.ok,
    document: {
      bundle: subject.digest,
      engine: 'wasm',
      file,
      format,
      summary,
      rules,
      clusters,
      unknown: unknown.slice(0, TOLD_UNKNOWN),
    },
    text: isStream ? '' : text.join('\n'),
    diagnostics,
    sources: subject.sources,
  };
}
