/** What the mesh writes where it does not forward a request: the texts of docs/files.md, `refusals`. */
import { bare } from './message.js';

const refusal = (status: string, body: string): string =>
  bare(status, { 'content-length': String(body.length), 'content-type': 'text/plain' }) + body;
const silent = (status: string): string => bare(status, { 'content-length': '0' });
const last = (status: string): string =>
  bare(status, { 'content-length': '0', connection: 'close' });

export const FORBIDDEN: string = refusal('403 Forbidden', 'RBAC: access denied');
/** Where the place of the next request is not known: the client may still be sending a body. */
export const FORBIDDEN_LAST: string = FORBIDDEN.replace(
  '\r\n\r\n',
  '\r\nconnection: close\r\n\r\n',
);
export const NO_ROUTE: string = silent('404 Not Found');
export const NO_ENDPOINT: string = refusal('503 Service Unavailable', 'no healthy upstream');
/** The node cannot serve it now, or who should have answered went away. */
export const UNAVAILABLE: string = silent('503 Service Unavailable');
/** These end the connection: nobody knows where the next request begins. */
export const BAD_REQUEST: string = last('400 Bad Request');
export const TOO_LARGE: string = last('431 Request Header Fields Too Large');
export const NOT_IMPLEMENTED: string = last('501 Not Implemented');
export const VERSION: string = last('505 HTTP Version Not Supported');

/** The head alone, as a HEAD request hears it. */
export const headOf = (reply: string): string => reply.slice(0, reply.indexOf('\r\n\r\n') + 4);
