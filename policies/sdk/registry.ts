// Where declarations of the configure phase lie until the compiler reads them out of the snapshot.
//
// Everything is little-endian u32 words in linear memory; a list is a chain of chunks, so that
// appending never copies and costs the same for the first entry and the 100,000th.
//
//   root      u32 magic 0x54464557 "WEFT", u32 version 5, list tables, list sets, list routes, list ports, list patterns, list keys,
//             list rules
//   list      u32 count, u32 first chunk (0 = none), u32 last chunk
//   chunk     u32 next (0 = none), u32 used, then 64 items of 16 bytes
//   item of tables    u32 name (string), u32 position, u32 entries (list), u32 0
//   item of sets      u32 name (string), u32 position, u32 prefixes (list), u32 0
//   item of ports     u32 name (string), u32 position, u32 ranges (list), u32 0
//   item of patterns  u32 name (string), u32 position, u32 entries (list), u32 kind (0 = paths, 1 = hosts, 2 = regexes)
//   item of keys      u32 name (string), u32 position, u32 entries (list), u32 0
//   item of rules     u32 name (string), u32 position, u32 items (list), u32 0
//   item of routes    u32 service (string), u32 position, u32 version (string, 0 = part of service), u32 answer
//                     (0 = a cluster; with an answer, service and version are 0)
//   answer    u32 kind (1 = reply, 2 = redirect, 3 = waypoint, 4 = edited route), u32 number (status, or the
//             edited route), list parts
//   item of parts     u32 kind (PART), u32 position, u32 a, u32 b (strings, or a is a number)
//   item of entries   u64 key (number, or string), u32 value, u32 kind (1 = number, 2 = string)
//   item of prefixes  u32 text (string), u32 position, u32 0, u32 0
//   item of ranges    u32 first, u32 position, u32 last, u32 0
//   item of a pattern table   u32 text (string), u32 position, u32 value, u32 0
//   item of a key table's entries   u32 parts, u32 position, u32 value, u32 count of parts, 16 bytes each:
//             u64 number, or u32 text (string); u32 kind (1 = integer, 2 = text, 3 = address), u32 0
//   item of a rule list       u32 kind, u32 position, u32 a, u32 b: 0 begins a rule (value, priority); of the rule before
//             it, 1 and 2 are blocks of the source and destination (string), 3 ports (first, last), 4 the protocol,
//             5 a kind; from 16 on attributes of the source, from 32 on of the destination (string, label's key)
//   position  number of the declaring call in the source, given by the compiler (0 = unknown)
//
// A string is AssemblyScript's: UTF-16 code units, their length in bytes in the word before them.

const CHUNK_ITEMS: u32 = 64;

// @ts-ignore: a decorator of AssemblyScript
@unmanaged
export class List {
  count: u32;
  first: usize;
  last: usize;

  /** Address of a new, zeroed item of 16 bytes. */
  append(): usize {
    let chunk = this.last;
    if (chunk == 0 || load<u32>(chunk, 4) == CHUNK_ITEMS) {
      const bytes: usize = 8 + CHUNK_ITEMS * 16;
      const fresh = heap.alloc(bytes);
      memory.fill(fresh, 0, bytes);
      if (chunk == 0) this.first = fresh;
      else store<u32>(chunk, <u32>fresh);
      this.last = fresh;
      chunk = fresh;
    }
    const used = load<u32>(chunk, 4);
    store<u32>(chunk, used + 1, 4);
    this.count += 1;
    return chunk + 8 + used * 16;
  }
}

const ROOT_BYTES: usize = 8 + 7 * 12;

function createRoot(): usize {
  const root = heap.alloc(ROOT_BYTES);
  memory.fill(root, 0, ROOT_BYTES);
  store<u32>(root, 0x54464557);
  store<u32>(root, 5, 4);
  return root;
}

/** Address of the root record. */
export const __weft_registry: usize = createRoot();

// @ts-ignore: a decorator of AssemblyScript
@inline
export function tables(): List {
  return changetype<List>(__weft_registry + 8);
}
// @ts-ignore: a decorator of AssemblyScript
@inline
export function sets(): List {
  return changetype<List>(__weft_registry + 20);
}
// @ts-ignore: a decorator of AssemblyScript
@inline
export function routes(): List {
  return changetype<List>(__weft_registry + 32);
}
// @ts-ignore: a decorator of AssemblyScript
@inline
export function ports(): List {
  return changetype<List>(__weft_registry + 44);
}
// @ts-ignore: a decorator of AssemblyScript
@inline
export function patterns(): List {
  return changetype<List>(__weft_registry + 56);
}

// @ts-ignore: a decorator of AssemblyScript
@inline
export function keys(): List {
  return changetype<List>(__weft_registry + 68);
}

// @ts-ignore: a decorator of AssemblyScript
@inline
export function rules(): List {
  return changetype<List>(__weft_registry + 80);
}

/** Appends a declaration and returns the address of its item. */
export function declaration(list: List, name: string, position: u32): usize {
  const item = list.append();
  store<usize>(item, changetype<usize>(name));
  store<u32>(item, position, 4);
  return item;
}

/** A new empty list. */
export function createList(): List {
  const bytes = offsetof<List>();
  const list = heap.alloc(bytes);
  memory.fill(list, 0, bytes);
  return changetype<List>(list);
}

/** Address of the n-th item of a list. */
export function at(list: List, index: u32): usize {
  let chunk = list.first;
  while (index >= CHUNK_ITEMS) {
    chunk = load<u32>(chunk);
    index -= CHUNK_ITEMS;
  }
  return chunk + 8 + index * 16;
}

/** Declares a route that is no plain cluster; its number counts from 1. */
export function declareAnswer(kind: u32, number: u32, position: u32): u32 {
  const answer = heap.alloc(20);
  memory.fill(answer, 0, 20);
  store<u32>(answer, kind);
  store<u32>(answer, number, 4);
  const item = routes().append();
  store<u32>(item, position, 4);
  store<u32>(item, <u32>answer, 12);
  return routes().count;
}

/** Appends a part to a route that declareAnswer made. */
export function addPart(route: u32, kind: u32, a: u32, b: u32, position: u32): void {
  const item = changetype<List>(<usize>load<u32>(at(routes(), route - 1), 12) + 8).append();
  store<u32>(item, kind);
  store<u32>(item, position, 4);
  store<u32>(item, a, 8);
  store<u32>(item, b, 12);
}
