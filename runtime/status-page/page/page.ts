/** The page of a cluster: asks for its state, and draws it anew as long as somebody looks. */
import type { PageState } from '../index.js';
import { find } from './dom.js';
import { followEvents } from './live-events.js';
import { showRollouts } from './show-rollouts.js';
import { showNodes, showRules } from './show-tables.js';

const PERIOD_MS = 2000;

const status = find('#status', HTMLElement);
const filter = find('#filter', HTMLInputElement);
let state: PageState | null = null;

function draw(next: PageState): void {
  showRollouts(find('#rollouts', HTMLElement), next.rollouts);
  showNodes(next, filter.value.trim());
  showRules(next, state);
  state = next;
  status.textContent = `as of ${next.time}`;
  document.body.dataset['state'] = 'ready';
}

async function ask(): Promise<void> {
  try {
    const answer = await fetch('state.json');
    if (!answer.ok) throw new Error(String(answer.status));
    draw((await answer.json()) as PageState);
  } catch {
    const since = state === null ? '' : `; what is shown is of ${state.time}`;
    status.textContent = `The control plane does not answer${since}`;
    document.body.dataset['state'] = 'silent';
  }
}

filter.addEventListener('input', () => {
  if (state !== null) showNodes(state, filter.value.trim());
});
document.addEventListener('visibilitychange', () => void ask());
setInterval(() => {
  if (!document.hidden) void ask();
}, PERIOD_MS);
followEvents();
void ask();
