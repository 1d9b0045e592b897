/**
 * Patterns of paths, as `/users/{id}/**`: whole elements between slashes. One grammar and one meaning
 * for the compiler, which makes straight code of the steps, and for the simulator, which walks them.
 */

/** Steps of one pattern; each costs a comparison or a search of the path. */
export const MAX_PATTERN_STEPS = 16;
/** Bytes of a pattern. */
export const MAX_PATTERN = 256;

/** What a path must have next. */
export type PatternStep =
  /** These bytes. */
  | { readonly op: 'literal'; readonly text: string }
  /** One element that is not empty. */
  | { readonly op: 'element' }
  /** Nothing, or a slash and whatever follows. Always the last step. */
  | { readonly op: 'rest' }
  /** Nothing more. Always the last step. */
  | { readonly op: 'end' };

/** Characters of a path element (RFC 3986 3.3) but `*`. */
const LITERAL = /^(?:[-A-Za-z0-9._~!$&'()+,;=:@]|%[0-9A-Fa-f]{2})*$/;
const ELEMENT = /^(?:\*|\{[A-Za-z_][A-Za-z0-9_-]*\})$/;

/** A pattern as its elements: null stands for any that is not empty. */
export interface PathElements {
  readonly elements: readonly (string | null)[];
  /** Nothing or any more elements may follow. */
  readonly rest: boolean;
}

/** The elements of a pattern; null where it is none. However many: they are no steps of code. */
export function parseElements(pattern: string): PathElements | null {
  const [first, ...elements] = pattern.split('/');
  if (first !== '' || elements.length === 0 || pattern.length > MAX_PATTERN) return null;
  const rest = elements.at(-1) === '**';
  if (rest) elements.pop();
  const read = elements.map((element) => (ELEMENT.test(element) ? null : element));
  return read.every((element) => element === null || isLiteral(element))
    ? { elements: read, rest }
    : null;
}

function isLiteral(element: string): boolean {
  return LITERAL.test(element) && element !== '.' && element !== '..';
}

/** The steps of a pattern; null where it is none, or has more than MAX_PATTERN_STEPS. */
export function parsePattern(pattern: string): readonly PatternStep[] | null {
  const [first, ...elements] = pattern.split('/');
  if (first !== '' || elements.length === 0 || pattern.length > MAX_PATTERN) return null;
  const steps: PatternStep[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal !== '') steps.push({ op: 'literal', text: literal });
    literal = '';
  };
  for (const [index, element] of elements.entries()) {
    const isLast = index === elements.length - 1;
    if (element === '**' && isLast) {
      flush();
      steps.push({ op: 'rest' });
    } else if (ELEMENT.test(element)) {
      literal += '/';
      flush();
      steps.push({ op: 'element' });
    } else if (isLiteral(element)) {
      literal += `/${element}`;
    } else return null;
  }
  flush();
  if (steps.at(-1)?.op !== 'rest') steps.push({ op: 'end' });
  return steps.length > MAX_PATTERN_STEPS ? null : steps;
}
