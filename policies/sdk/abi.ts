// The ABI: what a policy asks the engine that runs it. The compiler's table is compiler/abi/imports.ts;
// a test compares the two. Policies use the classes of this package, never these functions.

// @ts-ignore: a decorator of AssemblyScript
@external("weft", "destination_port") export declare function destination_port(): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "protocol") export declare function protocol(): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "family") export declare function family(): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "random") export declare function random(): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "now") export declare function now(): u64;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "address_word") export declare function address_word(side: u32, word: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "attribute") export declare function attribute(side: u32, kind: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "label") export declare function label(side: u32, key: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "symbol") export declare function symbol(text: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "text_starts_with") export declare function text_starts_with(symbol: u32, text: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "text_ends_with") export declare function text_ends_with(symbol: u32, text: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "text_contains") export declare function text_contains(symbol: u32, text: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "table_get") export declare function table_get(table: u32, key: u64, fallback: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "table_has") export declare function table_has(table: u32, key: u64): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "key_get") export declare function key_get(table: u32, shape: u32, a: u64, a2: u64, b: u64, b2: u64, c: u64, c2: u64, d: u64, d2: u64, fallback: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "key_has") export declare function key_has(table: u32, shape: u32, a: u64, a2: u64, b: u64, b2: u64, c: u64, c2: u64, d: u64, d2: u64): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "rules_get") export declare function rules_get(list: u32, kind: u32, fallback: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "rules_has") export declare function rules_has(list: u32, kind: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "cidr_contains") export declare function cidr_contains(set: u32, side: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "ports_contain") export declare function ports_contain(set: u32, port: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "request_view") export declare function request_view(kind: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "request_header") export declare function request_header(name: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_is") export declare function view_is(view: u32, text: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_is_ignoring_case") export declare function view_is_ignoring_case(view: u32, text: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_starts_with") export declare function view_starts_with(view: u32, text: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_ends_with") export declare function view_ends_with(view: u32, text: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_byte") export declare function view_byte(view: u32, index: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_find") export declare function view_find(view: u32, byte: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_hash") export declare function view_hash(view: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_table_get") export declare function view_table_get(table: u32, view: u32, fallback: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_table_has") export declare function view_table_has(table: u32, view: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_pattern_get") export declare function view_pattern_get(table: u32, view: u32, fallback: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_pattern_has") export declare function view_pattern_has(table: u32, view: u32): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_starts_with_ignoring_case") export declare function view_starts_with_ignoring_case(view: u32, text: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_ends_with_ignoring_case") export declare function view_ends_with_ignoring_case(view: u32, text: string): u32;
// @ts-ignore: a decorator of AssemblyScript
@external("weft", "view_matches") export declare function view_matches(view: u32, pattern: string): u32;
