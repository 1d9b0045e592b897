import * as abi from "./abi";
import { Incomparable } from "./incomparable";
import { View } from "./view";

/**
 * The host that a request is for, with its port if it was sent with one. Hosts have no case, so
 * ASCII letters of either case are equal in every test. It may be absent, and then each is false.
 *
 * @example
 * if (request.host.endsWith(".internal.example")) return Verdict.Deny;
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Host {
  /** True where the host is present and is `text`, a constant. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline is(text: string): bool { return abi.view_is_ignoring_case(changetype<u32>(this), text) != 0; }

  /** True where the host is present and begins with `text`, a constant. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline startsWith(text: string): bool { return abi.view_starts_with_ignoring_case(changetype<u32>(this), text) != 0; }

  /** True where the host is present and ends with `text`, a constant. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline endsWith(text: string): bool { return abi.view_ends_with_ignoring_case(changetype<u32>(this), text) != 0; }

  /** True where the request names a host. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get exists(): bool { return changetype<u32>(this) != 0; }

  /** True where the request names a host that is not empty. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get isPresent(): bool { return (changetype<u32>(this) & 0xffff) != 0; }

  /** The host as it was sent: its case matters. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get bytes(): View { return changetype<View>(changetype<u32>(this)); }

  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("==") static __eq(a: Host, b: Incomparable): bool { return false; }
  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("!=") static __ne(a: Host, b: Incomparable): bool { return true; }
}
