import * as abi from "./abi";
import { at, createList, declaration, List, ports } from "./registry";

/**
 * A set of ports and ranges of ports, declared at the top level and asked while deciding.
 *
 * @example
 * const web = new PortSet("web").add(80).add(443).add(8000, 8999);
 * // in a policy function:
 * if (web.contains(connection.destination.port)) return Verdict.Allow;
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class PortSet {
  /** Declares an empty set. `name` is for people: it is shown by `weft inspect`. */
  constructor(name: string, __position: u32 = 0) {
    const number = ports().count;
    const item = declaration(ports(), name, __position);
    store<usize>(item, changetype<usize>(createList()), 8);
    return changetype<PortSet>(number);
  }

  /**
   * Adds the ports from `first` to `last`, both of them too; without `last`, or where it is 0, `first`
   * alone. A number above 65535, or a range that ends before it begins, is an error of the build.
   */
  add(first: u32, last: u32 = 0, __position: u32 = 0): this {
    const item = changetype<List>(load<u32>(at(ports(), changetype<u32>(this)), 8)).append();
    store<u32>(item, first);
    store<u32>(item, __position, 4);
    store<u32>(item, last == 0 ? first : last, 8);
    return this;
  }

  /** True where one of the set's ranges holds `port`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline contains(port: u32): bool {
    return abi.ports_contain(changetype<u32>(this), port) != 0;
  }
}
