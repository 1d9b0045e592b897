import * as abi from "./abi";
import { Connection, Protocol } from "./connection";
import { at, createList, declaration, List, rules } from "./registry";
import { fromWord, toWord } from "./table";

// Kinds of a list's items; their twin is compiler/frontend/read-rules.ts.
const RULE: u32 = 0;
const SOURCE: u32 = 1;
const DESTINATION: u32 = 2;
const PORT: u32 = 3;
const PROTOCOL: u32 = 4;
const KIND: u32 = 5;
const OF_SOURCE: u32 = 16;
const OF_DESTINATION: u32 = 32;
// Numbers of attributes are those of Party.
const NAMESPACE: u32 = 0;
const SERVICE_ACCOUNT: u32 = 1;
const PRINCIPAL: u32 = 2;
const TRUST_DOMAIN: u32 = 3;
const WORKLOAD: u32 = 4;
const REGION: u32 = 5;
const ZONE: u32 = 6;
const NODE: u32 = 7;
const LABEL: u32 = 8;

/**
 * Rules with a priority, filled at the top level and asked while deciding: the value of the first rule that a
 * connection meets. `add` begins a rule, what follows says where it holds: it must meet one of what is said of
 * each part (`.port(80).port(443)` is either), and what nothing is said of may be anything. Rules with a lower
 * priority number go first, of the same number the one that was added first. A look-up costs about the same for
 * ten rules and for a hundred thousand.
 *
 * @example
 * const firewall = new RuleList<Verdict>("firewall")
 *   .add(Verdict.Deny).source("10.1.0.0/16").port(22)
 *   .add(Verdict.Allow).source("10.0.0.0/8").port(8000, 8999).sourceNamespace("prod");
 * // in a policy function:
 * return firewall.get(connection, Verdict.Pass);
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class RuleList<V> {
  /** Declares an empty list. `name` is for people: it is shown by `weft inspect`. */
  constructor(name: string, __position: u32 = 0) {
    if (isFloat<V>() || isManaged<V>() || isFunction<V>() || sizeof<V>() > 4) ERROR("values are integers of up to 32 bits, bool, an enum, Verdict, or Route");
    const number = rules().count;
    const item = declaration(rules(), name, __position);
    store<usize>(item, changetype<usize>(createList()), 8);
    return changetype<RuleList<V>>(number);
  }

  /** Begins a rule; without what follows it holds for everything. Top level only. */
  add(value: V, priority: i32 = 0, __position: u32 = 0): this {
    put(changetype<u32>(this), RULE, toWord<V>(value), <u32>priority, __position);
    return this;
  }

  /** Where the source's address lies in a block, `10.0.0.0/8` or `2001:db8::/32`, or is this one. */
  source(block: string, __position: u32 = 0): this {
    put(changetype<u32>(this), SOURCE, changetype<u32>(block), 0, __position);
    return this;
  }

  /** Where the destination's address lies in a block, or is this one. */
  destination(block: string, __position: u32 = 0): this {
    put(changetype<u32>(this), DESTINATION, changetype<u32>(block), 0, __position);
    return this;
  }

  /** Where the destination port is `first`, or one from there to `last`, which is in it too. */
  port(first: u32, last: u32 = 0, __position: u32 = 0): this {
    put(changetype<u32>(this), PORT, first, last == 0 ? first : last, __position);
    return this;
  }

  /** Where the IP protocol is this one. */
  protocol(protocol: Protocol): this {
    put(changetype<u32>(this), PROTOCOL, <u32>protocol, 0, 0);
    return this;
  }

  /** Where `get` is given this number: what a table made of other parts, such as a request's path. */
  kind(number: u32, __position: u32 = 0): this {
    put(changetype<u32>(this), KIND, number, 0, __position);
    return this;
  }

  /** Where the source's namespace is this text. An attribute that is absent is no text. */
  sourceNamespace(text: string): this { return this.__is(OF_SOURCE + NAMESPACE, text, 0); }
  /** Where the source's service account is this text. */
  sourceServiceAccount(text: string): this { return this.__is(OF_SOURCE + SERVICE_ACCOUNT, text, 0); }
  /** Where the source's attested identity is this text. */
  sourcePrincipal(text: string): this { return this.__is(OF_SOURCE + PRINCIPAL, text, 0); }
  /** Where the trust domain of the source's identity is this text. */
  sourceTrustDomain(text: string): this { return this.__is(OF_SOURCE + TRUST_DOMAIN, text, 0); }
  /** Where the source's workload is this text. */
  sourceWorkload(text: string): this { return this.__is(OF_SOURCE + WORKLOAD, text, 0); }
  /** Where the source's region is this text. */
  sourceRegion(text: string): this { return this.__is(OF_SOURCE + REGION, text, 0); }
  /** Where the source's zone is this text. */
  sourceZone(text: string): this { return this.__is(OF_SOURCE + ZONE, text, 0); }
  /** Where the source's node is this text. */
  sourceNode(text: string): this { return this.__is(OF_SOURCE + NODE, text, 0); }
  /** Where a label of the source's workload is this text. */
  sourceLabel(key: string, text: string): this { return this.__is(OF_SOURCE + LABEL, text, changetype<u32>(key)); }

  /** Where the destination's namespace is this text. */
  destinationNamespace(text: string): this { return this.__is(OF_DESTINATION + NAMESPACE, text, 0); }
  /** Where the destination's service account is this text. */
  destinationServiceAccount(text: string): this { return this.__is(OF_DESTINATION + SERVICE_ACCOUNT, text, 0); }
  /** Where the destination's attested identity is this text. */
  destinationPrincipal(text: string): this { return this.__is(OF_DESTINATION + PRINCIPAL, text, 0); }
  /** Where the trust domain of the destination's identity is this text. */
  destinationTrustDomain(text: string): this { return this.__is(OF_DESTINATION + TRUST_DOMAIN, text, 0); }
  /** Where the destination's workload is this text. */
  destinationWorkload(text: string): this { return this.__is(OF_DESTINATION + WORKLOAD, text, 0); }
  /** Where the destination's region is this text. */
  destinationRegion(text: string): this { return this.__is(OF_DESTINATION + REGION, text, 0); }
  /** Where the destination's zone is this text. */
  destinationZone(text: string): this { return this.__is(OF_DESTINATION + ZONE, text, 0); }
  /** Where the destination's node is this text. */
  destinationNode(text: string): this { return this.__is(OF_DESTINATION + NODE, text, 0); }
  /** Where a label of the destination's workload is this text. */
  destinationLabel(key: string, text: string): this { return this.__is(OF_DESTINATION + LABEL, text, changetype<u32>(key)); }

  /** The value of the first rule that a connection meets, or `fallback` where it meets none. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline get(connection: Connection, fallback: V, kind: u32 = 0): V {
    return fromWord<V>(abi.rules_get(changetype<u32>(this), kind, toWord<V>(fallback)));
  }

  /** True where a connection meets a rule. */
  // @ts-ignore: a decorator of AssemblyScript
  @inline has(connection: Connection, kind: u32 = 0): bool {
    return abi.rules_has(changetype<u32>(this), kind) != 0;
  }

  /** For the methods above: an attribute by its kind, of a label with its key. */
  __is(kind: u32, text: string, key: u32): this {
    put(changetype<u32>(this), kind, changetype<u32>(text), key, 0);
    return this;
  }
}

function put(list: u32, kind: u32, a: u32, b: u32, position: u32): void {
  const item = changetype<List>(load<u32>(at(rules(), list), 8)).append();
  store<u32>(item, kind);
  store<u32>(item, position, 4);
  store<u32>(item, a, 8);
  store<u32>(item, b, 12);
}
