/**
 * Changes of headers, in the order in which Envoy makes them: what is removed, then set, then added. Of a request
 * they are edits of the route; of a reply they can be kept only where the reply is written here.
 */
import { checkHeaderName, checkHeaderValue } from '../../../compiler/abi/index.js';
import type { Fields, Findings, Text } from '../fields.js';
import { quote } from '../policy-text.js';

export interface HeaderEdits {
  readonly edits: readonly string[];
  /** Lower-case names that they change. */
  readonly names: ReadonlySet<string>;
  /** What the host becomes; null where it stays. */
  readonly host: string | null;
}
export const NO_EDITS: HeaderEdits = { edits: [], names: new Set(), host: null };

interface Pair {
  readonly name: string;
  readonly value: Text;
}

/** Entries of a map, in the order of their names. */
function pairs(fields: Fields | null): readonly Pair[] {
  const read = (fields?.keys() ?? []).flatMap((name): Pair[] => {
    const value = fields?.text(name) ?? null;
    return value === null ? [] : [{ name, value }];
  });
  return [...read].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const isHost = (name: string): boolean => /^(?::authority|host)$/i.test(name);

function checkPair({ name, value }: Pair, of: 'request' | 'reply', findings: Findings): boolean {
  const fault = checkHeaderName(name, of) ?? checkHeaderValue(value.text);
  if (value.text.includes('%')) {
    const help = 'write the value out';
    findings.error('W504', value.at, `\`${value.text}\` holds a value that is known late`, help);
    return false;
  }
  if (fault === null) return true;
  findings.error('W504', value.at, fault.message);
  return false;
}

/** `headers.request`. */
export function readRequestEdits(request: Fields | null, findings: Findings): HeaderEdits {
  if (request === null) return NO_EDITS;
  const edits: string[] = [];
  const names = new Set<string>();
  let host: string | null = null;
  for (const { at, text } of request.texts('remove') ?? []) {
    // Istio leaves these out of the list.
    if (isHost(text) || text.startsWith(':')) continue;
    const fault = checkHeaderName(text, 'request');
    if (fault !== null) findings.error('W504', at, fault.message);
    names.add(text.toLowerCase());
    edits.push(`.removeHeader(${quote(text.toLowerCase())})`);
  }
  for (const [list, call] of [
    ['set', 'setHeader'],
    ['add', 'addHeader'],
  ] as const) {
    for (const pair of pairs(request.map(list))) {
      const { name, value } = pair;
      if (isHost(name)) host = list === 'set' ? value.text : (host ?? value.text);
      if (isHost(name) || name.startsWith(':') || !checkPair(pair, 'request', findings)) continue;
      names.add(name.toLowerCase());
      edits.push(`.${call}(${quote(name.toLowerCase())}, ${quote(value.text)})`);
    }
  }
  request.end();
  return { edits, names, host };
}

/** `headers.response` of a reply that is written here: names and values. */
export function readReplyHeaders(
  response: Fields | null,
  findings: Findings,
): readonly (readonly [string, string])[] {
  const all = [...pairs(response?.map('set') ?? null), ...pairs(response?.map('add') ?? null)];
  response?.texts('remove');
  response?.end();
  return all
    .filter((pair) => !isHost(pair.name) && checkPair(pair, 'reply', findings))
    .map(({ name, value }) => [name.toLowerCase(), value.text] as const);
}

/** Route and destination may not change the same header: which goes first depends on their number. */
export function joinEdits(
  route: HeaderEdits,
  own: HeaderEdits,
  at: Text['at'],
  findings: Findings,
): HeaderEdits {
  const both = [...own.names].find((name) => route.names.has(name));
  if (both !== undefined || (route.host !== null && own.host !== null)) {
    const what = both === undefined ? 'the host' : `\`${both}\``;
    findings.error('W504', at, `${what} is changed by the route and by its destination`);
  }
  return {
    edits: [...route.edits, ...own.edits],
    names: new Set([...route.names, ...own.names]),
    host: route.host ?? own.host,
  };
}
