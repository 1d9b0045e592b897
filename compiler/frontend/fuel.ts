/**
 * Injects deterministic fuel: at every function entry and loop header
 *   if fuel == 0 { call weft.out_of_fuel; unreachable }  fuel -= 1
 * so that both engines stop at the same point. Code is spliced as bytes; everything else of a body
 * stays as it was, and `originalOffset` leads from new code back to the old.
 *
 * A recursive call that is the last thing its function does is written as `return_call`: neither engine needs
 * a stack for it, so neither can run out of one. Before any other it is counted how many a decision is in, and
 *   if depth == 64 { unreachable }  depth += 1
 * so that all engines stop at the same depth.
 *
 * Where the import is missing it is appended to the imports, which shifts the index of every defined
 * function by one: calls, exports, elements, start and function names follow.
 */
import { DEPTH_EXPORT, FRAME_DEPTH, STATE_EXPORT } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import { STORES } from './build-ops.js';
import { findRecursion, type Recursion } from './recursion.js';
import {
  encodeName,
  encodeSigned,
  encodeU32,
  Reader,
  readModule,
  SECTION,
  type Section,
  splitSections,
  type WasmBody,
  type WasmModule,
  withSection,
  writeSections,
} from './wasm/index.js';

export interface Fuelled {
  readonly wasm: Uint8Array;
  readonly fuelGlobal: number;
  /** Offset of an instruction in `wasm` -> its offset in the input; injected code maps to its loop or function. */
  readonly originalOffset: (offset: number) => number | null;
}

export const FUEL_EXPORT = 'fuel';
const OUT_OF_FUEL = 'out_of_fuel';
const RETURN_CALL = 0x12;
const RETURN_CALL_INDIRECT = 0x13;

/** A stretch of new code that begins at `to`; injected stretches all map to `from`. */
interface Span {
  readonly to: number;
  readonly from: number;
  readonly injected: boolean;
}

class Splicer {
  readonly out: number[] = [];
  readonly spans: Span[] = [];
  readonly wasm: Uint8Array;
  constructor(wasm: Uint8Array) {
    this.wasm = wasm;
  }
  copy(from: number, end: number): void {
    this.spans.push({ to: this.out.length, from, injected: false });
    for (let i = from; i < end; i++) this.out.push(this.wasm[i] ?? 0);
  }
  inject(from: number, bytes: readonly number[]): void {
    this.spans.push({ to: this.out.length, from, injected: true });
    this.out.push(...bytes);
  }
}

/** Adds 1 to the index of every defined function where an import came before it. */
type Renumber = (func: number) => number;

/** What is written into bodies, and where. */
interface Splice {
  readonly burn: readonly number[];
  readonly renumber: Renumber;
  readonly recursion: Recursion;
  /** Before and behind a recursive call that is not the last one. */
  readonly descend: readonly number[];
  readonly ascend: readonly number[];
}

function spliceBody(
  splicer: Splicer,
  body: WasmBody,
  { burn, renumber, recursion: { tails, deep }, descend, ascend }: Splice,
): void {
  const first = body.instrs[0]?.pos ?? body.end;
  splicer.copy(body.pos, first);
  splicer.inject(first, burn);
  let copied = first;
  for (const instr of body.instrs) {
    const calls = instr.op === 'call' || instr.op === 'ref.func' || instr.op === 'return_call';
    const isTail = tails.has(instr.pos);
    const isDeep = deep.has(instr.pos);
    if (isDeep) {
      splicer.copy(copied, instr.pos);
      splicer.inject(instr.pos, descend);
      copied = instr.pos;
    }
    if (calls && (isTail || renumber(instr.index) !== instr.index)) {
      splicer.copy(copied, instr.pos + 1);
      if (isTail) splicer.out[splicer.out.length - 1] = RETURN_CALL;
      splicer.out.push(...encodeU32(renumber(instr.index)));
      copied = instr.end;
    } else if (isTail) {
      splicer.copy(copied, instr.pos + 1);
      splicer.out[splicer.out.length - 1] = RETURN_CALL_INDIRECT;
      copied = instr.pos + 1;
    } else if (instr.op === 'loop') {
      splicer.copy(copied, instr.end);
      splicer.inject(instr.pos, burn);
      copied = instr.end;
    }
    if (isDeep) {
      splicer.copy(copied, instr.end);
      splicer.inject(instr.pos, ascend);
      copied = instr.end;
    }
  }
  splicer.copy(copied, body.end);
}

function payload(sections: readonly Section[], id: number): Uint8Array {
  return sections.find((s) => s.id === id)?.bytes ?? new Uint8Array([0]);
}

/** The vector of a section with more items behind it. */
function appended(bytes: Uint8Array, items: readonly (readonly number[])[]): Uint8Array {
  const reader = new Reader(bytes);
  const count = reader.u32();
  return Uint8Array.from([
    ...encodeU32(count + items.length),
    ...bytes.subarray(reader.pos),
    ...items.flat(),
  ]);
}

function renumberedExports(
  module: WasmModule,
  renumber: Renumber,
  { fuelGlobal, depthGlobal }: { readonly fuelGlobal: number; readonly depthGlobal: number | null },
  state: readonly number[],
): Uint8Array {
  const kinds = { func: 0, table: 1, memory: 2, global: 3 };
  const items = module.exports.map((e) => [
    ...encodeName(e.name),
    kinds[e.kind],
    ...encodeU32(e.kind === 'func' ? renumber(e.index) : e.index),
  ]);
  items.push([...encodeName(FUEL_EXPORT), kinds.global, ...encodeU32(fuelGlobal)]);
  const isWritten = (index: number): boolean =>
    module.globals[index - module.importedGlobals]?.mutable === true;
  const stores = module.bodies.some((body) => body.instrs.some((i) => STORES.has(i.op)));
  for (const index of stores || state.some(isWritten) ? state : []) {
    items.push([...encodeName(`${STATE_EXPORT}${index}`), kinds.global, ...encodeU32(index)]);
  }
  if (depthGlobal !== null) {
    items.push([...encodeName(DEPTH_EXPORT), kinds.global, ...encodeU32(depthGlobal)]);
  }
  return Uint8Array.from([...encodeU32(items.length), ...items.flat()]);
}

/** Tables as segments of one function each; passive segments are gone, which table.init would miss. */
function renumberedElements(module: WasmModule, renumber: Renumber): Uint8Array {
  const items = [...module.tables].flatMap(([index, table]) =>
    [...table].map(([slot, func]) => [
      ...(index === 0 ? [0] : [2, ...encodeU32(index)]),
      ...[0x41, ...encodeSigned(BigInt(slot), 32), 0x0b],
      ...(index === 0 ? [] : [0]),
      ...[1, ...encodeU32(renumber(func))],
    ]),
  );
  return Uint8Array.from([...encodeU32(items.length), ...items.flat()]);
}

/** Function names of the name section; other names (locals, labels) are dropped. */
function renumberedNames(bytes: Uint8Array, renumber: Renumber): Uint8Array {
  const reader = new Reader(bytes);
  const out: number[] = [];
  while (!reader.done) {
    const id = reader.u8();
    const size = reader.u32();
    const inner = new Reader(reader.take(size));
    if (id !== 1) continue;
    const names: number[] = [];
    const count = inner.count(2);
    for (let i = 0; i < count; i++) {
      names.push(...encodeU32(renumber(inner.u32())), ...encodeName(inner.name()));
    }
    out.push(
      1,
      ...encodeU32(encodeU32(count).length + names.length),
      ...encodeU32(count),
      ...names,
    );
  }
  return Uint8Array.from(out);
}

function findImport(module: WasmModule): number | null {
  const functions = module.imports.filter((i) => i.kind === 'func');
  const index = functions.findIndex((i) => i.module === 'weft' && i.name === OUT_OF_FUEL);
  return index < 0 ? null : index;
}

/** Injects fuel, and exports the globals of `state` where the module writes them or memory; throws BugError where the module is malformed or already fuelled. */
export function injectFuel(wasm: Uint8Array, fuel: number, state: readonly number[] = []): Fuelled {
  const read = readModule(wasm);
  if (!read.ok) throw new BugError(`fuel: ${read.fault.message} at ${read.fault.offset}`);
  const module = read.value;
  if (module.exports.some((e) => e.name === FUEL_EXPORT)) throw new BugError('fuel: already there');
  const existing = findImport(module);
  const shift = module.importedFunctions;
  const renumber: Renumber = (func) => (existing === null && func >= shift ? func + 1 : func);
  const outOfFuel = existing ?? shift;
  const fuelGlobal = module.importedGlobals + module.globals.length;

  let sections = splitSections(wasm);
  if (existing === null) {
    const type = module.types.findIndex((t) => t.params.length === 0 && t.results.length === 0);
    const index = type < 0 ? module.types.length : type;
    if (type < 0) {
      const types = appended(payload(sections, SECTION.type), [[0x60, 0, 0]]);
      sections = withSection(sections, SECTION.type, types);
    }
    const item = [...encodeName('weft'), ...encodeName(OUT_OF_FUEL), 0, ...encodeU32(index)];
    const imports = appended(payload(sections, SECTION.import), [item]);
    sections = withSection(sections, SECTION.import, imports);
    if (module.start !== null) {
      const start = Uint8Array.from(encodeU32(renumber(module.start)));
      sections = withSection(sections, SECTION.start, start);
    }
    if (sections.some((s) => s.id === SECTION.element)) {
      sections = withSection(sections, SECTION.element, renumberedElements(module, renumber));
    }
    sections = sections.map((s) =>
      s.name === 'name' ? { ...s, bytes: renumberedNames(s.bytes, renumber) } : s,
    );
  }
  const recursion = findRecursion(module);
  const depthGlobal = recursion.deep.size === 0 ? null : fuelGlobal + 1;
  const counter = (from: number): number[] => [
    0x7f,
    1,
    0x41,
    ...encodeSigned(BigInt(from), 32),
    0x0b,
  ];
  const added = [counter(fuel), ...(depthGlobal === null ? [] : [counter(0)])];
  const globals = appended(payload(sections, SECTION.global), added);
  sections = withSection(sections, SECTION.global, globals);
  const exports = renumberedExports(module, renumber, { fuelGlobal, depthGlobal }, state);
  sections = withSection(sections, SECTION.export, exports);

  const g = encodeU32(fuelGlobal);
  const stop = [0x10, ...encodeU32(outOfFuel), 0x00];
  // global.get; eqz; if { call; unreachable } global.get; 1; sub; global.set
  const burn = [0x23, ...g, 0x45, 0x04, 0x40, ...stop, 0x0b, 0x23, ...g, 0x41, 1, 0x6b, 0x24, ...g];
  const code: number[] = [...encodeU32(module.bodies.length)];
  const spans: Span[] = [];
  const d = encodeU32(depthGlobal ?? 0);
  // global.get; limit; ge_u; if { unreachable } global.get; 1; add; global.set
  const full = [
    0x23,
    ...d,
    0x41,
    ...encodeSigned(BigInt(FRAME_DEPTH), 32),
    0x4f,
    0x04,
    0x40,
    0x00,
    0x0b,
  ];
  const descend = [...full, 0x23, ...d, 0x41, 1, 0x6a, 0x24, ...d];
  const ascend = [0x23, ...d, 0x41, 1, 0x6b, 0x24, ...d];
  for (const body of module.bodies) {
    const splicer = new Splicer(wasm);
    spliceBody(splicer, body, { burn, renumber, recursion, descend, ascend });
    code.push(...encodeU32(splicer.out.length));
    for (const span of splicer.spans) spans.push({ ...span, to: span.to + code.length });
    for (const byte of splicer.out) code.push(byte);
  }
  sections = withSection(sections, SECTION.code, Uint8Array.from(code));
  const out = writeSections(sections);
  const base = splitSections(out).find((s) => s.id === SECTION.code)?.offset ?? 0;
  const last = base + code.length;
  return { wasm: out, fuelGlobal, originalOffset: (offset) => lookUp(spans, base, last, offset) };
}

function lookUp(spans: readonly Span[], base: number, last: number, offset: number): number | null {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.to ?? 0) + base <= offset) low = middle + 1;
    else high = middle;
  }
  const span = spans[low - 1];
  if (span === undefined || offset >= last) return null;
  return span.injected ? span.from : span.from + (offset - base - span.to);
}
