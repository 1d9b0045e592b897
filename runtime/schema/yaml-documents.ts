/**
 * Documents of YAML, of which none nests deeper than a reader that calls itself can bear: yaml composes nodes by
 * recursion, and at the end of the stack V8 may end the process instead of throwing. What it parses first is walked without.
 */
import { Composer, type CST, type Document, type LineCounter, Parser } from 'yaml';

/** Lists and maps within each other. */
export const MAX_DEPTH: number = 100;

export class NestedTooDeeply extends Error {
  /** Where in the text. */
  readonly offset: number;
  constructor(offset: number) {
    super(`lists and maps are nested more than ${MAX_DEPTH} deep`);
    this.offset = offset;
  }
}

function checkDepth(document: CST.Document): void {
  const open: (readonly [CST.Token | null | undefined, number])[] = [[document.value, 0]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [token, depth] = next;
    if (token === null || token === undefined || !('items' in token)) continue;
    if (depth === MAX_DEPTH) throw new NestedTooDeeply(token.offset);
    for (const { key, value } of token.items) open.push([key, depth + 1], [value, depth + 1]);
  }
}

function* checked(tokens: Iterable<CST.Token>): Generator<CST.Token> {
  for (const token of tokens) {
    if (token.type === 'document') checkDepth(token);
    yield token;
  }
}

/** All documents of a text; at least one, which may be empty. Throws NestedTooDeeply. */
export function yamlDocuments(text: string, lineCounter: LineCounter): readonly Document.Parsed[] {
  const tokens = new Parser(lineCounter.addNewLine).parse(text);
  // Its own warnings go to the process; what it warns of is no key that any document has.
  const options = {
    lineCounter,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'error',
  } as const;
  return Array.from(new Composer(options).compose(checked(tokens), true, text.length));
}
