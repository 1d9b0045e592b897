// Tests beside a policy, in its own language: a file `*.test.ts` of the project imports "weft/test" and is run by
// `weft test`. Nothing of this package reaches a bundle. The host is runtime/testing/assembly-host.ts.

// @ts-ignore: a decorator of AssemblyScript
@external("weft_test", "open") declare function open(kind: string, from: string, to: string): i32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft_test", "set") declare function set(asked: i32, key: string, value: string): void;
// @ts-ignore: a decorator of AssemblyScript
@external("weft_test", "header") declare function addHeader(asked: i32, name: string, value: string): void;
// @ts-ignore: a decorator of AssemblyScript
@external("weft_test", "check") declare function check(asked: i32, key: string, want: string): void;
// @ts-ignore: a decorator of AssemblyScript
@external("weft_test", "world") declare function readWorld(yaml: string): void;

const names: string[] = [];
const bodies: (() => void)[] = [];

/**
 * Declares a test. The body runs once for `weft test`; a failed expectation is told with its line and the test goes on.
 *
 * @example
 * test("prod calls prod", () => { expect(connect("reviews-v1.prod", "ratings.prod:80")).toAllow(); });
 */
export function test(name: string, body: () => void): void {
  names.push(name);
  bodies.push(body);
}

/** A connection or a request that is asked about. Ends are named as in a scenario: workload, service:port, address:port. */
export class Asked {
  constructor(readonly handle: i32) {}

  /** IP version: 4 or 6. */
  family(version: i32): Asked { return this.set("family", version.toString()); }
  /** The draw that splits read: 0 to 1, or a whole number below 2^32. */
  random(draw: f64): Asked { return this.set("random", draw.toString()); }
  /** Which endpoint of the cluster is chosen: a number from 0. */
  pick(index: i32): Asked { return this.set("pick", index.toString()); }
  /** The time of the decision, ISO 8601 with zone. */
  at(time: string): Asked { return this.set("now", time); }
  /** A header of the request. */
  header(name: string, value: string): Asked {
    addHeader(this.handle, name, value);
    return this;
  }

  private set(key: string, value: string): Asked {
    set(this.handle, key, value);
    return this;
  }
}

/** A TCP connection. */
export function connect(from: string, to: string): Asked { return new Asked(open("tcp", from, to)); }

/** The first datagram of a UDP flow. */
export function datagram(from: string, to: string): Asked { return new Asked(open("udp", from, to)); }

/** An HTTP request on a connection. */
export function request(from: string, to: string, method: string = "GET", path: string = "/"): Asked {
  const asked = new Asked(open("request", from, to));
  set(asked.handle, "method", method);
  set(asked.handle, "path", path);
  return asked;
}

/** What is expected of a connection or a request; each line of a chain is checked by itself. */
export class Expected {
  constructor(private readonly handle: i32) {}

  /** It is let in. */
  toAllow(): Expected { return this.check("verdict", "allow"); }
  /** It is refused. */
  toDeny(): Expected { return this.check("verdict", "deny"); }
  /** The line that decides: `isolation.ts:7`, or `default`. */
  toBeDecidedBy(rule: string): Expected { return this.check("rule", rule); }
  /** The cluster that it goes to. */
  toReach(cluster: string): Expected { return this.check("cluster", cluster); }
  /** The endpoint that it goes to: `10.1.0.5:9080`. */
  toReachEndpoint(endpoint: string): Expected { return this.check("endpoint", endpoint); }
  /** The status that the client hears. */
  toAnswer(status: i32): Expected { return this.check("status", status.toString()); }
  /** Where a redirect leads. */
  toRedirectTo(location: string): Expected { return this.check("location", location); }
  /** The reason, such as `policy`, `noAllow`, `trap`. */
  toHaveReason(reason: string): Expected { return this.check("reason", reason); }

  private check(key: string, want: string): Expected {
    check(this.handle, key, want);
    return this;
  }
}

/** Begins an expectation. */
export function expect(asked: Asked): Expected { return new Expected(asked.handle); }

/** A world of its own for what this test asks from here on, as the text of a world.yaml. */
export function useWorld(yaml: string): void { readWorld(yaml); }

export function __weft_test_count(): i32 { return names.length; }
export function __weft_test_name(index: i32): string { return names[index]; }
export function __weft_test_run(index: i32): void { bodies[index](); }
