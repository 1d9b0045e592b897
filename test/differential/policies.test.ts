/** Do the two engines agree on what nobody wrote down? Policies and connections from a seed. */
import { encodeAll, type Facts } from '../support/encode-connection.js';
import { generateConnection } from '../support/generate-connection.js';
import { generatePolicy } from '../support/generate-policy.js';
import { compareEngines } from './compare-engines.js';

compareEngines<Facts>({
  name: 'policies in two engines',
  policy: (random, asks) => generatePolicy(random, asks),
  fuel: [8, 40, 2000],
  facts: generateConnection,
  encode: encodeAll,
  ask: 'both',
  bundles: { count: 100, variable: 'WEFT_BUNDLES' },
  decisionsEach: 2000,
  prefix: 'seed-',
});
