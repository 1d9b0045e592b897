/**
 * Pass apply-snapshot
 * Reads    a module as asc wrote it, and its state after the configure phase
 * Writes   globals as immutable constants, memory as data segments; exports only what engines call
 * Refuses  nothing (the module was validated by the engine that ran it)
 * Keeps    types, imports, functions and the bytes of the code section, which the source map is about
 */
import { HOOK } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import type { Snapshot } from './types.js';
import {
  encodeName,
  encodeSigned,
  encodeU32,
  readModule,
  SECTION,
  type Section,
  splitSections,
  type WasmModule,
  writeSections,
} from './wasm/index.js';

const PAGE = 65_536;
/** Runs of zeros shorter than a segment's head are cheaper written out. */
const GAP = 16;
const TYPE_CODE: Readonly<Record<string, number>> = { i32: 0x7f, i64: 0x7e };

function joined(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let pos = 0;
  for (const part of parts) {
    out.set(part, pos);
    pos += part.length;
  }
  return out;
}

/** Non-zero runs of memory, nearby ones joined. */
function runs(memory: Uint8Array): { readonly start: number; readonly end: number }[] {
  const found: { start: number; end: number }[] = [];
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length >> 2);
  let open: { start: number; end: number } | null = null;
  for (let w = 0; w < words.length; w++) {
    if (words[w] === 0) continue;
    if (open !== null && w * 4 - open.end < GAP) open.end = w * 4 + 4;
    else {
      open = { start: w * 4, end: w * 4 + 4 };
      found.push(open);
    }
  }
  return found;
}

function dataSection(memory: Uint8Array): Uint8Array {
  const segments = runs(memory);
  const parts: (Uint8Array | number[])[] = [encodeU32(segments.length)];
  for (const { start, end } of segments) {
    parts.push([0, 0x41, ...encodeSigned(BigInt(start), 32), 0x0b, ...encodeU32(end - start)]);
    parts.push(memory.subarray(start, end));
  }
  return joined(parts);
}

function globalSection(
  module: WasmModule,
  values: readonly bigint[],
  assigned: ReadonlySet<number>,
): Uint8Array {
  const items = module.globals.map((global, i) => {
    const code = TYPE_CODE[global.type];
    // A float global cannot be a constant here; the IR builder refuses functions that read it.
    if (code === undefined) return floatGlobal(global.type, values[i] ?? 0n);
    const long = global.type === 'i64';
    const mutable = assigned.has(i) ? 1 : 0;
    const constant = encodeSigned(values[i] ?? 0n, long ? 64 : 32);
    return [code, mutable, long ? 0x42 : 0x41, ...constant, 0x0b];
  });
  return Uint8Array.from([...encodeU32(items.length), ...items.flat()]);
}

function floatGlobal(type: string, bits: bigint): number[] {
  const double = type === 'f64';
  if (!double && type !== 'f32') throw new BugError(`snapshot: global of type ${type}`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, bits, true);
  return [double ? 0x7c : 0x7d, 1, double ? 0x44 : 0x43, ...bytes.slice(0, double ? 8 : 4), 0x0b];
}

/** Globals that some function still assigns: they must stay mutable for the module to be valid. */
function assignedGlobals(module: WasmModule): Set<number> {
  const assigned = new Set<number>();
  for (const body of module.bodies) {
    for (const instr of body.instrs) if (instr.op === 'global.set') assigned.add(instr.index);
  }
  return assigned;
}

function exportSection(module: WasmModule): Uint8Array {
  const names: readonly string[] = [...HOOK, 'memory'];
  const kept = module.exports.filter(
    (e) => names.includes(e.name) && e.kind === (e.name === 'memory' ? 'memory' : 'func'),
  );
  const items = kept.map((e) => [
    ...encodeName(e.name),
    e.kind === 'memory' ? 2 : 0,
    ...encodeU32(e.index),
  ]);
  return Uint8Array.from([...encodeU32(items.length), ...items.flat()]);
}

export interface Applied {
  readonly wasm: Uint8Array;
  /** Add to a code offset of `wasm` to get the offset in the input. */
  readonly shift: number;
}

/** Writes the state of a snapshot into its module. */
export function applySnapshot(wasm: Uint8Array, snapshot: Snapshot): Applied {
  const read = readModule(wasm);
  if (!read.ok) throw new BugError(`snapshot: ${read.fault.message} at ${read.fault.offset}`);
  const module = read.value;
  const pages = snapshot.memory.length / PAGE;
  const replaced = (section: Section): Uint8Array | null => {
    switch (section.id) {
      case SECTION.memory:
        return Uint8Array.from([1, 1, ...encodeU32(pages), ...encodeU32(pages)]);
      case SECTION.global:
        return globalSection(module, snapshot.globals, assignedGlobals(module));
      case SECTION.export:
        return exportSection(module);
      case SECTION.start:
      case SECTION.data:
      case SECTION.dataCount:
      case SECTION.custom:
        return null;
      default:
        return section.bytes;
    }
  };
  const before = splitSections(wasm);
  const after = before.flatMap((section) => {
    const bytes = replaced(section);
    return bytes === null ? [] : [{ ...section, bytes }];
  });
  const data = { id: SECTION.data, name: null, offset: 0, bytes: dataSection(snapshot.memory) };
  const out = writeSections([...after, data]);
  return { wasm: out, shift: codeOffset(before) - codeOffset(splitSections(out)) };
}

function codeOffset(sections: readonly Section[]): number {
  return sections.find((s) => s.id === SECTION.code)?.offset ?? 0;
}
