import * as abi from "./abi";
import { Address } from "./connection";
import { declaration, routes } from "./registry";
import { View } from "./view";

/**
 * Where a connection or request goes: a route that was declared at the top level, or `Route.None`. The
 * compiler gives each returned route the number of its source position; comparing ignores it.
 */
// @ts-ignore: a decorator of AssemblyScript
@unmanaged
export class Route {
  /** No opinion: the next policy decides, or the service's own balancing over all its endpoints. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline static get None(): Route { return changetype<Route>(0); }

  /** True for every route but `Route.None`. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get exists(): bool { return (changetype<u32>(this) & 0xffff) != 0; }

  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("==") static __eq(a: Route, b: Route): bool {
    return (changetype<u32>(a) & 0xffff) == (changetype<u32>(b) & 0xffff);
  }
  // @ts-ignore: a decorator of AssemblyScript
  @inline @operator("!=") static __ne(a: Route, b: Route): bool {
    return (changetype<u32>(a) & 0xffff) != (changetype<u32>(b) & 0xffff);
  }

  /** For the compiler: a returned route with its source position, unless it has one already. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline static __at(route: Route, site: u32): Route {
    const word = changetype<u32>(route);
    return changetype<Route>(word != 0 && word <= 0xffff ? word | (site << 16) : word);
  }
}

/**
 * Declares a cluster of a service, at the top level: `cluster("reviews", "v1")`, or in full
 * `cluster("reviews.prod/v1")`. A cluster that the world lacks is an error of `weft check`.
 *
 * @example
 * const stable = cluster("reviews", "v1");
 */
export function cluster(service: string, version: string | null = null, __position: u32 = 0): Route {
  const item = declaration(routes(), service, __position);
  store<usize>(item, changetype<usize>(version), 8);
  return changetype<Route>(routes().count);
}

/**
 * Divides connections by weight, with the one random draw that each connection has: draw modulo
 * the sum of weights, then the first interval that holds it. Weights need no particular sum; a sum
 * of zero, or above 4294967295, stops the decision. Two splits of the same connection use the same draw.
 *
 * @example
 * return split(stable, 90, canary, 10);
 */
// @ts-ignore: a decorator of AssemblyScript
@inline
export function split(
  a: Route, weightA: u32, b: Route, weightB: u32,
  c: Route = Route.None, weightC: u32 = 0, d: Route = Route.None, weightD: u32 = 0,
): Route {
  return choose(abi.random(), a, weightA, b, weightB, c, weightC, d, weightD);
}

/**
 * As `split`, but sticky: equal keys go the same way. The key is a part of the request or an address,
 * and its hash stands for the draw; where the part is absent, the random draw decides.
 *
 * @example
 * return splitBy(request.cookie("session"), stable, 90, canary, 10);
 */
// @ts-ignore: a decorator of AssemblyScript
@inline
export function splitBy<K>(
  key: K, a: Route, weightA: u32, b: Route, weightB: u32,
  c: Route = Route.None, weightC: u32 = 0, d: Route = Route.None, weightD: u32 = 0,
): Route {
  let draw: u32 = 0;
  if (key instanceof Address) draw = addressHash(changetype<u32>(key));
  else if (key instanceof View) {
    const view = changetype<u32>(key);
    draw = view == 0 ? abi.random() : abi.view_hash(view);
  } else ERROR("the key of splitBy is a part of the request or an address");
  return choose(draw, a, weightA, b, weightB, c, weightC, d, weightD);
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function addressHash(side: u32): u32 {
  let hash: u64 = 0;
  hash = mix(hash ^ <u64>abi.address_word(side, 0));
  hash = mix(hash ^ <u64>abi.address_word(side, 1));
  hash = mix(hash ^ <u64>abi.address_word(side, 2));
  hash = mix(hash ^ <u64>abi.address_word(side, 3));
  return <u32>mix(hash);
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function mix(value: u64): u64 {
  const product = value * 0x9e3779b97f4a7c15;
  return product ^ (product >> 32);
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function choose(
  number: u32, a: Route, weightA: u32, b: Route, weightB: u32,
  c: Route, weightC: u32, d: Route, weightD: u32,
): Route {
  // Weights that wrapped around would divide by another sum than was written.
  if (<u64>weightA + <u64>weightB + <u64>weightC + <u64>weightD > <u64>u32.MAX_VALUE) unreachable();
  const draw = number % (weightA + weightB + weightC + weightD);
  if (draw < weightA) return a;
  if (weightC + weightD == 0 || draw < weightA + weightB) return b;
  if (weightD == 0 || draw < weightA + weightB + weightC) return c;
  return d;
}
