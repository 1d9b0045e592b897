// `npm run demo`: the whole path on real traffic. Installs what is missing, builds, runs, cleans up.
import { setUpAndBuild } from './set-up-and-build.mjs';

const { kernel, why } = setUpAndBuild({ wasmtime: false });
const { runDemo } = await import('./demo/run.mjs');
process.exit(await runDemo({ kernel, why }));
