/** Activations under load: no request fails, and none meets a mixture of two bundles (`npm run soak -- activations` has more of them). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runActivations } from '../soak/run-activations.js';

const test = suite('http switch');

test('30 activations: every reply is wholly one bundle’s, every event that of its generation', async () => {
  const lines: string[] = [];
  const run = await runActivations({
    ...{ activations: 30, connections: 16, rate: 20_000 },
    onProgress: (line) => lines.push(line),
  });
  const told = `${JSON.stringify(run)}\n${lines.join('\n')}`;
  assert.is(run.failed, 0, told);
  assert.is(run.mixed, 0, told);
  assert.is(run.contrary, 0, told);
  assert.ok(run.events > 0, told);
  // Both of them decided, and the server was asked.
  assert.ok(run.a > 0 && run.b > 0 && run.refused > 0 && run.passed > 0, told);
});

test.run();
