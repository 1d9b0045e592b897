/**
 * The ABI: every function that a policy may import from the WASM module "weft". One table, from
 * which the SDK's declarations, the simulator's host, the lowering and docs/abi.md follow.
 *
 * Operand kinds: `i32`, `i64` are plain values; `side` and `kind` must be constants after folding;
 * `text` is the address of an AssemblyScript string in the snapshot and must be constant;
 * `symbol` is an interned text; `table`, `set` are the numbers of a declared Table or CidrSet and
 * must be constant.
 */
export type OperandKind =
  | 'i32'
  | 'i64'
  | 'side'
  | 'kind'
  | 'text'
  | 'symbol'
  | 'table'
  | 'set'
  | 'word';
export type ResultKind = 'i32' | 'i64' | 'none';

/** Where a question is asked; a column of the attribute x hook table. */
export const HOOK = ['routeConnection', 'authorizeConnection'] as const;
export type ExportName = (typeof HOOK)[number];

export interface AbiImport {
  readonly params: readonly OperandKind[];
  readonly result: ResultKind;
  /** What it means, for docs/abi.md. */
  readonly doc: string;
  /**
   * Exports in which it exists. `destination*` of routeConnection is the service that was asked
   * for (address and port only); the endpoint, and with it its identity, is not chosen yet.
   */
  readonly exports: readonly ExportName[];
}

const both: readonly ExportName[] = HOOK;

export const ABI_MODULE = 'weft';

export type ImportName =
  | 'destination_port'
  | 'protocol'
  | 'family'
  | 'random'
  | 'now'
  | 'address_word'
  | 'attribute'
  | 'label'
  | 'symbol'
  | 'text_starts_with'
  | 'text_ends_with'
  | 'text_contains'
  | 'table_get'
  | 'table_has'
  | 'cidr_contains'
  | 'out_of_fuel';

export const ABI_IMPORTS: Readonly<Record<ImportName, AbiImport>> = {
  destination_port: {
    params: [],
    result: 'i32',
    doc: 'destination port, host order',
    exports: both,
  },
  protocol: { params: [], result: 'i32', doc: 'IP protocol number: 6 TCP, 17 UDP', exports: both },
  family: { params: [], result: 'i32', doc: '4 or 6; an IPv4-mapped address is 4', exports: both },
  random: {
    params: [],
    result: 'i32',
    doc: 'the random draw of this connection, uniform in u32; one draw a connection',
    exports: ['routeConnection'],
  },
  now: {
    params: [],
    result: 'i64',
    doc: 'time of the decision, ns since 1970-01-01 UTC',
    exports: both,
  },
  address_word: {
    params: ['side', 'word'],
    result: 'i32',
    doc: 'word 0..3 (constant) of the 16-byte address of a side as a host-order number, most significant first',
    exports: both,
  },
  attribute: {
    params: ['side', 'kind'],
    result: 'i32',
    doc: 'symbol of a text attribute of a side; 0 where absent',
    exports: both,
  },
  label: {
    params: ['side', 'text'],
    result: 'i32',
    doc: 'symbol of a label of a side; 0 where absent',
    exports: both,
  },
  symbol: { params: ['text'], result: 'i32', doc: 'symbol of a constant text', exports: both },
  text_starts_with: {
    params: ['symbol', 'text'],
    result: 'i32',
    doc: '1 where the attribute is present and starts with the text',
    exports: both,
  },
  text_ends_with: {
    params: ['symbol', 'text'],
    result: 'i32',
    doc: '1 where the attribute is present and ends with the text',
    exports: both,
  },
  text_contains: {
    params: ['symbol', 'text'],
    result: 'i32',
    doc: '1 where the attribute is present and contains the text',
    exports: both,
  },
  table_get: {
    params: ['table', 'i64', 'i32'],
    result: 'i32',
    doc: 'value of a key in an exact table, else the third operand; text keys are symbols',
    exports: both,
  },
  table_has: {
    params: ['table', 'i64'],
    result: 'i32',
    doc: '1 where an exact table holds the key',
    exports: both,
  },
  cidr_contains: {
    params: ['set', 'side'],
    result: 'i32',
    doc: '1 where the address of a side lies in a prefix of the set; IPv4 and IPv6 never match each other',
    exports: both,
  },
  out_of_fuel: {
    params: [],
    result: 'none',
    doc: 'ends the decision: fuel is used up',
    exports: both,
  },
};

/** Attributes of the destination that exist only once an endpoint is chosen. */
export const NEEDS_ENDPOINT: readonly ImportName[] = ['attribute', 'label'];
