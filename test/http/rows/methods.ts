/** Methods, and what they say about bodies. */
import { bare, get, head, ok, post } from '../stage/message.js';
import { client, exchange, type Row, v1 } from '../stage/row.js';

const NAMES = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'X'] as const;
const [longHead] = post('/m', 'abc');

export const methods: readonly Row[] = [
  ...NAMES.map((name) => ({
    id: `methods: ${name} without a body`,
    steps: exchange(head(`${name} /m HTTP/1.1`, { 'content-length': '0' }), ok('done')),
  })),
  ...NAMES.map((name) => ({
    id: `methods: ${name} with a body`,
    steps: exchange([`${head(`${name} /m HTTP/1.1`, { 'content-length': '5' })}hello`], ok('done')),
  })),
  {
    id: 'methods: neither length nor coding is no body',
    steps: [
      ...exchange(head('POST /m HTTP/1.1'), ok('one')),
      ...exchange(head('DELETE /m HTTP/1.1'), ok('two')),
      ...exchange(get('/m'), ok('three')),
    ],
  },
  {
    id: 'methods: OPTIONS *',
    steps: exchange(head('OPTIONS * HTTP/1.1'), ok('')),
  },
  {
    id: 'methods: a target in absolute form',
    steps: exchange(head('GET http://shop.prod/m HTTP/1.1'), ok('done')),
  },
  {
    id: 'methods: HEAD with a length and no body, then GET',
    steps: [
      ...exchange(head('HEAD /m HTTP/1.1'), bare('200 OK', { 'content-length': '1000' })),
      ...exchange(get('/m'), ok('body')),
    ],
  },
  {
    id: 'methods: HEAD of a reply in chunks, then GET',
    steps: [
      ...exchange(head('HEAD /m HTTP/1.1'), bare('200 OK', { 'transfer-encoding': 'chunked' })),
      ...exchange(get('/m'), ok('body')),
    ],
  },
  {
    id: 'methods: the head before the body is answered early',
    steps: [
      client.send(longHead),
      v1.request(longHead),
      v1.send(ok('early')),
      client.expect(ok('early')),
      client.send('abc'),
      v1.expect('abc'),
      ...exchange(get('/next'), ok('next')),
    ],
  },
];
