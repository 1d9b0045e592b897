/**
 * Applies the edits of a route to the head of a request. The simulator tells what it does, the
 * agent's slow path sends what it gives. Pure: the same head and edits give the same bytes.
 */
import { type Edit, editText, type HeaderEdit, type PathEdit } from '../../compiler/abi/index.js';
import { type Head, viewText } from './head.js';
import { decodeLatin1, encodeLatin1 } from './latin1.js';
import { rewritePath } from './rewrite-path.js';

/** A line of a head, one character a byte. */
interface Line {
  /** In lower case. */
  readonly name: string;
  readonly text: string;
}

function linesOf(sent: string): { readonly first: string; readonly lines: Line[] } {
  const [first = '', ...rest] = sent.split('\r\n');
  const lines = rest
    .filter((text) => text !== '')
    .map((text) => ({ name: text.slice(0, text.indexOf(':')).toLowerCase(), text }));
  return { first, lines };
}

function editHeaders(lines: readonly Line[], edit: HeaderEdit): Line[] {
  const { op, name } = edit;
  const kept = op === 'add' ? [...lines] : lines.filter((line) => line.name !== name);
  if (op !== 'remove') kept.push({ name, text: `${name}: ${edit.value}` });
  return kept;
}

/** The path of a request; null where its target is an authority or `*` (RFC 9112 3.2.3, 3.2.4). */
export function requestPath(head: Head): string | null {
  const path = viewText(head.bytes, head.path);
  return path?.startsWith('/') === true ? path : null;
}

/** The path after the edits; null where they leave it as it is, or the request has none. */
function editedPath(head: Head, edits: readonly Edit[]): string | null {
  const path = requestPath(head);
  const edit = edits.find((e): e is PathEdit => e.op === 'path' || e.op === 'prefix');
  if (path === null || edit === undefined) return null;
  const rewritten = rewritePath(path, edit);
  return rewritten === path ? null : rewritten;
}

/** Host in its place; an HTTP/1.0 request may have none, and then it is the first line. */
function setHost(lines: readonly Line[], host: string): Line[] {
  const line = { name: 'host', text: `host: ${host}` };
  if (!lines.some(({ name }) => name === 'host')) return [line, ...lines];
  return lines.map((one) => (one.name === 'host' ? line : one));
}

/**
 * The head with its edits applied in order: `sent` are the bytes of the head as it came, `head` what the
 * parser says of them. A line that is set or added comes last. Where neither path nor host changes, the
 * target stays as it was sent; else it is in origin form (RFC 9112 3.2.1), so that Host alone names
 * the host.
 */
export function applyEdits(sent: Uint8Array, head: Head, edits: readonly Edit[]): Uint8Array {
  const text = decodeLatin1(sent.subarray(0, head.length));
  const { first, lines: given } = linesOf(text);
  const [method = '', target = '', version = ''] = first.split(' ');
  const path = editedPath(head, edits);
  const host = edits.find((edit) => edit.op === 'host')?.host ?? null;
  const known = requestPath(head);
  const isAbsolute = known !== null && !target.startsWith('/');
  const isRewritten = path !== null || (isAbsolute && host !== null);
  // The authority of an absolute form stood above Host (RFC 9112 3.2.2).
  const named = host ?? (isRewritten && isAbsolute ? viewText(head.bytes, head.host) : null);
  let lines = named === null ? given : setHost(given, named);
  for (const edit of edits) if ('name' in edit) lines = editHeaders(lines, edit);
  const query = viewText(head.bytes, head.query);
  const origin = `${path ?? known ?? '/'}${query === null ? '' : `?${query}`}`;
  const all = [
    `${method} ${isRewritten ? origin : target} ${version}`,
    ...lines.map((line) => line.text),
  ];
  return encodeLatin1(`${all.join('\r\n')}\r\n\r\n`);
}

/** What edits do to a request, as people read it: `set x-a: b`, `path /y`. */
export function describeEdits(head: Head, edits: readonly Edit[]): string[] {
  const path = editedPath(head, edits);
  return edits.flatMap((edit) => {
    if (edit.op !== 'path' && edit.op !== 'prefix') return [editText(edit)];
    return path === null ? [] : [`path ${path}`];
  });
}
