/** The exact difference of where two bundles route, over all inputs; each set with an example that both really routed. */
import { routeText } from '../../compiler/abi/index.js';
import { createInlineDecider, type Flow } from '../simulate/index.js';
import { cubesOf } from './cubes.js';
import type { Level, Model, ProvableBundle } from './decide.js';
import { decideRoutes, NO_OPINION, STOPS, type Way } from './decide-routes.js';
import { type Diagram, NONE } from './diagram.js';
import type { Example } from './example.js';
import { askConstraints, feasible } from './feasible.js';
import { knownField } from './field.js';
import { Space } from './guards.js';
import { Opaques } from './leaf.js';
import { firstOpaque, opaquePlaces } from './opaque-places.js';
import { NoExample } from './point.js';
import { routeExample } from './route-example.js';
import { surveyPolicies } from './survey-policies.js';
import { cubeWords, type FieldWords } from './words.js';

/** Inputs that went one way and go another. */
export interface RoutedSet {
  readonly level: Level;
  readonly where: readonly FieldWords[];
  readonly example: Example;
  readonly old: string;
  readonly new: string;
}
export interface RouteComparison {
  readonly routed: readonly RoutedSet[];
  readonly more: boolean;
  /** `file:line` of what is not looked into and matters; null where all is told. */
  readonly undecided: readonly string[] | null;
}

/** Where some models route, over classes that tell all of them apart. */
export interface Ways {
  readonly space: Space;
  readonly opaques: Opaques;
  readonly possible: Diagram;
  readonly ways: readonly (readonly Way[])[];
}

/** What a bundle really does with an example. */
function wayTaken(bundle: ProvableBundle, { world, input }: Example): string {
  const flow: Flow = createInlineDecider(bundle, world).decide(input);
  const { end, answer, cluster, routeSite, record } = flow;
  // With a record it was asked about the verdict, so that routing had gone well.
  if (record === null && (end?.reason === 'trap' || end?.reason === 'fuel')) return STOPS;
  if (routeSite === 0) return NO_OPINION;
  if (answer !== null && answer.kind !== 'cluster') return routeText(answer);
  return routeText({ kind: 'cluster', name: cluster?.name ?? '', edits: answer?.edits ?? [] });
}

/** As the simulator names clusters: without a namespace. */
function shortWay({ says, cluster }: Way): string {
  return cluster === null ? says : says.replace(cluster, cluster.replace(/^([^./]*)\.[^/]*/, '$1'));
}

/** The ways of some models over one space. Throws TooLarge. */
export function decideWays(models: readonly Model[], level: Level): Ways {
  const opaques = new Opaques();
  const { survey, closedLists } = surveyPolicies((guards, closed) => {
    for (const model of models)
      decideRoutes(model, level, { guards, opaques, closedLists: closed });
  });
  askConstraints(survey);
  const space = new Space(survey);
  // Only a workload of the world has its service addresses looked at.
  const possible = space.and(feasible(space, level), space.flag(knownField('source')));
  const context = { guards: space, opaques, closedLists };
  return {
    space,
    opaques,
    possible,
    ways: models.map((model) => decideRoutes(model, level, context)),
  };
}

/** Compares where two versions route. Throws TooLarge. */
export function compareRoutes(
  models: readonly [Model, Model],
  level: Level,
  most: number,
): RouteComparison {
  const { space, opaques, possible, ways } = decideWays(models, level);
  const [before = [], after = []] = ways;
  const { diagrams } = space;
  const from = firstOpaque(space);
  const routed: RoutedSet[] = [];
  const places = new Set<string>();
  let [more, isOpen] = [false, false];
  for (const was of before) {
    for (const is of after) {
      if (was.key === is.key) continue;
      const set = diagrams.and(diagrams.and(was.guard, is.guard), possible);
      if (set === NONE) continue;
      const sure = diagrams.always(set, from);
      if (diagrams.sometimes(set, from) !== sure) {
        isOpen = true;
        for (const place of opaquePlaces({ space, opaques }, set)) places.add(place);
      }
      const left = Math.max(0, most - routed.length);
      const { cubes, rest } = cubesOf(space, sure, diagrams.sometimes(possible, from), left);
      more ||= rest !== NONE;
      for (const cube of cubes) {
        const found = exampleFor(space, diagrams.and(diagrams.cube(cube), sure), level, [was, is]);
        const taken = found === null ? [] : models.map(({ bundle }) => wayTaken(bundle, found));
        if (found === null || taken[0] !== shortWay(was) || taken[1] !== shortWay(is)) {
          isOpen = true;
          places.add(`${was.says} or ${is.says}: no example was found that goes so`);
          continue;
        }
        const where = cubeWords(space, cube);
        routed.push({ level, where, example: found, old: was.says, new: is.says });
      }
    }
  }
  return { routed, more, undecided: isOpen ? [...places].sort() : null };
}

function exampleFor(
  space: Space,
  set: Diagram,
  level: Level,
  ways: readonly Way[],
): Example | null {
  try {
    return routeExample(
      space,
      set,
      level,
      ways.flatMap(({ cluster }) => cluster ?? []),
    );
  } catch (error) {
    if (error instanceof NoExample) return null;
    throw error;
  }
}
