/**
 * What a request hears that goes nowhere: one ready reply for each kind of refusal. weft.json
 * `refusals` changes status, body and type; whether the connection ends is not a matter of taste.
 */
import { makeReply, type Reply } from './reply.js';
import type { ReasonName } from './verdict.js';

export type RefusalName =
  | 'deny'
  | 'noRoute'
  | 'noEndpoint'
  | 'unavailable'
  | 'parse'
  | 'tooLarge'
  | 'notImplemented'
  | 'version';

export interface RefusalConfig {
  readonly status: number;
  readonly body: string;
  /** Content type of the body. */
  readonly type: string;
}

/** What holds where weft.json is silent: the texts that Envoy's users know. */
export const DEFAULT_REFUSALS: Readonly<Record<RefusalName, RefusalConfig>> = {
  deny: { status: 403, body: 'RBAC: access denied', type: 'text/plain' },
  noRoute: { status: 404, body: '', type: 'text/plain' },
  noEndpoint: { status: 503, body: 'no healthy upstream', type: 'text/plain' },
  unavailable: { status: 503, body: '', type: 'text/plain' },
  parse: { status: 400, body: '', type: 'text/plain' },
  tooLarge: { status: 431, body: '', type: 'text/plain' },
  notImplemented: { status: 501, body: '', type: 'text/plain' },
  version: { status: 505, body: '', type: 'text/plain' },
};
export const REFUSALS: readonly RefusalName[] = Object.keys(DEFAULT_REFUSALS) as RefusalName[];

/** After these nobody knows where the next request begins (RFC 9112 9.6). */
const CLOSING: ReadonlySet<RefusalName> = new Set([
  'parse',
  'tooLarge',
  'notImplemented',
  'version',
]);

/** The ready replies of a bundle. */
export function refusalReplies(
  config: Readonly<Record<RefusalName, RefusalConfig>>,
): Readonly<Record<RefusalName, Reply>> {
  const reply = (name: RefusalName): Reply => {
    const { status, body, type } = config[name];
    const headers: [string, string][] = body === '' ? [] : [['content-type', type]];
    return makeReply({ status, headers, body, close: CLOSING.has(name) });
  };
  return Object.fromEntries(REFUSALS.map((name) => [name, reply(name)])) as Readonly<
    Record<RefusalName, Reply>
  >;
}

/** The refusal of a head by the status that the parser gives. */
export const PARSE_REFUSAL: Readonly<Record<number, RefusalName>> = {
  400: 'parse',
  431: 'tooLarge',
  501: 'notImplemented',
  505: 'version',
};

/** The refusal of a decision that was not Allow, by its reason. */
export function refusalOf(reason: ReasonName): RefusalName {
  switch (reason) {
    case 'noRoute':
    case 'noEndpoint':
    case 'parse':
      return reason;
    case 'noGeneration':
    case 'busy':
    case 'fault':
      return 'unavailable';
    default:
      return 'deny';
  }
}
