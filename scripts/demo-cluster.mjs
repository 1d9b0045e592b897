// `npm run demo:cluster`: a cluster on one machine, and a bundle rolled out under traffic while parts
// of it die. Installs what is missing, builds, runs, cleans up.
import { setUpAndBuild } from './set-up-and-build.mjs';

setUpAndBuild({ needed: 'the demo needs the kernel part', wasmtime: false });
const { runClusterDemo } = await import('./demo-cluster/run.mjs');
process.exit(await runClusterDemo());
