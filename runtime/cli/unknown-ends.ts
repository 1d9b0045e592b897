/** Records whose ends the world does not know, counted and told: none of them is decided. */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/index.js';
import { COLUMN, type DecidedBatch, type TrafficRecord } from '../record/index.js';
import { resolveConnect } from '../simulate/index.js';
import { MAX_UNKNOWN, type NamedCount } from './traffic-counts.js';

/** Of what the world does not know, so many are told one by one. */
export const TOLD_UNKNOWN: number = 20;

interface Unknown {
  readonly records: number;
  readonly decided: number;
  unknownCounts(): readonly NamedCount[];
}

/** The warning that a file has them. */
export function unknownWarnings(counts: Unknown, file: string): readonly Diagnostic[] {
  const unknown = counts.unknownCounts();
  if (unknown.length === 0) return [];
  const total = counts.records - counts.decided;
  const notes = unknown.slice(0, TOLD_UNKNOWN).map(({ name, count }) => `${count} times: ${name}`);
  const more = unknown.length - TOLD_UNKNOWN;
  return [
    diagnostic(
      'W406',
      `${total} of ${counts.records} records are not decided: the world does not know an end of them`,
      {
        at: { file, line: 1, column: 1 },
        severity: 'warning',
        notes: more > 0 ? [...notes, `and ${more} more`] : notes,
        help: 'give the workloads of world.yaml the addresses that stand in the file',
      },
    ),
  ];
}

/** Counts them over the batches of a file. */
export class UnknownEnds implements Unknown {
  readonly #world: World;
  readonly #unknown = new Map<string, number>();
  records = 0;
  decided = 0;

  constructor(world: World) {
    this.#world = world;
  }

  add(batch: DecidedBatch): void {
    const [words] = batch.columns;
    this.records += batch.count;
    if (words === undefined) return;
    for (let row = 0; row < batch.count; row += 1) {
      if (words[row * COLUMN.size + COLUMN.verdict] === 0) this.#note(batch.record(row));
      else this.decided += 1;
    }
  }

  #note({ from, to, protocol = 'tcp' }: TrafficRecord): void {
    const ends = resolveConnect(this.#world, { from, to, protocol });
    const why = ends.ok ? 'unknown' : ends.fault.message;
    const key = this.#unknown.has(why) || this.#unknown.size < MAX_UNKNOWN ? why : 'others';
    this.#unknown.set(key, (this.#unknown.get(key) ?? 0) + 1);
  }

  unknownCounts(): readonly NamedCount[] {
    const counts = [...this.#unknown].map(([name, count]) => ({ name, count }));
    return counts.sort((a, b) => b.count - a.count);
  }

  warnings(file: string): readonly Diagnostic[] {
    return unknownWarnings(this, file);
  }
}
