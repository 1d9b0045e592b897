/** Rollouts as pictures: their stages in a row, and a dot for each node. */
import type { Dot, RolloutView, StageView } from '../index.js';
import { h } from './dom.js';

const DOT_WORDS: Readonly<Record<Dot, string>> = {
  new: 'on the new bundle',
  old: 'on the old one',
  other: 'on something else',
  refused: 'refuses it',
  silent: 'silent',
};
const PLACE_WORDS: Readonly<Record<StageView['place'], string>> = {
  done: 'done',
  now: 'now',
  next: 'to come',
  undone: 'undone',
};
const SECOND_MS = 1000;

function stage({ text, place, hold, meant, taken }: StageView, left: number | null): HTMLElement {
  if (place !== 'now')
    return h('li', place, h('span', 'name', text), h('span', 'detail', PLACE_WORDS[place]));
  const bar = h('progress', '');
  bar.max = Math.max(1, meant);
  bar.value = taken;
  bar.setAttribute('aria-label', `nodes that have taken it in ${text}`);
  const wait = left === null ? `holds ${hold}` : `${Math.ceil(left / SECOND_MS)} s to hold`;
  const item = h(
    'li',
    place,
    h('span', 'name', text),
    bar,
    h('span', 'detail', `${taken} of ${meant} nodes, ${wait}`),
  );
  item.setAttribute('aria-current', 'step');
  return item;
}

function dots({ dots: all }: RolloutView): HTMLElement {
  const counts = new Map<Dot, number>();
  for (const { is } of all) counts.set(is, (counts.get(is) ?? 0) + 1);
  const picture = h(
    'div',
    'dots',
    ...all.map(({ node, is }) => {
      const dot = h('i', is);
      dot.title = `${node}: ${DOT_WORDS[is]}`;
      return dot;
    }),
  );
  picture.setAttribute('role', 'img');
  const words = [...counts].map(([is, count]) => `${count} ${DOT_WORDS[is]}`);
  picture.setAttribute('aria-label', words.join(', '));
  return h('div', '', picture, h('p', 'reason', words.join(', ')));
}

function seen({ progress: { shadow, verdicts } }: RolloutView): string | null {
  const parts = [
    ...(shadow.same + shadow.different + shadow.lost > 0
      ? [`in shadow ${shadow.same} the same, ${shadow.different} different, ${shadow.lost} lost`]
      : []),
    ...(verdicts.allowed + verdicts.denied > 0
      ? [`since then ${verdicts.allowed} allowed, ${verdicts.denied} denied`]
      : []),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}

function rollout(view: RolloutView, isOpen: boolean): HTMLElement {
  const { name, number, state, reason, before, digest, stages, progress, history } = view;
  const why = reason ?? progress.shut;
  const counts = seen(view);
  const details = h(
    'details',
    '',
    h('summary', '', 'History'),
    h(
      'ol',
      '',
      ...history.map((one) =>
        h('li', '', h('time', '', one.time), h('span', '', `${one.what}: ${one.text}`)),
      ),
    ),
  );
  details.open = isOpen;
  const box = h(
    'article',
    'rollout',
    h(
      'h3',
      '',
      `${name} ${number}`,
      h('span', `mark ${state}`, state),
      h('code', '', `${before} → ${digest}`),
    ),
    why === null ? null : h('p', 'reason', why),
    h('ol', 'stages', ...stages.map((one) => stage(one, progress.leftMs))),
    dots(view),
    counts === null ? null : h('p', 'reason', counts),
    details,
  );
  box.dataset['rollout'] = name;
  return box;
}

/** Draws them; what was opened stays open. */
export function showRollouts(into: HTMLElement, views: readonly RolloutView[]): void {
  const open = new Set(
    [...into.querySelectorAll<HTMLElement>('[data-rollout]')]
      .filter((box) => box.querySelector('details')?.open)
      .map((box) => box.dataset['rollout']),
  );
  const isFocused = into.contains(document.activeElement);
  const focused =
    document.activeElement?.closest<HTMLElement>('[data-rollout]')?.dataset['rollout'];
  into.replaceChildren(
    ...(views.length === 0
      ? [h('p', 'empty', 'Nothing has been rolled out.')]
      : views.map((view) => rollout(view, open.has(view.name)))),
  );
  if (!isFocused) return;
  const box = [...into.querySelectorAll<HTMLElement>('[data-rollout]')].find(
    (one) => one.dataset['rollout'] === focused,
  );
  box?.querySelector('summary')?.focus();
}
