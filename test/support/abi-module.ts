/** Modules that ask one ABI question, expanded and evaluated: for tests of the expansions. */
import { CONNECTION } from '../../compiler/abi/index.js';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { Registry } from '../../compiler/frontend/types.js';
import { Emitter } from '../../compiler/ir/emitter.js';
import {
  type BlockId,
  evaluate,
  type Func,
  type Module,
  verifyModule,
} from '../../compiler/ir/index.js';
import { connectionOf, expandAbi } from '../../compiler/passes/expand-abi.js';
import { collectUses, numberAbi, symbolOf } from '../../compiler/passes/expand-abi-numbering.js';
import { resolveAbi } from '../../compiler/passes/expand-abi-resolve.js';
import { expandTables, tableUses } from '../../compiler/passes/expand-tables.js';
import { planTables } from '../../compiler/tables/index.js';

export const NO_DECLARATIONS: Registry = {
  tables: [],
  cidrs: [],
  ports: [],
  patterns: [],
  keys: [],
  rules: [],
  routes: [],
};

/** A module with one entry function, whose body `write` emits; it returns what `write` gives back. */
export function abiModule(
  write: (emit: Emitter, func: Func) => ReturnType<Emitter['fresh']>,
  name = 'p0_authorize',
): Module {
  const func: Func = {
    name,
    kind: 'entry',
    params: [{ id: 0 as ReturnType<Emitter['fresh']>, type: 'ptr' }],
    result: 'i32',
    stopped: { trap: 0xf0n, fuel: 0xf1n },
    blocks: [],
    nextValue: 1,
    nextBlock: 1,
  };
  const emit = new Emitter(func, 0);
  const value = write(emit, func);
  const instrs = emit.instrs;
  func.blocks.push({
    id: 0 as BlockId,
    params: [],
    instrs,
    term: { op: 'return', loc: null, value },
  });
  const position = { file: 'policy.ts', line: 7, column: 3, text: '' };
  return { name: 'p0', functions: [func], images: [], positions: [position], externs: [] };
}

/** Emits an ABI call with constant operands before the given ones. */
export function ask(
  emit: Emitter,
  name: string,
  operands: readonly (number | ReturnType<Emitter['fresh']>)[],
  result: 'i32' | 'i64' = 'i32',
): ReturnType<Emitter['fresh']> {
  return emit.emit({
    op: 'abi',
    type: result,
    name,
    args: operands as ReturnType<Emitter['fresh']>[],
  });
}

/** Expands all ABI calls of a module in place, as the driver does for a bundle of one policy. */
export function expandAll(
  module: Module,
  registry: Registry = NO_DECLARATIONS,
  memory: Uint8Array = new Uint8Array(0),
): { readonly diagnostics: readonly Diagnostic[]; readonly symbols: readonly string[] } {
  const context = { memory, registry };
  const resolved = resolveAbi(module, context);
  const { numbering, diagnostics } = numberAbi([collectUses(module, resolved, context)]);
  const plans = planTables(registry, {
    ...tableUses(resolved),
    symbolOf: (text) => symbolOf(numbering, text),
    maxSetBytes: 64 << 20,
  });
  const found = [...resolved.diagnostics, ...diagnostics, ...plans.diagnostics];
  if (found.length === 0) {
    expandAbi(module, resolved, numbering);
    expandTables(module, resolved, { plans, prefix: 'p0_', numbering });
    const problems = verifyModule(module);
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }
  return { diagnostics: found, symbols: numbering.symbols };
}

/** Runs the entry function on a connection. */
export function run(module: Module, connection: Uint8Array): number {
  const { value } = evaluate(module, module.functions[0]?.name ?? '', { pointers: [connection] });
  return Number(value);
}

export { CONNECTION, connectionOf };
