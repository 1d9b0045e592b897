/** What llhttp says of a head, as Node carries it: the parser under node:http, without a server. */

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
    readonly kOnHeaders: number;
    readonly kOnHeadersComplete: number;
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
