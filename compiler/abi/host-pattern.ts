/**
 * Names of hosts in a table: a whole name, `*.` and the end of one, or `*`. One grammar and one meaning
 * for the compiler and the simulator. Hosts have no case, and the port of what was asked is not looked at.
 */
import { MAX_VIEW_KEY } from './imports.js';

/** `suffix` begins with a dot; something must stand before it. */
export type HostPattern =
  | { readonly kind: 'name' | 'suffix'; readonly text: string }
  | { readonly kind: 'any' };

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** Reads a pattern, in lower case; null where it is none or longer than MAX_VIEW_KEY. */
export function parseHostPattern(written: string): HostPattern | null {
  const text = written.toLowerCase();
  if (text === '*') return { kind: 'any' };
  const isSuffix = text.startsWith('*.');
  if (text.length > MAX_VIEW_KEY || !NAME.test(isSuffix ? text.slice(2) : text)) return null;
  return isSuffix ? { kind: 'suffix', text: text.slice(1) } : { kind: 'name', text };
}
