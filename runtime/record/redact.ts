/**
 * Takes out of a record what its decision does not need: values of headers and the query. A value
 * stays only where the bundle decides otherwise without it; that a header was there always stays. So
 * every record can still be decided again by the bundle that it was made with.
 */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { Outcome } from '../simulate/index.js';
import type { RecordDecider } from './record-decider.js';
import type { RecordedRequest, TrafficRecord } from './types.js';

/** What stands for a value; its own length says nothing. */
export const REDACTED: string = 'redacted';
/** How the query is called among the names of headers. */
const QUERY = '?';
/** Parts of the message's form, which say nothing of who sent it: without them a head may not be read. */
const FORM: readonly string[] = [
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'expect',
  'te',
];

/** What must stay the same. */
function answer(outcome: Outcome | null): string {
  if (outcome === null) return '';
  const { verdict, reason, site, policy, route, cluster, endpoint, status, routeKind } = outcome;
  return JSON.stringify([
    verdict,
    reason,
    site,
    policy,
    route,
    cluster,
    endpoint,
    status,
    routeKind,
  ]);
}

function withoutValues(request: RecordedRequest, names: ReadonlySet<string>): RecordedRequest {
  const headers = (request.headers ?? []).map(([name, value]): readonly [string, string] =>
    names.has(name.toLowerCase()) ? [name, REDACTED] : [name, value],
  );
  const query = request.path.indexOf('?');
  const path =
    names.has(QUERY) && query >= 0 ? `${request.path.slice(0, query)}?${REDACTED}` : request.path;
  return { ...request, path, headers, redacted: [...names] };
}

/** Makes the redaction of records that a bundle has decided. */
export function redactor(
  { manifest }: Pick<Bundle, 'manifest'>,
  decider: RecordDecider,
): (record: TrafficRecord) => TrafficRecord {
  return (record) => {
    const { request } = record;
    if (request === undefined) return record;
    const names = (request.headers ?? []).map(([name]) => name.toLowerCase());
    const all = new Set(names.filter((name) => !FORM.includes(name)));
    if (request.path.includes('?')) all.add(QUERY);
    const without = (set: ReadonlySet<string>): TrafficRecord => ({
      ...record,
      request: withoutValues(request, set),
    });
    const want = answer(decider.outcome(record, 1));
    const holds = (set: ReadonlySet<string>): boolean =>
      answer(decider.outcome(without(set), 1)) === want;
    if (holds(all)) return without(all);
    // One by one what a policy may look at; the rest makes no difference to any.
    const gone = new Set(
      [...all].filter((name) => name !== QUERY && !manifest.headers.includes(name)),
    );
    for (const name of all) {
      if (gone.has(name)) continue;
      gone.add(name);
      if (!holds(gone)) gone.delete(name);
    }
    return without(gone);
  };
}
