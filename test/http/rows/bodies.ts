/** Request bodies by length: of every size, in every number of pieces, whatever they look like. */
import { get, lengthOf, ok, post } from '../stage/message.js';
import { FATES, REFUSED } from '../stage/outcome.js';
import { type Bytes, client, exchange, join, type Row, v1, v2 } from '../stage/row.js';

const SIZES = [0, 1, 2, 1023, 65_536, 1_048_576];
const filled = (fill: number): Bytes => (fill === 0 ? '' : { fill, seed: fill & 255 });
const LOOKS_LIKE = 'GET /private/x HTTP/1.1\r\nhost: shop.prod\r\nx-team: red\r\n\r\n';
const after = exchange(get('/after'), ok('after'));

const sized = FATES.flatMap((fate) =>
  SIZES.flatMap((size): Row[] => {
    const [head, ...body] = post('/b', filled(size), fate.headers);
    return [
      {
        id: `bodies: ${size} bytes, one send, ${fate.name}`,
        steps: [...fate.play([join([head, body])], ok('taken')), ...after],
      },
      {
        id: `bodies: ${size} bytes after the head, ${fate.name}`,
        steps: [...fate.play([head, body], ok('taken')), ...after],
      },
    ];
  }),
);

const pieces = FATES.map((fate): Row => {
  const body = 'abcdefghij'.repeat(20);
  const [head] = post('/b', body, fate.headers);
  return {
    id: `bodies: 200 bytes one by one, ${fate.name}`,
    steps: [...fate.play([head, ...body], ok('taken')), ...after],
  };
});

const deceptive = FATES.flatMap((fate): Row[] => {
  const [head] = post('/b', LOOKS_LIKE, fate.headers);
  return [
    {
      id: `bodies: that look like a request, ${fate.name}`,
      steps: [...fate.play([head + LOOKS_LIKE], ok('taken')), ...after],
    },
    {
      id: `bodies: that look like a request, in a send of their own, ${fate.name}`,
      steps: [...fate.play([head, LOOKS_LIKE], ok('taken')), ...after],
    },
  ];
});

/** Each piece is at the server before the next is sent: nothing may be held back. */
const lockstep = ([v1, v2] as const).map((server, index): Row => {
  const body = ['first ', 'second ', 'x', 'the rest'];
  const [head] = post('/b', body.join(''), index === 0 ? {} : { 'x-to': 'v2' });
  return {
    id: `bodies: piece by piece as they arrive, ${index === 0 ? 'bound' : 'elsewhere'}`,
    steps: [
      client.send(head),
      server.request(head),
      ...body.flatMap((piece) => [client.send(piece), server.expect(piece)]),
      server.send(ok('taken')),
      client.expect(ok('taken')),
      ...after,
    ],
  };
});

const mixed: Row = {
  id: 'bodies: sizes up and down on one connection',
  steps: [4000, 1, 70_000, 0, 300, 65_535, 9].flatMap((size, index) => {
    const fate = FATES[index % FATES.length] ?? REFUSED;
    const [head, ...body] = post('/b', filled(size), fate.headers);
    return fate.play([head, body], ok(String(lengthOf(body))));
  }),
};

export const bodies: readonly Row[] = [...sized, ...pieces, ...deceptive, ...lockstep, mixed];
