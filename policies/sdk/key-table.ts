import * as abi from "./abi";
import { Attribute } from "./attribute";
import { Address } from "./connection";
import { at, createList, declaration, keys, List } from "./registry";
import { fromWord, toWord } from "./table";

// Kinds of a part, two bits each in a table's shape; their twin is compiler/abi/key-shape.ts.
const INTEGER: u32 = 1;
const TEXT: u32 = 2;
const ADDRESS: u32 = 3;

/** An address, as a part of a key that is set: `address("2001:db8::1")`. One that is none is an error of the build. */
// @ts-ignore: a decorator of AssemblyScript
@inline
export function address(text: string): AddressText {
  return changetype<AddressText>(text);
}

// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class AddressText {}

/**
 * A table whose keys have two to four parts, filled at the top level and read while deciding. Parts are
 * integers of up to 64 bits, texts (looked up by an Attribute) and addresses, the same kinds in the same
 * order in each key. All parts must be equal; of keys that are set twice the last value counts.
 *
 * @example
 * const peers = new KeyTable<u32>("peers").set2(address("2001:db8::1"), 443, 1).set2(address("10.0.0.1"), 80, 2);
 * // in a policy function:
 * if (peers.get2(connection.source.address, connection.destination.port) == 1) return Verdict.Allow;
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class KeyTable<V> {
  /** Declares an empty table. `name` is for people: it is shown by `weft inspect`. */
  constructor(name: string, __position: u32 = 0) {
    if (isFloat<V>() || isManaged<V>() || isFunction<V>() || sizeof<V>() > 4) ERROR("values are integers of up to 32 bits, bool, an enum, or Route");
    const number = keys().count;
    const item = declaration(keys(), name, __position);
    store<usize>(item, changetype<usize>(createList()), 8);
    return changetype<KeyTable<V>>(number);
  }

  /** Sets the value of a key of two parts. Top level only. */
  set2<A, B>(a: A, b: B, value: V, __position: u32 = 0): this {
    const parts = entry(changetype<u32>(this), 2, toWord<V>(value), __position);
    putPart<A>(parts, a);
    putPart<B>(parts + 16, b);
    return this;
  }

  /** Sets the value of a key of three parts. Top level only. */
  set3<A, B, C>(a: A, b: B, c: C, value: V, __position: u32 = 0): this {
    const parts = entry(changetype<u32>(this), 3, toWord<V>(value), __position);
    putPart<A>(parts, a);
    putPart<B>(parts + 16, b);
    putPart<C>(parts + 32, c);
    return this;
  }

  /** Sets the value of a key of four parts. Top level only. */
  set4<A, B, C, D>(a: A, b: B, c: C, d: D, value: V, __position: u32 = 0): this {
    const parts = entry(changetype<u32>(this), 4, toWord<V>(value), __position);
    putPart<A>(parts, a);
    putPart<B>(parts + 16, b);
    putPart<C>(parts + 32, c);
    putPart<D>(parts + 48, d);
    return this;
  }

  /** The value of a key, or `fallback` (zero, false, no route) where the table lacks it or an attribute is absent. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get2<A, B>(a: A, b: B, fallback: V = fromWord<V>(0)): V {
    const shape = kindOf<A>(a) | (kindOf<B>(b) << 2);
    return fromWord<V>(abi.key_get(changetype<u32>(this), shape, high<A>(a), low<A>(a), high<B>(b), low<B>(b), 0, 0, 0, 0, toWord<V>(fallback)));
  }

  /** As `get2`, for three parts. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get3<A, B, C>(a: A, b: B, c: C, fallback: V = fromWord<V>(0)): V {
    const shape = kindOf<A>(a) | (kindOf<B>(b) << 2) | (kindOf<C>(c) << 4);
    return fromWord<V>(abi.key_get(changetype<u32>(this), shape, high<A>(a), low<A>(a), high<B>(b), low<B>(b), high<C>(c), low<C>(c), 0, 0, toWord<V>(fallback)));
  }

  /** As `get2`, for four parts. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get4<A, B, C, D>(a: A, b: B, c: C, d: D, fallback: V = fromWord<V>(0)): V {
    const shape = kindOf<A>(a) | (kindOf<B>(b) << 2) | (kindOf<C>(c) << 4) | (kindOf<D>(d) << 6);
    return fromWord<V>(abi.key_get(changetype<u32>(this), shape, high<A>(a), low<A>(a), high<B>(b), low<B>(b), high<C>(c), low<C>(c), high<D>(d), low<D>(d), toWord<V>(fallback)));
  }

  /** True where the table holds the key. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline has2<A, B>(a: A, b: B): bool {
    const shape = kindOf<A>(a) | (kindOf<B>(b) << 2);
    return abi.key_has(changetype<u32>(this), shape, high<A>(a), low<A>(a), high<B>(b), low<B>(b), 0, 0, 0, 0) != 0;
  }

  /** As `has2`, for three parts. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline has3<A, B, C>(a: A, b: B, c: C): bool {
    const shape = kindOf<A>(a) | (kindOf<B>(b) << 2) | (kindOf<C>(c) << 4);
    return abi.key_has(changetype<u32>(this), shape, high<A>(a), low<A>(a), high<B>(b), low<B>(b), high<C>(c), low<C>(c), 0, 0) != 0;
  }

  /** As `has2`, for four parts. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline has4<A, B, C, D>(a: A, b: B, c: C, d: D): bool {
    const shape = kindOf<A>(a) | (kindOf<B>(b) << 2) | (kindOf<C>(c) << 4) | (kindOf<D>(d) << 6);
    return abi.key_has(changetype<u32>(this), shape, high<A>(a), low<A>(a), high<B>(b), low<B>(b), high<C>(c), low<C>(c), high<D>(d), low<D>(d)) != 0;
  }
}

function entry(table: u32, parts: u32, value: u32, position: u32): usize {
  const block = heap.alloc(parts * 16);
  const item = changetype<List>(load<u32>(at(keys(), table), 8)).append();
  store<usize>(item, block);
  store<u32>(item, position, 4);
  store<u32>(item, value, 8);
  store<u32>(item, parts, 12);
  return block;
}

function putPart<T>(part: usize, value: T): void {
  store<u64>(part, 0);
  store<u32>(part, 0, 12);
  if (isString<T>()) {
    store<u32>(part, changetype<u32>(value));
    store<u32>(part, TEXT, 8);
  } else if (isInteger<T>()) {
    store<u64>(part, <u64>value);
    store<u32>(part, INTEGER, 8);
  } else if (value instanceof AddressText) {
    store<u32>(part, changetype<u32>(value));
    store<u32>(part, ADDRESS, 8);
  } else ERROR("parts of a key are texts, integers of up to 64 bits, or address(\"...\")");
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function kindOf<T>(value: T): u32 {
  if (isInteger<T>()) return INTEGER;
  else if (value instanceof Address) return ADDRESS;
  else return TEXT;
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function high<T>(value: T): u64 {
  if (value instanceof Address) return (<u64>value.word(0) << 32) | <u64>value.word(1);
  return 0;
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function low<T>(value: T): u64 {
  if (value instanceof Address) return (<u64>value.word(2) << 32) | <u64>value.word(3);
  else if (value instanceof Attribute) return <u64>changetype<u32>(value);
  else if (isString<T>()) return <u64>abi.symbol(changetype<string>(changetype<usize>(value)));
  else if (isInteger<T>()) return <u64>value;
  else ERROR("parts of a key are attributes, addresses, texts, or integers of up to 64 bits");
  return 0;
}
