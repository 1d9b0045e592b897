/**
 * Hears what policies ask. Where they look at the query or at the cookies as a whole as well as by name, the names are
 * left undecided: their values and the whole would have to fit together.
 */
import { listField } from './field.js';
import { type Guards, Survey } from './guards.js';
import type { ListName } from './named-search.js';

/** What both runs over policies have in common. */
export interface Surveyed {
  readonly survey: Survey;
  readonly closedLists: ReadonlySet<ListName>;
}

const LISTS: readonly ListName[] = ['query', 'cookie'];

/** Whether more is asked of a whole list than whether there is one. */
function isLookedInto(survey: Survey, list: ListName): boolean {
  const whole = listField(list).name;
  const tests = [...(survey.tests.get(whole)?.values() ?? [])];
  const isHashed = [...survey.fields.values()].some(
    (field) => field.kind === 'number' && field.hashed?.name === whole,
  );
  return isHashed || tests.some((test) => test.op !== 'is' || test.text !== '');
}

/** Runs policies over a survey; again where lists are closed. */
export function surveyPolicies(
  ask: (guards: Guards, closedLists: Surveyed['closedLists']) => void,
): Surveyed {
  const survey = new Survey();
  ask(survey, new Set());
  const isAsked = (list: ListName): boolean =>
    [...survey.fields.values()].some(
      (field) => field.kind === 'text' && 'list' in field.of && field.of.list === list,
    );
  const closedLists = new Set(LISTS.filter((list) => isAsked(list) && isLookedInto(survey, list)));
  if (closedLists.size === 0) return { survey, closedLists };
  const again = new Survey();
  ask(again, closedLists);
  return { survey: again, closedLists };
}
