/** The soak of `npm run soak`, short: nothing wrong, nothing hung, nothing left. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isBounded, isClean, runSoak } from '../soak/run-soak.js';

const test = suite('http soak');

test('two thousand requests with everything that goes wrong', async () => {
  const { counts, left, peak, worlds } = await runSoak({
    requests: 2000,
    connections: 50,
    worldMs: 500,
    onProgress: () => {},
  });
  assert.equal([counts.wrong, counts.hung, counts.faults], [0, 0, []]);
  assert.ok(counts.replies > 1000 && counts.elsewhere > 200, JSON.stringify(counts));
  assert.ok(worlds > 1, `${worlds} worlds`);
  assert.ok(isClean(left), JSON.stringify(left));
  assert.ok(isBounded(peak, 50), JSON.stringify(peak));
});

test.run();
