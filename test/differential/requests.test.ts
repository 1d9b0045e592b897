/** As policies.test.ts, for requests: generated request policies and requests, the same structs weft_request. */
import { encodeRequests, type RequestFacts } from '../support/encode-request.js';
import { generatePolicy } from '../support/generate-policy.js';
import { generateRequest } from '../support/generate-request.js';
import { compareEngines } from './compare-engines.js';

compareEngines<RequestFacts>({
  name: 'request policies in two engines',
  policy: (random, asks) => generatePolicy(random, asks, true),
  fuel: [40, 200, 2000],
  facts: generateRequest,
  encode: encodeRequests,
  ask: 'bothRequest',
  bundles: { count: 60, variable: 'WEFT_REQUEST_BUNDLES' },
  decisionsEach: 1700,
  prefix: 'request-seed-',
});
