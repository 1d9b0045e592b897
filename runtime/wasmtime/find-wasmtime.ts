/**
 * Where libwasmtime lies: what the user names, else the library inside the Python package `wasmtime`. A
 * name that leads nowhere is a fault, never a reason to look further.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { WasmtimeError } from './wasmtime-error.js';

/** Prints the folder of the package, if there is one. */
const ASK_PYTHON =
  'import importlib.util as u; s = u.find_spec("wasmtime"); print(s.submodule_search_locations[0] if s else "")';
const CPU: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** The library inside the package's folder. */
function inPackage(folder: string): string {
  const [system, ending] = platform() === 'darwin' ? ['darwin', 'dylib'] : ['linux', 'so'];
  return join(folder, `${system}-${CPU[arch()] ?? arch()}`, `_libwasmtime.${ending}`);
}

function pythonPackage(path: string | undefined): string | null {
  try {
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: path } };
    const folder = execFileSync('python3', ['-c', ASK_PYTHON], options as { encoding: 'utf8' });
    return folder.trim() === '' ? null : inPackage(folder.trim());
  } catch {
    return null;
  }
}

/**
 * The library's file: `named`, else the variable WEFT_WASMTIME, else that of the Python package. Throws
 * WasmtimeError where there is none.
 */
export function findWasmtime(
  named: string | null,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const found = named ?? (env['WEFT_WASMTIME'] || null) ?? pythonPackage(env['PATH']);
  if (found === null) throw new WasmtimeError('libwasmtime is not installed here');
  if (!existsSync(found)) throw new WasmtimeError(`there is no library \`${found}\``);
  return found;
}
