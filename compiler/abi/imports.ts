/**
 * The ABI: every function that a policy may import from the WASM module "weft". One table, from
 * which the SDK's declarations, the simulator's host, the lowering and docs/abi.md follow.
 *
 * Operand kinds: `i32`, `i64` are plain values; `side` and `kind` must be constants after folding;
 * `text` is the address of an AssemblyScript string in the snapshot and must be constant;
 * `symbol` is an interned text; `table`, `set`, `ports`, `patterns` are the numbers of a declared Table,
 * CidrSet, PortSet, KeyTable (`keys`), RuleList (`rules`), and PathTable, HostTable or RegexTable, and must be constant.
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
  | 'ports'
  | 'patterns'
  | 'keys'
  | 'rules'
  | 'shape'
  | 'word';
/** Kinds of operands that must be constants after folding. */
export const CONSTANT_OPERANDS: ReadonlySet<OperandKind> = new Set<OperandKind>([
  'side',
  'kind',
  'text',
  'table',
  'set',
  'keys',
  'rules',
  'shape',
  'word',
]);
export type ResultKind = 'i32' | 'i64' | 'none';

/** Where a question is asked; a column of the attribute x hook table. */
export const HOOK = [
  'routeConnection',
  'authorizeConnection',
  'routeRequest',
  'authorizeRequest',
] as const;
export type ExportName = (typeof HOOK)[number];
/** Exports that are asked about a request. */
export const REQUEST_HOOK: readonly ExportName[] = ['routeRequest', 'authorizeRequest'];
/** Exports that answer with a route. */
export const ROUTE_HOOK: readonly ExportName[] = ['routeConnection', 'routeRequest'];

/** Views of a request by the `kind` operand of `request_view`. */
export const VIEW = { method: 0, target: 1, path: 2, query: 3, host: 4 } as const;
export type ViewName = keyof typeof VIEW;

/** Longest literal, in bytes, that a view is compared with. */
export const MAX_VIEW_TEXT = 256;
/** Longest key, in bytes, of a table that is asked with a view. */
export const MAX_VIEW_KEY = 64;

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
const request: readonly ExportName[] = REQUEST_HOOK;

/**
 * Prefix of what a module exports where a decision writes memory: globals that hosts set back behind it, and
 * memory with them.
 */
export const STATE_EXPORT = 'state:';
/** Export of how many recursive calls a decision is in. */
export const DEPTH_EXPORT: string = `${STATE_EXPORT}depth`;

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
  | 'key_get'
  | 'key_has'
  | 'rules_get'
  | 'rules_has'
  | 'cidr_contains'
  | 'ports_contain'
  | 'request_view'
  | 'request_header'
  | 'view_is'
  | 'view_is_ignoring_case'
  | 'view_starts_with'
  | 'view_ends_with'
  | 'view_starts_with_ignoring_case'
  | 'view_ends_with_ignoring_case'
  | 'view_byte'
  | 'view_find'
  | 'view_hash'
  | 'view_matches'
  | 'view_table_get'
  | 'view_table_has'
  | 'view_pattern_get'
  | 'view_pattern_has'
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
    doc: 'the random draw of this connection or request, uniform in u32; one draw each',
    exports: ROUTE_HOOK,
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
  key_get: {
    params: ['keys', 'shape', 'i64', 'i64', 'i64', 'i64', 'i64', 'i64', 'i64', 'i64', 'i32'],
    result: 'i32',
    doc: 'value of a key of several parts, two words each (integer and symbol: 0 and itself; address: its halves), else the last operand',
    exports: both,
  },
  key_has: {
    params: ['keys', 'shape', 'i64', 'i64', 'i64', 'i64', 'i64', 'i64', 'i64', 'i64'],
    result: 'i32',
    doc: '1 where a table holds the key of several parts',
    exports: both,
  },
  rules_get: {
    params: ['rules', 'i32', 'i32'],
    result: 'i32',
    doc: 'value of the first rule of a list that the connection meets, with a number for what rules ask of a `kind`, else the last operand',
    exports: both,
  },
  rules_has: {
    params: ['rules', 'i32'],
    result: 'i32',
    doc: '1 where the connection meets a rule of a list, with a number for what rules ask of a `kind`',
    exports: both,
  },
  cidr_contains: {
    params: ['set', 'side'],
    result: 'i32',
    doc: '1 where the address of a side lies in a prefix of the set; IPv4 and IPv6 never match each other',
    exports: both,
  },
  ports_contain: {
    params: ['ports', 'i32'],
    result: 'i32',
    doc: '1 where a port lies in a range of the set; a number above 65535 lies in none',
    exports: both,
  },
  request_view: {
    params: ['kind'],
    result: 'i32',
    doc: 'view of a part of the request: 0 method, 1 target, 2 normalised path, 3 query, 4 host; 0 where absent',
    exports: request,
  },
  request_header: {
    params: ['text'],
    result: 'i32',
    doc: 'view of a header by its name, whose case does not matter; 0 where absent; a trap where it stands more than once',
    exports: request,
  },
  view_is: {
    params: ['i32', 'text'],
    result: 'i32',
    doc: '1 where the view is present and has exactly the bytes of the ASCII text',
    exports: request,
  },
  view_is_ignoring_case: {
    params: ['i32', 'text'],
    result: 'i32',
    doc: 'as `view_is`, with ASCII letters of either case equal',
    exports: request,
  },
  view_starts_with: {
    params: ['i32', 'text'],
    result: 'i32',
    doc: '1 where the view is present and begins with the bytes of the ASCII text',
    exports: request,
  },
  view_ends_with: {
    params: ['i32', 'text'],
    result: 'i32',
    doc: '1 where the view is present and ends with the bytes of the ASCII text',
    exports: request,
  },
  view_starts_with_ignoring_case: {
    params: ['i32', 'text'],
    result: 'i32',
    doc: 'as `view_starts_with`, with ASCII letters of either case equal',
    exports: request,
  },
  view_ends_with_ignoring_case: {
    params: ['i32', 'text'],
    result: 'i32',
    doc: 'as `view_ends_with`, with ASCII letters of either case equal',
    exports: request,
  },
  view_matches: {
    params: ['i32', 'text'],
    result: 'i32',
    doc: '1 where the view is present and matches the path pattern (compiler/abi/path-pattern.ts)',
    exports: request,
  },
  view_byte: {
    params: ['i32', 'i32'],
    result: 'i32',
    doc: 'the byte of a view at an index; -1 outside of the view',
    exports: request,
  },
  view_find: {
    params: ['i32', 'i32'],
    result: 'i32',
    doc: 'index of the first byte of a view that equals the low byte of the operand; the length where none does',
    exports: request,
  },
  view_hash: {
    params: ['i32'],
    result: 'i32',
    doc: 'low half of the 64-bit hash of the bytes of a view (compiler/abi/view-hash.ts)',
    exports: request,
  },
  view_table_get: {
    params: ['table', 'i32', 'i32'],
    result: 'i32',
    doc: 'value of the text key with the bytes of a view, else the third operand',
    exports: request,
  },
  view_table_has: {
    params: ['table', 'i32'],
    result: 'i32',
    doc: '1 where a table holds the text key with the bytes of a view',
    exports: request,
  },
  view_pattern_get: {
    params: ['patterns', 'i32', 'i32'],
    result: 'i32',
    doc: 'value of the pattern that fits a view best, else the third operand',
    exports: request,
  },
  view_pattern_has: {
    params: ['patterns', 'i32'],
    result: 'i32',
    doc: '1 where a pattern of the table fits a view',
    exports: request,
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

/** True for the name of a question of the ABI; the IR has other names for what only the compiler asks. */
export function isImport(name: string): name is ImportName {
  return Object.hasOwn(ABI_IMPORTS, name);
}
