/** In place of runtime/http/read-module.ts, which reads files: the parser's module is part of the worker's program. */
import { BugError } from '../../../compiler/diagnostic/index.js';
import head from '../../../dist/http/head.wasm';

/** Bytes of head.wasm; nothing that the page does frames replies or decides in bulk. */
export function readHttpModule(name: 'head' | 'frame' | 'batch'): Uint8Array {
  if (name !== 'head') throw new BugError(`the page has no module \`${name}\``);
  return head;
}
