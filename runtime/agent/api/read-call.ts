/**
 * What a caller of the local API asks for: method, target and body of its request, read into one call
 * or refused in words. Pure, and under fuzz: whoever may open the socket may send anything.
 */

/** Of events: what one must have; null where it does not matter. */
export interface EventFilter {
  readonly verdict: 'allow' | 'deny' | null;
  /** At either end. */
  readonly workload: string | null;
  readonly rule: string | null;
  readonly hook: string | null;
  /** Also requests that merely pass. */
  readonly passing: boolean;
  /** Ends the stream after so many. */
  readonly limit: number | null;
}

export type Call =
  | { readonly kind: 'status' | 'health' | 'ready' | 'rules' | 'metrics' }
  | { readonly kind: 'events'; readonly filter: EventFilter }
  | { readonly kind: 'drain'; readonly milliseconds: number }
  | { readonly kind: 'rollback'; readonly to: number | null };

export type ReadCall =
  | { readonly ok: true; readonly call: Call }
  | { readonly ok: false; readonly status: number; readonly message: string };

/** Bytes of a body: what may be said fits into a line. */
export const MAX_BODY = 4096;
const MAX_TARGET = 2048;
const MAX_TEXT = 256;
const MAX_COUNT = 1_000_000_000;
const DRAIN_MS = 30_000;
const MAX_DRAIN_MS = 3_600_000;

const READS = ['status', 'health', 'ready', 'rules', 'metrics'] as const;
const FILTERS = ['verdict', 'workload', 'rule', 'hook', 'passing', 'limit'] as const;

type Fields = Readonly<Record<string, unknown>>;

function refuse(status: number, message: string): ReadCall {
  return { ok: false, status, message };
}

/** A whole number from 1 on, written in digits; null where it is none. */
function count(text: string): number | null {
  const value = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
  return value <= MAX_COUNT ? value : null;
}

function readFilter(query: URLSearchParams): ReadCall {
  const found = new Map<string, string>();
  for (const [name, value] of query) {
    if (!FILTERS.some((known) => known === name))
      return refuse(400, `there is no filter of that name; known: ${FILTERS.join(', ')}`);
    if (found.has(name)) return refuse(400, `the filter \`${name}\` is given twice`);
    if (value === '' || value.length > MAX_TEXT)
      return refuse(400, `the filter \`${name}\` takes 1 to ${MAX_TEXT} characters`);
    found.set(name, value);
  }
  const verdict = found.get('verdict') ?? null;
  if (verdict !== null && verdict !== 'allow' && verdict !== 'deny')
    return refuse(400, '`verdict` is allow or deny');
  const passing = found.get('passing') ?? 'false';
  if (passing !== 'true' && passing !== 'false') return refuse(400, '`passing` is true or false');
  const text = found.get('limit');
  const limit = text === undefined ? null : count(text);
  if (text !== undefined && limit === null)
    return refuse(400, `\`limit\` is a number from 1 to ${MAX_COUNT}`);
  const filter: EventFilter = {
    ...{ verdict, limit, passing: passing === 'true' },
    workload: found.get('workload') ?? null,
    rule: found.get('rule') ?? null,
    hook: found.get('hook') ?? null,
  };
  return { ok: true, call: { kind: 'events', filter } };
}

/** The document of a body, an empty one where there is none; null where it is no object. */
function readBody(body: Uint8Array): Fields | null {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { ...value } : null;
  } catch {
    return null;
  }
}

/** The one number that a body may carry; `absent` where it does not. */
function numberIn(
  fields: Fields,
  name: string,
  most: number,
): { readonly value: number | null } | null {
  const others = Object.keys(fields).filter((key) => key !== name);
  if (others.length > 0) return null;
  const value = fields[name];
  if (value === undefined) return { value: null };
  const isCount =
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most;
  return isCount ? { value } : null;
}

function readChange(path: string, body: Uint8Array): ReadCall {
  if (body.length > MAX_BODY) return refuse(413, `a body has at most ${MAX_BODY} bytes`);
  const fields = readBody(body);
  if (fields === null) return refuse(400, 'the body is no JSON object');
  if (path === '/v1/drain') {
    const found = numberIn(fields, 'milliseconds', MAX_DRAIN_MS);
    if (found === null)
      return refuse(400, `the body is {"milliseconds": 0 to ${MAX_DRAIN_MS}} or nothing`);
    return { ok: true, call: { kind: 'drain', milliseconds: found.value ?? DRAIN_MS } };
  }
  const found = numberIn(fields, 'to', MAX_COUNT);
  if (found === null || found.value === 0)
    return refuse(400, 'the body is {"to": GENERATION} or nothing');
  return { ok: true, call: { kind: 'rollback', to: found.value } };
}

/** Reads a request. The target is as it stands in the request line. */
export function readCall(method: string, target: string, body: Uint8Array): ReadCall {
  if (target.length > MAX_TARGET) return refuse(414, `a target has at most ${MAX_TARGET} bytes`);
  const [path = '', query = '', ...more] = target.split('?');
  const isChange = path === '/v1/drain' || path === '/v1/rollback';
  const read = READS.find((name) => path === `/v1/${name}`);
  if (!isChange && read === undefined && path !== '/v1/events')
    return refuse(404, 'there is nothing of that name');
  if (method !== (isChange ? 'POST' : 'GET'))
    return refuse(405, `\`${path}\` takes ${isChange ? 'POST' : 'GET'}`);
  if (path === '/v1/events')
    return more.length > 0
      ? refuse(400, 'the target has two queries')
      : readFilter(new URLSearchParams(query));
  if (target !== path) return refuse(400, `\`${path}\` takes no query`);
  if (read !== undefined) return { ok: true, call: { kind: read } };
  return readChange(path, body);
}
