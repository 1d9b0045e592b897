/** The built WASM modules of the parser, of the framers and of what decides recorded traffic. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BugError } from '../../compiler/diagnostic/index.js';

/** Bytes of head.wasm, frame.wasm or batch.wasm, beside the packaged program or built under dist/. */
export function readHttpModule(name: 'head' | 'frame' | 'batch'): Uint8Array {
  const candidates = [`./http/${name}.wasm`, `../../http/${name}.wasm`];
  const paths = candidates.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new BugError(`no module \`${name}\` among ${paths.join(', ')}`);
  return readFileSync(found);
}
