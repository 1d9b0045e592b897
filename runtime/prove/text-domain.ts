/**
 * Which texts a field of the input can hold at all, as automata: a policy may ask for more, but an example has to be
 * a request that can be sent, from a workload that a world can have.
 */
import { type Automaton, DEAD } from './text-automaton.js';

export interface TextDomain {
  readonly name: string;
  readonly automaton: Automaton;
  /** Characters that may occur, those that read best first; others are added where a policy names them. */
  readonly alphabet: readonly number[];
  /** Whether characters outside of the alphabet may occur where a policy names them. */
  readonly isOpen: boolean;
  /** A text that says nothing in particular. */
  readonly usual: string;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const LETTERS = range(0x61, 0x7a);
const DIGITS = range(0x30, 0x39);
const CAPITALS = range(0x41, 0x5a);
const READABLE = [...LETTERS, ...DIGITS, ...CAPITALS];
const PRINTABLE = [...READABLE, ...range(0x21, 0x7e).filter((code) => !READABLE.includes(code))];
const codes = (text: string): number[] => Array.from(text, (char) => char.charCodeAt(0));

/** An automaton of a few states given by a function. */
function small(
  step: (state: number, code: number) => number,
  accepts: (state: number) => boolean,
  named: string = '',
): Automaton {
  return { codes: new Set(codes(named)), kindOf: () => 0, start: 0, step, accepts };
}

const HYPHEN = 0x2d;
/** As world.yaml has them (runtime/discovery/read-world.ts). */
const NAME: TextDomain = {
  name: 'name',
  automaton: small(
    (state, code) => (code !== HYPHEN ? 1 : state === 0 ? DEAD : 2),
    (state) => state === 1,
    '-',
  ),
  alphabet: [...LETTERS, ...DIGITS, HYPHEN],
  isOpen: false,
  usual: 'web',
};

const SLASH = 0x2f;
/** Parts of an identity: anything without slashes. */
const PART: TextDomain = {
  name: 'part of an identity',
  automaton: small(
    (_, code) => (code === SLASH ? DEAD : 1),
    (state) => state === 1,
    '/',
  ),
  alphabet: PRINTABLE.filter((code) => code !== SLASH),
  isOpen: true,
  usual: 'default',
};
/** Labels and localities: anything. */
const FREE: TextDomain = {
  name: 'text',
  automaton: small(
    () => 0,
    () => true,
  ),
  alphabet: PRINTABLE,
  isOpen: true,
  usual: 'x',
};

const TOKEN = [...CAPITALS, ...LETTERS, ...DIGITS, ...codes("!#$%&'*+-.^_`|~")];
const METHOD: TextDomain = {
  name: 'method',
  automaton: small(
    () => 1,
    (state) => state === 1,
  ),
  alphabet: TOKEN,
  isOpen: false,
  usual: 'GET',
};

const DOT = 0x2e;
const PATH_CODES = PRINTABLE.filter((code) => !codes('?#\\').includes(code));
/** As normalised: from the root, without dot segments (bpf/http/target.h). `*` is a target of its own. */
const PATH: TextDomain = {
  name: 'path',
  // 1: in an element that ends well; 2: behind a slash; 3: `.`; 4: `..`
  automaton: small(
    (state, code) => {
      if (state === 0) return code === SLASH ? 2 : DEAD;
      if (code === SLASH) return state === 3 || state === 4 ? DEAD : 2;
      if (code !== DOT || state === 1 || state === 4) return 1;
      return state === 2 ? 3 : 4;
    },
    (state) => state === 1 || state === 2,
    './',
  ),
  alphabet: PATH_CODES,
  isOpen: false,
  usual: '/',
};
const QUERY: TextDomain = {
  name: 'query',
  automaton: small(
    () => 0,
    () => true,
  ),
  alphabet: PRINTABLE.filter((code) => code !== 0x23),
  isOpen: false,
  usual: 'q',
};
const HOST: TextDomain = {
  name: 'host',
  automaton: small(
    () => 0,
    () => true,
  ),
  alphabet: [...READABLE, ...codes("!$%&'()*+,-.:;=[]_~")],
  isOpen: false,
  usual: 'example.test',
};
const SPACE = 0x20;
/** Printable, with spaces inside; what surrounds a value is cut off. */
const HEADER: TextDomain = {
  name: 'header',
  automaton: small(
    (state, code) => (code !== SPACE ? 1 : state === 0 ? DEAD : 2),
    (state) => state !== 2,
    ' ',
  ),
  alphabet: [...PRINTABLE, SPACE],
  isOpen: false,
  usual: 'x',
};

/** The value of a parameter: up to the next `&`. */
const PARAMETER: TextDomain = {
  name: 'parameter',
  automaton: small(
    () => 0,
    () => true,
  ),
  alphabet: QUERY.alphabet.filter((code) => code !== 0x26),
  isOpen: false,
  usual: 'x',
};
/** The value of a cookie: up to the next `;`, blanks and all. */
const COOKIE: TextDomain = {
  name: 'cookie',
  automaton: small(
    () => 0,
    () => true,
  ),
  alphabet: HEADER.alphabet.filter((code) => code !== 0x3b),
  isOpen: false,
  usual: 'x',
};
/** Name and namespace, as world.yaml has them. */
const SERVICE: TextDomain = {
  name: 'service',
  // 0 and 3: where a name begins; 1 and 4: where it may end; 2 and 5: behind a hyphen
  automaton: small(
    (state, code) => {
      if (code === DOT) return state === 1 ? 3 : DEAD;
      if (code === HYPHEN) return state === 0 || state === 3 ? DEAD : state < 3 ? 2 : 5;
      return state < 3 ? 1 : 4;
    },
    (state) => state === 4,
    '-.',
  ),
  alphabet: [...LETTERS, ...DIGITS, HYPHEN, DOT],
  isOpen: false,
  usual: 'shop.default',
};

export type DomainName =
  | 'name'
  | 'part'
  | 'free'
  | 'method'
  | 'path'
  | 'query'
  | 'host'
  | 'header'
  | 'parameter'
  | 'cookie'
  | 'service';
export const DOMAINS: Readonly<Record<DomainName, TextDomain>> = {
  name: NAME,
  part: PART,
  free: FREE,
  method: METHOD,
  path: PATH,
  query: QUERY,
  host: HOST,
  header: HEADER,
  parameter: PARAMETER,
  cookie: COOKIE,
  service: SERVICE,
};
