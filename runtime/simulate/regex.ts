/**
 * Regular expressions in the plainest code: from the places where a part may begin to those where it may
 * end. No automaton and no going back, so that a text costs about its length times the expression's, and the
 * compiled automaton is compared with something of another make.
 */
import { parseRegex, type RegexNode } from '../../compiler/abi/index.js';
import { BugError } from '../../compiler/diagnostic/index.js';

type Places = ReadonlySet<number>;

/** True where the whole of a text (as Latin-1) matches. */
export function regexMatcher(written: string): (text: string) => boolean {
  const parsed = parseRegex(written);
  if (!parsed.ok) throw new BugError(`manifest: \`${written}\` is no regular expression`);
  return (text) => endsOf(parsed.node, text, new Set([0])).has(text.length);
}

function endsOf(node: RegexNode, text: string, from: Places): Places {
  switch (node.op) {
    case 'byte':
      return new Set(
        [...from].filter((at) => node.set[text.charCodeAt(at)] === 1).map((at) => at + 1),
      );
    case 'start':
      return new Set(from.has(0) ? [0] : []);
    case 'end':
      return new Set(from.has(text.length) ? [text.length] : []);
    case 'all':
      return node.parts.reduce((places, part) => endsOf(part, text, places), from);
    case 'any':
      return new Set(node.parts.flatMap((part) => [...endsOf(part, text, from)]));
    case 'repeat':
      return repeated(node, text, from);
  }
}

function repeated(
  { part, min, max }: Extract<RegexNode, { op: 'repeat' }>,
  text: string,
  from: Places,
): Places {
  let places = from;
  for (let i = 0; i < min; i++) places = endsOf(part, text, places);
  const all = new Set(places);
  for (let i = min; i < (max ?? Infinity) && places.size > 0; i++) {
    // A place that was there before leads nowhere new: as many rounds were left for it then.
    places = new Set([...endsOf(part, text, places)].filter((at) => !all.has(at)));
    for (const at of places) all.add(at);
  }
  return all;
}
