/**
 * What a route may say beyond a cluster: the words that the compiler reads out of a policy, the
 * manifest carries, and both engines act on. Names of headers are in lower case.
 */
import type { Reply } from './reply.js';

/** Edits of one route. */
export const MAX_EDITS = 16;
/** Bytes of the name of a header that is edited, or that a reply has. */
export const MAX_EDIT_NAME = 256;
/** Bytes of the value of such a header; Gateway API has the same. */
export const MAX_EDIT_VALUE = 4096;
/** Bytes of a path, prefix or replacement; Gateway API has the same. */
export const MAX_EDIT_PATH = 1024;

export type HeaderEdit =
  | { readonly op: 'set' | 'add'; readonly name: string; readonly value: string }
  | { readonly op: 'remove'; readonly name: string };
export type PathEdit =
  | { readonly op: 'path'; readonly path: string }
  | { readonly op: 'prefix'; readonly prefix: string; readonly replacement: string };
/** One change of a request's head; they are applied in order. */
export type Edit = HeaderEdit | PathEdit | { readonly op: 'host'; readonly host: string };

/** The statuses of a redirect. */
export const REDIRECT_STATUS: readonly number[] = [301, 302, 303, 307, 308];

/** A redirect; what is null comes from the request. */
export interface Redirect {
  readonly status: number;
  readonly scheme: 'http' | 'https' | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly path: PathEdit | null;
  readonly keepsQuery: boolean;
}

export type RouteTarget =
  | { readonly kind: 'cluster'; readonly name: string; readonly edits: readonly Edit[] }
  /** Answered with fixed bytes; `location` where it is a redirect of which every part is known. */
  | { readonly kind: 'reply'; readonly reply: Reply; readonly location: string | null }
  /** Answered with a Location that depends on the request. */
  | { readonly kind: 'redirect'; readonly redirect: Redirect }
  /** Goes to the cluster of its connection, by way of the agent. */
  | { readonly kind: 'waypoint' };
export type RouteKind = RouteTarget['kind'];

/** The port of a scheme, which a Location leaves out. */
export const SCHEME_PORT = { http: 80, https: 443 } as const;

/** `scheme://host:port`, without a port that the scheme implies. */
export function originText(scheme: 'http' | 'https', host: string, port: number): string {
  return `${scheme}://${host}${port === SCHEME_PORT[scheme] ? '' : `:${port}`}`;
}

/** The Location of a redirect that takes nothing from a request; null where it takes something. */
export function constantLocation(redirect: Redirect): string | null {
  const { scheme, host, port, path, keepsQuery } = redirect;
  if (scheme === null || host === null || path?.op !== 'path' || keepsQuery) return null;
  return originText(scheme, host, port ?? SCHEME_PORT[scheme]) + path.path;
}

/** An edit as people read it. */
export function editText(edit: Edit): string {
  switch (edit.op) {
    case 'set':
    case 'add':
      return `${edit.op} ${edit.name}: ${edit.value}`;
    case 'remove':
      return `remove ${edit.name}`;
    case 'path':
      return `path ${edit.path}`;
    case 'prefix':
      return `path ${edit.prefix} -> ${edit.replacement === '' ? '/' : edit.replacement}`;
    case 'host':
      return `host ${edit.host}`;
  }
}

function redirectText({ status, scheme, host, port, path, keepsQuery }: Redirect): string {
  const parts = [
    ...(scheme === null ? [] : [`scheme ${scheme}`]),
    ...(host === null ? [] : [`host ${host}`]),
    ...(port === null ? [] : [`port ${port}`]),
    ...(path === null ? [] : [editText(path)]),
    ...(keepsQuery ? [] : ['without query']),
  ];
  return [`redirect ${status}`, ...parts].join(', ');
}

/** A route as people read it: `reviews/v1, set x-a: b`, `reply 404`, `redirect 302, host x`. */
export function routeText(target: RouteTarget): string {
  switch (target.kind) {
    case 'cluster':
      return [target.name, ...target.edits.map(editText)].join(', ');
    case 'reply':
      return `reply ${target.reply.status}${target.location === null ? '' : ` ${target.location}`}`;
    case 'redirect':
      return redirectText(target.redirect);
    case 'waypoint':
      return 'waypoint';
  }
}
