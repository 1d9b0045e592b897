import * as abi from "./abi";
import { Incomparable } from "./incomparable";
import { Table } from "./table";

// @ts-ignore: a decorator of AssemblyScript
@inline
function sizeOf(text: string): u32 {
  return load<u32>(changetype<usize>(text) - 4) >> 1;
}

/** A view without its first `count` bytes, of which it has as many. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function skip(view: u32, count: u32): u32 {
  return view + (count << 16) - count;
}

/**
 * A part of a request: the method, the path, a header and so on. It may be absent, and then every
 * positive test is false. Bytes are compared as they were sent, except that the path is normalised.
 * Texts to compare with are constants.
 *
 * @example
 * if (request.method.is("GET") && request.path.startsWith("/public/")) return Verdict.Allow;
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class View {
  /** True where the part is present and is exactly `text`. Use it instead of `==` with a literal. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline is(text: string): bool { return abi.view_is(changetype<u32>(this), text) != 0; }

  /** As `is`, with ASCII letters of either case equal. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline equalsIgnoreCase(text: string): bool { return abi.view_is_ignoring_case(changetype<u32>(this), text) != 0; }

  /** As `startsWith`, with ASCII letters of either case equal. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline startsWithIgnoreCase(text: string): bool { return abi.view_starts_with_ignoring_case(changetype<u32>(this), text) != 0; }

  /** True where the part is present and begins with `text`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline startsWith(text: string): bool { return abi.view_starts_with(changetype<u32>(this), text) != 0; }

  /** True where the part is present and ends with `text`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline endsWith(text: string): bool { return abi.view_ends_with(changetype<u32>(this), text) != 0; }

  /**
   * True where the part is present and contains `text`. It looks at up to 128 places where the first
   * byte of `text` stands; more stop the decision (weft.json `failure.trap`).
   */
  // @ts-ignore: a decorator of AssemblyScript
  @inline contains(text: string): bool {
    const size = sizeOf(text);
    let rest = changetype<u32>(this);
    if (size == 0) return rest != 0;
    const first = <u32>load<u16>(changetype<usize>(text));
    let found = false;
    for (let round: u32 = 0; (rest & 0xffff) >= size; round++) {
      if (round >= 128) unreachable();
      rest = skip(rest, abi.view_find(rest, first));
      if (abi.view_starts_with(rest, text)) { found = true; break; }
      if ((rest & 0xffff) == 0) break;
      rest = skip(rest, 1);
    }
    return found;
  }

  /** True where the table holds a key with these bytes. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline in<V>(table: Table<V>): bool { return abi.view_table_has(changetype<u32>(table), changetype<u32>(this)) != 0; }

  /** True where the part exists, even as the empty text. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get exists(): bool { return changetype<u32>(this) != 0; }

  /** True where the part exists and is not the empty text. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get isPresent(): bool { return (changetype<u32>(this) & 0xffff) != 0; }

  /** How many bytes the part has; 0 where it is absent. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get length(): u32 { return changetype<u32>(this) & 0xffff; }

  /** The byte at an index, or -1 outside of the part. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline at(index: u32): i32 { return <i32>abi.view_byte(changetype<u32>(this), index); }

  /** The index of the first byte that equals `byte`, or the length where none does. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline find(byte: u32): u32 { return abi.view_find(changetype<u32>(this), byte); }

  /** The bytes from `from` up to `to`, both cut to the length. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline slice(from: u32, to: u32 = 0xffff): View {
    const view = changetype<u32>(this);
    const length = view & 0xffff;
    const end = min(to, length);
    const start = min(from, end);
    return changetype<View>((view & 0xffff0000) + (start << 16) + end - start);
  }

  /** The part as a decimal number, or `fallback` where it is none that fits 32 bits. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline toU32(fallback: u32 = 0): u32 {
    const view = changetype<u32>(this);
    const length = view & 0xffff;
    let value: u64 = 0;
    let valid = length - 1 < 10;
    for (let i: u32 = 0; i < 10; i++) {
      if (i >= length) break;
      const digit = abi.view_byte(view, i) - 48;
      if (digit > 9) { valid = false; break; }
      value = value * 10 + digit;
    }
    return valid && value <= 0xffffffff ? <u32>value : fallback;
  }

  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("==") static __eq(a: View, b: Incomparable): bool { return false; }
  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("!=") static __ne(a: View, b: Incomparable): bool { return true; }
}
