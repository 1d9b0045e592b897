import * as abi from "./abi";
import { Address } from "./connection";
import { at, createList, declaration, List, sets } from "./registry";

/**
 * A set of address blocks, declared at the top level and asked while deciding. IPv4 and IPv6 never
 * match each other; an IPv4-mapped IPv6 address counts as IPv4.
 *
 * @example
 * const office = new CidrSet("office").add("10.8.0.0/16").add("2001:db8::/32");
 * // in a policy function:
 * if (connection.source.address.in(office)) return Verdict.Allow;
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class CidrSet {
  /** Declares an empty set. `name` is for people: it is shown by `weft inspect`. */
  constructor(name: string, __position: u32 = 0) {
    const number = sets().count;
    const item = declaration(sets(), name, __position);
    store<usize>(item, changetype<usize>(createList()), 8);
    return changetype<CidrSet>(number);
  }

  /**
   * Adds a block as `address/length`, or a single address. Bits behind the length are ignored, so
   * `10.1.2.3/8` is `10.0.0.0/8`. A text that is neither is an error of the build.
   */
  add(text: string, __position: u32 = 0): this {
    const item = changetype<List>(load<u32>(at(sets(), changetype<u32>(this)), 8)).append();
    store<usize>(item, changetype<usize>(text));
    store<u32>(item, __position, 4);
    return this;
  }

  /** True where one of the set's blocks holds `address`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline contains(address: Address): bool {
    return abi.cidr_contains(changetype<u32>(this), changetype<u32>(address)) != 0;
  }
}
