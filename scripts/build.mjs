// Builds dist/: type-checked modules (library, tests), then the two programs.
// Incremental: tsc keeps its own state, and esbuild takes a fraction of a second.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages } from './setup.mjs';

// In a fresh clone there is nothing to import yet.
installPackages();
const { build } = await import('esbuild');
const { binaryenWasm } = await import('./binaryen-wasm.mjs');
const { buildPlayground } = await import('./build-playground.mjs');
const { buildStatusPage } = await import('./build-status-page.mjs');

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules', '.bin', name);

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

/** tsc leaves outputs of deleted sources behind: remove every .js without its .ts. */
function removeOrphans(dir) {
  if (!existsSync(dir)) return;
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) removeOrphans(path);
    else if (name.endsWith('.js')) {
      const source = join(root, relative(join(root, 'dist'), path)).replace(/\.js$/, '.ts');
      if (!existsSync(source)) rmSync(path);
    }
  }
}
for (const room of ['compiler', 'runtime', 'test']) removeOrphans(join(root, 'dist', room));

run(bin('tsc'), ['-p', '.']);

// Packages with native parts stay outside and are loaded when needed.
const external = ['koffi', '@bytecodealliance/wizer'];
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    cli: 'runtime/cli/main.ts',
    agent: 'runtime/agent/main.ts',
    'agent-stager': 'runtime/agent/stager.ts',
    'simulate-worker': 'runtime/simulate/worker.ts',
    'record-worker': 'runtime/record/worker.ts',
  },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  // What a verb does not need is not parsed: each lazy import is a file beside the programs.
  splitting: true,
  chunkNames: 'chunk-[hash]',
  assetNames: '[name]-[hash]',
  metafile: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  external,
  plugins: [binaryenWasm()],
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
const made = new Set(Object.keys(metafile.outputs).map((path) => relative('dist', path)));
for (const name of readdirSync(join(root, 'dist'))) {
  if (/\.(mjs(\.map)?|wasm)$/.test(name) && !made.has(name)) rmSync(join(root, 'dist', name));
}
for (const name of ['cli', 'agent']) chmodSync(join(root, 'dist', `${name}.mjs`), 0o755);

if (existsSync(join(root, 'bpf', 'build.mjs')))
  run(process.execPath, [join(root, 'bpf', 'build.mjs')]);
run(process.execPath, [join(root, 'bpf', 'http', 'build.mjs')]);
// Behind them: the page carries the parser's module.
await buildPlayground(root);
await buildStatusPage(root);
