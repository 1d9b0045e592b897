/** As policies.test.ts, for requests: generated request policies and requests, the same structs weft_request. */
import { compareEngines } from './compare-engines.js';

compareEngines({
  name: 'request policies in all engines',
  isRequest: true,
  fuel: [40, 200, 2000],
  bundles: { count: 65, variable: 'WEFT_REQUEST_BUNDLES' },
  decisions: 2900,
  prefix: 'request-seed-',
});
