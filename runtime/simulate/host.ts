/**
 * The imports of the WASM module "weft", over the bytes of one struct weft_connection: the same
 * bytes that the kernel's functions read. Text predicates are evaluated on the texts themselves,
 * not read from the predicate bits, so that the two engines check each other.
 */
import {
  type ABI_IMPORTS,
  ATTRIBUTE,
  addressWords,
  CONNECTION,
  type ImportName,
  MAX_PARTS,
  PARTY,
  type PartKind,
  SIDE,
  WORDS_A_PART,
} from '../../compiler/abi/index.js';
import type { Manifest, PolicyEntry } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import { parseAddress } from '../discovery/address.js';
import { predicateHolds, type SymbolTable } from '../discovery/identity.js';
import { cidrMatcher } from './cidr.js';
import { viewImports } from './host-views.js';
import { ruleFinder } from './rules.js';
import type { WasmMemory } from './web-assembly.js';

/** Thrown by out_of_fuel; tells fuel from a trap. */
export const OUT_OF_FUEL: Error = new Error('out of fuel');

/** The decision under way; the host functions read it. */
export interface Current {
  view: DataView;
  /** Offset of struct weft_connection, or of struct weft_request which begins with it, in the view. */
  base: number;
}

export interface Texts {
  readonly symbols: SymbolTable;
  /** Text of a symbol; null for absent, undefined for a number that was never given. */
  readonly textOf: (symbol: number) => string | null | undefined;
}

/** A symbol that no attribute has: for constant texts that neither bundle nor world knows. */
export const NOWHERE = 0xffffffff;

/** Reads AssemblyScript strings (UTF-16LE, byte length before them), once each. */
export function stringReader(memory: () => WasmMemory | null): (pointer: number) => string {
  const known = new Map<number, string>();
  return (pointer) => {
    const cached = known.get(pointer);
    if (cached !== undefined) return cached;
    const buffer = memory()?.buffer;
    if (buffer === undefined) throw new BugError('policy module exports no memory');
    const view = new DataView(buffer);
    const length = view.getUint32((pointer >>> 0) - 4, true);
    let text = '';
    for (let i = 0; i + 1 < length; i += 2) {
      text += String.fromCharCode(view.getUint16((pointer >>> 0) + i, true));
    }
    known.set(pointer, text);
    return text;
  };
}

function tableMap(table: PolicyEntry['tables'][number], texts: Texts): Map<bigint, number> {
  const map = new Map<bigint, number>();
  for (const [key, value] of table.entries) {
    if (table.keyKind === 'integer') map.set(BigInt.asUintN(64, BigInt(key)), value | 0);
    else map.set(BigInt(texts.symbols.intern(key)), value | 0);
  }
  return map;
}

/** 1 at each port of a range. */
function portBits(ranges: PolicyEntry['ports'][number]['ranges']): Uint8Array {
  const bits = new Uint8Array(65536);
  for (const [first, last] of ranges) bits.fill(1, first, last + 1);
  return bits;
}

/** Values by the words of a key. */
function keyMap(table: PolicyEntry['keys'][number], texts: Texts): Map<string, number> {
  const wordsOf = (text: string, kind: PartKind | undefined): readonly bigint[] => {
    if (kind === 'integer') return [0n, BigInt.asUintN(64, BigInt(text))];
    if (kind === 'text') return [0n, BigInt(texts.symbols.intern(text))];
    const address = parseAddress(text);
    if (address === null) throw new BugError(`manifest: \`${text}\` is no address`);
    return addressWords(address.bytes);
  };
  return new Map(
    table.entries.map(([parts, value]) => {
      const words = parts.flatMap((text, i) => wordsOf(text, table.kinds[i]));
      while (words.length < MAX_PARTS * WORDS_A_PART) words.push(0n);
      return [words.join(), value | 0];
    }),
  );
}

function partyOffset(side: number): number {
  return side === SIDE.source ? CONNECTION.source : CONNECTION.destination;
}

export type HostFunction = (...operands: never[]) => number | bigint | undefined;

/** Makes the import object of one policy. `memory` answers once the module is instantiated. */
export function hostImports(
  manifest: Pick<Manifest, 'attributes' | 'headers'>,
  policy: PolicyEntry,
  texts: Texts,
  current: Current,
  memory: () => WasmMemory | null,
): Record<ImportName, HostFunction> {
  const read = stringReader(memory);
  const tables = policy.tables.map((table) => tableMap(table, texts));
  const sets = policy.cidrs.map((set) => cidrMatcher(set.prefixes));
  const keys = policy.keys.map((table) => keyMap(table, texts));
  const ports = policy.ports.map((set) => portBits(set.ranges));
  const lists = policy.rules.map(({ rules }) => ({
    rules,
    find: ruleFinder(rules, manifest, texts),
  }));
  // Slots by side and kind, and by side and key: -1 for an attribute without one, whose value the
  // compiled code never looks at.
  const kinds = [0, 1].map(() => new Int32Array(Object.keys(ATTRIBUTE).length).fill(-1));
  const labels = [0, 1].map(() => new Map<string, number>());
  for (const { side, attribute, key, slot } of manifest.attributes) {
    if (attribute === 'label') labels[SIDE[side]]?.set(key ?? '', slot);
    else kinds[SIDE[side]]?.fill(slot, ATTRIBUTE[attribute], ATTRIBUTE[attribute] + 1);
  }
  const slotOf = (slot: number | undefined, side: number): number => {
    if (slot === undefined || slot < 0) return 0;
    const offset = current.base + partyOffset(side) + PARTY.attributes + slot * 4;
    return current.view.getUint32(offset, true) | 0;
  };
  // Texts are literals: what one of them means is found once.
  const byText = <T>(find: (text: string) => T): ((pointer: number) => T) => {
    const known = new Map<number, T>();
    return (pointer) => {
      const cached = known.get(pointer);
      if (cached !== undefined) return cached;
      const found = find(read(pointer));
      known.set(pointer, found);
      return found;
    };
  };
  const symbolOf = byText((text) => (texts.symbols.find(text) ?? NOWHERE) | 0);
  const labelOf = [0, 1].map((side) => byText((key) => labels[side]?.get(key) ?? -1));
  const predicate =
    (op: 'startsWith' | 'endsWith' | 'contains') => (symbol: number, text: number) => {
      const have = texts.textOf(symbol >>> 0);
      if (have === undefined) throw new BugError(`symbol ${symbol >>> 0} has no text`);
      return predicateHolds(op, have, read(text)) ? 1 : 0;
    };
  const u16 = (field: number): number => current.view.getUint16(current.base + field, true);
  const u8 = (field: number): number => current.view.getUint8(current.base + field);
  const tableAt = (index: number): Map<bigint, number> => {
    const table = tables[index];
    if (table === undefined) throw new BugError(`table ${index} is not in the manifest`);
    return table;
  };
  const keyAt = (index: number): Map<string, number> => {
    const table = keys[index];
    if (table === undefined) throw new BugError(`table of keys ${index} is not in the manifest`);
    return table;
  };
  /** The value of the rule that the connection meets. */
  const ruleAt = (index: number, kind: number): number | undefined => {
    const list = lists[index];
    if (list === undefined) throw new BugError(`rule list ${index} is not in the manifest`);
    return list.rules[list.find(current, kind)]?.value;
  };
  const keyOf = (words: readonly (bigint | number)[]): string =>
    words.map((word) => BigInt.asUintN(64, BigInt(word))).join();
  return {
    destination_port: () => u16(CONNECTION.destinationPort),
    protocol: () => u8(CONNECTION.protocol),
    family: () => u8(CONNECTION.family),
    random: () => current.view.getUint32(current.base + CONNECTION.random, true) | 0,
    now: () => current.view.getBigUint64(current.base + CONNECTION.now, true),
    address_word: (side: number, word: number) =>
      current.view.getUint32(current.base + partyOffset(side) + PARTY.address + word * 4) | 0,
    attribute: (side: number, kind: number) => slotOf(kinds[side]?.[kind], side),
    label: (side: number, key: number) => slotOf(labelOf[side]?.(key), side),
    symbol: symbolOf,
    text_starts_with: predicate('startsWith'),
    text_ends_with: predicate('endsWith'),
    text_contains: predicate('contains'),
    table_get: (table: number, key: bigint, fallback: number) =>
      tableAt(table).get(BigInt.asUintN(64, key)) ?? fallback,
    table_has: (table: number, key: bigint) =>
      tableAt(table).has(BigInt.asUintN(64, key)) ? 1 : 0,
    key_get: (table: number, _shape: number, ...operands: (bigint | number)[]) => {
      const fallback = Number(operands.pop());
      return keyAt(table).get(keyOf(operands)) ?? fallback;
    },
    key_has: (table: number, _shape: number, ...words: bigint[]) =>
      keyAt(table).has(keyOf(words)) ? 1 : 0,
    rules_get: (list: number, kind: number, fallback: number) =>
      (ruleAt(list, kind) ?? fallback) | 0,
    rules_has: (list: number, kind: number) => (ruleAt(list, kind) === undefined ? 0 : 1),
    cidr_contains: (set: number, side: number) => {
      const matches = sets[set];
      if (matches === undefined) throw new BugError(`set ${set} is not in the manifest`);
      return matches(current.view, current.base + partyOffset(side) + PARTY.address) ? 1 : 0;
    },
    ports_contain: (set: number, port: number) => {
      const bits = ports[set];
      if (bits === undefined) throw new BugError(`port set ${set} is not in the manifest`);
      return bits[port >>> 0] ?? 0;
    },
    ...viewImports(manifest, policy, current, read),
    out_of_fuel: () => {
      throw OUT_OF_FUEL;
    },
  } satisfies Record<keyof typeof ABI_IMPORTS, HostFunction> as Record<ImportName, HostFunction>;
}
