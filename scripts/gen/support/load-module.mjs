// Imports a TypeScript module of the tree without building dist/ first.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

let turn = 0;

/** The exports of a TypeScript file. Packages are those that are installed. */
export async function loadModule(root, path) {
  // Below node_modules, so that packages are found; a name of its own, so that runs do not meet.
  const dir = join(root, 'node_modules', '.cache');
  turn += 1;
  const outfile = join(dir, `weft-gen-${process.pid}-${turn}.mjs`);
  mkdirSync(dir, { recursive: true });
  try {
    await build({
      absWorkingDir: root,
      entryPoints: [join(root, path)],
      outfile,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile, { force: true });
  }
}
