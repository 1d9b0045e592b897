/** An explanation as text for people and as a document for programs; both hold the same. */
import {
  ROUTE_BITS,
  ROUTE_MASK,
  VERDICT,
  VERDICT_BITS,
  VERDICT_MASK,
} from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/index.js';
import type { Outcome } from '../simulate/index.js';
import type { Explanation } from './explain.js';
import type { Place, Step } from './steps.js';
import type { Question } from './trace.js';

type Sites = Pick<Manifest, 'sites' | 'routes' | 'policies'>;

const placeText = (at: Place | null): string =>
  at === null ? '-' : `${at.file.split('/').at(-1)}:${at.line}`;

const VERDICTS: ReadonlyMap<number, string> = new Map(
  Object.entries(VERDICT).map(([name, value]) => [value, name]),
);

interface Answer {
  readonly says: string;
  /** Site of the line that says so; null where a policy had no opinion or stopped. */
  readonly rule: string | null;
}

function answerOf(question: Question, { sites, routes, policies }: Sites): Answer {
  const { answer, stop } = question;
  if (answer === null) return { says: `stopped: ${stop ?? 'trap'}`, rule: null };
  const isVerdict = question.export.startsWith('authorize');
  const number = answer >>> (isVerdict ? VERDICT_BITS : ROUTE_BITS);
  const found = sites.find(({ site }) => site === number);
  const rule = found === undefined ? null : placeText(found);
  if (isVerdict) {
    return { says: VERDICTS.get(answer & VERDICT_MASK) ?? 'no verdict', rule };
  }
  const chosen = answer & ROUTE_MASK;
  const first = policies.find(({ name }) => name === question.policy)?.firstRoute ?? 0;
  const route = chosen === 0 ? undefined : routes[first + chosen - 1];
  if (route === undefined) return { says: 'no opinion', rule: null };
  return { says: route.kind === 'cluster' ? route.name : route.kind, rule };
}

const MARK = new Map<boolean | null, string>([
  [true, 'yes'],
  [false, 'no'],
  [null, '='],
]);

/** A value that a table gave: a verdict by its name, where one was written at the entry or at the look-up. */
function valueText({ value, lookUp, at }: Step, { sites }: Sites): string {
  const word = (value ?? 0) >>> 0;
  const site = sites.find((one) => one.site === word >>> VERDICT_BITS);
  const name = VERDICTS.get(word & VERDICT_MASK);
  if (site === undefined || site.kind !== 'verdict' || site.verdict !== name) return `${value}`;
  const isAtEntry = lookUp?.entry?.startsWith(`${site.file}:${site.line} `) === true;
  const isHere = at !== null && site.file === at.file && site.line === at.line;
  return isAtEntry || isHere ? `Verdict.${name[0]?.toUpperCase()}${name.slice(1)}` : `${value}`;
}

function seenText(step: Step, sites: Sites): string {
  const { seen, lookUp, value } = step;
  const parts = seen.map(({ name, value: text }) => `${name} ${text}`);
  if (lookUp !== null) {
    parts.push(lookUp.entry === null ? `no entry of ${lookUp.name}` : `entry ${lookUp.entry}`);
  }
  if (value !== null) parts.push(`gives ${valueText(step, sites)}`);
  return parts.join(', ');
}

function stepRows(steps: readonly Step[], sites: Sites): string[] {
  const rows = steps.map((s) => [
    MARK.get(s.holds) ?? '',
    placeText(s.at),
    s.text,
    seenText(s, sites),
  ]);
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Both ends ask the same of the same: what the second says is told only where it differs. */
export function withoutRepetitions(questions: readonly Question[]): readonly Question[] {
  const told = new Set<string>();
  return questions.filter(({ round: _, ...said }) => {
    const text = JSON.stringify(said);
    return !told.has(text) && told.add(text);
  });
}

/** The text of `weft explain`; `title` says what was asked. */
export function printExplanation(
  title: string,
  explanation: Explanation,
  manifest: Manifest,
): string {
  const { outcome, questions, nearest } = explanation;
  const { verdict, status, rule, side, service, cluster, endpoint, route, file, line } = outcome;
  const lines = [
    `${verdict}${status === null ? '' : ` ${status}`}  ${title}`,
    outcome.reason === 'requests'
      ? `let be at the ${side}: its requests are judged one by one, and no policy speaks of connections`
      : `decided by ${rule}${outcome.policy === null ? ` (${outcome.reason})` : ''} at the ${side}`,
  ];
  if (file !== null && line !== null) {
    const source = manifest.sources[file]?.split('\n')[line - 1]?.trim() ?? '';
    lines.push(`  ${line} | ${source}`);
  }
  const way = [
    service === null ? null : `service ${service}`,
    cluster === null ? null : `cluster ${cluster} (${route ?? 'no route: its own'})`,
    endpoint === null ? null : `endpoint ${endpoint}`,
  ].filter((part) => part !== null);
  if (way.length > 0) lines.push(way.join(', '));
  for (const question of withoutRepetitions(questions)) {
    const { says, rule: by } = answerOf(question, manifest);
    lines.push(
      '',
      `${question.policy}  ${question.export}: ${says}${by === null ? '' : ` (${by})`}`,
    );
    lines.push(...stepRows(question.steps, manifest).map((row) => `  ${row}`));
  }
  if (nearest !== null) {
    lines.push('', 'nearest to being let in:');
    for (const step of nearest.turned) {
      const want = step.holds === true ? 'not to hold' : 'to hold';
      const seen = step.seen.map(({ name, value }) => `${name} is ${value}`).join(', ');
      lines.push(`  ${placeText(step.at)}: ${step.text} would have ${want}; ${seen}`);
    }
    lines.push(`  then ${nearest.outcome.rule} allows`);
  } else if (verdict === 'deny') {
    lines.push('', 'no change of a few predicates would let it in');
  }
  return lines.join('\n');
}

type ToldStep = Omit<Step, 'key'>;

/** The document of `weft explain -o json`. */
export interface ExplanationDocument {
  readonly outcome: Outcome;
  readonly questions: readonly (Pick<Question, 'policy' | 'export' | 'stop'> &
    Answer & { readonly steps: readonly ToldStep[] })[];
  /** What would have to be otherwise, and the rule that would allow then. */
  readonly nearest: { readonly turned: readonly ToldStep[]; readonly rule: string } | null;
}

/** Makes the document of an explanation. */
export function explanationDocument(
  { outcome, questions, nearest }: Explanation,
  manifest: Manifest,
): ExplanationDocument {
  const stepOf = ({ key: _, ...step }: Step): ToldStep => step;
  return {
    outcome,
    questions: questions.map((question) => ({
      policy: question.policy,
      export: question.export,
      ...answerOf(question, manifest),
      stop: question.stop,
      steps: question.steps.map(stepOf),
    })),
    nearest:
      nearest === null ? null : { turned: nearest.turned.map(stepOf), rule: nearest.outcome.rule },
  };
}
