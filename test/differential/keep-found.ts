/**
 * What becomes of a difference: it is shrunk, and written as a file of the corpus, whose policies and row every
 * run of the tests decides again by every engine.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import type { RecordFields } from '../../runtime/simulate/index.js';
import { describeRecord } from '../support/describe-record.js';
import { printCase } from '../support/print-case.js';
import { shrink } from './shrink.js';
import { type Trial, type TrialOptions, type Tried, tryTrial, withFacts } from './trial.js';

/** Corpus of the sources where WEFT_KEEP_FOUND is set, else a folder that is not kept. */
const FOLDER: string = fileURLToPath(
  process.env['WEFT_KEEP_FOUND'] === '1'
    ? new URL('../../../test/differential/corpus/', import.meta.url)
    : new URL('../../differential/', import.meta.url),
);
/** All stages, so that the pass at fault is among them. */
const EVERY_STAGE = { keep: () => true, irEach: 0 } as const;

/** A trial that shows a difference as a file of the corpus. */
export function printFound(name: string, { texts, fuel, asked }: Trial, tried: Tried): string {
  const { manifest, answers, differences } = tried;
  const [first] = differences;
  const wanted = answers[first?.index ?? 0];
  const one = asked.facts[first?.index ?? 0];
  if (first === undefined || wanted === undefined || one === undefined) {
    throw new Error('there is no difference');
  }
  const ask = wanted.route === first.answer.route ? 'authorize' : 'route';
  const sections = [...texts].map(([file, text]) => `--- ${file}\n${text.trimEnd()}\n`);
  const config = `--- config\n${JSON.stringify({ budget: { fuel } })}\n`;
  const rows = [
    ...differences.map(({ engine, answer }) => `# ${engine}: ${words(answer, manifest, ask)}`),
    printCase(name, one, ask, words(wanted, manifest, ask)),
  ];
  return `${sections.join('')}${config}--- cases\n${[...new Set(rows)].join('\n')}\n`;
}

function words(record: RecordFields, manifest: Manifest, ask: 'authorize' | 'route'): string {
  return Object.values(describeRecord(record, manifest, ask))
    .filter((word) => word !== null)
    .join(' ');
}

/** Shrinks the first difference of a trial and writes it down. Answers with the file. */
export async function keepFound(
  name: string,
  trial: Trial,
  tried: Tried,
  {
    spoil,
    folder = FOLDER,
    most,
  }: Pick<TrialOptions, 'spoil'> & { folder?: string; most?: number } = {},
): Promise<{ readonly path: string; readonly trial: Trial; readonly tries: number }> {
  const [first] = tried.differences;
  const one = trial.asked.facts[first?.index ?? 0];
  if (first === undefined || one === undefined) throw new Error('there is no difference');
  const options = { ...EVERY_STAGE, ...(spoil === undefined ? {} : { spoil }) };
  // Of the same engine: another difference would be another fault.
  const kind = first.engine.split(' ')[0] ?? '';
  const shows = async (candidate: Trial): Promise<boolean> =>
    (await tryTrial(candidate, options)).differences.some((d) => d.engine.startsWith(kind));
  const alone = withFacts(trial, [one]);
  const small = await shrink((await shows(alone)) ? alone : trial, shows, most);
  mkdirSync(folder, { recursive: true });
  const path = `${folder}${name}.case`;
  writeFileSync(path, printFound(name, small.trial, await tryTrial(small.trial, options)));
  return { path, ...small };
}
