// Imports a TypeScript module of the tree without building dist/ first.
import { join } from 'node:path';
import { build } from 'esbuild';

/** The exports of a TypeScript file that needs no package. */
export async function loadModule(root, path) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [join(root, path)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${code}`);
}
