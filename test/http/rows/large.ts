/** A lot of bytes, both ways, also to a client that reads slowly. */
import { bare, get, LAST_CHUNK, ok, post, postChunked, reply } from '../stage/message.js';
import { BOUND, ELSEWHERE, FATES, SERVED } from '../stage/outcome.js';
import { client, exchange, join, type Part, type Row, v1, v2 } from '../stage/row.js';

const after = exchange(get('/after'), ok('after'));
const filled = (fill: number): readonly Part[] => reply({ fill, seed: 7 });
const BOTH = [
  [BOUND, v1],
  [ELSEWHERE, v2],
] as const;

const sizes = BOTH.flatMap(([fate, server]) =>
  [100_000, 1_048_576, 1_048_577, 2_000_000].map((size): Row => {
    const request = get('/l', fate.headers);
    return {
      id: `large: a reply of ${size} bytes, ${fate.name}`,
      steps: [
        client.send(request),
        server.request(request),
        server.send(filled(size)),
        client.expect(filled(size)),
        ...after,
      ],
    };
  }),
);

const huge = BOTH.map(([fate, server]): Row => {
  const request = get('/l', fate.headers);
  return {
    id: `large: a reply of 100 MB, ${fate.name}`,
    families: [4],
    steps: [
      client.send(request),
      server.request(request),
      server.send(filled(100_000_000)),
      client.expect(filled(100_000_000)),
      ...after,
    ],
  };
});

const slow = BOTH.map(([fate, server]): Row => {
  const request = get('/l', fate.headers);
  return {
    id: `large: a reader with a small buffer, in small pieces, ${fate.name}`,
    receive: 4096,
    steps: [
      client.send(request),
      server.request(request),
      server.send(filled(400_000)),
      client.expect(filled(400_000), 700),
      ...after,
    ],
  };
});

/** Without a length or with chunks, so that nobody knows how much will come. */
const unframed = SERVED.flatMap((fate): Row[] => {
  const size = 300_000;
  const head = bare('200 OK', { 'transfer-encoding': 'chunked' });
  const one = join([`${size.toString(16)}\r\n`, { fill: size, seed: 2 }, '\r\n']);
  return [
    {
      id: `large: a reply in chunks of 300,000 bytes, ${fate.name}`,
      steps: [
        ...fate.play([get('/l', fate.headers)], join([head, one, one, LAST_CHUNK])),
        ...after,
      ],
    },
  ];
});

const bodies = FATES.flatMap((fate): Row[] => {
  const [head, ...body] = post('/l', { fill: 8_000_000, seed: 5 }, fate.headers);
  const piece = join([`${(1_000_000).toString(16)}\r\n`, { fill: 1_000_000, seed: 6 }, '\r\n']);
  return [
    {
      id: `large: a body of 8 MB, ${fate.name}`,
      steps: [...fate.play([head, body], ok('taken')), ...after],
    },
    {
      id: `large: a body of 2 MB in chunks, ${fate.name}`,
      steps: [
        ...fate.play([postChunked('/l', fate.headers), piece, piece, LAST_CHUNK], ok('taken')),
        ...after,
      ],
    },
  ];
});

/** The reply flows while the body still comes. */
const both = BOTH.map(([fate, server]): Row => {
  const [head, ...body] = post('/l', { fill: 3_000_000, seed: 5 }, fate.headers);
  return {
    id: `large: body and reply at once, ${fate.name}`,
    steps: [
      client.send(head),
      server.request(head),
      client.send(body),
      server.send(filled(900_000)),
      client.expect(filled(900_000)),
      server.expect(body),
      ...after,
    ],
  };
});

export const large: readonly Row[] = [...sizes, ...huge, ...slow, ...unframed, ...bodies, ...both];
