/** A module through lowering: every function, or every finding. */
import type { Diagnostic } from '../diagnostic/index.js';
import type { Module } from '../ir/types.js';
import { checkCallChains } from './call-chains.js';
import { type LowerOptions, lowerFunction } from './lower-function.js';
import type { LoweredFunction } from './lowered-function.js';
import { requestFunctions } from './request-functions.js';

export type Lowered =
  | { readonly ok: true; readonly functions: LoweredFunction[] }
  | { readonly ok: false; readonly diagnostics: Diagnostic[] };

/** Lowers all functions of a module; refuses with L001 to L004. */
export function lowerModule(module: Module, options: LowerOptions): Lowered {
  const functions: LoweredFunction[] = [];
  const diagnostics: Diagnostic[] = [];
  const requests = requestFunctions(module);
  for (const func of module.functions) {
    const input = requests.has(func.name) ? 'request' : 'connection';
    const lowered = lowerFunction(func, module.positions, { ...options, input });
    if (lowered.ok) functions.push(lowered.func);
    else diagnostics.push(lowered.diagnostic);
  }
  diagnostics.push(...checkCallChains(functions));
  return diagnostics.length === 0 ? { ok: true, functions } : { ok: false, diagnostics };
}
