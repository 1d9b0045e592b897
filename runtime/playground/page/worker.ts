/** Entry of the worker that compiles, decides and explains; it answers one thing after the other. */
import { messageOf } from '../../../compiler/diagnostic/index.js';
import { type Asked, addCase, Playground, type Told } from '../index.js';
import { browserSnapshot } from './snapshot.js';

const playground = new Playground(browserSnapshot);

function tell(told: Told): void {
  postMessage(told);
}

async function answer(asked: Asked): Promise<Told> {
  switch (asked.kind) {
    case 'answer':
      return { kind: 'answer', answer: await playground.answer(asked.files) };
    case 'explain':
      return { kind: 'explain', id: asked.id, explanation: await playground.explain(asked.id) };
    case 'add': {
      const added = addCase(asked.text, asked.added);
      if (added === null) return { kind: 'fault', message: 'the scenario has no list of cases' };
      return { kind: 'add', ...added };
    }
  }
}

let last: Promise<void> = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  last = last.then(async () => {
    try {
      tell(await answer(data));
    } catch (error) {
      console.error(error);
      tell({ kind: 'fault', message: messageOf(error) });
    }
  });
});
tell({ kind: 'ready' });
