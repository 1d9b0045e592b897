/** The soak of `npm run soak`, short: nothing wrong, nothing hung, nothing left. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runSoak } from '../soak/run-soak.js';

const test = suite('http soak');

test('two thousand requests with everything that goes wrong', async () => {
  const { counts, left } = await runSoak({
    requests: 2000,
    connections: 50,
    onProgress: () => {},
  });
  assert.equal([counts.wrong, counts.hung, counts.faults], [0, 0, []]);
  assert.ok(counts.replies > 1000 && counts.elsewhere > 200, JSON.stringify(counts));
  assert.equal(
    { ...left, tcpPages: 0 },
    {
      clients: 0,
      leases: 0,
      doors: 0,
      busy: 0,
      sessions: 0,
      tcpPages: 0,
      agentFaults: [],
    },
  );
});

test.run();
