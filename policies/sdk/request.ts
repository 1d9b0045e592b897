import * as abi from "./abi";
import { Connection, Destination, Party } from "./connection";
import { Host } from "./host";
import { Incomparable } from "./incomparable";
import { View } from "./view";

/**
 * A request on a connection, about which a policy function is asked.
 *
 * @example
 * export function authorizeRequest(request: Request): Verdict {
 *   return request.method.is("GET") ? Verdict.Allow : Verdict.Deny;
 * }
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Request {
  /** The connection that the request came on. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get connection(): Connection { return changetype<Connection>(0); }
  /** The side that sent the request. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get source(): Party { return changetype<Party>(0); }
  /** The side that answers. In routeRequest only its address and port exist. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get destination(): Destination { return changetype<Destination>(1); }
  /** The time of the decision: nanoseconds since 1970-01-01 UTC. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get now(): u64 { return abi.now(); }

  /** The method as sent, as `GET`; its case matters. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get method(): View { return changetype<View>(abi.request_view(0)); }
  /**
   * The request target: path and query in one, after the path was normalised in its place. Behind a path that became
   * shorter stands what was left of it, so it is for logs and splits: decide by `path`, `query` and `queryString`.
   */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get target(): View { return changetype<View>(abi.request_view(1)); }
  /** The normalised path, without query. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get path(): View { return changetype<View>(abi.request_view(2)); }
  /** What follows the `?`; absent where there is none. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get queryString(): View { return changetype<View>(abi.request_view(3)); }
  /** The host that the request is for, with its port if it was sent with one. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get host(): Host { return changetype<Host>(abi.request_view(4)); }
  /**
   * The value of a header by its name, a constant; absent where the request lacks it. One that stands
   * more than once stops the decision (weft.json `failure.trap`), since no line of it says the whole.
   */
  // @ts-ignore: a decorator of AssemblyScript
  @inline header(name: string): View { return changetype<View>(abi.request_header(name)); }

  /**
   * The value of the first query parameter of a name, a constant. Names and values are compared as
   * sent, without decoding; a parameter without `=` has the empty value. It looks at up to 128
   * parameters; more before it stop the decision (weft.json `failure.trap`).
   */
  // @ts-ignore: a decorator of AssemblyScript
  @inline query(name: string): View {
    return named(abi.request_view(3), name, 0x26);
  }

  /** The value of the first cookie of a name, a constant; absent where the request lacks it. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline cookie(name: string): View {
    return named(abi.request_header("cookie"), name, 0x3b);
  }

  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("==") static __eq(a: Request, b: Incomparable): bool { return false; }
  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("!=") static __ne(a: Request, b: Incomparable): bool { return true; }
}

/** The value of the first `name=value` in a list; blanks before a name are skipped. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function named(list: u32, name: string, separator: u32): View {
  const size = load<u32>(changetype<usize>(name) - 4) >> 1;
  let rest = list;
  let found: u32 = 0;
  for (let round: u32 = 0; (rest & 0xffff) != 0; round++) {
    if (round >= 128) unreachable();
    if (separator == 0x3b && abi.view_byte(rest, 0) == 0x20) {
      rest += 0xffff;
      continue;
    }
    const end = abi.view_find(rest, separator);
    const item = (rest & 0xffff0000) | end;
    if (abi.view_starts_with(item, name)) {
      if (end == size) {
        if (separator == 0x26) found = item + (size << 16) - size;
      } else if (abi.view_byte(item, size) == 0x3d) found = item + ((size + 1) << 16) - (size + 1);
      if (found != 0) break;
    }
    if (end == (rest & 0xffff)) break;
    rest = rest + ((end + 1) << 16) - (end + 1);
  }
  return changetype<View>(found);
}
