import * as abi from "./abi";
import { Attribute } from "./attribute";
import { View } from "./view";
import { at, createList, declaration, List, tables } from "./registry";

/**
 * A table with exact keys, filled at the top level and read while deciding. Keys are texts (looked
 * up by an Attribute) or integers of up to 64 bits, not both in one table. Values are integers of
 * up to 32 bits, booleans, enums, or routes.
 *
 * @example
 * const plans = new Table<u32>("plans");
 * for (let i = 0; i < 100; i++) plans.set("tenant-" + i.toString(), i % 3);
 * // in a policy function:
 * if (plans.get(connection.source.label("tenant")) == 2) return Verdict.Allow;
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Table<V> {
  /** Declares an empty table. `name` is for people: it is shown by `weft inspect`. */
  constructor(name: string, __position: u32 = 0) {
    if (isFloat<V>() || isManaged<V>() || isFunction<V>() || sizeof<V>() > 4) ERROR("values of a Table are integers of up to 32 bits, bool, an enum, or Route");
    const number = tables().count;
    const item = declaration(tables(), name, __position);
    store<usize>(item, changetype<usize>(createList()), 8);
    return changetype<Table<V>>(number);
  }

  /** Sets the value of a key; setting the same key again replaces the value. Top level only. */
  set<K>(key: K, value: V): this {
    const item = changetype<List>(load<u32>(at(tables(), changetype<u32>(this)), 8)).append();
    if (isString<K>()) {
      store<u64>(item, <u64>changetype<usize>(key));
      store<u32>(item, 2, 12);
    } else if (isInteger<K>()) {
      store<u64>(item, <u64>key);
      store<u32>(item, 1, 12);
    } else ERROR("keys of a Table are texts or integers of up to 64 bits");
    if (isReference<V>()) store<u32>(item, changetype<u32>(value), 8);
    else store<u32>(item, <u32>value, 8);
    return this;
  }

  /** The value of a key; zero (false, no route) where the table lacks it or the attribute is absent. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get<K>(key: K): V {
    if (key instanceof View) return fromWord<V>(abi.view_table_get(changetype<u32>(this), changetype<u32>(key), 0));
    return fromWord<V>(abi.table_get(changetype<u32>(this), keyWord<K>(key), 0));
  }

  /** The value of a key, or `fallback` where the table lacks it or the attribute is absent. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline getOr<K>(key: K, fallback: V): V {
    if (key instanceof View) {
      return fromWord<V>(abi.view_table_get(changetype<u32>(this), changetype<u32>(key), toWord<V>(fallback)));
    }
    return fromWord<V>(abi.table_get(changetype<u32>(this), keyWord<K>(key), toWord<V>(fallback)));
  }

  /** True where the table holds the key. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline has<K>(key: K): bool {
    if (key instanceof View) return abi.view_table_has(changetype<u32>(this), changetype<u32>(key)) != 0;
    return abi.table_has(changetype<u32>(this), keyWord<K>(key)) != 0;
  }
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function keyWord<K>(key: K): u64 {
  if (isString<K>()) return <u64>abi.symbol(changetype<string>(changetype<usize>(key)));
  else if (isReference<K>()) {
    if (!(key instanceof Attribute)) ERROR("keys of a Table are texts, attributes or integers of up to 64 bits");
    return <u64>changetype<u32>(key);
  } else if (isInteger<K>()) return <u64>key;
  else ERROR("keys of a Table are texts, attributes or integers of up to 64 bits");
  return 0;
}

// @ts-ignore: a decorator of AssemblyScript
@inline
export function fromWord<V>(word: u32): V {
  if (isReference<V>()) return changetype<V>(<usize>word);
  else return <V>word;
}

// @ts-ignore: a decorator of AssemblyScript
@inline
export function toWord<V>(value: V): u32 {
  if (isReference<V>()) return <u32>changetype<usize>(value);
  else return <u32>value;
}
