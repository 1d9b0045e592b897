/** A file of tests (`import ... from "weft/test"`) from source to a module that the test runner calls. Pure. */
import type { Diagnostic, Position } from './diagnostic/index.js';
import { BugError } from './diagnostic/index.js';
import { runTestAsc } from './frontend/run-asc.js';
import { sourceLocator } from './frontend/source-map.js';
import type { SourceReader } from './frontend/types.js';
import { readModule } from './frontend/wasm/index.js';

export interface TestModule {
  readonly wasm: Uint8Array;
  /** Byte offset of the module -> place in the project; null for code of the library. */
  readonly locate: (offset: number) => Position | null;
}

/** Compiles a file of tests; faults of its text come back as diagnostics. */
export async function compileTests(
  file: string,
  read: SourceReader,
): Promise<{ readonly module: TestModule | null; readonly diagnostics: readonly Diagnostic[] }> {
  const { result, diagnostics } = await runTestAsc(file, read);
  if (result === null) return { module: null, diagnostics };
  const decoded = readModule(result.wasm);
  if (!decoded.ok) throw new BugError(`tests: ${decoded.fault.message}`);
  const locate = sourceLocator(result.sourceMap, decoded.value.bodies);
  return { module: { wasm: result.wasm, locate }, diagnostics };
}
