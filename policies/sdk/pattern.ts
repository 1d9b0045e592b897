import * as abi from "./abi";
import { View } from "./view";

/**
 * A pattern of paths. Elements between slashes are compared whole: `{name}` and `*` stand for one
 * element that is not empty, `**` at the end for nothing or any more of them; all else is exact.
 *
 * @example
 * const user = pattern("/users/{id}/**");
 * // in a policy function:
 * if (user.matches(request.path)) return Verdict.Allow;
 */
// @ts-ignore: a decorator of AssemblyScript
@inline
export function pattern(text: string): Pattern {
  return changetype<Pattern>(text);
}

// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Pattern {
  /** True where the part is present and matches. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline matches(path: View): bool { return abi.view_matches(changetype<u32>(path), changetype<string>(this)) != 0; }
}
