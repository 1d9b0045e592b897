/**
 * What a field that holds a text can be, as far as policies tell texts apart: each text that is named by itself, and
 * classes of all others by the tests that they pass, found by walking the tests' automata side by side. Each class
 * comes with two texts of it, so that two fields can be in it without being the same.
 */
import { TooLarge } from './diagram.js';
import { type Automaton, automatonOf, DEAD, type TextTest } from './text-automaton.js';
import type { TextDomain } from './text-domain.js';
import { passes } from './text-test.js';

export type TextClass =
  | { readonly kind: 'absent' | 'repeated' }
  /** Of one text where `second` is null. */
  | { readonly kind: 'text'; readonly text: string; readonly second: string | null };

const MAX_STATES = 200_000;

interface State {
  readonly domain: number;
  /** Automaton and its state, by turns; dead ones are left out. */
  readonly items: readonly number[];
  /** Passed tests, as a key. */
  readonly accepted: string | null;
  readonly next: number[];
}

/** Characters of which none is told from the others of its group; the first is the one to write. */
function representatives(domain: TextDomain, automata: readonly Automaton[]): readonly number[] {
  const named = new Set(automata.flatMap((automaton) => [...automaton.codes]));
  for (const code of domain.automaton.codes) named.add(code);
  const known = new Set(domain.alphabet);
  const extra = domain.isOpen ? [...named].filter((code) => !known.has(code)) : [];
  const seen = new Set<string>();
  const kinds = automata.filter(
    (automaton) => automaton.kindOf(0x61) !== 0 || automaton.codes.size === 0,
  );
  return [...domain.alphabet, ...extra].filter((code) => {
    if (named.has(code)) return true;
    const key = kinds.map((automaton) => automaton.kindOf(code)).join();
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** All states that texts of the domain lead to. */
function explore(
  domain: TextDomain,
  automata: readonly Automaton[],
  codes: readonly number[],
): readonly State[] {
  const numbers = new Map<string, number>();
  const states: State[] = [];
  const stateAt = (at: number, items: readonly number[]): number => {
    const key = `${at}:${items.join()}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    if (states.length >= MAX_STATES) throw new TooLarge('the tests of texts have too many states');
    const passed: number[] = [];
    for (let i = 0; i < items.length; i += 2) {
      const number = items[i] as number;
      if (automata[number]?.accepts(items[i + 1] as number) === true) passed.push(number);
    }
    const accepted = domain.automaton.accepts(at) ? passed.join() : null;
    numbers.set(key, states.length);
    states.push({ domain: at, items, accepted, next: [] });
    return states.length - 1;
  };
  const start = automata.flatMap((automaton, i) =>
    automaton.start === DEAD ? [] : [i, automaton.start],
  );
  stateAt(domain.automaton.start, start);
  for (let number = 0; number < states.length; number += 1) {
    const state = states[number] as State;
    for (const code of codes) {
      const at = domain.automaton.step(state.domain, code);
      if (at === DEAD) {
        state.next.push(DEAD);
        continue;
      }
      const items: number[] = [];
      for (let i = 0; i < state.items.length; i += 2) {
        const which = state.items[i] as number;
        const to = automata[which]?.step(state.items[i + 1] as number, code) ?? DEAD;
        if (to !== DEAD) items.push(which, to);
      }
      state.next.push(stateAt(at, items));
    }
  }
  return states;
}

/** Texts of each class that are not named, two where there are two, shortest first. */
function samples(
  states: readonly State[],
  codes: readonly number[],
  named: ReadonlySet<string>,
): ReadonlyMap<string, string[]> {
  const found = new Map<string, string[]>();
  const wanted = new Set(states.flatMap(({ accepted }) => (accepted === null ? [] : [accepted])));
  let missing = 2 * wanted.size;
  // A class may have as many named texts as there are before one that is not.
  const most = named.size + 2;
  const visits = new Uint32Array(states.length);
  let layer: (readonly [number, string])[] = [[0, '']];
  while (layer.length > 0 && missing > 0) {
    const next: (readonly [number, string])[] = [];
    for (const [number, text] of layer) {
      const state = states[number] as State;
      if (state.accepted !== null && !named.has(text)) {
        const texts = found.get(state.accepted) ?? [];
        if (texts.length < 2) {
          texts.push(text);
          missing -= 1;
        }
        found.set(state.accepted, texts);
      }
      for (const [i, to] of state.next.entries()) {
        if (to === DEAD || (visits[to] ?? 0) >= most) continue;
        visits[to] = (visits[to] ?? 0) + 1;
        next.push([to, text + String.fromCharCode(codes[i] as number)]);
      }
    }
    layer = next;
  }
  return found;
}

/** Whether the domain has a text. */
export function isIn(domain: TextDomain, text: string): boolean {
  const known = new Set(domain.alphabet);
  let state = domain.automaton.start;
  for (let i = 0; i < text.length && state !== DEAD; i += 1) {
    const code = text.charCodeAt(i);
    state = known.has(code) || domain.isOpen ? domain.automaton.step(state, code) : DEAD;
  }
  return state !== DEAD && domain.automaton.accepts(state);
}

/**
 * Classes of the texts of a domain under some tests, the named ones first. Throws TooLarge where the tests multiply.
 */
export function textClasses(domain: TextDomain, tests: readonly TextTest[]): readonly TextClass[] {
  const isNaming = (test: TextTest): boolean => test.op === 'is' && !test.ignoresCase;
  const names = new Set(
    tests.flatMap((test) => (test.op === 'is' && isNaming(test) ? [test.text] : [])),
  );
  const named = new Set([...names].filter((text) => isIn(domain, text)));
  const automata = tests
    .filter((test) => !isNaming(test))
    .map((test) => {
      const automaton = automatonOf(test);
      if (automaton === null) throw new TooLarge('a test of a text has too many states');
      return automaton;
    });
  const codes = representatives(domain, automata);
  const states = explore(domain, automata, codes);
  const sampled = [...samples(states, codes, named).values()];
  // The text that says nothing in particular stands for its class.
  const usual = named.has(domain.usual) ? null : domain.usual;
  const signature = (text: string): string =>
    tests.map((test) => (passes(test, text) ? '1' : '0')).join('');
  const usualKey = usual === null ? null : signature(usual);
  const classes = sampled.map(([text = '', second = null]): TextClass => {
    if (usual === null || usual === text || signature(text) !== usualKey)
      return { kind: 'text', text, second };
    return { kind: 'text', text: usual, second: second === null ? null : text };
  });
  const isUsual = (item: TextClass): boolean => item.kind === 'text' && item.text === usual;
  return [
    ...classes.filter(isUsual),
    ...[...named].map((text): TextClass => ({ kind: 'text', text, second: null })),
    ...classes.filter((item) => !isUsual(item)),
  ];
}
