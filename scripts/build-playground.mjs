// Builds dist/playground/: the page of `weft playground`, its workers, and the projects to begin with. Everything that
// the page needs is in the folder, and nothing of Node may come into it. Does nothing where no input changed.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { binaryenWasm } from './binaryen-wasm.mjs';
import { loadModule } from './gen/support/load-module.mjs';

const ASSETS = ['index.html', 'style.css'];
const BUILTIN = /^(node:.*|assert|buffer|fs|module|os|path|process|url|worker_threads|koffi)$/;

/** What runs in Node only: our own files are replaced or unused, packages ask where they run before they import it. */
const withoutNode = (root) => ({
  name: 'without-node',
  setup(build) {
    build.onResolve({ filter: /^\.\/read-module\.js$/ }, ({ resolveDir }) =>
      resolveDir === join(root, 'runtime/http')
        ? { path: join(root, 'runtime/playground/page/read-module.ts') }
        : undefined,
    );
    build.onResolve({ filter: BUILTIN }, ({ path }) => ({ path, external: true }));
  },
});

/** What came in though the page must not have it. */
function strangers({ outputs }) {
  return Object.entries(outputs).flatMap(([file, { imports, inputs }]) => [
    ...imports
      .filter(({ external, kind }) => external && kind !== 'dynamic-import')
      .map(({ path }) => `${file} imports ${path}`),
    ...Object.keys(inputs)
      .filter((path) => /runtime\/(kernel|agent|wasmtime|cli)\//.test(path))
      .map((path) => `${file} holds ${path}`),
  ]);
}

/** Text by path of a project folder: what `weft playground` shows of one. */
function projectFiles(folder) {
  const files = {};
  const walk = (dir) => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (
        /\.(ts|ya?ml)$|^weft\.json$/.test(entry.name) &&
        !/\.(test|prove)\.ts$/.test(entry.name)
      )
        files[relative(folder, path)] = readFileSync(path, 'utf8');
    }
  };
  walk(folder);
  return files;
}

async function projects(root) {
  const { projectTemplate } = await loadModule(root, 'runtime/cli/project-template.ts');
  const folder = join(root, 'policies', 'examples');
  const template = Object.entries(projectTemplate('start'));
  const isShown = ([path]) => /\.(ts|yaml)$|^weft\.json$/.test(path) && !path.startsWith('.');
  return [
    { name: 'start', files: Object.fromEntries(template.filter(isShown)) },
    ...readdirSync(folder)
      .sort()
      .filter((name) => existsSync(join(folder, name, 'weft.json')))
      .map((name) => ({ name, files: projectFiles(join(folder, name)) })),
  ];
}

/** Changes whenever a file does. */
function stampOf(root, files) {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) {
    const found = statSync(join(root, file), { throwIfNoEntry: false });
    hash.update(`${file} ${found?.size} ${found?.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function below(root, dir) {
  return readdirSync(join(root, dir), { recursive: true }).map((name) => join(dir, name));
}

export async function buildPlayground(root) {
  const outdir = join(root, 'dist', 'playground');
  const record = join(outdir, 'inputs.json');
  const own = () => [
    ...below(root, 'runtime/playground/page'),
    ...below(root, 'policies/examples'),
    'scripts/build-playground.mjs',
    'package-lock.json',
  ];
  if (existsSync(record)) {
    const { inputs, stamp } = JSON.parse(readFileSync(record, 'utf8'));
    if (stampOf(root, [...inputs, ...own()]) === stamp) return;
  }
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['page', 'worker', 'configure-worker'].map(
      (name) => `runtime/playground/page/${name}.ts`,
    ),
    outdir,
    assetNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    metafile: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    loader: { '.wasm': 'binary' },
    plugins: [withoutNode(root), binaryenWasm('browser')],
    legalComments: 'linked',
    logLevel: 'warning',
  });
  const found = strangers(metafile);
  if (found.length > 0) throw new Error(`the playground is no page:\n${found.join('\n')}`);
  for (const name of ASSETS)
    copyFileSync(join(root, 'runtime/playground/page', name), join(outdir, name));
  writeFileSync(join(outdir, 'projects.json'), JSON.stringify(await projects(root)));
  const inputs = Object.keys(metafile.inputs).filter((path) => existsSync(join(root, path)));
  inputs.push('runtime/cli/project-template.ts');
  writeFileSync(record, JSON.stringify({ inputs, stamp: stampOf(root, [...inputs, ...own()]) }));
}
