/**
 * Tables of patterns in the plainest code: a tree of the elements of paths, searched with the most
 * special way first, and the names and ends of hosts. The compiled automaton is compared with it.
 */
import { parseElements, parseHostPattern } from '../../compiler/abi/index.js';
import type { PolicyEntry } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import { regexMatcher } from './regex.js';

type Entries = PolicyEntry['patterns'][number]['entries'];
/** The value of the pattern that fits the bytes best (as Latin-1), undefined where none does. */
export type PatternMatcher = (text: string) => number | undefined;

/** Makes the look-up of a table. */
export function patternMatcher({ kind, entries }: PolicyEntry['patterns'][number]): PatternMatcher {
  switch (kind) {
    case 'path':
      return pathMatcher(entries);
    case 'host':
      return hostMatcher(entries);
    case 'regex':
      return regexesMatcher(entries);
  }
}

/** The first that was set counts, with the value that was set last. */
function regexesMatcher(entries: Entries): PatternMatcher {
  const rules = [...new Map(entries)].map(
    ([text, value]) => [regexMatcher(text), value | 0] as const,
  );
  return (text) => rules.find(([matches]) => matches(text))?.[1];
}

interface Node {
  readonly byText: Map<string, Node>;
  any: Node | null;
  end: number | undefined;
  rest: number | undefined;
}
const newNode = (): Node => ({ byText: new Map(), any: null, end: undefined, rest: undefined });

function pathMatcher(entries: Entries): PatternMatcher {
  const root = newNode();
  for (const [text, value] of entries) {
    const parsed = parseElements(text);
    if (parsed === null) throw new BugError(`manifest: \`${text}\` is no pattern`);
    let node = root;
    for (const element of parsed.elements) {
      let next = element === null ? node.any : node.byText.get(element);
      next ??= newNode();
      if (element === null) node.any = next;
      else node.byText.set(element, next);
      node = next;
    }
    node[parsed.rest ? 'rest' : 'end'] = value | 0;
  }
  const search = (node: Node, elements: readonly string[], at: number): number | undefined => {
    const element = elements[at];
    if (element === undefined) return node.end ?? node.rest;
    const named = node.byText.get(element);
    const found = named === undefined ? undefined : search(named, elements, at + 1);
    if (found !== undefined) return found;
    const other = node.any === null || element === '' ? null : node.any;
    return (other === null ? undefined : search(other, elements, at + 1)) ?? node.rest;
  };
  return (path) => {
    if (path === '') return search(root, [], 0);
    return path.startsWith('/') ? search(root, path.slice(1).split('/'), 0) : undefined;
  };
}

function hostMatcher(entries: Entries): PatternMatcher {
  const texts = { name: new Map<string, number>(), suffix: new Map<string, number>() };
  let any: number | undefined;
  for (const [text, value] of entries) {
    const pattern = parseHostPattern(text);
    if (pattern === null) throw new BugError(`manifest: \`${text}\` is no pattern of a host`);
    if (pattern.kind === 'any') any = value | 0;
    else texts[pattern.kind].set(pattern.text, value | 0);
  }
  return (written) => {
    const host = (written.split(':')[0] ?? '').replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    if (host === '') return undefined;
    const exact = texts.name.get(host);
    if (exact !== undefined) return exact;
    for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
      const ended = texts.suffix.get(host.slice(dot));
      if (ended !== undefined) return ended;
    }
    return any;
  };
}
