/**
 * Which rule of a list a connection meets: rule by rule, in their order. Rules that ask for another text or number
 * of the part that parts them best are skipped, which changes no answer.
 */
import { CONNECTION, PARTY, type SideName } from '../../compiler/abi/index.js';
import type { Manifest, RuleEntry } from '../../compiler/bundle/manifest.js';
import { cidrMatcher } from './cidr.js';
import type { Current, Texts } from './host.js';

/** The index of the rule that a connection meets, with the number that rules ask of a kind; -1 for none. */
export type RuleFinder = (current: Current, kind: number) => number;

type Test = (current: Current, kind: number) => boolean;
/** A part of which a rule names one number or several: they can be looked up. */
interface NumberPart {
  readonly of: (current: Current, kind: number) => number;
  readonly wanted: readonly number[];
}

/** Makes the finder of a list, which it reads when it is first asked. */
export function ruleFinder(
  rules: readonly RuleEntry[],
  manifest: Pick<Manifest, 'attributes'>,
  texts: Texts,
): RuleFinder {
  let find: RuleFinder | null = null;
  return (current, kind) => {
    find ??= finderOf(rules, new PartReader(manifest, texts));
    return find(current, kind);
  };
}

function finderOf(rules: readonly RuleEntry[], reader: PartReader): RuleFinder {
  const made = rules.map((rule) => reader.read(rule));
  const index = new RuleIndex(made.map(({ numbers }) => numbers));
  return (current, kind) => {
    for (const number of index.candidates(current, kind)) {
      if (made[number]?.tests.every((test) => test(current, kind)) === true) return number;
    }
    return -1;
  };
}

class PartReader {
  readonly #manifest: Pick<Manifest, 'attributes'>;
  readonly #texts: Texts;

  constructor(manifest: Pick<Manifest, 'attributes'>, texts: Texts) {
    this.#manifest = manifest;
    this.#texts = texts;
  }

  /** What a rule tests, a test for each part that it names, and its parts that are numbers. */
  read({ when }: RuleEntry): {
    readonly tests: readonly Test[];
    readonly numbers: ReadonlyMap<string, NumberPart>;
  } {
    const parts = new Map<string, string[]>();
    for (const said of when) {
      const name = said.slice(0, -1).join(' ');
      parts.set(name, [...(parts.get(name) ?? []), said.at(-1) ?? '']);
    }
    const tests: Test[] = [];
    const numbers = new Map<string, NumberPart>();
    for (const [name, wanted] of parts) {
      const number = this.#number(name, wanted);
      if (number === null) tests.push(rangeTest(name, wanted));
      else {
        numbers.set(name, number);
        tests.push((current, kind) => number.wanted.includes(number.of(current, kind)));
      }
    }
    return { tests, numbers };
  }

  #number(name: string, wanted: readonly string[]): NumberPart | null {
    if (name === 'kind') return { of: (_, kind) => kind >>> 0, wanted: wanted.map(Number) };
    if (name === 'protocol') {
      const of = ({ view, base }: Current): number => view.getUint8(base + CONNECTION.protocol);
      return { of, wanted: wanted.map(Number) };
    }
    const [part = '', key = null] = splitLabel(name);
    const [side, attribute] = part.split('.');
    if ((side !== 'source' && side !== 'destination') || attribute === 'address') return null;
    if (attribute === 'port') return null;
    const slot = this.#manifest.attributes.find(
      (a) => a.side === side && a.attribute === attribute && a.key === key,
    )?.slot;
    const symbols = wanted.map((text) => this.#texts.symbols.intern(text));
    // The compiler gives slots to what decisions depend on; WASM may ask although none depends on the answer.
    if (slot === undefined) return { of: () => 0, wanted: symbols };
    const offset = CONNECTION[side] + PARTY.attributes + 4 * slot;
    return { of: ({ view, base }) => view.getUint32(base + offset, true), wanted: symbols };
  }
}

/** `source.label app` as its part and its key, which may have spaces. */
function splitLabel(name: string): readonly string[] {
  const at = name.indexOf(' ');
  return at < 0 ? [name] : [name.slice(0, at), name.slice(at + 1)];
}

/** Tests blocks of addresses, and ranges of ports. */
function rangeTest(name: string, wanted: readonly string[]): Test {
  if (name === 'destination.port') {
    const ranges = wanted.map((text) => text.split('-').map(Number));
    return ({ view, base }) => {
      const port = view.getUint16(base + CONNECTION.destinationPort, true);
      return ranges.some(([first = 0, last = first]) => first <= port && port <= last);
    };
  }
  const side: SideName = name.startsWith('source') ? 'source' : 'destination';
  const matches = cidrMatcher(wanted);
  return ({ view, base }) => matches(view, base + CONNECTION[side] + PARTY.address);
}

/** Rules by the number that they want of one part, in order. */
class RuleIndex {
  readonly #part: NumberPart['of'] | null;
  readonly #byNumber = new Map<number, number[]>();
  /** Those that want none. */
  readonly #rest: readonly number[];

  constructor(rules: readonly ReadonlyMap<string, NumberPart>[]) {
    const wanted = new Map<string, Set<number>>();
    for (const parts of rules) {
      for (const [name, part] of parts) {
        const all = wanted.get(name) ?? new Set();
        for (const number of part.wanted) all.add(number);
        wanted.set(name, all);
      }
    }
    const [best = ''] = [...wanted].sort(([, a], [, b]) => b.size - a.size)[0] ?? [];
    const rest: number[] = [];
    let of: NumberPart['of'] | null = null;
    for (const [rule, parts] of rules.entries()) {
      const part = parts.get(best);
      if (part === undefined) rest.push(rule);
      else {
        of = part.of;
        for (const number of new Set(part.wanted)) {
          const known = this.#byNumber.get(number);
          if (known === undefined) this.#byNumber.set(number, [rule]);
          else known.push(rule);
        }
      }
    }
    this.#part = of;
    this.#rest = rest;
  }

  /** Rules that may hold, in order. */
  *candidates(current: Current, kind: number): Generator<number> {
    const named = this.#part === null ? [] : (this.#byNumber.get(this.#part(current, kind)) ?? []);
    let at = 0;
    for (const rule of this.#rest) {
      while (at < named.length && (named[at] ?? 0) < rule) yield named[at++] ?? 0;
      yield rule;
    }
    while (at < named.length) yield named[at++] ?? 0;
  }
}
