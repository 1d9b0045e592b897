/** A compiled file of tests as its runner wants it, apart from the compiler: what was kept needs none. Pure. */
import { BugError, type Position } from './diagnostic/index.js';
import { sourceLocator } from './frontend/source-map.js';
import { readModule } from './frontend/wasm/index.js';

/** What a file of tests compiles to. */
export interface TestCode {
  readonly wasm: Uint8Array;
  /** Version 3, JSON. */
  readonly sourceMap: string;
}
export interface TestModule {
  readonly wasm: Uint8Array;
  /** Byte offset of the module -> place in the project; null for code of the library. */
  readonly locate: (offset: number) => Position | null;
}

/** Places are looked up in the source map where one is asked for: tests that pass need none. */
export function testModule({ wasm, sourceMap }: TestCode): TestModule {
  let known: TestModule['locate'] | null = null;
  const locate = (): TestModule['locate'] => {
    const decoded = readModule(wasm);
    if (!decoded.ok) throw new BugError(`tests: ${decoded.fault.message}`);
    return sourceLocator(sourceMap, decoded.value.bodies);
  };
  return {
    wasm,
    locate: (offset) => {
      known ??= locate();
      return known(offset);
    },
  };
}
