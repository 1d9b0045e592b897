/** Whether a bundle decides a record as it was decided when it was seen. */
import type { Outcome } from '../simulate/index.js';
import type { TrafficRecord } from './types.js';

export interface Difference {
  readonly field: 'verdict' | 'site' | 'rule' | 'route' | 'reason';
  readonly seen: string | number | null;
  readonly now: string | number | null;
}

/** Sites are numbered by bundle: between two bundles their lines are compared. */
export function differencesOf(
  { decided, request }: TrafficRecord,
  outcome: Outcome,
  isSameBundle: boolean,
): readonly Difference[] {
  if (decided === undefined) return [];
  const rows: Difference[] = [{ field: 'verdict', seen: decided.verdict, now: outcome.verdict }];
  const add = (field: Difference['field'], seen: Difference['seen'] | undefined): void => {
    if (seen === undefined) return;
    rows.push({ field, seen, now: outcome[field] });
  };
  if (isSameBundle) add('site', decided.site);
  // What no policy was asked about a request holds as its connection was decided, and is told so.
  const isConnections = request !== undefined && decided.reason === 'connection';
  if (!isConnections) add('rule', decided.rule);
  add('route', decided.route);
  return rows.filter(({ seen, now }) => seen !== now);
}
