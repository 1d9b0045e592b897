/** What became of open connections, in the log of an agent, whichever process judged them. */
import { CODES } from './codes.js';
import type { JudgedConnections } from './judge-open.js';
import type { Log } from './log.js';
import type { Paths } from './paths.js';
import { openLines } from './settle-open.js';
import type { StagedBundles } from './staged-bundles.js';
import { readState } from './state.js';

/** Says it; nothing where nothing was open. */
export function tellOpen(log: Log, open: JudgedConnections): void {
  const { generation, judged, ended, kept, problem } = open;
  for (const text of openLines(open)) log('info', text, { generation, judged, ended, kept });
  if (problem === null) return;
  const help = CODES['A022']?.help;
  log('warn', `not all open connections were judged again: ${problem}`, { code: 'A022', help });
}

/** The same bundles; behind each change it is told what became of what was open. */
export function tellingOpen(bundles: StagedBundles, log: Log, paths: Paths): StagedBundles {
  let told = readState(paths).open;
  const behind = async <T>(change: Promise<T>): Promise<T> => {
    const answer = await change;
    const { open } = readState(paths);
    if (open !== undefined && JSON.stringify(open) !== JSON.stringify(told)) tellOpen(log, open);
    told = open;
    return answer;
  };
  return {
    ...bundles,
    adopt: (place) => behind(bundles.adopt(place)),
    boot: () => behind(bundles.boot()),
    apply: (bundle, signatures, mode) => behind(bundles.apply(bundle, signatures, mode)),
  };
}
