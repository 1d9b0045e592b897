/** What a stream of decided records came to: counts by verdict, rule and cluster. */
import { REASON, VERDICT } from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import type { Plan } from '../discovery/index.js';
import { COLUMN, type DecidedBatch, FaultList } from '../record/index.js';

export interface RuleCount {
  readonly rule: string;
  readonly verdict: 'allow' | 'deny';
  readonly reason: string;
  readonly count: number;
}
export interface NamedCount {
  readonly name: string;
  readonly count: number;
}

/** Ends that the world does not know, told apart up to this many. */
export const MAX_UNKNOWN: number = 1000;

const REASONS = Object.keys(REASON);
const byCount = (a: { readonly count: number }, b: { readonly count: number }): number =>
  b.count - a.count;

/** Counts one bundle's decisions. */
export class TrafficCounts {
  records = 0;
  decided = 0;
  allowed = 0;
  readonly faults: FaultList = new FaultList();
  private readonly rules = new Map<string, number>();
  private readonly clusters = new Map<number, number>();
  private readonly unknown = new Map<string, number>();

  /** `whyNot` says why a row was not decided. */
  add(batch: DecidedBatch, whyNot: (row: number) => string): void {
    this.records += batch.count;
    this.faults.add(...batch.faults);
    const [words] = batch.columns;
    if (words === undefined) return;
    for (let row = 0; row < batch.count; row += 1) this.addRow(words, row, whyNot);
  }

  private addRow(words: Int32Array, row: number, whyNot: (row: number) => string): void {
    const at = row * COLUMN.size;
    const verdict = words[at + COLUMN.verdict] ?? 0;
    if (verdict === 0) {
      const why = whyNot(row);
      const key = this.unknown.has(why) || this.unknown.size < MAX_UNKNOWN ? why : 'others';
      this.unknown.set(key, (this.unknown.get(key) ?? 0) + 1);
      return;
    }
    this.decided += 1;
    if (verdict === VERDICT.allow) this.allowed += 1;
    const rule = `${verdict} ${words[at + COLUMN.reason]} ${words[at + COLUMN.site]}`;
    this.rules.set(rule, (this.rules.get(rule) ?? 0) + 1);
    const cluster = words[at + COLUMN.cluster] ?? -1;
    if (verdict === VERDICT.allow && cluster >= 0)
      this.clusters.set(cluster, (this.clusters.get(cluster) ?? 0) + 1);
  }

  /** Most frequent first. */
  ruleCounts({ sites }: Pick<Manifest, 'sites'>): readonly RuleCount[] {
    return [...this.rules]
      .map(([key, count]): RuleCount => {
        const [verdict, reason, number] = key.split(' ').map(Number);
        const site = sites.find((s) => s.site === number);
        const name = REASONS[reason ?? 0] ?? '';
        const silent = name === 'default' || name === 'noAllow' ? 'default' : name;
        const rule = site === undefined ? silent : `${site.file}:${site.line}`;
        return { rule, verdict: verdict === VERDICT.allow ? 'allow' : 'deny', reason: name, count };
      })
      .sort(byCount);
  }

  clusterCounts({ clusters }: Plan): readonly NamedCount[] {
    return [...this.clusters]
      .map(([index, count]) => ({ name: clusters[index]?.name ?? String(index), count }))
      .sort(byCount);
  }

  /** What the world does not know, most frequent first. */
  unknownCounts(): readonly NamedCount[] {
    return [...this.unknown].map(([name, count]) => ({ name, count })).sort(byCount);
  }
}
