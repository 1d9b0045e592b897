// Builds dist/status-page/: the read-only page of a cluster, which a control plane serves. Nothing of Node may come into it.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const ASSETS = ['index.html', 'style.css'];

export async function buildStatusPage(root) {
  const outdir = join(root, 'dist', 'status-page');
  const from = join(root, 'runtime', 'status-page', 'page');
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: [join(from, 'page.ts')],
    outdir,
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  for (const name of ASSETS) copyFileSync(join(from, name), join(outdir, name));
}
