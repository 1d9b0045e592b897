// What became of the soak's requests.
import { LONG } from './plan.mjs';

export const counts = {
  replies: 0,
  elsewhere: 0,
  long: 0,
  refused: 0,
  resets: 0,
  resetsElsewhere: 0,
  left: 0,
  wrong: 0,
  hung: 0,
};
export const faults = [];

/** Ends a request: `right`, `refused`, `reset`, `left`, `hung`, or what was wrong. */
export function count(asked, what) {
  if (what === 'right') {
    counts.replies++;
    if (asked.tag === 'v2') counts.elsewhere++;
    if (asked.size === LONG) counts.long++;
  } else if (what === 'refused') counts.refused++;
  else if (what === 'reset') {
    counts.resets++;
    if (asked.tag === 'v2') counts.resetsElsewhere++;
  } else if (what === 'left') counts.left++;
  else if (what === 'hung') counts.hung++;
  else counts.wrong++;
  if (['right', 'refused', 'reset', 'left'].includes(what) || faults.length >= 100) return;
  const { upload, ...rest } = asked;
  faults.push(
    `${new Date().toISOString()} ${JSON.stringify({ ...rest, upload: upload?.length })}: ${what}`,
  );
}
