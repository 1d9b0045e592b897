/** Verdicts as they come, the newest first. */
import { find, h } from './dom.js';

interface Told {
  readonly time: string;
  readonly node: string;
  readonly verdict: string;
  readonly rule: string;
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

const KEPT = 100;
const CLOCK = /T(\d\d:\d\d:\d\d)/;

function item({ time, node, verdict, rule, what, from, to }: Told): HTMLElement {
  const where = `${CLOCK.exec(time)?.[1] ?? time} ${node} ${rule}`;
  return h(
    'li',
    verdict,
    h('span', `mark ${verdict}`, verdict),
    h('span', '', `${from} → ${to} ${what}`, h('span', 'where', where)),
  );
}

/** Follows them until the page is closed. */
export function followEvents(): void {
  const list = find('#events', HTMLOListElement);
  const state = find('#event-state', HTMLElement);
  const pause = find('#pause', HTMLButtonElement);
  const denials = find('#denials', HTMLInputElement);
  let isPaused = false;
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    pause.setAttribute('aria-pressed', String(isPaused));
  });
  denials.addEventListener('change', () => list.classList.toggle('only-denials', denials.checked));
  const source = new EventSource('events');
  source.addEventListener('open', () => {
    state.textContent = '';
  });
  source.addEventListener('error', () => {
    state.textContent = 'The control plane does not answer; it is tried again.';
  });
  source.addEventListener('message', ({ data }) => {
    if (isPaused) return;
    const { events, more } = JSON.parse(String(data)) as {
      readonly events: readonly Told[];
      readonly more: number;
    };
    list.prepend(...[...events].reverse().map(item));
    while (list.children.length > KEPT) list.lastElementChild?.remove();
    state.textContent = more === 0 ? '' : `and ${more} more than fit`;
  });
}
