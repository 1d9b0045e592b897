/**
 * What a policy function says about a connection. The compiler gives each written `Verdict.X` the
 * number of its source position, so that a decision can name its line; comparing ignores it.
 *
 * @example
 * return connection.destination.port == 443 ? Verdict.Allow : Verdict.Deny;
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Verdict {
  /** The connection may be made, unless another policy of the same target says Deny. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline static get Allow(): Verdict { return changetype<Verdict>(1); }
  /** The connection is refused, whatever other policies say. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline static get Deny(): Verdict { return changetype<Verdict>(2); }
  /** No opinion. Where no policy allows, the project's default decides. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline static get Pass(): Verdict { return changetype<Verdict>(3); }
  /** No opinion, and the connection is marked in events and counters. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline static get Audit(): Verdict { return changetype<Verdict>(4); }

  /** The verdict's number without its source position: 1 Allow, 2 Deny, 3 Pass, 4 Audit. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get code(): u32 { return changetype<u32>(this) & 0xff; }

  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("==") static __eq(a: Verdict, b: Verdict): bool { return a.code == b.code; }
  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("!=") static __ne(a: Verdict, b: Verdict): bool { return a.code != b.code; }

  /** For the compiler: a verdict with its source position. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline static __at(word: u32): Verdict { return changetype<Verdict>(word); }
}
