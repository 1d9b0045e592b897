// `npm run test:kubernetes`: the chart and the agent's way of following a cluster against a real Helm and a
// real API server. Not in CI: Go builds both once, which takes a quarter of an hour.
import { setUpAndBuild } from './set-up-and-build.mjs';

setUpAndBuild();
const { tryKubernetes } = await import('./kubernetes/run.mjs');
const tried = await tryKubernetes();
console.log(`${tried} passed, 0 failed`);
