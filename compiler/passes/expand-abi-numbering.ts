/**
 * Numbers what the policies of a bundle look at: symbols of texts, slots of attributes, bits of
 * predicates. Sorted, so that the numbers depend on the set alone and not on the order of policies.
 */
import {
  ATTRIBUTE_SLOTS,
  type AttributeSlot,
  FIRST_SYMBOL,
  HEADER_SLOTS,
  PREDICATE_BITS,
  type PredicateBit,
  type SideName,
  SYMBOL_EMPTY,
} from '../abi/index.js';
import { BugError, type Diagnostic, diagnostic, type Position } from '../diagnostic/index.js';
import {
  definitions,
  type Func,
  type Instr,
  type Module,
  operandsOf,
  targetsOf,
  termValue,
  type ValueId,
} from '../ir/index.js';
import { ABI_CODES } from './expand-abi-codes.js';
import {
  type AbiCall,
  type AttributeUse,
  attributeText,
  type PolicyContext,
  type PredicateUse,
  type ResolvedAbi,
} from './expand-abi-resolve.js';
import { ruleAttributes } from './rule-uses.js';

export interface AbiUses {
  readonly texts: ReadonlySet<string>;
  readonly attributes: readonly AttributeUse[];
  readonly predicates: readonly PredicateUse[];
  readonly headers: readonly HeaderUse[];
  /** Where each attribute and predicate is first used, by `useKey`. */
  readonly places?: ReadonlyMap<string, Position>;
}
/** A header that a policy asks for, and where. */
export interface HeaderUse {
  readonly name: string;
  readonly at: Position | null;
}
export interface AbiNumbering {
  /** symbols[i] has symbol FIRST_SYMBOL + i. */
  readonly symbols: readonly string[];
  readonly attributes: readonly AttributeSlot[];
  readonly predicates: readonly PredicateBit[];
  /** Names by slot. */
  readonly headers: readonly string[];
}

/**
 * What a policy's calls need numbers for. Attributes that only predicates read have a slot too: the
 * kernel reads the bit alone, the simulator evaluates the predicate on the text behind the symbol.
 */
export function collectUses(
  module: Module,
  resolved: ResolvedAbi,
  { registry }: PolicyContext,
): AbiUses {
  const texts = new Set<string>();
  const attributes: AttributeUse[] = [];
  const predicates: PredicateUse[] = [];
  const headers: HeaderUse[] = [];
  const places = new Map<string, Position>();
  for (const func of module.functions) {
    const calls = resolved.calls.get(func.name);
    if (calls === undefined) continue;
    const defs = definitions(func);
    for (const [id, call] of calls) {
      if (call.op === 'header')
        headers.push({ name: call.name, at: placeOf(module, defs.get(id)) });
      if (call.op === 'predicate' || call.op === 'attribute') {
        const at = placeOf(module, defs.get(id));
        if (at !== null && !places.has(useKey(call.use))) places.set(useKey(call.use), at);
      }
      if (call.op === 'symbol') texts.add(call.text);
      if (call.op === 'predicate') predicates.push(call.use);
      if (call.op === 'attribute') attributes.push(call.use);
      if (call.op === 'keys') {
        for (const { parts } of registry.keys[call.table]?.entries ?? []) {
          for (const part of parts) if (part.kind === 'text') texts.add(part.value);
        }
      }
      if (call.op === 'rules') {
        for (const rule of ruleAttributes(registry.rules[call.list])) {
          attributes.push(rule.use);
          for (const text of rule.texts) texts.add(text);
          if (rule.at !== null && !places.has(useKey(rule.use))) {
            places.set(useKey(rule.use), rule.at);
          }
        }
      }
      if (call.op !== 'table') continue;
      for (const { key } of registry.tables[call.table]?.entries ?? []) {
        if (key.kind === 'text') texts.add(key.value);
      }
    }
  }
  return { texts, attributes, predicates, headers, places };
}

function placeOf({ positions }: Module, instr: Instr | undefined): Position | null {
  return instr?.loc == null ? null : (positions[instr.loc] ?? null);
}

/** The place of the use that is one too many, in the order of the text. */
function excess(
  uses: readonly AbiUses[],
  wanted: readonly (AttributeUse | PredicateUse)[],
  most: number,
): Position | null {
  const places = uses.flatMap((u) => wanted.flatMap((use) => u.places?.get(useKey(use)) ?? []));
  return places.sort((a, b) => a.line - b.line || a.column - b.column)[most] ?? null;
}

/** Values that something other than a predicate call reads. */
export function valuesReadBesidesPredicates(
  func: Func,
  calls: ReadonlyMap<ValueId, AbiCall>,
): Set<ValueId> {
  const read = new Set<ValueId>();
  for (const { instrs, term } of func.blocks) {
    for (const instr of instrs) {
      if (calls.get(instr.id)?.op === 'predicate') continue;
      for (const value of operandsOf(instr)) read.add(value);
    }
    const value = termValue(term);
    if (value !== null) read.add(value);
    for (const target of targetsOf(term)) for (const arg of target.args) read.add(arg);
  }
  return read;
}

/** Numbers the uses of all policies of a bundle; refuses with I203, I204. */
export function numberAbi(uses: readonly AbiUses[]): {
  readonly numbering: AbiNumbering;
  readonly diagnostics: readonly Diagnostic[];
} {
  const texts = new Set(uses.flatMap((u) => [...u.texts]));
  texts.delete('');
  const attributes = numberBySide(uses.flatMap((u) => u.attributes)).map(
    ({ use: { side, attribute, key }, number }) => ({ side, attribute, key, slot: number }),
  );
  const predicates = numberBySide(uses.flatMap((u) => u.predicates)).map(({ use, number }) => {
    const { side, attribute, key, op, text } = use;
    return { side, attribute, key, op, text, bit: number };
  });
  const diagnostics: Diagnostic[] = [];
  for (const side of ['source', 'destination'] as const) {
    const slots = attributes.filter((a) => a.side === side);
    if (slots.length > ATTRIBUTE_SLOTS) {
      const notes = [`used: ${slots.map((a) => `\`${attributeText(a)}\``).join(', ')}`];
      diagnostics.push(
        limit(
          'I203',
          `${slots.length} attributes of the ${side}, at most ${ATTRIBUTE_SLOTS}`,
          notes,
          excess(uses, slots, ATTRIBUTE_SLOTS),
        ),
      );
    }
    const bits = predicates.filter((p) => p.side === side);
    if (bits.length > PREDICATE_BITS) {
      const message = `${bits.length} text predicates of the ${side}, at most ${PREDICATE_BITS}`;
      diagnostics.push(limit('I204', message, [], excess(uses, bits, PREDICATE_BITS)));
    }
  }
  const names = new Map(uses.flatMap((u) => u.headers.map((h) => [h.name, h] as const)));
  const headers = [...names.keys()].sort();
  if (headers.length > HEADER_SLOTS) {
    const first = [...new Set(uses.flatMap((u) => u.headers.map((h) => h.name)))];
    const at = names.get(first[HEADER_SLOTS] ?? '')?.at ?? null;
    const message = `the bundle looks at ${headers.length} headers, at most ${HEADER_SLOTS}`;
    const notes = [`used: ${headers.map((name) => `\`${name}\``).join(', ')}`];
    diagnostics.push(
      diagnostic('I211', message, { at, notes, help: ABI_CODES['I211']?.help ?? null }),
    );
  }
  const symbols = [...texts].sort();
  return { numbering: { symbols, attributes, predicates, headers }, diagnostics };
}

function limit(
  code: string,
  message: string,
  notes: readonly string[],
  at: Position | null,
): Diagnostic {
  return diagnostic(code, message, { at, notes, help: ABI_CODES[code]?.help ?? null });
}

function numberBySide<T extends AttributeUse>(uses: readonly T[]): { use: T; number: number }[] {
  const unique = new Map(uses.map((use) => [useKey(use), use]));
  const next: Record<SideName, number> = { source: 0, destination: 0 };
  return [...unique.keys()].sort().flatMap((key) => {
    const use = unique.get(key);
    return use === undefined ? [] : [{ use, number: next[use.side]++ }];
  });
}

function useKey(use: AttributeUse | PredicateUse): string {
  const predicate = 'op' in use ? [use.op, use.text] : [];
  return JSON.stringify([use.side, use.attribute, use.key, ...predicate]);
}

/** Symbol of a text of the bundle. Throws BugError for one that was not collected. */
export function symbolOf({ symbols }: Pick<AbiNumbering, 'symbols'>, text: string): number {
  if (text === '') return SYMBOL_EMPTY;
  let [low, high] = [0, symbols.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((symbols[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  if (symbols[low] !== text) throw new BugError(`text without symbol: ${JSON.stringify(text)}`);
  return FIRST_SYMBOL + low;
}

/** Slot of an attribute. Throws BugError for one that was not collected. */
export function slotOf({ attributes }: AbiNumbering, use: AttributeUse): number {
  const found = attributes.find((a) => useKey({ ...pick(a) }) === useKey(use));
  if (found === undefined) throw new BugError(`attribute without slot: ${attributeText(use)}`);
  return found.slot;
}

/** Bit of a predicate. Throws BugError for one that was not collected. */
export function bitOf({ predicates }: AbiNumbering, use: PredicateUse): number {
  const found = predicates.find(
    (p) => useKey({ ...pick(p), op: p.op, text: p.text }) === useKey(use),
  );
  if (found === undefined) throw new BugError(`predicate without bit: ${attributeText(use)}`);
  return found.bit;
}

function pick({ side, attribute, key }: AttributeUse): AttributeUse {
  return { side, attribute, key };
}
