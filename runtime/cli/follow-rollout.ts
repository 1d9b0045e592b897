/** Shows a rollout while it goes, until it rests. */
import type { Admin, RolloutDocument, Watched } from '../rollout/index.js';
import type { Result } from './command-spec.js';
import type { Env } from './env.js';
import { EXIT, type ExitCode } from './exit.js';
import { liveView } from './live-view.js';
import { progressIn, rolloutJson, rolloutLine, rolloutText } from './rollout-text.js';

/** Codes of bundles whose signature or digest is refused. */
const INTEGRITY = /^(?:V10\d|O106|O107)$/;

/** Do the nodes obey? Of a rollout that has ended those that are heard must run what it left them. */
function rests(document: RolloutDocument, watched: Watched): boolean {
  if (document.state === 'running') return false;
  if (document.state === 'paused') return true;
  const { onNew, onOld, onOther, silent } = progressIn(document, watched);
  const wrong = document.state === 'done' ? onOld : onNew;
  return wrong + onOther <= silent.length;
}

/** What its end means to a script: 5 where a gate turned it round, 6 where a signature did. */
export function rolloutExit(
  { state, pausedBy, digest }: RolloutDocument,
  { nodes }: Watched,
): ExitCode {
  if (state !== 'undone' && pausedBy !== 'gate') return EXIT.ok;
  const isUnsigned = nodes.some(
    ({ refused }) => refused?.digest === digest && INTEGRITY.test(refused.code),
  );
  return isUnsigned ? EXIT.integrity : EXIT.differences;
}

/** The rollout as an answer. */
export function rolloutResult(document: RolloutDocument, watched: Watched): Result {
  return {
    exit: rolloutExit(document, watched),
    document: { rollout: rolloutJson(document, progressIn(document, watched)) },
    text: rolloutText(document, watched),
  };
}

/** When it last moved. */
function movedAt({ history }: RolloutDocument): number {
  return history.at(-1)?.time ?? 0;
}

/** Follows a rollout from what it is now until it rests, drawing on stderr. */
export async function followRollout(
  env: Env,
  admin: Admin,
  from: RolloutDocument,
): Promise<Result> {
  const view = liveView(env.stderr);
  try {
    for await (const watched of admin.watch(env.signal)) {
      const document = watched.rollouts.find((d) => d.name === from.name);
      // What is watched may lag behind what was answered.
      if (document === undefined || movedAt(document) < movedAt(from)) continue;
      view.show(rolloutText(document, watched), rolloutLine(document, watched));
      if (!rests(document, watched)) continue;
      view.clear();
      return rolloutResult(document, watched);
    }
  } finally {
    view.clear();
  }
  return { exit: EXIT.interrupted };
}
