/** The Location of a redirect, and the reply that carries it. */
import {
  makeReply,
  originText,
  type Redirect,
  type Reply,
  SCHEME_PORT,
} from '../../compiler/abi/index.js';
import { requestPath } from './apply-edits.js';
import { type Head, viewText } from './head.js';
import { rewritePath } from './rewrite-path.js';

/** The request that is redirected. */
export interface Redirected {
  /** How it was sent, and to which port. */
  readonly scheme: 'http' | 'https';
  readonly port: number;
  /** Its Host, whose port does not count; null where it names none. */
  readonly host: string | null;
  /** Normalised; null where the target names none. */
  readonly path: string | null;
  readonly query: string | null;
}

/** The host without its port. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '');
}

/**
 * Where a redirect leads. The port is the one that it says, else that of the scheme that it says, else
 * the one that was connected to. A request without a host (HTTP/1.0) gets the path alone, unless the
 * redirect says the host.
 */
export function locationOf(redirect: Redirect, request: Redirected): string {
  const known = request.path ?? '/';
  const path = redirect.path === null ? known : rewritePath(known, redirect.path);
  const query = redirect.keepsQuery && request.query !== null ? `?${request.query}` : '';
  const host = redirect.host ?? (request.host === null ? null : hostName(request.host));
  // Two slashes would begin an authority (RFC 3986 4.2), which the client chose.
  if (host === null || host === '') return path.replace(/^\/+/, '/') + query;
  const scheme = redirect.scheme ?? request.scheme;
  const implied = redirect.scheme === null ? request.port : SCHEME_PORT[redirect.scheme];
  return originText(scheme, host, redirect.port ?? implied) + path + query;
}

/** A request on a connection without TLS, as its parsed head says. */
export function redirectedOf(head: Head, port: number): Redirected {
  return {
    scheme: 'http',
    port,
    host: viewText(head.bytes, head.host),
    path: requestPath(head),
    query: viewText(head.bytes, head.query),
  };
}

/** The reply to a request that is redirected. */
export function redirectReply(redirect: Redirect, request: Redirected): Reply {
  const location = locationOf(redirect, request);
  return makeReply({ status: redirect.status, headers: [['location', location]] });
}
