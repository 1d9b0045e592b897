/** What a route of a bundle makes of a request, told as the interpreters of routes tell it. */
import { type Edit, originText, type RouteTarget } from '../../compiler/abi/index.js';
import { rewritePath } from '../../runtime/http/index.js';
import { sentText } from './route-interpreter.js';

export interface Routed {
  /** Without query. */
  readonly path: string;
  readonly query: string | null;
  readonly host: string;
  readonly port: number;
  readonly headers: readonly (readonly [string, string])[];
}

/** The path after the edits. */
export function editedPath(edits: readonly Edit[], path: string): string {
  const edit = edits.find((one) => one.op === 'path' || one.op === 'prefix');
  return edit?.op === 'path' || edit?.op === 'prefix' ? rewritePath(path, edit) : path;
}

/** The Location that a redirect names. */
export function locationText(
  { scheme, host, port, path, keepsQuery }: Extract<RouteTarget, { kind: 'redirect' }>['redirect'],
  request: Routed,
): string {
  const DEFAULT = { http: 80, https: 443 } as const;
  const named = port ?? (scheme === null ? request.port : DEFAULT[scheme]);
  const bare = request.host.replace(/:\d+$/, '');
  const origin = originText(scheme ?? 'http', host ?? bare, named);
  const query = request.query === null || !keepsQuery ? '' : `?${request.query}`;
  return `${origin}${path === null ? request.path : rewritePath(request.path, path)}${query}`;
}

function sent(name: string, edits: readonly Edit[], request: Routed): string {
  const host = edits.find((edit) => edit.op === 'host')?.host ?? request.host;
  let lines = request.headers;
  for (const edit of edits) {
    if (!('name' in edit)) continue;
    if (edit.op !== 'add') lines = lines.filter(([one]) => one !== edit.name);
    if (edit.op !== 'remove') lines = [...lines, [edit.name, edit.value]];
  }
  const headers = lines.map(([one, value]) => `${one}: ${value}`).sort();
  return sentText({ to: name, path: editedPath(edits, request.path), host, headers });
}

/** `none`, `reply:404`, `redirect:302 URL`, or where it goes and what is sent. */
export function resultText(target: RouteTarget | null, request: Routed): string {
  switch (target?.kind) {
    case undefined:
      return 'none';
    case 'cluster':
      return sent(target.name, target.edits, request);
    case 'reply':
      return target.location === null
        ? `reply:${target.reply.status}`
        : `redirect:${target.reply.status} ${target.location}`;
    case 'redirect':
      return `redirect:${target.redirect.status} ${locationText(target.redirect, request)}`;
    case 'waypoint':
      return 'waypoint';
  }
}
