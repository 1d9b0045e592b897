/**
 * Pass apply-snapshot
 * Reads    a module as asc wrote it, and its state after the configure phase
 * Writes   globals as immutable constants, memory as data segments; exports only what engines call;
 *          functions of the configure phase alone become traps
 * Refuses  nothing (the module was validated by the engine that ran it)
 * Keeps    types, imports, function indices and the bytes of living functions, for the source map
 */
import { HOOK } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import { pruneMemory } from './prune-memory.js';
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
const CALLS: ReadonlySet<string> = new Set(['call', 'return_call', 'ref.func']);
/** No locals, `unreachable`, `end`: fits any type. */
const DEAD_BODY: readonly number[] = [0, 0, 0x0b];
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

/** Functions that engines can come to; the others ran in the configure phase or never. */
function reachable(module: WasmModule): Set<number> {
  const hooks: readonly string[] = HOOK;
  const open = module.exports.filter((e) => e.kind === 'func' && hooks.includes(e.name));
  const stack = open.map((e) => e.index);
  const seen = new Set(stack);
  const visit = (func: number): void => {
    if (seen.has(func)) return;
    seen.add(func);
    stack.push(func);
  };
  for (let func = stack.pop(); func !== undefined; func = stack.pop()) {
    for (const instr of module.bodies[func - module.importedFunctions]?.instrs ?? []) {
      if (CALLS.has(instr.op)) visit(instr.index);
      else if (instr.op.includes('call_indirect')) {
        for (const table of module.tables.values()) for (const f of table.values()) visit(f);
      }
    }
  }
  return seen;
}

/** Globals that a living function still assigns: they must stay mutable for the module to be valid. */
function assignedGlobals(module: WasmModule, living: ReadonlySet<number>): Set<number> {
  const assigned = new Set<number>();
  module.bodies.forEach((body, i) => {
    if (!living.has(module.importedFunctions + i)) return;
    for (const instr of body.instrs) {
      if (instr.op === 'global.set') assigned.add(instr.index - module.importedGlobals);
    }
  });
  return assigned;
}

interface Stretch {
  readonly to: number;
  readonly from: number;
  readonly length: number;
}

/** Living functions as they are, dead ones as traps. `to` is relative to the new section's payload. */
function codeSection(
  wasm: Uint8Array,
  module: WasmModule,
  living: ReadonlySet<number>,
): { bytes: Uint8Array; stretches: readonly Stretch[] } {
  const parts: (Uint8Array | readonly number[])[] = [encodeU32(module.bodies.length)];
  const stretches: Stretch[] = [];
  let size = encodeU32(module.bodies.length).length;
  module.bodies.forEach((body, i) => {
    const alive = living.has(module.importedFunctions + i);
    const bytes = alive ? wasm.subarray(body.pos, body.end) : Uint8Array.from(DEAD_BODY);
    const head = encodeU32(bytes.length);
    if (alive) stretches.push({ to: size + head.length, from: body.pos, length: bytes.length });
    parts.push(head, bytes);
    size += head.length + bytes.length;
  });
  return { bytes: joined(parts), stretches };
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
  /** Code offset of `wasm` -> code offset of the input; null outside of living functions. */
  readonly originalOffset: (offset: number) => number | null;
}

/** Writes the state of a snapshot into its module. */
export function applySnapshot(wasm: Uint8Array, snapshot: Snapshot): Applied {
  const read = readModule(wasm);
  if (!read.ok) throw new BugError(`snapshot: ${read.fault.message} at ${read.fault.offset}`);
  const module = read.value;
  const living = reachable(module);
  const code = codeSection(wasm, module, living);
  const pages = snapshot.memory.length / PAGE;
  const replaced = (section: Section): Uint8Array | null => {
    switch (section.id) {
      case SECTION.memory:
        return Uint8Array.from([1, 1, ...encodeU32(pages), ...encodeU32(pages)]);
      case SECTION.global:
        return globalSection(module, snapshot.globals, assignedGlobals(module, living));
      case SECTION.export:
        return exportSection(module);
      case SECTION.code:
        return code.bytes;
      case SECTION.start:
      case SECTION.data:
      case SECTION.dataCount:
      case SECTION.custom:
        return null;
      default:
        return section.bytes;
    }
  };
  const sections = splitSections(wasm).flatMap((section) => {
    const bytes = replaced(section);
    return bytes === null ? [] : [{ ...section, bytes }];
  });
  const data = {
    id: SECTION.data,
    name: null,
    offset: 0,
    bytes: dataSection(pruneMemory(module, snapshot, living).memory),
  };
  const out = writeSections([...sections, data]);
  const base = splitSections(out).find((s) => s.id === SECTION.code)?.offset ?? 0;
  return {
    wasm: out,
    originalOffset: (offset) => {
      const at = offset - base;
      const stretch = code.stretches.find((s) => s.to <= at && at < s.to + s.length);
      return stretch === undefined ? null : at - stretch.to + stretch.from;
    },
  };
}
