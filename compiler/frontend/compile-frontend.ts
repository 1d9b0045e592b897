/**
 * From policy.ts to a module that engines run: asc, snapshot of the configure phase, constant
 * globals and memory, fuel. Pure: files come through `read`, the snapshot engine is a parameter.
 */
import { type ExportName, HOOK, MAX_SITES } from '../abi/index.js';
import {
  BugError,
  type Diagnostic,
  diagnostic,
  hasErrors,
  type Position,
} from '../diagnostic/index.js';
import { applySnapshot } from './apply-snapshot.js';
import { CODES } from './codes.js';
import { explainSnapshotError } from './explain-snapshot-error.js';
import { injectFuel } from './fuel.js';
import { LineIndex } from './line-index.js';
import { readRegistry } from './read-registry.js';
import { type AscResult, runAsc } from './run-asc.js';
import { findScratch } from './scratch.js';
import { isSnapshotError, type SnapshotError } from './snapshot-error.js';
import { sourceLocator } from './source-map.js';
import type { FrontendOptions, FrontendOutcome, Snapshot, StepTimer } from './types.js';
import { readModule, type WasmModule } from './wasm/index.js';
import { writeSourceMap } from './write-source-map.js';

const ROOT_EXPORT = '__weft_registry';

function parse(wasm: Uint8Array): WasmModule {
  const read = readModule(wasm);
  if (!read.ok) throw new BugError(`frontend: ${read.fault.message} at ${read.fault.offset}`);
  return read.value;
}

function help(code: string): string {
  return CODES[code]?.help ?? '';
}

/** Whether a policy function exists. Signatures were checked on the syntax tree; renamed exports only here. */
function checkExports(module: WasmModule, file: string): Diagnostic[] {
  const at: Position = { file, line: 1, column: 1 };
  const hooks = module.exports.filter((e) => e.kind === 'func' && isHook(e.name));
  if (hooks.length === 0) {
    const message = `\`${file}\` exports no policy function`;
    return [diagnostic('P101', message, { at, help: help('P101') })];
  }
  return hooks.flatMap(({ name, index }) => {
    const type = module.functions[index];
    if (type?.params.join() === 'i32' && type.results.join() === 'i32') return [];
    const message = `\`${name}\` has the wrong parameters or result`;
    return [diagnostic('P102', message, { at, help: help('P102') })];
  });
}

function isHook(name: string): name is ExportName {
  return (HOOK as readonly string[]).includes(name);
}

function rootAddress(module: WasmModule, snapshot: Snapshot): number {
  const root = module.exports.find((e) => e.name === ROOT_EXPORT && e.kind === 'global');
  const value = root === undefined ? undefined : snapshot.globals[root.index];
  if (value === undefined) throw new BugError('frontend: the module exports no registry');
  return Number(value);
}

const untimed: StepTimer = (_, run) => run();

function askAsc(
  options: FrontendOptions,
  { keepAbort }: { readonly keepAbort: boolean },
): ReturnType<typeof runAsc> {
  const { file, read, timed = untimed } = options;
  return timed('asc', () => runAsc(file, read, { ...options, keepAbort }));
}

/** Runs the configure phase; where it stops, a run with the abort import finds out what was thrown. */
async function takeSnapshot(
  asc: AscResult,
  options: FrontendOptions,
): Promise<Snapshot | Diagnostic> {
  const first = await trySnapshot(asc, options);
  if (first.snapshot !== null) return first.snapshot;
  if (first.error.detail.reason !== 'trap') return first.explained;
  const again = await askAsc(options, { keepAbort: true });
  if (again.result === null) return first.explained;
  const second = await trySnapshot(again.result, options);
  return second.snapshot === null ? second.explained : first.explained;
}

type Tried =
  | { readonly snapshot: Snapshot }
  | { readonly snapshot: null; readonly error: SnapshotError; readonly explained: Diagnostic };

async function trySnapshot(asc: AscResult, options: FrontendOptions): Promise<Tried> {
  const { snapshot, timed = untimed } = options;
  try {
    return { snapshot: await timed('configure', () => snapshot(asc.wasm)) };
  } catch (error) {
    if (!isSnapshotError(error)) throw error;
    const locate = sourceLocator(asc.sourceMap, parse(asc.wasm).bodies);
    return {
      snapshot: null,
      error,
      explained: explainSnapshotError(error, options.file, locate, asc.foreign),
    };
  }
}

/** Compiles one policy file; faults of the policy come back as diagnostics. */
export async function compileFrontend(options: FrontendOptions): Promise<FrontendOutcome> {
  const { file, read } = options;
  if (read(file) === null) {
    const missing = diagnostic('P100', `cannot read \`${file}\``, { help: help('P100') });
    return { ok: false, diagnostics: [missing] };
  }
  const compiled = await askAsc(options, { keepAbort: false });
  const diagnostics: Diagnostic[] = [...compiled.diagnostics];
  const asc = compiled.result;
  if (asc === null) return { ok: false, diagnostics };
  const module = parse(asc.wasm);
  diagnostics.push(...checkExports(module, file));
  if (options.firstSite + asc.sites.length > MAX_SITES + 1) {
    const message = `the bundle has more than ${MAX_SITES} written verdicts and routes`;
    diagnostics.push(diagnostic('P113', message, { help: help('P113') }));
  }
  if (hasErrors(diagnostics)) return { ok: false, diagnostics };
  const snapshot = await takeSnapshot(asc, options);
  if ('code' in snapshot) return { ok: false, diagnostics: [...diagnostics, snapshot] };
  const root = rootAddress(module, snapshot);
  const { registry, diagnostics: declared } = readRegistry(
    file,
    snapshot.memory,
    root,
    asc.declarations,
  );
  diagnostics.push(...declared);
  if (hasErrors(diagnostics)) return { ok: false, diagnostics };

  const applied = applySnapshot(asc.wasm, snapshot);
  const scratch = findScratch(asc.wasm, module, snapshot);
  const fuelled = injectFuel(applied.wasm, options.fuel, scratch?.globals ?? []);
  const locateOriginal = sourceLocator(asc.sourceMap, module.bodies);
  const lines = new Map<string, LineIndex>();
  for (const [name, text] of compiled.sources) lines.set(name, new LineIndex(text));
  const exported = (name: ExportName): boolean => module.exports.some((e) => e.name === name);
  const locate = (offset: number): Position | null => {
    const unfuelled = fuelled.originalOffset(offset);
    const original = unfuelled === null ? null : applied.originalOffset(unfuelled);
    return original === null ? null : locateOriginal(original);
  };
  return {
    ok: true,
    diagnostics,
    result: {
      wasm: fuelled.wasm,
      exports: {
        routeConnection: exported('routeConnection'),
        authorizeConnection: exported('authorizeConnection'),
        routeRequest: exported('routeRequest'),
        authorizeRequest: exported('authorizeRequest'),
      },
      sites: asc.sites,
      registry,
      locate,
      sourceMap: writeSourceMap(parse(fuelled.wasm).bodies, locate),
      lineText: (name, line) => lines.get(name)?.line(line) ?? '',
      scratch,
      foreign: asc.foreign,
      fuelGlobal: fuelled.fuelGlobal,
    },
  };
}
