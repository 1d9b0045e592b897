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
  /** How many rules are measured, where not COUNTS. */
  readonly counts?: readonly number[];
  readonly policy: (count: number) => string;
}

const NUMBERS = (count: number): string =>
  `for (let i: u32 = 0; i < ${count}; i++) { const n: u32 = i * ${STEP};`;

/** Eight digits, as the harness writes them. */
const HEX = 'function hex(n: u32): string { return (<u64>n + 0x100000000).toString(16).slice(1); }';

/** A policy that looks into a table of patterns, each made of a number. */
function requestPolicy(
  table: string,
  part: 'path' | 'host',
  pattern: string,
): (count: number) => string {
  return (count) => `import { ${table}, Request, Verdict } from "weft";
const table = new ${table}<u32>("table");
${HEX}
${NUMBERS(count)} table.set(${pattern}, i + 1); }
export function authorizeRequest(request: Request): Verdict {
  return table.has(request.${part}) ? Verdict.Allow : Verdict.Deny;
}
`;
}

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
    name: 'keys',
    family: 6,
    head: null,
    // An address, a port and the value.
    bytes: 22,
    mostNs: 25,
    policy: (count) => `import { address, Connection, KeyTable, Verdict } from "weft";
const keys = new KeyTable<u32>("keys");
${NUMBERS(count)}
  keys.set2(address("fd00:0:" + (n >> 16).toString(16) + ":" + (n & 0xffff).toString(16) + "::1"), n >> 16 & 0xfff8, i + 1);
}
export function authorizeConnection(connection: Connection): Verdict {
  return keys.get2(connection.source.address, connection.destination.port) != 0 ? Verdict.Allow : Verdict.Deny;
}
`,
  },
  {
    name: 'rules',
    family: 4,
    head: null,
    // Both blocks, both ends of the ports, the protocol, a text's number, and the value.
    bytes: 5 + 5 + 4 + 1 + 4 + 4,
    mostNs: 150,
    // Eight forms by turns, as in life: hosts and blocks, a side or both, one port or many, a namespace or none.
    policy: (count) => `import { Connection, Protocol, RuleList, Verdict } from "weft";
const rules = new RuleList<u32>("rules");
function block(n: u32, length: u32): string {
  return (n >> 24).toString() + "." + (n >> 16 & 255).toString() + "." + (n >> 8 & 255).toString() + "." + (n & 255).toString() + "/" + length.toString();
}
for (let i: u32 = 0; i < 64; i++) rules.add(0, -1).sourceNamespace("ns-" + (100 + i).toString()).protocol(Protocol.UDP);
${NUMBERS(count)}
  const to: u32 = n << 16 | n >> 16, port: u32 = n >> 16 & 0xfff8, name = "ns-" + (100 + (n >> 8 & 63)).toString();
  rules.add(i + 1);
  switch (i & 7) {
    case 0: rules.source(block(n, 32)).destination(block(to, 24)).port(port).sourceNamespace(name); break;
    case 1: rules.source(block(n, 24)).port(port, port | 7); break;
    case 2: rules.source(block(n, 20 + i / 8 % 9)).sourceNamespace(name); break;
    case 3: rules.destination(block(to, 32)).port(port); break;
    case 4: rules.source(block(n, 16)).destination(block(to, 20)).protocol(Protocol.TCP); break;
    case 5: rules.source(block(n, 32)); break;
    case 6: rules.destination(block(to, 24)).port(0, port | 7).sourceNamespace(name); break;
    default: rules.source(block(n, 28)).destination(block(to, 28)).port(port).protocol(Protocol.TCP); break;
  }
}
export function authorizeConnection(connection: Connection): Verdict {
  return rules.get(connection, 0) != 0 ? Verdict.Allow : Verdict.Deny;
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
    policy: requestPolicy('PathTable', 'path', '"/t-" + hex(n) + "/items/{id}/parts"'),
  },
  {
    name: 'hosts',
    family: 4,
    head: { path: '/', host: 'a.t-00000000.example.com' },
    bytes: '*.t-00000000.example.com'.length + 4,
    // As above: two names are looked up.
    mostNs: 250,
    policy: requestPolicy('HostTable', 'host', '"*.t-" + hex(n) + ".example.com"'),
  },
  {
    name: 'regexes',
    family: 4,
    head: { path: '/t-00000000/items/7/parts', host: 'a.example' },
    bytes: '/t-00000000/items/[0-9]+/parts'.length + 4,
    mostNs: 250,
    // A thousand of these have more states than a table may have (T106).
    counts: [10, 100],
    policy: requestPolicy('RegexTable', 'path', '"/t-" + hex(n) + "/items/[0-9]+/parts"'),
  },
];
