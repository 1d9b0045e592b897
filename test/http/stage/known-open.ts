/**
 * Rows that are known to fail with Weft: known-open.txt, a line each, `row id` or a pattern of it
 * with `*`, then the reason. They are played and counted like the others; one that passes fails the suite
 * unless its reason begins with `at times:`, and so does a line that no row has.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../../../../test/http/known-open.txt', import.meta.url));

export interface KnownOpen {
  readonly pattern: string;
  readonly reason: string;
}

export function readKnownOpen(text: string = readFileSync(FILE, 'utf8')): readonly KnownOpen[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const at = line.search(/\s{2,}/);
      if (at < 0) throw new Error(`known-open.txt: two spaces before the reason: ${line}`);
      return { pattern: line.slice(0, at), reason: line.slice(at).trim() };
    });
}

/** Whether it depends on the moment: such a row proves nothing, but is counted. */
export function isUnsteady({ reason }: KnownOpen): boolean {
  return reason.startsWith('at times:');
}

/** Whether a line speaks of a row; `*` stands for anything. */
export function isMatch({ pattern }: KnownOpen, id: string): boolean {
  const quoted = pattern.split('*').map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${quoted.join('.*')}$`).test(id);
}
