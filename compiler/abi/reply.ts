/**
 * Replies that the mesh writes itself: refusals and direct responses. Their bytes are fixed when a
 * bundle is built, so that the kernel copies them; a reply to HEAD is the same head without the body
 * (RFC 9110 9.3.2). Texts of heads are ASCII, bodies UTF-8.
 */

/** Largest reply that the kernel writes, head and body: it is copied in one piece. */
export const MAX_REPLY = 1024;

export interface Reply {
  readonly status: number;
  /** With the empty line that ends it. */
  readonly head: string;
  readonly body: string;
}

/** Phrases of the IANA registry of status codes; a code that it lacks has the empty phrase. */
export const REASON_PHRASE: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  305: 'Use Proxy',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  506: 'Variant Also Negotiates',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  511: 'Network Authentication Required',
};

/** True where a reply of this status never has a body (RFC 9110 15.3.5, 15.3.6, 15.4.5). */
export function isBodyless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

export interface ReplyParts {
  readonly status: number;
  /** In order; none of them frames the message. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
  /** What follows on the connection cannot be told apart from this request: it ends here. */
  readonly close?: boolean;
}

/** The reply, with its length, and the type of plain text for a body that says no other. */
export function makeReply({ status, headers = [], body = '', close = false }: ReplyParts): Reply {
  const lines: string[] = [];
  const length = new TextEncoder().encode(body).length;
  // RFC 9110 8.6: no length in a 204; the one of a 304 would be that of another reply.
  if (status !== 204 && status !== 304) lines.push(`content-length: ${length}`);
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  if (length > 0 && !hasType) lines.push('content-type: text/plain');
  lines.push(...headers.map(([name, value]) => `${name}: ${value}`));
  if (close) lines.push('connection: close');
  const line = `HTTP/1.1 ${status} ${REASON_PHRASE[status] ?? ''}`;
  return { status, head: `${[line, ...lines].join('\r\n')}\r\n\r\n`, body };
}

/** The bytes that are sent; without the body where the request was a HEAD. */
export function replyBytes({ head, body }: Reply, isHead = false): Uint8Array {
  return new TextEncoder().encode(isHead ? head : head + body);
}
