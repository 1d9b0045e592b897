/** A file of tests (`import ... from "weft/test"`) from source to code that the test runner calls. Pure. */
import type { Diagnostic } from './diagnostic/index.js';
import { runTestAsc } from './frontend/run-asc.js';
import type { SourceReader } from './frontend/types.js';
import type { TestCode } from './test-module.js';

/** Compiles a file of tests; faults of its text come back as diagnostics. */
export async function compileTests(
  file: string,
  read: SourceReader,
): Promise<{ readonly code: TestCode | null; readonly diagnostics: readonly Diagnostic[] }> {
  const { result, diagnostics } = await runTestAsc(file, read);
  if (result === null) return { code: null, diagnostics };
  const { wasm, sourceMap } = result;
  return { code: { wasm, sourceMap }, diagnostics };
}
