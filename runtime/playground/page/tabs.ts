/** A list of tabs: one is chosen, arrows move among them, the others are skipped by the tab key (WAI-ARIA, tabs). */
import { type Child, h } from './dom.js';

export interface Tab {
  readonly id: string;
  readonly label: readonly Child[];
}

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };

/** Fills a tab list; `choose` hears of what is chosen by hand. */
export function showTabs(
  list: HTMLElement,
  {
    tabs,
    chosen,
    panel,
  }: { readonly tabs: readonly Tab[]; readonly chosen: string; readonly panel: string },
  choose: (id: string) => void,
): void {
  const focused = list.contains(document.activeElement);
  const buttons = tabs.map(({ id, label }, index) => {
    const isChosen = id === chosen;
    const button = h(
      'button',
      {
        press: () => choose(id),
        attributes: {
          role: 'tab',
          'aria-selected': String(isChosen),
          'aria-controls': panel,
          tabindex: isChosen ? '0' : '-1',
          'data-tab': id,
        },
      },
      ...label,
    );
    button.addEventListener('keydown', (event) => {
      const step = STEPS[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = tabs[(index + step + tabs.length) % tabs.length];
      if (next !== undefined) choose(next.id);
    });
    return button;
  });
  list.replaceChildren(...buttons);
  if (focused) buttons[tabs.findIndex(({ id }) => id === chosen)]?.focus();
}
