/**
 * Questions about a text as deterministic automata over its characters: so that what several of them together can
 * say of one text is found by walking them side by side.
 */
import { parseElements, parseHostPattern, parseRegex } from '../../compiler/abi/index.js';
import { buildRegexAutomaton } from '../../compiler/index.js';

/** Where no text leads to a yes any more. */
export const DEAD = -1;

export interface Automaton {
  /** Characters that it tells apart by name. */
  readonly codes: ReadonlySet<number>;
  /** Others that it does not tell apart share a number here. */
  readonly kindOf: (code: number) => number;
  readonly start: number;
  readonly step: (state: number, code: number) => number;
  readonly accepts: (state: number) => boolean;
}

/** A question about a text; `key` tells it from others. */
export type TextTest =
  | {
      readonly op: 'is' | 'startsWith' | 'endsWith' | 'contains';
      readonly text: string;
      readonly ignoresCase: boolean;
    }
  /** A pattern of paths, as `/users/{id}/**`. */
  | { readonly op: 'path'; readonly pattern: string }
  | { readonly op: 'host'; readonly pattern: string }
  | { readonly op: 'regex'; readonly pattern: string }
  /** More than so many characters. */
  | { readonly op: 'longer'; readonly than: number }
  /** One of some characters at an index, as stretches of them. */
  | {
      readonly op: 'byte';
      readonly index: number;
      readonly codes: readonly (readonly [number, number])[];
    };

const LIMITS = { places: 4000, states: 4000 };
const PLAIN = (): number => 0;

function lower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
}
function upper(code: number): number {
  return code >= 0x61 && code <= 0x7a ? code & ~0x20 : code;
}
function codesOf(text: string): number[] {
  return Array.from(text, (_, i) => text.charCodeAt(i));
}

/** The automaton of a test; null where it would be too large. */
export function automatonOf(test: TextTest): Automaton | null {
  switch (test.op) {
    case 'is':
    case 'startsWith':
      return straight(test.text, test.ignoresCase, test.op === 'startsWith');
    case 'endsWith':
    case 'contains':
      return searching(test.text, test.ignoresCase, test.op === 'contains');
    case 'path':
      return pathAutomaton(test.pattern);
    case 'host':
      return hostAutomaton(test.pattern);
    case 'regex':
      return regexAutomaton(test.pattern);
    case 'longer':
      return {
        codes: new Set(),
        kindOf: PLAIN,
        start: 0,
        step: (state) => Math.min(state + 1, test.than + 1),
        accepts: (state) => state > test.than,
      };
    case 'byte': {
      const [{ index }, found] = [test, test.index + 1];
      return {
        codes: new Set(),
        kindOf: (code) => (isOneOf(test.codes, code) ? 1 : 0),
        start: 0,
        step: (state, code) => {
          if (state < index) return state + 1;
          return state === found || isOneOf(test.codes, code) ? found : DEAD;
        },
        accepts: (state) => state === found,
      };
    }
  }
}

/** Whether some stretches hold a character. */
export function isOneOf(codes: readonly (readonly [number, number])[], code: number): boolean {
  return codes.some(([from, to]) => code >= from && code <= to);
}

function letters(text: string, ignoresCase: boolean): ReadonlySet<number> {
  const codes = codesOf(text);
  return new Set(ignoresCase ? codes.flatMap((code) => [lower(code), upper(code)]) : codes);
}

function straight(text: string, ignoresCase: boolean, isOpen: boolean): Automaton {
  const fold = ignoresCase ? lower : (code: number): number => code;
  const want = codesOf(text).map(fold);
  return {
    codes: letters(text, ignoresCase),
    kindOf: PLAIN,
    start: 0,
    step: (state, code) => {
      if (state === want.length) return isOpen ? state : DEAD;
      return fold(code) === want[state] ? state + 1 : DEAD;
    },
    accepts: (state) => state === want.length,
  };
}

/** Knuth, Morris and Pratt. */
function searching(text: string, ignoresCase: boolean, isOpen: boolean): Automaton {
  const fold = ignoresCase ? lower : (code: number): number => code;
  const want = codesOf(text).map(fold);
  const back = [0];
  for (let i = 1, k = 0; i < want.length; i += 1) {
    while (k > 0 && want[i] !== want[k]) k = back[k - 1] ?? 0;
    if (want[i] === want[k]) k += 1;
    back.push(k);
  }
  return {
    codes: letters(text, ignoresCase),
    kindOf: PLAIN,
    start: 0,
    step: (from, code) => {
      if (isOpen && from === want.length) return from;
      let state = from;
      if (state === want.length) state = back[state - 1] ?? 0;
      while (state > 0 && fold(code) !== want[state]) state = back[state - 1] ?? 0;
      return fold(code) === want[state] ? state + 1 : 0;
    },
    accepts: (state) => state === want.length,
  };
}

const SLASH = 0x2f;
const DOT = 0x2e;
const COLON = 0x3a;

/** Elements between slashes; states count what was read: see `cells`. */
function pathAutomaton(pattern: string): Automaton | null {
  const parsed = parseElements(pattern);
  if (parsed === null) return null;
  type Cell = number | 'first' | 'more';
  const cells: Cell[] = parsed.elements.flatMap((element): Cell[] =>
    element === null ? [SLASH, 'first', 'more'] : [SLASH, ...codesOf(element)],
  );
  const rest = cells.length + 1;
  const enter = (state: number): number => state;
  return {
    codes: new Set([SLASH, ...cells.filter((cell) => typeof cell === 'number')]),
    kindOf: PLAIN,
    start: 0,
    step: (state, code) => {
      if (state === rest) return rest;
      const cell = cells[state];
      if (cell === undefined) return parsed.rest && code === SLASH ? rest : DEAD;
      if (cell === 'first') return code === SLASH ? DEAD : enter(state + 1);
      if (cell === 'more') {
        if (code !== SLASH) return state;
        const next = cells[state + 1];
        if (next === undefined) return parsed.rest ? rest : DEAD;
        return state + 2;
      }
      return cell === code ? enter(state + 1) : DEAD;
    },
    accepts: (state) => {
      if (state === rest || state === cells.length) return true;
      return cells[state] === 'more' && state === cells.length - 1;
    },
  };
}

/** Names of hosts without case; what follows a colon is not looked at. */
function hostAutomaton(pattern: string): Automaton | null {
  const parsed = parseHostPattern(pattern);
  if (parsed === null) return null;
  if (parsed.kind === 'any') {
    return {
      codes: new Set([COLON]),
      kindOf: PLAIN,
      start: 0,
      step: (state, code) => (state === 0 && code === COLON ? DEAD : 1),
      accepts: (state) => state === 1,
    };
  }
  const inner =
    parsed.kind === 'name'
      ? straight(parsed.text, true, false)
      : searching(parsed.text, true, false);
  const isSuffix = parsed.kind === 'suffix';
  const ENDED = 1_000_000;
  // Something stands before the dot of a suffix: state -2 is the beginning.
  const BEGIN = 2_000_000;
  const accepts = (state: number): boolean =>
    state === ENDED || (state < ENDED && inner.accepts(state));
  return {
    codes: new Set([...inner.codes, COLON, DOT]),
    kindOf: PLAIN,
    start: isSuffix ? BEGIN : inner.start,
    step: (state, code) => {
      if (state === ENDED) return ENDED;
      if (code === COLON) return accepts(state) ? ENDED : DEAD;
      // The first character cannot be the dot of the suffix.
      if (state === BEGIN) return code === DOT ? 0 : inner.step(inner.start, code);
      return inner.step(state, code);
    },
    accepts,
  };
}

function regexAutomaton(pattern: string): Automaton | null {
  const parsed = parseRegex(pattern);
  if (!parsed.ok) return null;
  const built = buildRegexAutomaton([{ node: parsed.node, answer: 1 }], LIMITS);
  if (typeof built === 'string') return null;
  const { next, end, classOf, start } = built;
  // What leads to no yes is dead, so that others need not carry it along.
  const lives = end.map((answer) => answer === 1);
  for (let changed = true; changed; ) {
    changed = false;
    next.forEach((row, state) => {
      if (lives[state] === true || !row.some((to) => lives[to] === true)) return;
      lives[state] = true;
      changed = true;
    });
  }
  return {
    codes: new Set(),
    kindOf: (code) => (code > 0xff ? -1 : (classOf[code] ?? 0)),
    start: lives[start] === true ? start : DEAD,
    step: (state, code) => {
      const to = code > 0xff ? DEAD : (next[state]?.[classOf[code] ?? 0] ?? DEAD);
      return lives[to] === true ? to : DEAD;
    },
    accepts: (state) => end[state] === 1,
  };
}
