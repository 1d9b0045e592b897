/** `npm run demo:cluster` with two nodes: a rollout in stages under traffic, while a member of the store, a control plane and an agent are killed. */
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('demo: cluster');
const RUN = new URL('../../../scripts/demo-cluster/run.mjs', import.meta.url).href;

test('no request fails', () => {
  const code = `const { runClusterDemo } = await import(${JSON.stringify(RUN)});
process.exit(await runClusterDemo());`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', code],
    { encoding: 'utf8', env: { ...process.env, WEFT_DEMO_NODES: '2' } },
  );
  assert.is(status, 0, stdout + stderr);
  assert.match(stdout, /killed one member of etcd/);
  assert.match(stdout, /killed control plane/);
  assert.match(stdout, /killed the agent of n1/);
  assert.match(stdout, /\n0 failed requests of [1-9]\d*\n$/);
});

test.run();
