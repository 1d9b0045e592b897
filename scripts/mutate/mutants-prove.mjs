// Decisions over sets: what a question comes to, and which inputs go which way.
const leave = 'runtime/prove/leave-search.ts';
const routes = 'runtime/prove/decide-routes.ts';
const combine = 'runtime/prove/combine-leaves.ts';
const automaton = 'runtime/prove/text-automaton.ts';
const survey = 'runtime/prove/survey-policies.ts';
const suite = 'cli/diff';

export const PROVE = [
  {
    class: 'sets of inputs',
    name: 'a parameter is there where it is missing',
    file: leave,
    find: "kind === 'missing' ? absent : guards.not(absent)",
    replace: "kind === 'found' ? absent : guards.not(absent)",
    suite,
  },
  {
    class: 'sets of inputs',
    name: 'a policy is asked for a route though the one before had an opinion',
    file: routes,
    find: 'rest = guards.and(rest, guards.not(here));',
    replace: '',
    suite,
  },
  {
    class: 'sets of inputs',
    name: 'weights count one too many',
    file: combine,
    find: 'residueField(a.field, b.value)',
    replace: 'residueField(a.field, b.value + 1n)',
    suite,
  },
  {
    class: 'sets of inputs',
    name: 'a byte is looked for one place later',
    file: automaton,
    find: 'if (state < index) return state + 1;',
    replace: 'if (state <= index) return state + 1;',
    suite,
  },
  {
    class: 'sets of inputs',
    name: 'names are decided beside questions about the whole list',
    file: survey,
    find: 'LISTS.filter((list) => isAsked(list) && isLookedInto(survey, list))',
    replace: 'LISTS.filter(() => false)',
    suite,
  },
];
