/**
 * Rules of a bundle that decide nothing: met by nothing, standing behind others, met by no workload of the world,
 * allowing what another policy refuses each time. A rule is a written verdict.
 */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/index.js';
import { CODES } from './codes.js';
import { levelsOf } from './compare-bundles.js';
import {
  decide,
  type Level,
  type Model,
  modelOf,
  type ProvableBundle,
  type Spoken,
} from './decide.js';
import { ALL, type Diagram, NONE, TooLarge } from './diagram.js';
import { askConstraints, feasible } from './feasible.js';
import { Space } from './guards.js';
import { knownWorld } from './known-world.js';
import { Opaques } from './leaf.js';
import { surveyPolicies } from './survey-policies.js';

type Site = ProvableBundle['manifest']['sites'][number];

/** What is known of a rule over all levels at which its policy is asked. */
interface RuleSets {
  readonly space: Space;
  readonly met: Diagram;
  readonly alone: Diagram;
  readonly known: Diagram;
  /** Inputs that another policy refuses at the same level. */
  readonly refused: Diagram;
  readonly spoken: readonly Spoken[];
  readonly loose: Spoken;
  readonly own: Spoken;
}

function siteSet({ diagrams }: Space, { answers, attached }: Spoken, site: number): Diagram {
  const found = answers.filter((said) => said.site === site).map(({ guard }) => guard);
  return diagrams.and(diagrams.union(found), attached);
}

function denials({ diagrams }: Space, spoken: readonly Spoken[], but: Spoken): Diagram {
  const others = spoken.filter(
    (one) => one.entry.name !== but.entry.name && one.entry.mode === 'enforce',
  );
  return diagrams.union(
    others.flatMap(({ answers, attached }) =>
      answers
        .filter(({ says }) => says === 'deny')
        .map(({ guard }) => diagrams.and(guard, attached)),
    ),
  );
}

function levelSets(
  model: Model,
  level: Level,
  world: World | null,
): (site: Site) => RuleSets | null {
  const opaques = new Opaques();
  const { survey, closedLists } = surveyPolicies((guards, closed) => {
    decide(model, level, { guards, opaques, closedLists: closed });
    decide(model, level, { guards, opaques, closedLists: closed, ignoresAnswers: true });
  });
  // Of the fields that the constraints bring in too.
  askConstraints(survey);
  if (world !== null) knownWorld(survey, world, [...survey.fields.values()]);
  const space = new Space(survey);
  const possible = feasible(space, level);
  const { diagrams } = space;
  const context = { guards: space, opaques, closedLists };
  const { spoken } = decide(model, level, context);
  const { spoken: loose } = decide(model, level, { ...context, ignoresAnswers: true });
  const fields = space.levels.map(({ field }) => field);
  const known = world === null ? ALL : knownWorld(space, world, fields);
  return ({ site, file }) => {
    const i = spoken.findIndex(({ entry }) => entry.file === file);
    const [own, without] = [spoken[i], loose[i]];
    if (own === undefined || without === undefined) return null;
    const met = diagrams.and(siteSet(space, own, site), possible);
    const alone = diagrams.and(siteSet(space, without, site), possible);
    return {
      space,
      met,
      alone,
      known: diagrams.and(met, known),
      refused: denials(space, spoken, own),
      spoken,
      loose: without,
      own,
    };
  };
}

function finding(
  code: string,
  message: string,
  site: Site,
  notes: readonly string[] = [],
): Diagnostic {
  const at = { file: site.file, line: site.line, column: site.column };
  return diagnostic(code, message, {
    at,
    severity: 'warning',
    notes,
    help: CODES[code]?.help ?? null,
  });
}

/** Lines of other rules whose inputs meet a set. */
function linesMeeting(
  sites: readonly Site[],
  of: (site: Site) => Diagram,
  { diagrams }: Space,
  set: Diagram,
): readonly string[] {
  return sites
    .filter((other) => diagrams.and(of(other), set) !== NONE)
    .map(({ file, line }) => `${file}:${line}`)
    .filter((line, i, all) => all.indexOf(line) === i);
}

const SHOWN = 5;
function some(lines: readonly string[]): string {
  const rest = lines.length - SHOWN;
  return lines.slice(0, SHOWN).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function judge(
  site: Site,
  sets: readonly RuleSets[],
  sites: readonly Site[],
  world: World | null,
): Diagnostic | null {
  const word = site.verdict ?? 'rule';
  const isNone = (of: (one: RuleSets) => Diagram): boolean => sets.every((one) => of(one) === NONE);
  if (isNone(({ met }) => met)) {
    const before = sets.flatMap((one) =>
      one.alone === NONE
        ? []
        : linesMeeting(
            sites.filter(({ site: n }) => n !== site.site),
            ({ site: n }) => siteSet(one.space, one.own, n),
            one.space,
            one.alone,
          ),
    );
    if (before.length === 0) return finding('F101', `nothing can meet this ${word}`, site);
    return finding(
      'F102',
      `this ${word} stands behind ${some(before)}, which decide all of it`,
      site,
    );
  }
  if (
    site.verdict === 'allow' &&
    sets.every(({ space, met, refused }) => space.diagrams.minus(met, refused) === NONE)
  ) {
    const by = sets.flatMap((one) =>
      one.spoken
        .filter(({ entry }) => entry.name !== one.own.entry.name && entry.mode === 'enforce')
        .flatMap((other) =>
          linesMeeting(
            sites.filter(({ verdict }) => verdict === 'deny'),
            ({ site: n }) => siteSet(one.space, other, n),
            one.space,
            one.met,
          ),
        ),
    );
    return finding('F104', `what this allows is always refused by ${some([...new Set(by)])}`, site);
  }
  if (world !== null && isNone(({ known }) => known)) {
    return finding('F103', `no workload of ${world.file ?? 'the world'} meets this ${word}`, site);
  }
  return null;
}

/** Judges the rules of a bundle, in a world where one is given. */
export function lintRules(bundle: ProvableBundle, world: World | null): readonly Diagnostic[] {
  const model = modelOf(bundle, 'lint');
  const found: Diagnostic[] = [];
  const levels = levelsOf([bundle]).flatMap((level) => {
    try {
      return [levelSets(model, level, world)];
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      const help = CODES['F106']?.help ?? null;
      found.push(
        diagnostic('F106', `rules about ${level}s are not judged: ${error.message}`, {
          severity: 'warning',
          help,
        }),
      );
      return [];
    }
  });
  if (found.length > 0) return found;
  const sites = bundle.manifest.sites.filter(({ kind }) => kind === 'verdict');
  for (const site of sites) {
    const sets = levels.flatMap((of) => of(site) ?? []);
    const judged = sets.length === 0 ? null : judge(site, sets, sites, world);
    if (judged !== null) found.push(judged);
  }
  return found;
}
