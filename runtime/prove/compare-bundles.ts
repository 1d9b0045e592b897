/**
 * The exact difference of what two bundles let in, over all inputs and without any traffic. Each set of the answer
 * has an example that both bundles really decided; what cannot be told is said with its line.
 */
import { BugError } from '../../compiler/diagnostic/index.js';
import { createInlineDecider, type Outcome } from '../simulate/index.js';
import { compareRoutes, type RoutedSet } from './compare-routes.js';
import { cubesOf } from './cubes.js';
import {
  type Decided,
  decideConnections,
  decideRequests,
  type Level,
  type Model,
  modelOf,
  type ProvableBundle,
} from './decide.js';
import { type Diagram, NONE, TooLarge } from './diagram.js';
import { type Example, exampleOf } from './example.js';
import { askConstraints, feasible } from './feasible.js';
import { Space } from './guards.js';
import { Opaques } from './leaf.js';
import { firstOpaque, opaquePlaces } from './opaque-places.js';
import { surveyPolicies } from './survey-policies.js';
import { cubeWords, type FieldWords } from './words.js';

/** What changed for a set of inputs. */
export type Change = 'newly allowed' | 'newly denied';

export interface ChangedSet {
  readonly change: Change;
  readonly level: Level;
  /** Conditions that all hold; none for everything. */
  readonly where: readonly FieldWords[];
  readonly example: Example;
  readonly old: Outcome;
  readonly new: Outcome;
}
export interface Undecided {
  readonly level: Level;
  readonly what: 'verdicts' | 'routes';
  /** `file:line` of what is not looked into, or why nothing was. */
  readonly places: readonly string[];
}
export interface Comparison {
  readonly changed: readonly ChangedSet[];
  readonly routed: readonly RoutedSet[];
  /** Changed sets that are left out, being more than were asked for. */
  readonly more: boolean;
  readonly undecided: readonly Undecided[];
}

/** What two models decide, over classes that tell both of them apart. */
export interface Decisions {
  readonly space: Space;
  readonly opaques: Opaques;
  readonly possible: Diagram;
  readonly decided: readonly Decided[];
}

/** Decides a level for some models over one space. Throws TooLarge. */
export function decideAll(models: readonly Model[], level: Level): Decisions {
  const ask = level === 'connection' ? decideConnections : decideRequests;
  const opaques = new Opaques();
  const { survey, closedLists } = surveyPolicies((guards, closed) => {
    for (const model of models) ask(model, { guards, opaques, closedLists: closed });
  });
  askConstraints(survey);
  const space = new Space(survey);
  const possible = feasible(space, level);
  const decided = models.map((model) => ask(model, { guards: space, opaques, closedLists }));
  return { space, opaques, possible, decided };
}

/** Levels at which one of the bundles decides anything. */
export function levelsOf(bundles: readonly ProvableBundle[]): readonly Level[] {
  const has = bundles.some(({ manifest }) =>
    manifest.policies.some(({ exports }) => exports.includes('authorizeRequest')),
  );
  return has ? ['connection', 'request'] : ['connection'];
}

/** The verdict of the simulator on an example. */
export function outcomeOf(bundle: ProvableBundle, { world, input }: Example): Outcome {
  const decider = createInlineDecider(bundle, world);
  return decider.describe(decider.decide(input));
}

interface Options {
  /** Most sets a level and change. */
  readonly most?: number;
}

function compareLevel(models: readonly [Model, Model], level: Level, most: number): Comparison {
  const decisions = decideAll(models, level);
  const { space, possible, decided } = decisions;
  const { diagrams } = space;
  const from = firstOpaque(space);
  const [was, is] = decided.map(({ allow }) => diagrams.and(allow, possible)) as [Diagram, Diagram];
  // What changed for the connection is told there, and holds for every request on it.
  const [first, second] = decided.map(({ connected }) => connected) as [Diagram, Diagram];
  const apart = diagrams.or(diagrams.minus(first, second), diagrams.minus(second, first));
  const known = level === 'connection' ? NONE : apart;
  const sides = [
    ['newly allowed', diagrams.minus(diagrams.minus(is, was), known)],
    ['newly denied', diagrams.minus(diagrams.minus(was, is), known)],
  ] as const;
  const changed: ChangedSet[] = [];
  let more = false;
  const open: Diagram[] = [];
  for (const [change, set] of sides) {
    const sure = diagrams.always(set, from);
    if (diagrams.sometimes(set, from) !== sure) open.push(set);
    const { cubes, rest } = cubesOf(space, sure, diagrams.sometimes(possible, from), most);
    more ||= rest !== NONE;
    for (const cube of cubes) {
      const example = exampleOf(space, diagrams.and(diagrams.cube(cube), sure), level);
      const [old, now] = models.map(({ bundle }) => outcomeOf(bundle, example)) as [
        Outcome,
        Outcome,
      ];
      const wanted = change === 'newly allowed' ? 'allow' : 'deny';
      if (now.verdict !== wanted || old.verdict === wanted) {
        const words = cubeWords(space, cube)
          .map(({ field, says }) => `${field} ${says}`)
          .join('; ');
        throw new BugError(`diff: ${change} is not so: ${words}: ${old.rule} -> ${now.rule}`);
      }
      changed.push({ change, level, where: cubeWords(space, cube), example, old, new: now });
    }
  }
  const places = [...new Set(open.flatMap((set) => opaquePlaces(decisions, set)))];
  const undecided = open.length === 0 ? [] : [{ level, what: 'verdicts' as const, places }];
  return { changed, routed: [], more, undecided };
}

/** Levels at which one of the bundles routes anything. */
function routedLevels(models: readonly Model[]): readonly Level[] {
  const has = (name: 'routeConnection' | 'routeRequest'): boolean =>
    models.some(({ policies }) => policies.some(({ entry }) => entry.exports.includes(name)));
  return [
    ...(has('routeConnection') ? (['connection'] as const) : []),
    ...(has('routeRequest') ? (['request'] as const) : []),
  ];
}

const NOTHING: Comparison = { changed: [], routed: [], more: false, undecided: [] };

/** What is too large for it is undecided as a whole. */
function orTooLarge(level: Level, what: Undecided['what'], ask: () => Comparison): Comparison {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    return { ...NOTHING, undecided: [{ level, what, places: [error.message] }] };
  }
}

/** Compares two bundles; a level that is too large for it is undecided as a whole. */
export function compareBundles(
  old: ProvableBundle,
  now: ProvableBundle,
  { most = 100 }: Options = {},
): Comparison {
  const models = [modelOf(old, 'old'), modelOf(now, 'new')] as const;
  const verdicts = levelsOf([old, now]).map((level) =>
    orTooLarge(level, 'verdicts', () => compareLevel(models, level, most)),
  );
  const routes = routedLevels(models).map((level) =>
    orTooLarge(level, 'routes', () => {
      const { routed, more, undecided } = compareRoutes(models, level, most);
      const open =
        undecided === null ? [] : [{ level, what: 'routes' as const, places: undecided }];
      return { ...NOTHING, routed, more, undecided: open };
    }),
  );
  const parts = [...verdicts, ...routes];
  return {
    changed: parts.flatMap(({ changed }) => changed),
    routed: parts.flatMap(({ routed }) => routed),
    more: parts.some(({ more }) => more),
    undecided: parts.flatMap(({ undecided }) => undecided),
  };
}
