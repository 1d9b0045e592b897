import * as abi from "./abi";
import { Attribute } from "./attribute";
import { CidrSet } from "./cidr-set";
import { Incomparable } from "./incomparable";

/** Numbers of IP protocols, to compare with `connection.protocol`. */
export enum Protocol {
  TCP = 6,
  UDP = 17,
}

/** The address of one side. IPv4-mapped IPv6 addresses count as IPv4. */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Address {
  /** True where one of the set's blocks holds this address. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline in(set: CidrSet): bool { return set.contains(this); }

  /**
   * Word 0 to 3 (a constant) of the 16-byte address as a number, most significant first. An IPv4
   * address is word 3: `10.0.0.1` is 0x0a000001; words 0 to 2 are then 0, 0 and 0xffff.
   */
  // @ts-ignore: a decorator of AssemblyScript
  @inline word(index: u32): u32 { return abi.address_word(changetype<u32>(this), index); }

  /** True for an IPv4 address, also one mapped into IPv6. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get isIPv4(): bool { return abi.family() == 4; }

  /** True for an IPv6 address that is not a mapped IPv4 one. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get isIPv6(): bool { return abi.family() == 6; }

  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("==") static __eq(a: Address, b: Incomparable): bool { return false; }
  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("!=") static __ne(a: Address, b: Incomparable): bool { return true; }
}

/** One side of a connection: who it is and where it runs. */
// @ts-ignore: a decorator of AssemblyScript
@unmanaged
export class Party {
  /** The workload's address; for the destination of routeConnection the asked service's address. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get address(): Address { return changetype<Address>(this); }
  /** The workload's namespace, as `prod`; absent where the side is no known workload. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get namespace(): Attribute { return changetype<Attribute>(abi.attribute(changetype<u32>(this), 0)); }
  /** The workload's service account, as `reviews`; absent where the side is no known workload. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get serviceAccount(): Attribute { return changetype<Attribute>(abi.attribute(changetype<u32>(this), 1)); }
  /** The attested identity, as `cluster.local/ns/prod/sa/reviews`; absent with weft.json `trust: "none"`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get principal(): Attribute { return changetype<Attribute>(abi.attribute(changetype<u32>(this), 2)); }
  /** The trust domain of the identity, as `cluster.local`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get trustDomain(): Attribute { return changetype<Attribute>(abi.attribute(changetype<u32>(this), 3)); }
  /** The workload's name, as `reviews-v1`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get workload(): Attribute { return changetype<Attribute>(abi.attribute(changetype<u32>(this), 4)); }
  /** The region of the workload's locality, as `eu`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get region(): Attribute { return changetype<Attribute>(abi.attribute(changetype<u32>(this), 5)); }
  /** The zone of the workload's locality, as `eu-1`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get zone(): Attribute { return changetype<Attribute>(abi.attribute(changetype<u32>(this), 6)); }
  /** The name of the node on which the workload runs. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get node(): Attribute { return changetype<Attribute>(abi.attribute(changetype<u32>(this), 7)); }
  /** A label of the workload by its key, a constant; absent where the workload lacks the label. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline label(key: string): Attribute { return changetype<Attribute>(abi.label(changetype<u32>(this), key)); }

  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("==") static __eq(a: Party, b: Incomparable): bool { return false; }
  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("!=") static __ne(a: Party, b: Incomparable): bool { return true; }
}

/** The side that is connected to. In routeConnection only its address and port exist. */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Destination extends Party {
  /** The destination port, 0 to 65535: the endpoint's; in routeConnection the asked service's. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get port(): u32 { return abi.destination_port(); }
}

/**
 * A connection, or the first datagram of a UDP flow, about which a policy function is asked.
 *
 * @example
 * export function authorizeConnection(connection: Connection): Verdict {
 *   return connection.destination.port == 443 ? Verdict.Allow : Verdict.Deny;
 * }
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Connection {
  /** The side that connects. It has no port: the kernel has not chosen one when policies are asked. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get source(): Party { return changetype<Party>(0); }
  /** The side that is connected to. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get destination(): Destination { return changetype<Destination>(1); }
  /** The IP protocol's number: `Protocol.TCP` or `Protocol.UDP`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get protocol(): Protocol { return <Protocol>abi.protocol(); }
  /** The address family: 4 or 6. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get family(): u32 { return abi.family(); }
  /** The time of the decision: nanoseconds since 1970-01-01 UTC. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get now(): u64 { return abi.now(); }

  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("==") static __eq(a: Connection, b: Incomparable): bool { return false; }
  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("!=") static __ne(a: Connection, b: Incomparable): bool { return true; }
}
