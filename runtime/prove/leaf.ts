/**
 * Values of a symbolic run. A value is a list of what it may be, each with the inputs for which it is that: a
 * constant, or something of the input that was not compared with anything yet.
 */
import type { SideName } from '../../compiler/abi/index.js';
import type { NumberField, TextField } from './field.js';
import type { Guard } from './guards.js';
import type { NumberTerm } from './intervals.js';

interface LeafOf<Kind extends string> {
  readonly kind: Kind;
  /** Equal leaves have the same; it does not depend on the bundle. */
  readonly key: string;
}
export type Leaf =
  | (LeafOf<'const'> & { readonly value: bigint })
  | (LeafOf<'number'> & { readonly field: NumberField; readonly term: NumberTerm })
  /** The number that stands for a field's text: 0 where it is absent. */
  | (LeafOf<'symbol-of'> & { readonly field: TextField })
  /** The number of a constant text. */
  | (LeafOf<'symbol'> & { readonly text: string })
  /** Principals are made of three other fields. */
  | (LeafOf<'principal'> & { readonly side: SideName })
  /** Place and length of a part of the request: 0 where it is absent. */
  | (LeafOf<'view'> & { readonly field: TextField })
  | (LeafOf<'length'> & { readonly field: TextField })
  /** A byte of a part at an index, or -1 outside of it; and what is made of it. */
  | (LeafOf<'byte'> & {
      readonly field: TextField;
      readonly index: number;
      readonly term: NumberTerm;
    })
  /** Two of 32 bits, one above the other: what a subprogram returns. */
  | (LeafOf<'pair'> & { readonly high: Leaf; readonly low: Leaf })
  /** One of many constants, from first to last. */
  | (LeafOf<'range'> & { readonly low: bigint; readonly high: bigint })
  /** Not looked into. */
  | (LeafOf<'opaque'> & { readonly number: number });

/** What a value may be, each with where it is that; no two leaves are the same, no guard is empty. */
export type Value = readonly (readonly [Leaf, Guard])[];

const constants = new Map<bigint, Leaf>();

export function constant(value: bigint): Leaf {
  const known = constants.get(value);
  if (known !== undefined) return known;
  const made: Leaf = { kind: 'const', key: value.toString(), value };
  if (constants.size < 100_000) constants.set(value, made);
  return made;
}

/** The text of a number's term, as a key. */
export function termKey(term: NumberTerm): string {
  switch (term.op) {
    case 'input':
      return 'x';
    case 'const':
      return term.value.toString();
    case 'word':
      return `x.${term.shift}`;
    case 'unary':
      return `(${term.kind}${term.type} ${termKey(term.a)})`;
    case 'binary':
      return `(${termKey(term.a)} ${term.kind}${term.type} ${termKey(term.b)})`;
  }
}

export function numberLeaf(field: NumberField, term: NumberTerm): Leaf {
  return { kind: 'number', key: `${field.name} ${termKey(term)}`, field, term };
}

export function byteLeaf(field: TextField, index: number, term: NumberTerm): Leaf {
  return { kind: 'byte', key: `byte ${index} ${field.name} ${termKey(term)}`, field, index, term };
}

export function viewLeaf(field: TextField): Leaf {
  return { kind: 'view', key: `view ${field.name}`, field };
}
export function lengthLeaf(field: TextField): Leaf {
  return { kind: 'length', key: `length ${field.name}`, field };
}
export function textLeaf(field: TextField): Leaf {
  return { kind: 'symbol-of', key: `text ${field.name}`, field };
}
export function symbolLeaf(text: string): Leaf {
  return { kind: 'symbol', key: `symbol ${JSON.stringify(text)}`, text };
}
export function principalLeaf(side: SideName): Leaf {
  return { kind: 'principal', key: `principal ${side}`, side };
}
export function rangeLeaf(low: bigint, high: bigint): Leaf {
  return low === high ? constant(low) : { kind: 'range', key: `${low}..${high}`, low, high };
}
export function pairLeaf(high: Leaf, low: Leaf): Leaf {
  if (high.kind === 'const' && low.kind === 'const')
    return constant((high.value << 32n) | low.value);
  return { kind: 'pair', key: `${high.key}:${low.key}`, high, low };
}

/** What is opaque, numbered: the same expression has the same number in every bundle. */
export class Opaques {
  readonly #numbers = new Map<string, number>();
  /** Where each was met first: `file:line` of a bundle. */
  readonly #places = new Map<number, string>();

  /** The leaf of an expression. */
  leaf(expression: string, at: string | null): Leaf {
    const number = this.#numbers.get(expression) ?? this.#numbers.size;
    this.#numbers.set(expression, number);
    if (at !== null && !this.#places.has(number)) this.#places.set(number, at);
    return { kind: 'opaque', key: `?${number}`, number };
  }

  placeOf(number: number): string | null {
    return this.#places.get(number) ?? null;
  }
}
