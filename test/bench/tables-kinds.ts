/** The policies that `tables` measures: the same scattered numbers as rules of each kind. */

/** Odd, so that number * STEP modulo 2^32 are all different and lie anywhere. */
export const STEP = 2_654_435_761;

export interface TableKind {
  readonly name: string;
  /** Of the addresses that are drawn. */
  readonly family: 4 | 6;
  /** A rule in binary: key and value, or address and length, or both ends of a range. */
  readonly bytes: number;
  /** Nanoseconds that a decision may take above the empty harness. */
  readonly mostNs: number;
  readonly policy: (count: number) => string;
}

const NUMBERS = (count: number): string =>
  `for (let i: u32 = 0; i < ${count}; i++) { const n: u32 = i * ${STEP};`;

export const KINDS: readonly TableKind[] = [
  {
    name: 'exact',
    family: 4,
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
];
