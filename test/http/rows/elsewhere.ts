/** Requests that the policy sends to another cluster, and what the policy answers itself. */
import { get, head, ok, post } from '../stage/message.js';
import { FORBIDDEN, headOf, NO_ENDPOINT } from '../stage/refusal.js';
import { answered, exchange, type Row, type Server } from '../stage/row.js';

const after = exchange(get('/after'), ok('after'));
const to = (server: Server): Record<string, string> => ({ 'x-to': server });

export const elsewhere: readonly Row[] = [
  {
    id: 'elsewhere: the first request of a connection',
    steps: [...exchange(get('/x', to('v2')), ok('v2'), { to: 'v2' }), ...after],
  },
  {
    id: 'elsewhere: another service',
    steps: [...exchange(get('/x', to('other')), ok('other'), { to: 'other' }), ...after],
  },
  {
    id: 'elsewhere: a header in other letters names the same',
    steps: exchange(head('GET /x HTTP/1.1', { 'X-To': 'v2' }), ok('v2'), { to: 'v2' }),
  },
  {
    id: 'elsewhere: a value in other letters does not',
    steps: exchange(head('GET /x HTTP/1.1', { 'x-to': 'V2' }), ok('v1')),
  },
  {
    id: 'elsewhere: the header in the body does not',
    steps: exchange([post('/x', 'x-to: v2\r\n\r\n').join('')], ok('v1')),
  },
  {
    id: 'elsewhere: a cluster without endpoints',
    steps: [...answered(get('/empty/x'), NO_ENDPOINT), ...after],
  },
  {
    id: 'elsewhere: a cluster without endpoints, with a body',
    steps: [...answered([post('/empty/x', 'hello').join('')], NO_ENDPOINT), ...after],
  },
  {
    id: 'elsewhere: a cluster without endpoints, HEAD',
    steps: [...answered(head('HEAD /empty/x HTTP/1.1'), headOf(NO_ENDPOINT)), ...after],
  },
  {
    id: 'elsewhere: the endpoint of the route is judged, not the bound one',
    steps: [
      ...answered(get('/v1only/x', to('v2')), FORBIDDEN),
      ...exchange(get('/v1only/x'), ok('v1')),
    ],
  },
];
