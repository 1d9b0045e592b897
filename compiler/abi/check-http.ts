/**
 * What the SDK's texts about HTTP must be, so that no head can be made that another program reads
 * otherwise. Each check answers with what is wrong, or null.
 */
import { MAX_EDIT_NAME, MAX_EDIT_PATH, MAX_EDIT_VALUE } from './route.js';

export interface HttpFault {
  readonly code: string;
  readonly message: string;
}

/** RFC 9110 5.6.2: a token. */
const TOKEN = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 5.5, without obsolete text and tabs. */
const VALUE = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
/** Gateway API's characters of a path. */
const PATH = /^\/(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*$/;
/** Elements that a normalised path never has, and a slash that only looks like none. */
const UNSTEADY = /\/\/|\/\.\.?(?:\/|$)|%2f/i;
const HOST = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9._]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])$/;

/** They belong to one connection, or say where a message ends (RFC 9110 7.6.1, RFC 9112 6). */
const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Of requests only: `expect` changes when a body is sent; the host has a method of its own. */
const FRAMING_REQUEST: ReadonlySet<string> = new Set(['expect', 'host']);

export function checkHeaderName(name: string, of: 'request' | 'reply'): HttpFault | null {
  if (!TOKEN.test(name) || name.length > MAX_EDIT_NAME) {
    return { code: 'P119', message: `\`${name}\` is no name of a header` };
  }
  const lower = name.toLowerCase();
  const frames = FRAMING.has(lower) || (of === 'request' && FRAMING_REQUEST.has(lower));
  return frames ? { code: 'P118', message: `\`${name}\` frames the message` } : null;
}

export function checkHeaderValue(value: string): HttpFault | null {
  if (VALUE.test(value) && value.length <= MAX_EDIT_VALUE) return null;
  return { code: 'P119', message: `${JSON.stringify(value)} is no value of a header` };
}

export function checkPath(path: string): HttpFault | null {
  if (PATH.test(path) && !UNSTEADY.test(path) && path.length <= MAX_EDIT_PATH) return null;
  return { code: 'P120', message: `${JSON.stringify(path)} is no path` };
}

/** A host; with `port`, one may follow. */
export function checkHost(text: string, port: 'port' | 'no port'): HttpFault | null {
  const [, host = text, number] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  const isPort = number === undefined || (port === 'port' && checkPort(Number(number)) === null);
  if (HOST.test(host) && isPort && text.length <= 255) return null;
  return { code: 'P121', message: `${JSON.stringify(text)} is no host` };
}

export function checkScheme(scheme: string): HttpFault | null {
  if (scheme === 'http' || scheme === 'https') return null;
  return { code: 'P121', message: `${JSON.stringify(scheme)} is no scheme` };
}

export function checkPort(port: number): HttpFault | null {
  if (port >= 1 && port <= 65535) return null;
  return { code: 'P121', message: `${port} is no port` };
}
