/** What llhttp says of heads and replies, as Node carries it: the parser under node:http, without a server. */

export interface Llhttp {
  readonly minor: number;
  readonly method: string;
  readonly url: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly upgrade: boolean;
  readonly keepAlive: boolean;
}
export type LlhttpAnswer = Llhttp | { readonly error: string } | null;

interface Parser {
  [event: number]: unknown;
  initialize(type: number, resource: object): void;
  execute(bytes: Uint8Array): number | (Error & { readonly code: string });
}
interface Binding {
  readonly methods: readonly string[];
  readonly allMethods?: readonly string[];
  readonly HTTPParser: {
    new (): Parser;
    readonly REQUEST: number;
    readonly RESPONSE: number;
    readonly kOnHeaders: number;
    readonly kOnHeadersComplete: number;
    readonly kOnBody: number;
    readonly kOnMessageComplete: number;
  };
}
// The one way to it without a socket; Node says on stderr that it is deprecated.
const { HTTPParser, allMethods, methods } = (
  process as unknown as { binding(name: string): Binding }
).binding('http_parser');
/** By llhttp's number of a method. */
const METHODS = allMethods ?? methods;

/** Methods that llhttp knows: it refuses every other one. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set(methods);

/** Null where the head has not ended. */
export function askLlhttp(bytes: Uint8Array): LlhttpAnswer {
  const parser = new HTTPParser();
  let head: Llhttp | null = null;
  const headers: string[] = [];
  let url = '';
  parser[HTTPParser.kOnHeaders] = (some: readonly string[], part: string) => {
    headers.push(...some);
    url += part;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    ...[, minor, rest, method, address, , , upgrade, keepAlive]: [
      number,
      number,
      readonly string[] | undefined,
      number,
      string | undefined,
      number,
      string,
      boolean,
      boolean,
    ]
  ) => {
    head = {
      minor,
      method: METHODS[method] ?? '',
      url: url + (address ?? ''),
      headers: [...headers, ...(rest ?? [])],
      upgrade,
      keepAlive,
    };
    return 0;
  };
  parser.initialize(HTTPParser.REQUEST, {});
  const done = parser.execute(Buffer.from(bytes));
  if (typeof done !== 'number') return { error: done.code };
  return head;
}

/** One final reply; of which `ended` says whether its end was met. */
export interface LlhttpReply {
  readonly status: number;
  readonly keepAlive: boolean;
  readonly headers: readonly string[];
  body: number;
  ended: boolean;
}
export interface LlhttpReplies {
  readonly replies: readonly LlhttpReply[];
  /** What follows is no HTTP. */
  readonly tunnel: boolean;
  readonly error: string | null;
}

/** As node:http's client asks it: whether a body follows is told by request and status. */
export function askLlhttpReplies(
  bytes: Uint8Array,
  asked: readonly (readonly string[])[],
): LlhttpReplies {
  const parser = new HTTPParser();
  const replies: LlhttpReply[] = [];
  let current: LlhttpReply | null = null;
  let tunnel = false;
  let headers: string[] = [];
  parser[HTTPParser.kOnHeaders] = (some: readonly string[]) => {
    headers.push(...some);
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    ...[, , rest, , , status, , , keepAlive]: [
      number,
      number,
      readonly string[] | undefined,
      number | undefined,
      string | undefined,
      number,
      string,
      boolean,
      boolean,
    ]
  ) => {
    const kinds = asked[replies.length] ?? [];
    const all = [...headers, ...(rest ?? [])];
    headers = [];
    if (status < 200 && !(status === 101 && kinds.includes('upgrade'))) return 1;
    current = { status, keepAlive, headers: all, body: 0, ended: false };
    replies.push(current);
    if (status === 101 || (kinds.includes('connect') && status < 300)) {
      tunnel = true;
      return 2;
    }
    return kinds.includes('head') || status === 204 || status === 304 ? 1 : 0;
  };
  parser[HTTPParser.kOnBody] = (data: Uint8Array) => {
    if (current !== null) current.body += data.length;
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    if (current !== null) current.ended = true;
    current = null;
  };
  parser.initialize(HTTPParser.RESPONSE, {});
  const done = parser.execute(Buffer.from(bytes));
  return { replies, tunnel, error: typeof done === 'number' ? null : done.code };
}
