/** What each field is in one input of a set: a text, null where it is absent, a number, yes or no. */

import { commonMultiple, hashOf } from './feasible.js';
import type { Field, NumberField } from './field.js';
import type { Space } from './guards.js';
import type { Interval } from './intervals.js';
import type { TextClass } from './text-classes.js';
import { isIn } from './text-classes.js';
import { DOMAINS } from './text-domain.js';
import { passes } from './text-test.js';

/** A set is there, and nobody found an input of it: a text with the hash that it needs. */
export class NoExample extends Error {
  override readonly name = 'NoExample';
}

/** Texts that are tried for a hash. */
const MAX_TRIES = 20_000;

/** What a field is in one input: a text, null where absent, `repeated`, a number, yes or no. */
export class Point {
  readonly #space: Space;
  readonly #classAt: (level: number) => number;

  constructor(space: Space, classAt: (level: number) => number) {
    this.#space = space;
    this.#classAt = classAt;
  }

  #at(name: string): number | null {
    const level = this.#space.levelOf(name);
    return level === null ? null : this.#classAt(level);
  }

  /** Whether a question is answered by yes; null where nobody asked. */
  flag(name: string): boolean | null {
    const at = this.#at(name);
    return at === null ? null : at === 1;
  }

  /** The field's text, null where it is absent, `usual` where nobody asked. */
  text(name: string, usual: string | null): string | null {
    const level = this.#space.levelOf(name);
    const at = this.#at(name);
    const classes = level === null ? undefined : this.#space.levels[level];
    const item = classes?.kind === 'text' && at !== null ? classes.classes[at] : undefined;
    if (item === undefined) return usual;
    if (item.kind !== 'text') return null;
    const text = this.#isOther(name) ? (item.second ?? item.text) : item.text;
    return this.#hashed(name, item, text);
  }

  /** Another text of the class where this one has not the hash that is asked for. */
  #hashed(name: string, item: TextClass, text: string): string {
    const hashes = this.fields.filter(
      (field): field is NumberField => field.kind === 'number' && field.hashed?.name === name,
    );
    const fits = (one: string): boolean =>
      hashes.every((field) => {
        const part = this.part(field.name);
        const rest = hashOf(one) % (field.residue?.modulus ?? 1n << 32n);
        return part === null || (rest >= part[0] && rest <= part[1]);
      });
    if (hashes.length === 0 || fits(text)) return text;
    const [asked] = hashes;
    if (item.kind !== 'text' || item.second === null || asked?.hashed === undefined) {
      throw new NoExample(`no ${name} has the hash`);
    }
    const domain = DOMAINS[asked.hashed.domain];
    const tests = [...(this.#space.tests.get(name)?.values() ?? [])];
    for (let i = 0; i < MAX_TRIES; i += 1) {
      const more = i.toString(36);
      const found = [text + more, more + text, `${text.slice(0, 1)}${more}${text.slice(1)}`].find(
        (one) =>
          fits(one) &&
          isIn(domain, one) &&
          tests.every((test) => passes(test, one) === passes(test, text)),
      );
      if (found !== undefined) return found;
    }
    throw new NoExample(`no ${name} has the hash`);
  }

  isRepeated(name: string): boolean {
    const level = this.#space.levelOf(name);
    const at = this.#at(name);
    const classes = level === null ? undefined : this.#space.levels[level];
    return classes?.kind === 'text' && at !== null && classes.classes[at]?.kind === 'repeated';
  }

  /** The second of two fields that are not the same takes the second text of their class. */
  #isOther(name: string): boolean {
    return this.#space.levels.some(
      ({ field }) =>
        field.kind === 'same' && field.b.name === name && this.flag(field.name) === false,
    );
  }

  part(name: string): Interval | null {
    const level = this.#space.levelOf(name);
    const at = this.#at(name);
    const classes = level === null ? undefined : this.#space.levels[level];
    return classes?.kind === 'number' && at !== null ? (classes.parts[at] ?? null) : null;
  }

  /** One of some numbers where it fits, else the first that does. */
  number(name: string, preferred: readonly bigint[]): bigint {
    const part = this.part(name);
    if (part === null) return preferred[0] ?? 0n;
    const usual = preferred.find((number) => number >= part[0] && number <= part[1]);
    return usual ?? (part[0] < part[1] ? part[0] + 1n : part[0]);
  }

  /** A draw with what its divisions leave. */
  draw(name: string): bigint {
    const parts = this.fields.flatMap((field) =>
      field.kind === 'number' && field.residue?.of.name === name
        ? [{ modulus: field.residue.modulus, part: this.part(field.name) }]
        : [],
    );
    const all = commonMultiple(parts.map(({ modulus }) => modulus));
    const fits = (value: bigint): boolean =>
      parts.every(({ modulus, part }) => {
        const rest = value % modulus;
        return part === null || (rest >= part[0] && rest <= part[1]);
      });
    if (parts.length === 0) return this.number(name, [0n]);
    for (let value = 0n; value < all; value += 1n) if (fits(value)) return value;
    throw new NoExample(`no ${name} fits`);
  }

  get fields(): readonly Field[] {
    return this.#space.levels.map(({ field }) => field);
  }
}
