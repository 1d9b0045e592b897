/**
 * A BPF program has 256 functions at most, itself among them (BPF_MAX_SUBPROGS of every kernel). Hooks that judge
 * requests ask policies about connections too, so all functions of a bundle that any joined function leads to may be in one.
 */
import { BUNDLE_CODES } from './bundle/index.js';
import { reached } from './check-verified.js';
import { type Diagnostic, diagnostic } from './diagnostic/index.js';
import {
  AUTHORIZE_FUNCTION,
  AUTHORIZE_REQUEST_FUNCTION,
  type LoweredFunction,
  ROUTE_FUNCTION,
  ROUTE_REQUEST_FUNCTION,
} from './lower/index.js';

/** What 256 leaves beside a hook and the functions of its own, of which there are 42 at most (test/unit/hook-stack). */
export const MAX_FUNCTIONS = 214;

const ENTRIES = [
  ROUTE_FUNCTION,
  AUTHORIZE_FUNCTION,
  ROUTE_REQUEST_FUNCTION,
  AUTHORIZE_REQUEST_FUNCTION,
];

/** Refuses a bundle of more functions than a program has room for, at the first that has none (B213). */
export function checkFunctions(functions: readonly LoweredFunction[]): Diagnostic[] {
  const called = reached(functions, ENTRIES);
  const first = called[MAX_FUNCTIONS];
  if (first === undefined) return [];
  const message = `the policies come to ${called.length} functions, at most ${MAX_FUNCTIONS}`;
  const at = first.lines.find(({ position }) => position !== null)?.position ?? null;
  return [diagnostic('B213', message, { at, help: BUNDLE_CODES['B213']?.help ?? null })];
}
