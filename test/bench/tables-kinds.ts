/** The policies that `tables` measures: the same scattered numbers as rules of each kind. */

/** Odd, so that number * STEP modulo 2^32 are all different and lie anywhere. */
export const STEP = 2_654_435_761;

/** What stands where the key is drawn. */
export const DIGITS = '00000000';
export interface Head {
  readonly path: string;
  readonly host: string;
}

export interface TableKind {
  readonly name: string;
  /** Of the addresses that are drawn. */
  readonly family: 4 | 6;
  /** Of the request that is asked about, with DIGITS in it; null for a connection. */
  readonly head: Head | null;
  /** A rule in binary (patterns: as text with the value): key and value, or address and length, or both ends of a range. */
  readonly bytes: number;
  /** Nanoseconds that a decision may take above the empty harness. */
  readonly mostNs: number;
  readonly policy: (count: number) => string;
}

const NUMBERS = (count: number): string =>
  `for (let i: u32 = 0; i < ${count}; i++) { const n: u32 = i * ${STEP};`;

/** Eight digits, as the harness writes them. */
const HEX = 'function hex(n: u32): string { return (<u64>n + 0x100000000).toString(16).slice(1); }';

export const KINDS: readonly TableKind[] = [
  {
    name: 'exact',
    family: 4,
    head: null,
    bytes: 8,
    mostNs: 25,
    policy: (count) => `import { Connection, Table, Verdict } from "weft";
const keys = new Table<u32>("keys");
${NUMBERS(count)} keys.set<u32>(n, i + 1); }
export function authorizeConnection(connection: Connection): Verdict {
  return keys.get<u32>(connection.source.address.word(3)) != 0 ? Verdict.Allow : Verdict.Deny;
}
`,
  },
  {
    name: 'cidr4',
    family: 4,
    head: null,
    bytes: 5,
    mostNs: 25,
    // Lengths from 20 to 32; blocks that lie in others are as welcome as in life.
    policy: (count) => `import { CidrSet, Connection, Verdict } from "weft";
const blocks = new CidrSet("blocks");
${NUMBERS(count)}
  blocks.add((n >> 24).toString() + "." + (n >> 16 & 255).toString() + "." + (n >> 8 & 255).toString() + "." + (n & 255).toString() + "/" + (20 + i % 13).toString());
}
export function authorizeConnection(connection: Connection): Verdict {
  return connection.source.address.in(blocks) ? Verdict.Allow : Verdict.Deny;
}
`,
  },
  {
    name: 'cidr6',
    family: 6,
    head: null,
    bytes: 17,
    mostNs: 25,
    policy: (count) => `import { CidrSet, Connection, Verdict } from "weft";
const blocks = new CidrSet("blocks");
${NUMBERS(count)}
  blocks.add("fd00:0:" + (n >> 16).toString(16) + ":" + (n & 0xffff).toString(16) + "::/" + (52 + i % 13).toString());
}
export function authorizeConnection(connection: Connection): Verdict {
  return connection.source.address.in(blocks) ? Verdict.Allow : Verdict.Deny;
}
`,
  },
  {
    name: 'ports',
    family: 4,
    head: null,
    bytes: 4,
    mostNs: 25,
    // Never more than 8,192 of them are different: there are no more ports.
    policy: (count) => `import { Connection, PortSet, Verdict } from "weft";
const ports = new PortSet("ports");
${NUMBERS(count)} const first: u32 = n >> 16 & 0xfff8; ports.add(first, first + i % 7); }
export function authorizeConnection(connection: Connection): Verdict {
  return ports.contains(connection.destination.port) ? Verdict.Allow : Verdict.Deny;
}
`,
  },
  {
    name: 'paths',
    family: 4,
    head: { path: '/t-00000000/items/7/parts', host: 'a.example' },
    bytes: '/t-00000000/items/{id}/parts'.length + 4,
    // No one has said what a path may cost; this is what four elements do.
    mostNs: 250,
    policy: (count) => `import { PathTable, Request, Verdict } from "weft";
const paths = new PathTable<u32>("paths");
${HEX}
${NUMBERS(count)} paths.set("/t-" + hex(n) + "/items/{id}/parts", i + 1); }
export function authorizeRequest(request: Request): Verdict {
  return paths.has(request.path) ? Verdict.Allow : Verdict.Deny;
}
`,
  },
  {
    name: 'hosts',
    family: 4,
    head: { path: '/', host: 'a.t-00000000.example.com' },
    bytes: '*.t-00000000.example.com'.length + 4,
    // As above: two names are looked up.
    mostNs: 250,
    policy: (count) => `import { HostTable, Request, Verdict } from "weft";
const hosts = new HostTable<u32>("hosts");
${HEX}
${NUMBERS(count)} hosts.set("*.t-" + hex(n) + ".example.com", i + 1); }
export function authorizeRequest(request: Request): Verdict {
  return hosts.has(request.host) ? Verdict.Allow : Verdict.Deny;
}
`,
  },
];
