import * as abi from "./abi";

/**
 * A text about one side of a connection, such as its namespace or a label. It may be absent, and
 * then every positive test is false; `!=` is the negation of `==`, so it is true.
 *
 * @example
 * if (connection.source.namespace.is("prod")) return Verdict.Allow;
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Attribute {
  /** True where the attribute is present and is exactly `text`. Use it instead of `==` with a literal. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline is(text: string): bool { return changetype<u32>(this) == abi.symbol(text); }

  /** True where the attribute exists, even as the empty text. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get exists(): bool { return changetype<u32>(this) != 0; }

  /** True where the attribute exists and is not the empty text. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get isPresent(): bool { return changetype<u32>(this) > 1; }

  /** True where the attribute exists and begins with `text`, a constant. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline startsWith(text: string): bool { return abi.text_starts_with(changetype<u32>(this), text) != 0; }

  /** True where the attribute exists and ends with `text`, a constant. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline endsWith(text: string): bool { return abi.text_ends_with(changetype<u32>(this), text) != 0; }

  /** True where the attribute exists and contains `text`, a constant. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline contains(text: string): bool { return abi.text_contains(changetype<u32>(this), text) != 0; }

  // Both present and equal: an absent attribute equals nothing, not even another absent one.
  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("==") static __eq(a: Attribute, b: Attribute): bool {
    return <bool>(u32(changetype<u32>(a) == changetype<u32>(b)) & u32(changetype<u32>(a) != 0));
  }
  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("!=") static __ne(a: Attribute, b: Attribute): bool {
    return <bool>(u32(changetype<u32>(a) != changetype<u32>(b)) | u32(changetype<u32>(a) == 0));
  }
}
