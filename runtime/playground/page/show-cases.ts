/** The cases of the scenario with their verdicts. */
import type { Answer, CaseAnswer } from '../index.js';
import { type Child, h } from './dom.js';

/** What became of a case, in words beside its verdict. */
function whereTo({ outcome }: CaseAnswer): string {
  const { cluster, endpoint, status, location, edits, rule, reason, policy } = outcome;
  const parts = [
    policy === null ? reason : rule,
    status === null ? null : `status ${status}`,
    cluster === null ? null : `to ${cluster}`,
    endpoint,
    location === null ? null : `location ${location}`,
    ...edits,
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

function row(
  one: CaseAnswer,
  chosen: string | null,
  choose: (one: CaseAnswer) => void,
): HTMLElement {
  const { id, asked, outcome, differences } = one;
  const { verdict } = outcome;
  const wrong: Child[] = differences.map((text) => h('span', { class: 'wrong' }, text));
  return h(
    'li',
    {},
    h(
      'button',
      {
        press: () => choose(one),
        attributes: { 'aria-pressed': String(id === chosen), 'data-case': id },
      },
      h('span', { class: `verdict ${verdict}` }, verdict),
      h('span', { class: 'id' }, id),
      h('span', { class: 'asked' }, asked),
      h('span', { class: 'where' }, whereTo(one)),
      ...wrong,
    ),
  );
}

export function showCases(
  panel: HTMLElement,
  { answer, chosen }: { readonly answer: Answer; readonly chosen: string | null },
  choose: (one: CaseAnswer) => void,
): void {
  if (answer.cases.length > 0) {
    const focused = panel.contains(document.activeElement) ? chosen : null;
    const rows = answer.cases.map((one) => row(one, chosen, choose));
    const scrolled = panel.querySelector('ul')?.scrollTop ?? 0;
    const list = h('ul', {}, ...rows);
    panel.replaceChildren(list);
    list.scrollTop = scrolled;
    if (focused !== null) panel.querySelector<HTMLElement>('[aria-pressed=true]')?.focus();
    return;
  }
  const text =
    answer.digest === null
      ? 'Nothing is decided while there are errors.'
      : 'The scenario has no cases: ask something below, or write them in scenario.yaml.';
  panel.replaceChildren(h('p', { class: 'empty' }, text));
}

/** `12 allow, 3 deny`, and how many are not as expected. */
export function totalsText({ cases }: Answer): string {
  const count = (verdict: string): number =>
    cases.filter(({ outcome }) => outcome.verdict === verdict).length;
  const wrong = cases.filter(({ differences }) => differences.length > 0).length;
  const text = `${count('allow')} allow, ${count('deny')} deny`;
  if (cases.length === 0) return '';
  return wrong === 0 ? text : `${text}, ${wrong} not as expected`;
}
