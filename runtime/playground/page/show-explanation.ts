/** The document of `weft explain` as a page. */
import type { ExplanationDocument } from '../../explain/index.js';
import { breakable } from './break-code.js';
import { type Child, h } from './dom.js';
import type { GoTo } from './show-findings.js';

type ToldStep = ExplanationDocument['questions'][number]['steps'][number];

const MARKS = { true: 'yes', false: 'no', null: '=' } as const;

function placeLink(at: ToldStep['at'], goTo: GoTo): Child {
  if (at === null) return null;
  const { file, line, column } = at;
  const press = (): void => goTo(file, line, column);
  return h('button', { class: 'link', press }, `${file.split('/').at(-1)}:${line}`);
}

function step({ holds, at, text, seen, lookUp, value }: ToldStep, goTo: GoTo): HTMLElement {
  const told = [
    ...seen.map(({ name, value: saw }) => `${name} ${saw}`),
    ...(lookUp === null
      ? []
      : [lookUp.entry === null ? `no entry of ${lookUp.name}` : `entry ${lookUp.entry}`]),
    ...(value === null ? [] : [`gives ${value}`]),
  ];
  const mark = MARKS[`${holds}`];
  return h(
    'li',
    {},
    h('span', { class: `mark ${mark === '=' ? 'value' : mark}` }, mark),
    h('code', {}, ...breakable(text)),
    h('span', { class: 'seen' }, ...breakable(told.join(', '))),
    placeLink(at, goTo),
  );
}

function nearest({ nearest: found, outcome }: ExplanationDocument, goTo: GoTo): Child {
  if (outcome.verdict === 'allow') return null;
  if (found === null) {
    return h('p', { class: 'empty' }, 'No change of a few predicates would let it in.');
  }
  const rows = found.turned.map(({ text, holds, at, seen }) =>
    h(
      'li',
      {},
      h('span', { class: 'mark value' }, holds === true ? 'not' : 'if'),
      h('code', {}, ...breakable(text)),
      h(
        'span',
        { class: 'seen' },
        ...breakable(seen.map(({ name, value }) => `${name} is ${value}`).join(', ')),
      ),
      placeLink(at, goTo),
    ),
  );
  return h(
    'section',
    { class: 'nearest' },
    h('h3', {}, 'Nearest to being let in'),
    h('ul', { class: 'steps' }, ...rows),
    h('p', {}, `Then ${found.rule} allows.`),
  );
}

export function showExplanation(
  panel: HTMLElement,
  id: string,
  explanation: ExplanationDocument,
  goTo: GoTo,
): void {
  const { outcome, questions } = explanation;
  const { verdict, status, rule, side, policy, reason, service, cluster, endpoint } = outcome;
  const way = [
    `at the ${side}`,
    service === null ? null : `service ${service}`,
    cluster === null ? null : `cluster ${cluster}`,
    endpoint === null ? null : `endpoint ${endpoint}`,
  ];
  const { file, line, column } = outcome;
  const at = file === null || line === null ? null : { file, line, column: column ?? 1 };
  const blocks = questions.map((question) =>
    h(
      'section',
      {},
      h(
        'h3',
        {},
        question.policy,
        h('span', { class: 'export' }, ` ${question.export}: `),
        h('strong', {}, question.says),
        question.rule === null ? null : ` (${question.rule})`,
      ),
      question.steps.length === 0
        ? h('p', { class: 'empty' }, 'It looked at nothing.')
        : h('ul', { class: 'steps' }, ...question.steps.map((one) => step(one, goTo))),
    ),
  );
  panel.replaceChildren(
    h(
      'p',
      { class: 'summary' },
      h('span', { class: `verdict ${verdict}` }, verdict),
      h('strong', {}, status === null ? id : `${id} (${status})`),
      h('span', {}, 'decided by ', placeLink(at, goTo) ?? (policy === null ? reason : rule)),
      h('span', { class: 'way' }, way.filter((part) => part !== null).join(', ')),
    ),
    ...blocks,
    ...[nearest(explanation, goTo)].filter((part) => part !== null),
  );
}
