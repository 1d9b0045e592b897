/** Look-ups in tables, over all inputs at once: what is found, and where. */
import type { PolicyEntry } from '../../compiler/index.js';
import { blockIntervals } from './block-intervals.js';
import { type Asking, compareLeaves } from './compare-leaves.js';
import { ALL, NONE } from './diagram.js';
import type { Found, Guard, LookUp } from './guards.js';
import { constant, type Leaf, symbolLeaf, type Value } from './leaf.js';
import { principalExists, principalPasses } from './principal.js';
import type { TextTest } from './text-automaton.js';
import { always, mapValue, NOTHING, ofTruth, ValueBuilder } from './value.js';

export class TableAsker {
  readonly #asking: Asking;
  readonly #entry: PolicyEntry;

  constructor(asking: Asking, entry: PolicyEntry) {
    this.#asking = asking;
    this.#entry = entry;
  }

  #opaque(expression: string): Leaf {
    return this.#asking.opaques.leaf(expression, this.#asking.at);
  }

  /** What was found, or the answer for nothing. */
  answer(found: readonly Found[], want: 'get' | 'has', fallback: Value): Value {
    const { guards } = this.#asking;
    const built = new ValueBuilder(guards);
    for (const [value, guard] of found) {
      if (want === 'has') built.add(constant(value === undefined ? 0n : 1n), guard);
      else if (value === undefined) built.addAll(fallback, guard);
      else built.add(constant(BigInt.asUintN(32, BigInt(value))), guard);
    }
    return built.value;
  }

  byText(key: Value, look: LookUp, want: 'get' | 'has', fallback: Value): Value {
    const { guards } = this.#asking;
    return mapValue(guards, key, (leaf) => {
      if (leaf.kind === 'view' || leaf.kind === 'symbol-of') {
        return this.answer(guards.choose(leaf.field, look), want, fallback);
      }
      if (leaf.kind === 'symbol') return this.answer([[look.find(leaf.text), ALL]], want, fallback);
      if (leaf.kind === 'principal')
        return this.answer(this.#byPrincipal(leaf.side, look), want, fallback);
      if (leaf.kind === 'const' && leaf.value === 0n)
        return this.answer([[undefined, ALL]], want, fallback);
      return always(
        this.#opaque(
          `look up ${want} ${look.key} ${leaf.key} ${fallback.map(([l]) => l.key).join()}`,
        ),
      );
    });
  }

  #byPrincipal(side: 'source' | 'destination', look: LookUp): readonly Found[] {
    const { guards } = this.#asking;
    const found = new Map<number | undefined, Guard>();
    let rest = principalExists(guards, side);
    for (const test of look.tests) {
      if (test.op !== 'is') continue;
      const guard = principalPasses(guards, side, 'is', test.text);
      const value = look.find(test.text);
      found.set(value, guards.or(found.get(value) ?? NONE, guard));
      rest = guards.and(rest, guards.not(guard));
    }
    const missing = guards.or(rest, guards.not(principalExists(guards, side)));
    return [...found, [undefined, missing]];
  }

  lookUp(
    entries: ReadonlyMap<string, number>,
    keyKind: 'integer' | 'text',
    key: Value,
    want: 'get' | 'has',
    fallback: Value,
  ): Value {
    const { guards } = this.#asking;
    if (keyKind === 'text') {
      const tests = [...entries.keys()].map(
        (text): TextTest => ({ op: 'is', text, ignoresCase: false }),
      );
      const name = `table ${JSON.stringify([...entries])}`;
      return this.byText(
        key,
        { key: name, tests, values: [...entries.values()], find: (text) => entries.get(text) },
        want,
        fallback,
      );
    }
    const byValue = new Map<number, bigint[]>();
    const numbers = new Map(
      [...entries].map(([text, value]) => [BigInt.asUintN(64, BigInt(text)), value]),
    );
    for (const [number, value] of numbers)
      byValue.set(value, [...(byValue.get(value) ?? []), number]);
    return mapValue(guards, key, (leaf) => {
      if (leaf.kind === 'const')
        return this.answer([[numbers.get(BigInt.asUintN(64, leaf.value)), ALL]], want, fallback);
      const found: Found[] = [...byValue].map(([value, keys]) => [
        value,
        this.#isOneOf(leaf, keys),
      ]);
      const hit = found.map(([, guard]) => guard).reduce(guards.or, NONE);
      return this.answer([...found, [undefined, guards.not(hit)]], want, fallback);
    });
  }

  #isOneOf(leaf: Leaf, keys: readonly bigint[]): Guard {
    const { guards } = this.#asking;
    if (leaf.kind === 'number' && leaf.term.op === 'input') {
      return guards.number(
        leaf.field,
        keys.map((key) => [key, key] as const),
      );
    }
    return keys
      .map((key) => compareLeaves(this.#asking, 'eq', 'i64', leaf, constant(key)))
      .reduce(guards.or, NONE);
  }

  /** Keys of several parts: two words each, before the answer for nothing. */
  keys(number: number, args: readonly Value[], want: 'get' | 'has'): Value {
    const { guards } = this.#asking;
    const table = this.#entry.keys[number];
    if (table === undefined) return NOTHING;
    const last = new Map(
      table.entries.map(([parts, value]) => [JSON.stringify(parts), [parts, value | 0] as const]),
    );
    const found = [...last.values()].map(([parts, value]): Found => {
      const guard = parts.map((text, i) =>
        this.#isPart(table.kinds[i] ?? 'integer', text, args, 2 + 2 * i),
      );
      return [value, guard.reduce(guards.and, ALL)];
    });
    const hit = found.map(([, guard]) => guard).reduce(guards.or, NONE);
    return this.answer([...found, [undefined, guards.not(hit)]], want, args.at(-1) ?? NOTHING);
  }

  #isPart(
    kind: PolicyEntry['keys'][number]['kinds'][number],
    text: string,
    args: readonly Value[],
    at: number,
  ): Guard {
    const { guards } = this.#asking;
    const equals = (index: number, want: Leaf): Guard => {
      const value = mapValue(guards, args[index] ?? NOTHING, (leaf) =>
        ofTruth(guards, compareLeaves(this.#asking, 'eq', 'i64', leaf, want)),
      );
      const yes = value.find(([leaf]) => leaf.kind === 'const' && leaf.value === 1n);
      return yes?.[1] ?? NONE;
    };
    if (kind === 'text') return equals(at + 1, symbolLeaf(text));
    if (kind === 'integer') return equals(at + 1, constant(BigInt.asUintN(64, BigInt(text))));
    const [block] = blockIntervals([text]);
    const [word] = (args[at] ?? NOTHING).map(([leaf]) => leaf);
    // An address of a side is compared as a whole: its halves apart would leave much unknown.
    if (block !== undefined && word?.kind === 'number' && word.field.name.endsWith('.address')) {
      return guards.number(word.field, [block]);
    }
    return guards.and(
      equals(at, constant((block?.[0] ?? 0n) >> 64n)),
      equals(at + 1, constant((block?.[0] ?? 0n) & ((1n << 64n) - 1n))),
    );
  }
}
