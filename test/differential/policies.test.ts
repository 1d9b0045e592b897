/** Do the engines agree on what nobody wrote down? Policies and connections from a seed. */
import { compareEngines } from './compare-engines.js';

compareEngines({
  name: 'policies in all engines',
  isRequest: false,
  fuel: [8, 40, 2000],
  bundles: { count: 105, variable: 'WEFT_BUNDLES' },
  decisions: 3000,
  prefix: 'seed-',
});
