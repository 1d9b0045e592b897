/** A PolicyModule around assembled WASM text, so that tests of the middle need no AssemblyScript. */
import { type Built, buildModule } from '../../compiler/frontend/build-ir.js';
import { injectFuel } from '../../compiler/frontend/fuel.js';
import type { PolicyModule, Scratch } from '../../compiler/frontend/types.js';
import { assemble } from './run-wasm.js';

/** Fuelled WASM of a text as the frontend hands it on; every instruction lies in `policy.ts`, line = offset. */
export function frontendOf(
  text: string,
  fuel: number,
  scratch: Scratch | null = null,
): PolicyModule {
  const { wasm, fuelGlobal, originalOffset } = injectFuel(assemble(text), fuel);
  return {
    wasm,
    locate: (offset) => {
      const line = originalOffset(offset);
      return line === null ? null : { file: 'policy.ts', line, column: 1 };
    },
    lineText: (_, line) => `line ${line}`,
    scratch,
    fuelGlobal,
  };
}

/** Built and simplified with the verifier on. */
export function buildText(text: string, fuel = 1000): Built {
  return buildModule({ frontend: frontendOf(text, fuel), policy: 0, name: 'test', verify: true });
}
