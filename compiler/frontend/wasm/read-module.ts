/**
 * The binary module as plain data. It checks form (bounds, known opcodes, nesting), not types: every
 * module that comes here was validated by an engine; build-ir still guards each stack access.
 */
import {
  type FuncType,
  readBody,
  readValueType,
  type ValueType,
  type WasmBody,
} from './decode-code.js';
import { Reader } from './leb.js';
import { guarded, SECTION, type Section, splitSections, type WasmOutcome } from './sections.js';

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly kind: 'func' | 'table' | 'memory' | 'global';
  /** Of a function import. */
  readonly type: FuncType | null;
}
export interface WasmGlobal {
  readonly type: ValueType;
  readonly mutable: boolean;
  /** Bit pattern; null where the initialiser is no integer constant. */
  readonly init: bigint | null;
}
export interface WasmExport {
  readonly name: string;
  readonly kind: 'func' | 'table' | 'memory' | 'global';
  readonly index: number;
}
export interface WasmData {
  /** Address of an active segment; null for passive ones. */
  readonly at: number | null;
  readonly bytes: Uint8Array;
}
/** Functions of a table by slot, from active segments at constant offsets. */
export type WasmTable = ReadonlyMap<number, number>;

/** Operations that change a table while code runs. */
const TABLE_WRITES: ReadonlySet<string> = new Set([
  'table.set',
  'table.init',
  'table.copy',
  'table.grow',
  'table.fill',
]);

export interface WasmModule {
  readonly types: readonly FuncType[];
  readonly imports: readonly WasmImport[];
  /** Types of all functions, the imported first. */
  readonly functions: readonly FuncType[];
  readonly importedFunctions: number;
  /** Defined globals; `importedGlobals` come before them in the index space. */
  readonly globals: readonly WasmGlobal[];
  readonly importedGlobals: number;
  readonly exports: readonly WasmExport[];
  readonly start: number | null;
  /** In pages of 64 KiB; null without a memory. */
  readonly memory: { readonly min: number; readonly max: number | null } | null;
  readonly data: readonly WasmData[];
  /** By index of the table. */
  readonly tables: ReadonlyMap<number, WasmTable>;
  /** True where `tables` is all there ever is in them: no code writes tables, nothing comes from outside. */
  readonly tablesKnown: boolean;
  readonly bodies: readonly WasmBody[];
}

const KINDS = ['func', 'table', 'memory', 'global'] as const;

function readKind(reader: Reader): (typeof KINDS)[number] {
  return KINDS[reader.u8()] ?? reader.fail('unknown kind of import or export');
}
function readLimits(reader: Reader): { min: number; max: number | null } {
  const flags = reader.u8();
  if (flags > 1) reader.fail('shared or 64-bit memories are not supported');
  const min = reader.u32();
  return { min, max: flags === 1 ? reader.u32() : null };
}
function list<T>(reader: Reader, least: number, item: () => T): T[] {
  return Array.from({ length: reader.count(least) }, item);
}

/** Constant expression: its integer value, or the function of ref.func, or null. */
function readInit(reader: Reader): { value: bigint | null; func: number | null } {
  const start = reader.pos;
  const code = reader.u8();
  let value: bigint | null = null;
  let func: number | null = null;
  if (code === 0x41) value = reader.signed(32);
  else if (code === 0x42) value = reader.signed(64);
  else if (code === 0xd2) func = reader.u32();
  else if (code === 0x23) reader.u32();
  else if (code === 0x43) reader.take(4);
  else if (code === 0x44) reader.take(8);
  else if (code === 0xd0) reader.signed(33);
  else reader.fail(`initialiser at ${start} is not constant`);
  if (reader.u8() !== 0x0b) reader.fail('initialiser of more than one instruction');
  return { value, func };
}

interface Elements {
  readonly tables: Map<number, Map<number, number>>;
  readonly known: boolean;
}

function readElements(reader: Reader): Elements {
  const tables = new Map<number, Map<number, number>>();
  let known = true;
  for (let n = reader.count(); n > 0; n--) {
    const flags = reader.u32();
    if (flags > 7) reader.fail('unknown element segment');
    const active = (flags & 1) === 0;
    const explicit = (flags & 2) !== 0;
    const index = active && explicit ? reader.u32() : 0;
    const at = active ? readInit(reader).value : null;
    if ((flags & 3) !== 0) reader.u8();
    const functions = list(reader, 1, () =>
      (flags & 4) !== 0 ? readInit(reader).func : reader.u32(),
    );
    if (active && at === null) known = false;
    if (at === null) continue;
    const table = tables.get(index) ?? new Map<number, number>();
    tables.set(index, table);
    functions.forEach((func, i) => {
      if (func !== null) table.set(Number(at) + i, func);
      else table.delete(Number(at) + i);
    });
  }
  return { tables, known };
}

function build(wasm: Uint8Array): WasmModule {
  const sections = splitSections(wasm);
  const open = (id: number): Reader | null => {
    const section: Section | undefined = sections.find((s) => s.id === id);
    if (section === undefined) return null;
    return new Reader(wasm, section.offset, section.offset + section.bytes.length);
  };
  const each = <T>(id: number, least: number, item: (reader: Reader) => T): T[] => {
    const reader = open(id);
    if (reader === null) return [];
    const items = list(reader, least, () => item(reader));
    if (!reader.done) reader.fail(`bytes after the end of section ${id}`);
    return items;
  };
  const types = each(SECTION.type, 3, (r): FuncType => {
    if (r.u8() !== 0x60) r.fail('only function types are supported');
    return {
      params: list(r, 1, () => readValueType(r)),
      results: list(r, 1, () => readValueType(r)),
    };
  });
  const typeAt = (r: Reader): FuncType => types[r.u32()] ?? r.fail('unknown type');
  let importedMemory: { min: number; max: number | null } | null = null;
  const imports = each(SECTION.import, 4, (r): WasmImport => {
    const module = r.name();
    const name = r.name();
    const kind = readKind(r);
    let type: FuncType | null = null;
    if (kind === 'func') type = typeAt(r);
    else if (kind === 'table') {
      readValueType(r);
      readLimits(r);
    } else if (kind === 'memory') importedMemory = readLimits(r);
    else {
      readValueType(r);
      r.u8();
    }
    return { module, name, kind, type };
  });
  const imported = imports.flatMap((i) => (i.type === null ? [] : [i.type]));
  const defined = each(SECTION.function, 1, typeAt);
  const memories = each(SECTION.memory, 2, readLimits);
  const globals = each(SECTION.global, 3, (r): WasmGlobal => {
    const type = readValueType(r);
    const mutable = r.u8() === 1;
    return { type, mutable, init: readInit(r).value };
  });
  const exports = each(
    SECTION.export,
    3,
    (r): WasmExport => ({
      name: r.name(),
      kind: readKind(r),
      index: r.u32(),
    }),
  );
  const elementReader = open(SECTION.element);
  const elements: Elements =
    elementReader === null ? { tables: new Map(), known: true } : readElements(elementReader);
  const bodies = each(SECTION.code, 2, (r): WasmBody => {
    const size = r.u32();
    if (size > r.end - r.pos) r.fail('function longer than its section');
    const body = readBody(new Reader(wasm, r.pos, r.pos + size), types);
    r.pos += size;
    return body;
  });
  if (bodies.length !== defined.length) new Reader(wasm).fail('functions without body');
  const data = each(SECTION.data, 1, (r): WasmData => {
    const flags = r.u32();
    if (flags > 2) r.fail('unknown data segment');
    if (flags === 2 && r.u32() !== 0) r.fail('more than one memory');
    if (flags === 1) return { at: null, bytes: r.take(r.u32()) };
    const at = readInit(r).value;
    if (at === null) return r.fail('data segment at an address that is not constant');
    return { at: Number(at), bytes: r.take(r.u32()) };
  });
  return {
    types,
    imports,
    functions: [...imported, ...defined],
    importedFunctions: imported.length,
    globals,
    importedGlobals: imports.filter((i) => i.kind === 'global').length,
    exports,
    start: open(SECTION.start)?.u32() ?? null,
    memory: memories[0] ?? importedMemory,
    data,
    tables: elements.tables,
    tablesKnown:
      elements.known &&
      !imports.some((item) => item.kind === 'table') &&
      !bodies.some((body) => body.instrs.some((instr) => TABLE_WRITES.has(instr.op))),
    bodies,
  };
}

/** Reads a module; the fault says what is malformed or unsupported, and where. */
export function readModule(wasm: Uint8Array): WasmOutcome<WasmModule> {
  return guarded(() => build(wasm));
}
