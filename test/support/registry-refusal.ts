/** How talking with registries and layouts was refused. */
import * as assert from 'uvu/assert';
import { ImageError, isRegistryError } from '../../runtime/registry/index.js';

/** The code with which something is refused. */
export async function refusal(run: () => unknown): Promise<string> {
  try {
    await run();
    return 'none';
  } catch (error) {
    if (isRegistryError(error)) {
      assert.ok(error.help !== null, error.code);
      return error.code;
    }
    return error instanceof ImageError ? (error.diagnostics[0]?.code ?? '') : String(error);
  }
}
