/**
 * A row of the torture suite: one connection of a client, written down step by step. The same row is
 * played twice, and no step may go differently: without a mesh, where one server answers everything,
 * refusals too, in the words that a refusal would have; and with Weft, where requests go where the
 * policy says and refusals come from the kernel. So the client cannot tell the difference, but where
 * a step says so.
 */

/** A piece of what is sent or expected: text of Latin-1, or that many bytes of a pattern. */
export type Part = string | { readonly fill: number; readonly seed?: number };
export type Bytes = Part | readonly Part[];

export type Mode = 'plain' | 'weft';
export type Server = 'v1' | 'v2' | 'other';
/** `client` is the client's socket; of a server the connection that the client opened, or the one that had the last request. */
export type Place = 'client' | 'bound' | 'current';
export type EndKind = 'eof' | 'ECONNRESET' | 'ECONNABORTED' | 'EPIPE';

export type Family = 4 | 6;

export type Command =
  | {
      readonly op: 'send' | 'attempt';
      readonly segments: readonly (readonly Part[])[];
    }
  | {
      readonly op: 'request' | 'expect' | 'lacks';
      readonly bytes: readonly Part[];
      readonly piece?: number;
    }
  | { readonly op: 'end'; readonly ends: readonly EndKind[] }
  | { readonly op: 'shut' | 'close' | 'reset' | 'dead' };

export interface Step {
  readonly who: 'client' | Server;
  readonly on: Place;
  readonly command: Command;
  /** Only played there. */
  readonly mode?: Mode;
}

export interface Row {
  readonly id: string;
  readonly steps: readonly Step[];
  /** Who ends the connection after the last step: the client by FIN, unless the row did it. */
  readonly end?: 'client' | 'done';
  readonly socket?: SocketKind;
  /** Bytes of the client's receive buffer. */
  readonly receive?: number;
  /** Where the client stands, and by which address it goes; a member by the service's, unless given. */
  /** Between the pieces the client sends a byte on another connection, where a head never ends. */
  readonly noise?: boolean;
  readonly from?: 'member' | 'outsider';
  readonly to?: 'service' | 'endpoint';
  /** Both, unless given. */
  readonly families?: readonly Family[];
}

export type SocketKind = 'tcp' | 'mapped' | 'mptcp' | 'fastopen';

/** Parts of bytes, however they were written. */
export const parts = (bytes: Bytes): readonly Part[] =>
  Array.isArray(bytes) ? (bytes as readonly Part[]) : [bytes as Part];

/** Several pieces as one. */
export const join = (pieces: readonly Bytes[]): readonly Part[] => pieces.flatMap(parts);

interface Hand {
  send(...segments: Bytes[]): Step;
  expect(bytes: Bytes, piece?: number): Step;
  end(...ends: EndKind[]): Step;
  shut(): Step;
  close(): Step;
  reset(): Step;
  /** Sends what may be refused. */
  attempt(...segments: Bytes[]): Step;
  /** Reads to the end, which must come; the bytes do not occur. */
  lacks(bytes: Bytes): Step;
  /** Nothing can be asked on it any more: what is sent fails, or the connection ends without an answer. */
  dead(): Step;
}

function hand(who: Step['who'], on: Place): Hand {
  const step = (command: Command): Step => ({ who, on, command });
  return {
    send: (...segments) => step({ op: 'send', segments: segments.map(parts) }),
    expect: (bytes, piece) =>
      step({ op: 'expect', bytes: parts(bytes), ...(piece === undefined ? {} : { piece }) }),
    end: (...ends) => step({ op: 'end', ends: ends.length === 0 ? ['eof'] : ends }),
    shut: () => step({ op: 'shut' }),
    close: () => step({ op: 'close' }),
    reset: () => step({ op: 'reset' }),
    attempt: (...segments) => step({ op: 'attempt', segments: segments.map(parts) }),
    lacks: (bytes) => step({ op: 'lacks', bytes: parts(bytes) }),
    dead: () => step({ op: 'dead' }),
  };
}

interface ServerHand extends Hand {
  /** The start of a request, on whichever of the server's connections it comes. */
  request(bytes: Bytes): Step;
}

const serverHand = (who: Server): ServerHand => ({
  ...hand(who, 'current'),
  request: (bytes) => ({ who, on: 'current', command: { op: 'request', bytes: parts(bytes) } }),
});

export const client: Hand = hand('client', 'client');
export const v1: ServerHand = serverHand('v1');
export const v2: ServerHand = serverHand('v2');
export const other: ServerHand = serverHand('other');
/** The connection that the client itself opened, at its server. */
export const bound: Hand = hand('v1', 'bound');

const HANDS: Readonly<Record<Server, ServerHand>> = { v1, v2, other };

/** Steps of one mode alone. */
export const only = (mode: Mode, ...steps: Step[]): Step[] => steps.map((s) => ({ ...s, mode }));

export interface ExchangeOptions {
  readonly to?: Server;
  /** What the server gets from Weft, where the policy edits the request. */
  readonly edited?: Bytes;
}

/** A request that reaches a server, and its reply; pieces are sent one by one. */
export function exchange(
  request: Bytes | readonly Bytes[],
  reply: Bytes | readonly Bytes[],
  { to = 'v1', edited }: ExchangeOptions = {},
): Step[] {
  const [sent, answered] = [pieces(request), pieces(reply)];
  const server = HANDS[to];
  const whole = join(sent);
  return [
    client.send(...sent),
    ...(edited === undefined
      ? [server.request(whole)]
      : [...only('plain', server.request(whole)), ...only('weft', server.request(edited))]),
    server.send(...answered),
    client.expect(join(answered)),
  ];
}

/** A request that is answered without a server: with Weft by the kernel. */
export function answered(request: Bytes | readonly Bytes[], reply: Bytes): Step[] {
  const sent = pieces(request);
  return [
    client.send(...sent),
    ...only('plain', v1.request(join(sent)), v1.send(reply)),
    client.expect(reply),
  ];
}

const AGAIN = 'GET /again HTTP/1.1\r\nhost: shop.prod\r\n\r\n';

/**
 * As `answered`, and the connection is of no more use: whatever follows is no request, and no byte of
 * it all reaches the server. A server would close; with Weft that is the client's to do.
 */
export function answeredLast(request: Bytes | readonly Bytes[], reply: Bytes): Step[] {
  const sent = pieces(request);
  return [
    // What comes after the byte that was wrong may be refused.
    client.attempt(...sent),
    ...only('plain', v1.request(join(sent)), v1.send(reply), bound.close()),
    client.expect(reply),
    ...only('weft', client.attempt(AGAIN), client.shut(), bound.end(), bound.close()),
    client.end(),
    client.close(),
  ];
}

/** As `answeredLast`, and the client reads on to the end, which comes from the other side. */
export function answeredToEnd(request: Bytes, reply: Bytes): Step[] {
  return [
    client.send(request),
    ...only('plain', v1.request(request), v1.send(reply), bound.close()),
    client.expect(reply),
    client.end(),
    client.close(),
    ...only('weft', bound.end(), bound.close()),
  ];
}

/** A list of pieces as it is; one piece, or parts of one, as a list. */
function pieces(bytes: Bytes | readonly Bytes[]): readonly Bytes[] {
  return Array.isArray(bytes) ? (bytes as readonly Bytes[]) : [bytes as Bytes];
}

/** Requests that the row makes. */
export const exchangesOf = (row: Row): number =>
  row.steps.filter((s) => s.mode !== 'weft' && s.command.op === 'request').length;
