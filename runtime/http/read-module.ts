/** The built WASM modules of the parser and of the framers. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BugError } from '../../compiler/diagnostic/index.js';

/** Bytes of head.wasm or frame.wasm, beside the packaged program or built under dist/. */
export function readHttpModule(name: 'head' | 'frame'): Uint8Array {
  const candidates = [`./http/${name}.wasm`, `../../http/${name}.wasm`];
  const paths = candidates.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new BugError(`no module \`${name}\` among ${paths.join(', ')}`);
  return readFileSync(found);
}
