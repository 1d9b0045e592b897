/**
 * What all functions of one policy share while they are built: the decoded module, source positions,
 * the list of subprograms still to build, and what was refused.
 */
import { ABI_IMPORTS, ABI_MODULE, DEPTH_EXPORT } from '../abi/index.js';
import { type Diagnostic, diagnostic } from '../diagnostic/index.js';
import { CODES, type IntType, type SourcePosition } from '../ir/index.js';
import { indirectCall } from './indirect-call.js';
import { readState } from './read-state.js';
import { findRecursion, type Recursion } from './recursion.js';
import type { PolicyModule, Scratch } from './types.js';
import type { FuncType, WasmBody, WasmImport, WasmInstr, WasmModule } from './wasm/index.js';

/** Integer parameters of a subprogram beside the connection and the fuel (five registers in all). */
export const MAX_PARAMS = 3;
/** Slots of a table through which functions are called: each is a case of a switch. */
export const MAX_SLOTS = 1024;
const PAGE = 65536;
/** 512 MiB: a table of the largest size with long keys takes about half of it. */
export const MAX_PAGES = 8192;

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export class BuildContext {
  readonly fuelGlobal: number;
  readonly budget: bigint;
  /** Linear memory as the snapshot left it; null without a memory. */
  readonly memory: Uint8Array | null;
  /** Of it what no decision may write, so that loads are constants at once. */
  readonly constantMemory: Uint8Array | null;
  /** What a decision may write; null for nothing. */
  readonly scratch: Scratch | null;
  /** Globals that change within a decision, with the values it begins with. */
  readonly kept: ReadonlyMap<number, { readonly type: IntType; readonly value: bigint }>;
  readonly positions: SourcePosition[] = [];
  /** Subprograms that were called: index -> name, in order of first call. */
  readonly called: Map<number, string> = new Map();
  private readonly refusals: Diagnostic[] = [];
  /** The last place in the policy's own text that each function came by. */
  private readonly lastPlace = new Map<string, Place>();
  /** Where subprograms were first called from. */
  private readonly callers = new Map<string, { readonly at: Place | null; readonly by: string }>();
  private readonly module: WasmModule;
  private readonly frontend: PolicyModule;
  private readonly policy: number;
  private readonly imports: readonly WasmImport[];
  private readonly located = new Map<string, number>();
  private readonly stateful: Set<number>;
  private readonly tailCalled: ReadonlySet<number>;
  /** Counts the recursive calls that a decision is in; null where no function needs it. */
  readonly depthGlobal: number | null;
  private readonly recursion: Recursion;
  /** Functions of our own, numbered behind the module's: one for each type of indirect call. */
  private readonly added: { readonly type: FuncType; readonly body: WasmBody }[] = [];
  private readonly indirect = new Map<string, number>();

  constructor(module: WasmModule, frontend: PolicyModule, policy: number) {
    this.module = module;
    this.frontend = frontend;
    this.policy = policy;
    this.fuelGlobal = frontend.fuelGlobal;
    this.imports = module.imports.filter((item) => item.kind === 'func');
    this.budget = this.global(frontend.fuelGlobal)?.value ?? 0n;
    this.memory = linearMemory(module);
    this.scratch = frontend.scratch;
    const depth = module.exports.find((e) => e.kind === 'global' && e.name === DEPTH_EXPORT);
    this.depthGlobal = depth?.index ?? null;
    this.recursion = findRecursion(module);
    const state = readState(module, frontend.scratch, this.depthGlobal);
    const written = state.writesMemory ? frontend.scratch?.from : undefined;
    this.constantMemory = this.memory?.subarray(0, written) ?? null;
    this.stateful = new Set(state.functions);
    const instrs = module.bodies.flatMap((body) => body.instrs);
    const inTables = [...module.tables.values()].flatMap((table) => [...table.values()]);
    this.tailCalled = new Set(
      instrs.flatMap(({ op, index }) => {
        if (op === 'return_call') return [index];
        return op === 'return_call_indirect' ? inTables : [];
      }),
    );
    this.kept = new Map(
      state.globals.flatMap((index) => {
        const global = this.global(index);
        return global === null ? [] : [[index, global] as const];
      }),
    );
  }

  typeOf(index: number): FuncType {
    const added = this.added[index - this.module.functions.length];
    return added?.type ?? this.module.functions[index] ?? { params: [], results: [] };
  }
  body(index: number): WasmBody | null {
    const added = this.added[index - this.module.functions.length];
    return added?.body ?? this.module.bodies[index - this.module.importedFunctions] ?? null;
  }
  /**
   * The function that stands for a call_indirect with that table and type: its last parameter is the
   * slot. Null where the table is not known at build time.
   */
  indirectCall(instr: WasmInstr): number | null {
    const { op, index: type, second, pos } = instr;
    const isTail = op === 'return_call_indirect';
    const key = `${op} ${type} ${second}`;
    const known = this.indirect.get(key);
    if (known !== undefined) return known;
    const called = this.module.types[type];
    if (!this.module.tablesKnown || called === undefined) return null;
    const table = this.module.tables.get(second) ?? new Map<number, number>();
    const slots = [...table].filter(([, func]) => this.sameType(func, type));
    if (slots.some(([slot]) => slot >= MAX_SLOTS)) return null;
    const index = this.module.functions.length + this.added.length;
    if (slots.some(([, func]) => this.stateful.has(func))) this.stateful.add(index);
    this.added.push(indirectCall(called, new Map(slots), { pos, isTail }));
    this.indirect.set(key, index);
    return index;
  }
  /** Function in a slot of a table that is known at build time. */
  slot(table: number, slot: number): number | undefined {
    return this.module.tablesKnown ? this.module.tables.get(table)?.get(slot) : undefined;
  }
  /** True where the function has the type with that index, which call_indirect checks. */
  sameType(func: number, type: number): boolean {
    const want = this.module.types[type];
    return want !== undefined && JSON.stringify(this.typeOf(func)) === JSON.stringify(want);
  }
  /** The value of a global; null where it is imported or no integer. */
  global(index: number): { type: IntType; value: bigint } | null {
    const global = this.module.globals[index - this.module.importedGlobals];
    if (global === undefined || global.init === null) return null;
    return global.type === 'i32' || global.type === 'i64'
      ? { type: global.type, value: global.init }
      : null;
  }
  /** The import with that function index; `known` where the ABI has it with that signature. */
  imported(index: number): { name: string; known: boolean } | null {
    const item = this.imports[index];
    if (item === undefined) return null;
    if (item.module !== ABI_MODULE) return { name: `${item.module}.${item.name}`, known: false };
    const abi = Object.entries(ABI_IMPORTS).find(([name]) => name === item.name)?.[1];
    const params = abi?.params.map((kind) => (kind === 'i64' ? 'i64' : 'i32'));
    const results = abi === undefined || abi.result === 'none' ? [] : [abi.result];
    const known = JSON.stringify(item.type) === JSON.stringify({ params, results });
    return { name: item.name, known: abi !== undefined && known };
  }
  /** Of all functions of the module. */
  functionNumbers(): Iterable<number> {
    return this.module.functions.keys();
  }
  /** True where some function ends in a recursive call of this one. */
  isTailCalled(index: number): boolean {
    return this.tailCalled.has(index);
  }
  /** The functions that may call each other back and need frames for it, of which this is one; null for others. */
  groupOf(index: number): ReadonlySet<number> | null {
    return this.recursion.groupOf(index);
  }
  /** True where a function that an engine enters needs memory for recursion. */
  needsFrames(index: number): boolean {
    return this.depthGlobal !== null && this.stateful.has(index);
  }
  /** True where a function can be a BPF subprogram; others, and those that share state, are inlined into each caller. */
  fitsSubprogram(index: number): boolean {
    const { params, results } = this.typeOf(index);
    if (this.stateful.has(index)) return false;
    return params.length <= MAX_PARAMS && results.length <= 1 && results[0] !== 'i64';
  }
  /** The symbol of a subprogram, which is built later. */
  subprogram(index: number): string {
    const known = this.called.get(index);
    if (known !== undefined) return known;
    const name = `p${this.policy}_f${index}`;
    this.called.set(index, name);
    return name;
  }

  /** Number of the source position of an instruction. */
  position(offset: number): number | null {
    return this.numberOf(this.frontend.locate(offset));
  }
  private numberOf(at: Place | null): number | null {
    if (at === null) return null;
    const key = `${at.line}:${at.column}:${at.file}`;
    const known = this.located.get(key);
    if (known !== undefined) return known;
    const { file, line, column } = at;
    const text = this.frontend.lineText(file, line);
    this.located.set(key, this.positions.length);
    this.positions.push({ file, line, column, text });
    return this.positions.length - 1;
  }

  /** Notes that function `by` is at an instruction, and calls `callee` there if one is given. */
  pass(offset: number, by: string, callee: string | null = null): void {
    const at = this.frontend.locate(offset);
    if (at !== null) this.lastPlace.set(by, at);
    if (callee === null || this.callers.has(callee)) return;
    this.callers.set(callee, { at: at ?? this.lastPlace.get(by) ?? null, by });
  }
  /** Where the policy's own text leads into a function of the library. */
  private entrance(func: string): Place | null {
    const seen = new Set<string>();
    for (let name: string | undefined = func; name !== undefined && !seen.has(name); ) {
      seen.add(name);
      const caller = this.callers.get(name);
      if (caller?.at) return caller.at;
      name = caller?.by;
    }
    return null;
  }

  /** As `position`; for code of the library the place in the policy's own text that led there. */
  ownPosition(offset: number, by: string): number | null {
    return this.position(offset) ?? this.numberOf(this.lastPlace.get(by) ?? this.entrance(by));
  }

  /** Notes a refusal and answers with the name of the marker that stands for it in the IR. */
  refuse(code: string, message: string, offset: number, by: string): string {
    const own = this.frontend.locate(offset);
    const at = own ?? this.lastPlace.get(by) ?? this.entrance(by);
    this.refusals.push(refusal(code, message, at));
    return `refused.${this.refusals.length - 1}`;
  }
  /** The refusal behind a marker. */
  refusal(name: string): Diagnostic | null {
    return this.refusals[Number(name.replace('refused.', ''))] ?? null;
  }
}

/** An error with the remedy that its code has. */
export function refusal(
  code: string,
  message: string,
  at: { file: string; line: number; column: number } | null,
): Diagnostic {
  return diagnostic(code, message, { at, help: CODES[code]?.help ?? null });
}

function linearMemory(module: WasmModule): Uint8Array | null {
  const pages = module.memory?.min ?? 0;
  if (pages === 0 || pages > MAX_PAGES) return null;
  const memory = new Uint8Array(pages * PAGE);
  for (const segment of module.data) {
    const { at, bytes } = segment;
    if (at !== null && at + bytes.length <= memory.length) memory.set(bytes, at);
  }
  return memory;
}
