/**
 * Claims about what a bundle decides, checked for all inputs. A claim is written as a policy is: where it says Deny
 * nothing may be let in, where it says Allow all must be, where it says Pass nothing is claimed. A counterexample is an
 * input that the bundle really decided otherwise.
 */

import type { ExportName } from '../../compiler/abi/index.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import type { Outcome } from '../simulate/index.js';
import { type Decisions, decideAll, outcomeOf } from './compare-bundles.js';
import { cubesOf } from './cubes.js';
import { type Level, type Model, modelOf, type ProvableBundle, type Said } from './decide.js';
import { type Diagram, NONE, TooLarge } from './diagram.js';
import { type Example, exampleOf } from './example.js';
import { firstOpaque, opaquePlaces } from './opaque-places.js';
import { cubeWords, type FieldWords } from './words.js';

/** Where a claim is made: a written verdict of a file of claims. */
export interface Claim {
  readonly file: string;
  readonly line: number;
  readonly says: 'allow' | 'deny';
}
export type ClaimResult = Claim &
  (
    | { readonly status: 'proved' }
    /** Nothing that there can be meets it. */
    | { readonly status: 'empty' }
    | {
        readonly status: 'refuted';
        readonly where: readonly FieldWords[];
        readonly example: Example;
        readonly outcome: Outcome;
      }
    | { readonly status: 'undecided'; readonly places: readonly string[] }
  );

interface Checked {
  /** Some input meets the claim. */
  readonly isMet: boolean;
  readonly counter: {
    readonly where: readonly FieldWords[];
    readonly example: Example;
    readonly outcome: Outcome;
  } | null;
  readonly places: readonly string[];
}

const EXPORTS: Readonly<Record<Level, ExportName>> = {
  connection: 'authorizeConnection',
  request: 'authorizeRequest',
};

/** The claims alone, of one function: so that what they say of an input is one answer. */
function claimsOf({ bundle }: Model, level: Level): ProvableBundle {
  const { manifest } = bundle;
  const policies = manifest.policies.map((entry) => ({
    ...entry,
    exports: [EXPORTS[level]],
    canAllow: false,
    canAllowRequest: false,
  }));
  return { ...bundle, manifest: { ...manifest, default: 'allow', policies } };
}

/** Checks one claim over the inputs of a level. */
function check(
  decisions: Decisions,
  said: Said,
  models: { readonly subject: Model; readonly claims: ProvableBundle },
  level: Level,
): Checked {
  const { space, possible, decided } = decisions;
  const { diagrams } = space;
  const [subject] = decided;
  if (subject === undefined) throw new BugError('prove: nothing was decided');
  const met = diagrams.and(said.guard, possible);
  const broken: Diagram =
    said.says === 'deny' ? diagrams.and(met, subject.allow) : diagrams.minus(met, subject.allow);
  const from = firstOpaque(space);
  const sure = diagrams.always(broken, from);
  if (sure === NONE) {
    const isOpen = diagrams.sometimes(broken, from) !== NONE;
    return {
      isMet: met !== NONE,
      counter: null,
      places: isOpen ? opaquePlaces(decisions, broken) : [],
    };
  }
  const { cubes } = cubesOf(space, sure, diagrams.sometimes(possible, from), 1);
  const [cube] = cubes;
  if (cube === undefined) throw new BugError('prove: a set without a cube');
  const example = exampleOf(space, diagrams.and(diagrams.cube(cube), sure), level);
  const outcome = outcomeOf(models.subject.bundle, example);
  const claimed = outcomeOf(models.claims, example);
  if (outcome.verdict === said.says || claimed.site !== said.site) {
    throw new BugError(
      `prove: the counterexample of ${claimed.rule} is none: ${outcome.verdict} ${outcome.rule}`,
    );
  }
  return { isMet: true, counter: { where: cubeWords(space, cube), example, outcome }, places: [] };
}

/** Levels over which the claims of a function hold: what is claimed of connections is claimed of their requests. */
function levelsFor(claims: Model, subject: Model): readonly (readonly [Level, Level])[] {
  const has = ({ bundle }: Model, level: Level): boolean =>
    bundle.manifest.policies.some(({ exports }) => exports.includes(EXPORTS[level]));
  return [
    ...(has(claims, 'connection') ? [['connection', 'connection'] as const] : []),
    ...(has(claims, 'connection') && has(subject, 'request')
      ? [['request', 'connection'] as const]
      : []),
    ...(has(claims, 'request') ? [['request', 'request'] as const] : []),
  ];
}

/** Checks the claims of one file, compiled as a bundle of one policy. */
export function checkClaims(
  subjectBundle: ProvableBundle,
  claimsBundle: ProvableBundle,
): readonly ClaimResult[] {
  const [subject, claims] = [modelOf(subjectBundle, 'subject'), modelOf(claimsBundle, 'claims')];
  const { sites } = claimsBundle.manifest;
  const found = new Map<number, Checked[]>();
  const note = (site: number, checked: Checked): void => {
    found.set(site, [...(found.get(site) ?? []), checked]);
  };
  const isClaim = ({ verdict }: (typeof sites)[number]): boolean =>
    verdict === 'allow' || verdict === 'deny';
  for (const [level, level2] of levelsFor(claims, subject)) {
    const single = claimsOf(claims, level2);
    try {
      const decisions = decideAll(
        [subject, { ...claims, bundle: single, policies: only(claims, single) }],
        level,
      );
      const spoken = decisions.decided[1]?.spoken ?? [];
      for (const said of spoken.flatMap(({ answers }) => answers)) {
        if (said.says === 'other') continue;
        if (said.says === 'allow' && level !== level2) continue;
        note(said.site, check(decisions, said, { subject, claims: single }, level));
      }
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      const checked = { isMet: true, counter: null, places: [error.message] };
      for (const { site } of sites.filter(isClaim)) note(site, checked);
    }
  }
  return sites.filter(isClaim).map(({ site, file, line, verdict }): ClaimResult => {
    const claim = {
      file,
      line,
      says: verdict === 'allow' ? ('allow' as const) : ('deny' as const),
    };
    const all = found.get(site) ?? [];
    const counter = all.map((one) => one.counter).find((one) => one !== null);
    if (counter != null) return { ...claim, status: 'refuted', ...counter };
    const places = [...new Set(all.flatMap((one) => one.places))];
    const stops =
      found.get(0)?.some(({ isMet }) => isMet) === true
        ? ['the claims themselves may stop early']
        : [];
    if (places.length + stops.length > 0)
      return { ...claim, status: 'undecided', places: [...places, ...stops] };
    return { ...claim, status: all.some(({ isMet }) => isMet) ? 'proved' : 'empty' };
  });
}

/** The policies of a model as a changed manifest has them. */
function only({ policies }: Model, { manifest }: ProvableBundle): Model['policies'] {
  return policies.map((ir, i) => ({ ...ir, entry: manifest.policies[i] ?? ir.entry }));
}
