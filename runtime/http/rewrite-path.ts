/** Replaces a path, or its leading elements, as Gateway API's URLRewrite and RequestRedirect do. */
import type { PathEdit } from '../../compiler/abi/index.js';

function withoutSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

/**
 * The path with the elements of `prefix` replaced; `/foo` is a prefix of `/foo` and `/foo/bar`, not of
 * `/foobar`. Slashes at the ends of both do not count, and nothing that is left is `/`. Null where the
 * path has another beginning.
 */
export function replacePrefix(path: string, prefix: string, replacement: string): string | null {
  const start = withoutSlash(prefix);
  if (path !== start && !path.startsWith(`${start}/`)) return null;
  const result = withoutSlash(replacement) + path.slice(start.length);
  return result === '' ? '/' : result;
}

/** The path after an edit, which leaves a path with another beginning as it is. */
export function rewritePath(path: string, edit: PathEdit): string {
  if (edit.op === 'path') return edit.path;
  return replacePrefix(path, edit.prefix, edit.replacement) ?? path;
}
