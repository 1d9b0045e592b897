/**
 * Searches for the value of a name in a list, as `query` and `cookie` of the SDK are. They are known by what they do:
 * a loop is run on all texts that a few pieces make (the name, its beginning, separators, other characters), and on long
 * ones, and counts as such a search where it ends each time as one does.
 */
import {
  type AbiCall,
  type Block,
  type BlockId,
  bitsOf,
  foldBinary,
  foldCompare,
  foldUnary,
  type Instr,
  type Target,
  type ValueId,
} from '../../compiler/index.js';

/** The lists that are searched: parameters of the query, and cookies. */
export type ListName = 'query' | 'cookie';

/** A loop as far as it matters to run it. */
export interface LoopCode {
  readonly header: BlockId;
  /** Of the loop. */
  readonly blocks: ReadonlyMap<BlockId, Block>;
  readonly exits: readonly Target[];
  readonly calls: ReadonlyMap<ValueId, AbiCall>;
  /** Of the whole function. */
  readonly constants: ReadonlyMap<ValueId, bigint>;
  /** Is taken to suffice. */
  readonly fuel: ReadonlySet<ValueId>;
}

/** What a value is behind the search: what was found or 0, or a constant. */
export type NamedValue = 'value' | bigint;
/** An end of the search. */
export interface NamedEnd {
  readonly exit: Target;
  /** Whether it is one where the name is there, and where it is not. */
  readonly found: boolean;
  readonly missing: boolean;
  readonly values: ReadonlyMap<ValueId, NamedValue>;
}
export interface NamedSearch {
  readonly list: ListName;
  readonly name: string;
  readonly ends: readonly NamedEnd[];
}

const SEPARATORS: Readonly<Record<ListName, string>> = { query: '&', cookie: ';' };
/** Names that no other part of a list can be taken for. */
const PLAIN_NAME = /^[A-Za-z0-9_.~!$'()*+,/:@-]+$/;
/** Where the list stands in the request: two places, so that what depends on it is told from constants. */
const OFFSETS: readonly number[] = [40, 777];
const FUEL = 1_000_000n;
const MAX_STEPS = 20_000;
const PIECES = 3;
const ROUNDS = 126;
const NOTHING = 0xffffffffn;

/** The value of a name in a list: where it begins, and how long it is. */
export function namedValue(
  list: ListName,
  name: string,
  text: string,
): readonly [number, number] | null {
  const separator = SEPARATORS[list];
  for (let at = 0; at < text.length; ) {
    if (list === 'cookie' && text[at] === ' ') {
      at += 1;
      continue;
    }
    const next = text.indexOf(separator, at);
    const end = next < 0 ? text.length : next;
    const item = text.slice(at, end);
    if (list === 'query' && item === name) return [end, 0];
    if (item.startsWith(`${name}=`)) {
      const from = at + name.length + 1;
      return [from, end - from];
    }
    at = end + 1;
  }
  return null;
}

function textsFor(list: ListName, name: string): readonly string[] {
  const separator = SEPARATORS[list];
  const pieces = [name, name.slice(0, -1), `${name}=`, '=', separator, ' ', 'x'].filter(
    (piece) => piece !== '',
  );
  const texts = [''];
  let layer = [''];
  for (let length = 1; length <= PIECES; length += 1) {
    layer = layer.flatMap((text) => pieces.map((piece) => text + piece));
    texts.push(...layer);
  }
  const others = `x${separator}`.repeat(ROUNDS);
  const long = 'x'.repeat(300);
  return [
    ...new Set(texts),
    others,
    `${others}${name}=x`,
    `x${separator}x${separator} ${name}=x${separator}x`,
    `x${separator}${name}x=x${separator}${name}=`,
    `${long}${separator}${name}=${long}`,
    `${name}=${long}${separator}${name}=x`,
  ];
}

/** A list and where it stands. */
interface Placed {
  readonly text: string;
  readonly offset: number;
}
interface Ended {
  readonly exit: number;
  readonly values: ReadonlyMap<ValueId, bigint>;
}

/** Runs a loop on one text; null where it does what a search does not. */
function runLoop(
  code: LoopCode,
  start: ReadonlyMap<ValueId, bigint>,
  { text, offset }: Placed,
): Ended | null {
  const values = new Map<ValueId, bigint>(start);
  const read = (id: ValueId): bigint | null => values.get(id) ?? code.constants.get(id) ?? null;
  let at: BlockId = code.header;
  for (let steps = 0; steps < MAX_STEPS; ) {
    const block = code.blocks.get(at);
    if (block === undefined) return null;
    for (const instr of block.instrs) {
      steps += 1;
      const value = resultOf(instr, code, read, { text, offset });
      if (value === null) return null;
      values.set(instr.id, value);
    }
    const { term } = block;
    let target: Target;
    if (term.op === 'br') target = term.to;
    else if (term.op === 'br_if') {
      const condition = read(term.condition);
      if (condition === null) return null;
      target = condition === 0n ? term.else : term.then;
    } else return null;
    const exit = code.exits.indexOf(target);
    if (exit >= 0) return { exit, values };
    const next = code.blocks.get(target.block);
    const args = target.args.map(read);
    if (next === undefined || args.includes(null)) return null;
    for (const [i, { id }] of next.params.entries()) values.set(id, args[i] ?? 0n);
    at = target.block;
  }
  return null;
}

function resultOf(
  instr: Instr,
  code: LoopCode,
  read: (id: ValueId) => bigint | null,
  placed: Placed,
): bigint | null {
  const mask = (value: bigint): bigint => BigInt.asUintN(bitsOf(instr.type), value);
  if (instr.op === 'const') return instr.value;
  if (!('args' in instr)) return null;
  const args = instr.args.map(read);
  const [a = null, b = null, c = null] = args;
  switch (instr.op) {
    case 'binary':
      return a === null || b === null
        ? null
        : foldBinary(instr.kind, instr.type === 'i64' ? 'i64' : 'i32', a, b);
    case 'unary':
      return a === null ? null : foldUnary(instr.kind, instr.type === 'i64' ? 'i64' : 'i32', a);
    case 'compare':
      // Of 32 bits: nothing else is compared in a search.
      return a === null || b === null ? null : foldCompare(instr.kind, 'i32', a, b) ? 1n : 0n;
    case 'select':
      return a === null ? null : a !== 0n ? b : c;
    case 'extend_u':
    case 'wrap':
      return a === null ? null : mask(a);
    case 'launder':
      return a;
    case 'abi':
      return askText(code.calls.get(instr.id), a, b, placed);
    default:
      return null;
  }
}

/** What the ABI says of a view of the text. */
function askText(
  call: AbiCall | undefined,
  view: bigint | null,
  operand: bigint | null,
  { text, offset }: Placed,
): bigint | null {
  if (call === undefined || view === null) return null;
  const [from, length] = [Number(view >> 16n) - offset, Number(view & 0xffffn)];
  if (from < 0 || from + length > text.length) return null;
  const part = text.slice(from, from + length);
  switch (call.op) {
    case 'byte':
      if (operand === null) return null;
      return operand < BigInt(length) ? BigInt(part.charCodeAt(Number(operand))) : NOTHING;
    case 'find': {
      if (operand === null) return null;
      const at = part.indexOf(String.fromCharCode(Number(operand)));
      return BigInt(at < 0 ? length : at);
    }
    case 'literal':
      if (call.compare !== 'startsWith' || call.ignoresCase) return null;
      return part.startsWith(call.text) ? 1n : 0n;
    default:
      return null;
  }
}

interface Seen {
  found: boolean;
  missing: boolean;
  /** By value that the loop computes: all that it was, and whether that was what is searched for each time. */
  readonly values: Map<ValueId, { readonly first: bigint; same: boolean; wanted: boolean }>;
}

/** Which name a loop asks about, and in which list. */
function asked(
  { calls, blocks }: LoopCode,
  constants: LoopCode['constants'],
): readonly [ListName, string] | null {
  let name: string | null = null;
  let list: ListName | null = null;
  for (const { instrs } of blocks.values()) {
    for (const instr of instrs) {
      const call = calls.get(instr.id);
      if (call?.op === 'literal') {
        if (name !== null && name !== call.text) return null;
        name = call.text;
      }
      if (call?.op === 'find' && instr.op === 'abi') {
        const byte = constants.get(instr.args[1] as ValueId);
        list = byte === 0x26n ? 'query' : byte === 0x3bn ? 'cookie' : null;
      }
    }
  }
  return name === null || list === null || !PLAIN_NAME.test(name) ? null : [list, name];
}

/**
 * Reads a loop as a search for the value of a name; null where it is none. `start` is what it begins with: the list
 * itself, or a constant.
 */
export function namedSearch(
  code: LoopCode,
  start: ReadonlyMap<ValueId, bigint | 'list'>,
): NamedSearch | null {
  const byStart = known.get(code) ?? new Map<string, NamedSearch | null>();
  known.set(code, byStart);
  const key = [...start].join(' ');
  const found = byStart.get(key);
  if (found !== undefined) return found;
  const read = readSearch(code, start);
  byStart.set(key, read);
  return read;
}

/** By loop and what it begins with: policies are run several times. */
const known = new WeakMap<LoopCode, Map<string, NamedSearch | null>>();

function readSearch(
  code: LoopCode,
  start: ReadonlyMap<ValueId, bigint | 'list'>,
): NamedSearch | null {
  const about = asked(code, code.constants);
  if (about === null) return null;
  const [list, name] = about;
  const seen = new Map<number, Seen>();
  for (const [i, text] of textsFor(list, name).entries()) {
    const offset = OFFSETS[i % OFFSETS.length] ?? 0;
    const view = BigInt(offset * 65536 + text.length);
    const begins = new Map(
      [...start].map(([id, value]) => [id, value === 'list' ? view : value] as const),
    );
    for (const id of code.fuel) begins.set(id, FUEL);
    const ended = runLoop(code, begins, { text, offset });
    if (ended === null) return null;
    const place = namedValue(list, name, text);
    const wanted = place === null ? 0n : BigInt((offset + place[0]) * 65536 + place[1]);
    note(seen, ended, wanted, code.fuel);
  }
  return endsOf(code, seen, { list, name });
}

function note(
  seen: Map<number, Seen>,
  { exit, values }: Ended,
  wanted: bigint,
  fuel: ReadonlySet<ValueId>,
): void {
  const known = seen.get(exit) ?? { found: false, missing: false, values: new Map() };
  seen.set(exit, known);
  if (wanted === 0n) known.missing = true;
  else known.found = true;
  for (const [id, value] of values) {
    if (fuel.has(id)) continue;
    const before = known.values.get(id);
    if (before === undefined) {
      known.values.set(id, { first: value, same: true, wanted: value === wanted });
    } else {
      before.same &&= before.first === value;
      before.wanted &&= value === wanted;
    }
  }
}

function valuesOf({ values }: Seen): ReadonlyMap<ValueId, NamedValue> {
  return new Map(
    [...values].flatMap(([id, { first, same, wanted }]): [ValueId, NamedValue][] =>
      same ? [[id, first]] : wanted ? [[id, 'value']] : [],
    ),
  );
}

/** Ends that lead to the same place with the same are one. */
function endsOf(
  { exits }: LoopCode,
  seen: ReadonlyMap<number, Seen>,
  about: { readonly list: ListName; readonly name: string },
): NamedSearch | null {
  const ends = new Map<string, NamedEnd>();
  for (const [number, one] of seen) {
    const exit = exits[number];
    if (exit === undefined) return null;
    const values = valuesOf(one);
    const key = `${exit.block} ${exit.args.map((id) => values.get(id) ?? `${id}?`).join()}`;
    const { found = false, missing = false } = ends.get(key) ?? {};
    ends.set(key, {
      exit,
      values,
      found: found || one.found,
      missing: missing || one.missing,
    });
  }
  return { ...about, ends: [...ends.values()] };
}
