/**
 * `weft diff OLD NEW --traffic FILE`: recorded traffic decided by two bundles, what changes counted by the rules that
 * decided. Rows are compared as numbers; of what differs, and only of the first of each kind, words are made.
 */
import { VERDICT } from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import { COLUMN, type DecidedBatch, FaultList, ROUTE_KINDS } from '../record/index.js';
import type { Outcome } from '../simulate/index.js';
import { columns } from './columns.js';
import { type Input, type Result, textOption } from './command-spec.js';
import type { Env } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { nothingCompared } from './nothing-compared.js';
import { progressBar } from './progress.js';
import type { Subject } from './subject.js';
import { worldOf } from './subject.js';
import { decideTraffic, formatOf } from './traffic-input.js';
import { seedOption } from './traffic-run.js';
import { UnknownEnds } from './unknown-ends.js';
import { UnseenTraffic } from './unseen-traffic.js';

interface Side {
  readonly verdict: 'allow' | 'deny';
  readonly rule: string;
  readonly cluster: string | null;
  /** The line that routed. */
  readonly route: string | null;
}
interface Group {
  readonly what: 'verdict' | 'route';
  readonly old: Side;
  readonly new: Side;
  count: number;
  readonly example: {
    readonly record: number;
    readonly id: string | null;
    readonly from: string;
    readonly to: string;
    readonly request: string | null;
  };
}

/** Groups that are told; a change of more kinds is another policy altogether. */
const MAX_GROUPS = 1000;

/** Whether the clusters of a bundle change requests: then equal clusters need not mean equal heads. */
function hasEdits({ routes }: Manifest): boolean {
  return routes.some((route) => route.kind === 'cluster' && route.edits.length > 0);
}

function ruleOf({ rule, file, line }: Outcome): string {
  return file === null ? rule : `${file}:${line}`;
}

function sideOf(outcome: Outcome): Side {
  const { verdict, cluster, route, routeKind, status, location, edits } = outcome;
  const where =
    routeKind === 'reply' || routeKind === 'redirect'
      ? [`${routeKind} ${status}`, location]
      : [cluster, ...edits];
  const told = where.filter((part) => part !== null).join(', ');
  return { verdict, rule: ruleOf(outcome), cluster: told === '' ? null : told, route };
}

/** Compares what two bundles made of a stream. */
export class TrafficDifference {
  records = 0;
  compared = 0;
  changedVerdicts = 0;
  changedRoutes = 0;
  readonly faults: FaultList = new FaultList();
  /** Changes beyond those that are told by group. */
  others = 0;
  readonly #groups = new Map<string, Group>();
  readonly #edits: boolean;

  constructor(old: Manifest, now: Manifest) {
    this.#edits = hasEdits(old) || hasEdits(now);
  }

  get groups(): readonly Group[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count);
  }

  add(batch: DecidedBatch): void {
    this.records += batch.count;
    this.faults.add(...batch.faults);
    const [old, now] = batch.columns;
    if (old === undefined || now === undefined) return;
    for (let row = 0; row < batch.count; row += 1) this.#addRow(batch, old, now, row);
  }

  #addRow(batch: DecidedBatch, old: Int32Array, now: Int32Array, row: number): void {
    const at = row * COLUMN.size;
    const verdict = old[at + COLUMN.verdict];
    if (verdict === 0 || now[at + COLUMN.verdict] === 0) return;
    this.compared += 1;
    if (verdict !== now[at + COLUMN.verdict]) {
      this.changedVerdicts += 1;
      this.#note(batch, old, now, row, 'verdict');
    } else if (verdict === VERDICT.allow && this.#isRoutedElse(batch, old, now, row)) {
      this.changedRoutes += 1;
      this.#note(batch, old, now, row, 'route');
    }
  }

  #isRoutedElse(batch: DecidedBatch, old: Int32Array, now: Int32Array, row: number): boolean {
    const at = row * COLUMN.size;
    for (const column of [COLUMN.cluster, COLUMN.routeKind] as const) {
      if (old[at + column] !== now[at + column] && this.#said(batch, row)) return true;
    }
    const kind = ROUTE_KINDS[old[at + COLUMN.routeKind] ?? -1];
    const isPlain =
      kind === undefined || kind === 'waypoint' || (kind === 'cluster' && !this.#edits);
    return !isPlain && this.#said(batch, row);
  }

  /** Whether the words of a row differ: numbers may where what they mean does not. */
  #said(batch: DecidedBatch, row: number): boolean {
    const [old, now] = [batch.outcome(row, 0), batch.outcome(row, 1)];
    return old !== null && now !== null && sideOf(old).cluster !== sideOf(now).cluster;
  }

  #note(
    batch: DecidedBatch,
    old: Int32Array,
    now: Int32Array,
    row: number,
    what: Group['what'],
  ): void {
    const at = row * COLUMN.size;
    const words =
      what === 'verdict'
        ? [COLUMN.verdict, COLUMN.reason, COLUMN.site]
        : [COLUMN.cluster, COLUMN.routeKind, COLUMN.routeSite];
    const key = [what, ...[old, now].flatMap((list) => words.map((word) => list[at + word]))].join(
      ' ',
    );
    const known = this.#groups.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#groups.size >= MAX_GROUPS) this.others += 1;
    else {
      const [was, is] = [batch.outcome(row, 0), batch.outcome(row, 1)];
      if (was === null || is === null) return;
      const { id = null, from, to, request } = batch.record(row);
      const asked = request === undefined ? null : `${request.method} ${request.path}`;
      const example = { record: batch.lines[row] ?? 0, id, from, to, request: asked };
      this.#groups.set(key, { what, old: sideOf(was), new: sideOf(is), count: 1, example });
    }
  }
}

function sideText(side: Side, what: Group['what']): string {
  return what === 'verdict'
    ? `${side.verdict} ${side.rule}`
    : `${side.cluster ?? 'no cluster'} ${side.route ?? 'default'}`;
}

/** Decides a file by both bundles. Throws CliError. */
export async function runTrafficDiff(
  env: Env,
  input: Input,
  old: Subject,
  now: Subject,
  file: string,
): Promise<Result> {
  const world = await worldOf(env, now, textOption(input, 'world'));
  const format = formatOf(env, file, textOption(input, 'format'));
  if (format === 'scenario') {
    const help = 'give a recording; `weft simulate` runs scenarios';
    const fault = diagnostic('U003', 'a scenario is no recorded traffic', { help });
    throw new CliError([fault], EXIT.usage);
  }
  const found = new TrafficDifference(old.bundle.manifest, now.bundle.manifest);
  const batches = decideTraffic(env, {
    file,
    format,
    world,
    subjects: [old.bundle, now.bundle],
    seed: seedOption(input),
    from: textOption(input, 'from'),
    progress: progressBar(env),
  });
  const unseen = new UnseenTraffic([old.bundle.manifest, now.bundle.manifest], world);
  const unknown = new UnknownEnds(world);
  for await (const batch of batches) {
    found.add(batch);
    unseen.add(batch);
    unknown.add(batch);
  }
  const { records, compared, changedVerdicts, changedRoutes, faults, groups, others } = found;
  const rows = groups.map(({ what, count, old: was, new: is, example }) => [
    String(count),
    sideText(was, what),
    '->',
    sideText(is, what),
    `as ${file}:${example.record} ${example.from} -> ${example.to}${example.request === null ? '' : ` ${example.request}`}`,
  ]);
  const total = `${records} records: ${compared} compared, ${changedVerdicts} verdicts and ${changedRoutes} routes change, ${records - compared} not decided; ${faults.count} faults of the file`;
  const summary = {
    records,
    compared,
    changedVerdicts,
    changedRoutes,
    faults: faults.count,
    others,
  };
  const isSame = changedVerdicts + changedRoutes === 0;
  const nothing = nothingCompared(found, file);
  const exit = hasErrors(faults.told)
    ? EXIT.findings
    : nothing !== null
      ? EXIT.unsupported
      : EXIT.ok;
  return {
    exit: isSame ? exit : EXIT.differences,
    document: { old: old.digest, new: now.digest, file, format, summary, groups },
    text: [...(rows.length === 0 ? [] : [columns(rows)]), total].join('\n'),
    diagnostics: [
      ...old.diagnostics,
      ...now.diagnostics,
      ...faults.told,
      ...unknown.warnings(file),
      ...unseen.warnings(file),
      ...(nothing === null ? [] : [nothing]),
    ],
    sources: now.sources,
  };
}
