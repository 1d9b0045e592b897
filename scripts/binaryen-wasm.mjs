// An esbuild plugin. Binaryen's package carries its WASM as a text of 13 MB, which V8 scans twice
// and which is then decoded byte by byte: 0.4 s of each `weft build`. Here it becomes a file.
import { readFileSync } from 'node:fs';

const PACKAGE = /[\\/]node_modules[\\/]binaryen[\\/]index\.js$/;
const FILE = 'binaryen.wasm';

/** Where the package says `wasm ??= decode(text)`: from the decoder's name to the bracket. */
function findEmbedded(source) {
  const starts = [...source.matchAll(/\w+\?\?=(?=\w+\(`)/g)];
  if (starts.length !== 1) throw new Error(`binaryen: ${starts.length} embedded modules, not 1`);
  const [start] = starts;
  const from = start.index + start[0].length;
  const text = source.indexOf('`', from);
  let to = text + 1;
  while (source[to] !== '`') to += source[to] === '\\' ? 2 : 1;
  return { from, to: to + 2, literal: source.slice(text, to + 1) };
}

/** Emscripten's encoding: a character is a byte, and 256 stands for 0. */
function decode(literal) {
  const text = new Function(`return ${literal}`)();
  const bytes = Buffer.from(text.replaceAll('\u0100', '\0'), 'latin1');
  if (!WebAssembly.validate(bytes)) throw new Error('binaryen: what it embeds is no WASM');
  return bytes;
}

/** How the package gets the file's bytes, by where it runs. */
const READERS = {
  node: {
    head: "import { readFileSync as readWasm } from 'node:fs';",
    bytes: 'readWasm(new URL(wasmFile, import.meta.url))',
  },
  browser: {
    head: 'const wasmBytes = new Uint8Array(await (await fetch(new URL(wasmFile, import.meta.url))).arrayBuffer());',
    bytes: 'wasmBytes',
  },
};

/** Puts `binaryen.wasm` beside the bundle, and the package reads it from there. */
export const binaryenWasm = (platform = 'node') => ({
  name: 'binaryen-wasm',
  setup(build) {
    build.onResolve({ filter: /^binaryen\.wasm$/ }, ({ pluginData }) => ({
      path: FILE,
      namespace: 'binaryen',
      pluginData,
    }));
    build.onLoad({ filter: /./, namespace: 'binaryen' }, ({ pluginData }) => ({
      contents: decode(pluginData),
      loader: 'file',
    }));
    build.onLoad({ filter: PACKAGE }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const { from, to, literal } = findEmbedded(source);
      const { head, bytes } = READERS[platform];
      const contents = [
        `import wasmFile from '${FILE}';`,
        head,
        `${source.slice(0, from)}${bytes}${source.slice(to)}`,
      ];
      return { contents: contents.join('\n'), loader: 'js', pluginData: literal };
    });
  },
});
