/** What every way to run a policy's module begins with: its bytes, the exports that are asked, faults in words. */
import type { ExportName } from '../../compiler/abi/index.js';
import type { PolicyEntry } from '../../compiler/bundle/manifest.js';
import { SimulateError } from './simulate-error.js';

/** The module of a policy among those of its bundle; throws SimulateError SIMULATE_MODULE. */
export function moduleOf(
  wasm: readonly (readonly [string, Uint8Array])[],
  { name }: PolicyEntry,
): Uint8Array {
  const bytes = wasm.find(([known]) => known === name)?.[1];
  if (bytes !== undefined) return bytes;
  throw new SimulateError('SIMULATE_MODULE', `the bundle has no module for \`${name}\``);
}

/** Runs a step that starts a policy's module; what it throws becomes SimulateError SIMULATE_MODULE. */
export function starting<T>({ name }: PolicyEntry, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    const message = `the module of \`${name}\` does not start: ${String(cause)}`;
    throw new SimulateError('SIMULATE_MODULE', message, { cause });
  }
}

/**
 * The questions of a policy as functions. The struct is passed as a null handle: every field is asked for
 * through an import.
 */
export function questionsOf(
  policy: PolicyEntry,
  find: (name: ExportName) => ((handle: number) => unknown) | null,
): Readonly<Partial<Record<ExportName, () => unknown>>> {
  const call: Partial<Record<ExportName, () => unknown>> = {};
  for (const name of policy.exports) {
    const question = find(name);
    if (question === null) {
      const message = `the module of \`${policy.name}\` does not export \`${name}\``;
      throw new SimulateError('SIMULATE_MODULE', message);
    }
    call[name] = () => question(0);
  }
  return call;
}
