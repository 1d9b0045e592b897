import * as abi from "./abi";
import { Host } from "./host";
import { at, createList, declaration, List, patterns } from "./registry";
import { fromWord, toWord } from "./table";
import { View } from "./view";

/**
 * Values by patterns of paths, filled at the top level and read while deciding. A pattern is one of
 * `pattern`: `/files/**` for a path and all below it, `{name}` or `*` for one element. Of the patterns
 * that match a path the most special one counts: element by element from the left, one that is written
 * out goes before `{name}`, and that before `**`. The order of `set` does not matter. A look-up costs
 * about the same for ten patterns and for ten thousand: it goes by the elements of the path.
 *
 * @example
 * const api = new PathTable<Route>("api").set("/users/{id}/**", users).set("/users/me", me);
 * // in a policy function:
 * return api.get(request.path);
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class PathTable<V> {
  /** Declares an empty table. `name` is for people: it is shown by `weft inspect`. */
  constructor(name: string, __position: u32 = 0) {
    return changetype<PathTable<V>>(declare<V>(name, 0, __position));
  }

  /** Sets the value of a pattern; setting the same one again replaces the value. Top level only. */
  set(pattern: string, value: V, __position: u32 = 0): this {
    put(changetype<u32>(this), pattern, toWord<V>(value), __position);
    return this;
  }

  /** The value for a path; zero (false, no route) where no pattern matches or the part is absent. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get(path: View): V { return fromWord<V>(abi.view_pattern_get(changetype<u32>(this), changetype<u32>(path), 0)); }

  /** The value for a path, or `fallback` where no pattern matches or the part is absent. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline getOr(path: View, fallback: V): V { return fromWord<V>(abi.view_pattern_get(changetype<u32>(this), changetype<u32>(path), toWord<V>(fallback))); }

  /** True where a pattern matches the path. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline has(path: View): bool { return abi.view_pattern_has(changetype<u32>(this), changetype<u32>(path)) != 0; }
}

/**
 * Values by names of hosts, filled at the top level and read while deciding. `*.example.com` stands for
 * every host that ends so and has something before it, not for `example.com`; `*` for every host. The
 * whole name counts first, then the longest end. Hosts have no case, and the port is not looked at.
 *
 * @example
 * const sites = new HostTable<u32>("sites").set("example.com", 1).set("*.example.com", 2);
 * // in a policy function:
 * if (sites.get(request.host) == 2) return Verdict.Allow;
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class HostTable<V> {
  /** Declares an empty table. `name` is for people: it is shown by `weft inspect`. */
  constructor(name: string, __position: u32 = 0) {
    return changetype<HostTable<V>>(declare<V>(name, 1, __position));
  }

  /** Sets the value of a name; setting the same one again replaces the value. Top level only. */
  set(host: string, value: V, __position: u32 = 0): this {
    put(changetype<u32>(this), host, toWord<V>(value), __position);
    return this;
  }

  /** The value for a host; zero (false, no route) where no name fits or the host is absent. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get(host: Host): V { return fromWord<V>(abi.view_pattern_get(changetype<u32>(this), changetype<u32>(host), 0)); }

  /** The value for a host, or `fallback` where no name fits or the host is absent. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline getOr(host: Host, fallback: V): V { return fromWord<V>(abi.view_pattern_get(changetype<u32>(this), changetype<u32>(host), toWord<V>(fallback))); }

  /** True where a name fits the host. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline has(host: Host): bool { return abi.view_pattern_has(changetype<u32>(this), changetype<u32>(host)) != 0; }
}

/**
 * Values by regular expressions, filled at the top level and read while deciding. The whole text must match; of
 * the expressions that match the one that was set first counts. They mean what RE2 says, over bytes; what needs
 * more than states (back references, looking around, `\b`) is an error of the build. All expressions of a table
 * become one automaton: a look-up costs a step for each byte of the text, however many there are.
 *
 * @example
 * const kinds = new RegexTable<u32>("kinds").set("/v[0-9]+/.*", 1).set("(?i).*\\.php", 2);
 * // in a policy function:
 * if (kinds.get(request.path) == 2) return Verdict.Deny;
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class RegexTable<V> {
  /** Declares an empty table. `name` is for people: it is shown by `weft inspect`. */
  constructor(name: string, __position: u32 = 0) {
    return changetype<RegexTable<V>>(declare<V>(name, 2, __position));
  }

  /** Sets the value of an expression; setting the same one again replaces the value. Top level only. */
  set(expression: string, value: V, __position: u32 = 0): this {
    put(changetype<u32>(this), expression, toWord<V>(value), __position);
    return this;
  }

  /** The value for a text; zero (false, no route) where no expression matches or the part is absent. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get(text: View): V { return fromWord<V>(abi.view_pattern_get(changetype<u32>(this), changetype<u32>(text), 0)); }

  /** The value for a text, or `fallback` where no expression matches or the part is absent. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline getOr(text: View, fallback: V): V { return fromWord<V>(abi.view_pattern_get(changetype<u32>(this), changetype<u32>(text), toWord<V>(fallback))); }

  /** True where an expression matches the text. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline has(text: View): bool { return abi.view_pattern_has(changetype<u32>(this), changetype<u32>(text)) != 0; }
}

function declare<V>(name: string, kind: u32, position: u32): u32 {
  if (isFloat<V>() || isManaged<V>() || isFunction<V>() || sizeof<V>() > 4) ERROR("values are integers of up to 32 bits, bool, an enum, or Route");
  const number = patterns().count;
  const item = declaration(patterns(), name, position);
  store<usize>(item, changetype<usize>(createList()), 8);
  store<u32>(item, kind, 12);
  return number;
}

function put(table: u32, text: string, value: u32, position: u32): void {
  const item = changetype<List>(load<u32>(at(patterns(), table), 8)).append();
  store<usize>(item, changetype<usize>(text));
  store<u32>(item, position, 4);
  store<u32>(item, value, 8);
}
