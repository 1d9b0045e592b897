// The static checks: format and lint, types, generated files and seeded faults fresh. `npm run check`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
let failed = false;

function check(title, command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  console.error(`${title}: ${done.status === 0 ? 'ok' : 'failed'}`);
  failed ||= done.status !== 0;
}
check('format and lint', 'node_modules/.bin/biome', ['ci', '--error-on-warnings', '.']);
check('types', 'node_modules/.bin/tsc', ['-p', '.', '--noEmit', '--incremental', 'false']);
check('types of the playground', 'node_modules/.bin/tsc', ['-p', 'runtime/playground/page']);
check('types of the status page', 'node_modules/.bin/tsc', ['-p', 'runtime/status-page/page']);
check('generated files', process.execPath, ['scripts/gen.mjs', '--check']);
check('seeded faults', process.execPath, ['scripts/mutate.mjs', '--stale']);
process.exit(failed ? 3 : 0);
