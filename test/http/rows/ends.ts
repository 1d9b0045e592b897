/** Ends of connections at every point of an exchange: half-close, FIN and RST of either side. */
import { bare, chunk, get, ok, post, postChunked, reply } from '../stage/message.js';
import { BOUND, ELSEWHERE, type Fate, REFUSED } from '../stage/outcome.js';
import { FORBIDDEN, UNAVAILABLE } from '../stage/refusal.js';
import {
  answered,
  bound,
  client,
  exchange,
  only,
  type Row,
  type Step,
  v1,
  v2,
} from '../stage/row.js';

const after = exchange(get('/after'), ok('after'));
const WHOLE = ok('a reply that has two halves');
const HALF = WHOLE.length - 10;
const getFor = (fate: Fate): string => get('/e', fate.headers);
const EOF = ['eof'] as const;
const ABORTED = ['ECONNABORTED', 'ECONNRESET'] as const;
const SIDES = [
  [BOUND, v1],
  [ELSEWHERE, v2],
] as const;
/** Where another server had the exchange, the bound one sees the end too. */
const boundEnds = (fate: Fate): Step[] =>
  fate === ELSEWHERE ? only('weft', bound.end('eof', 'ECONNRESET')) : [];

const halfClose = SIDES.flatMap(([fate, server]): Row[] => [
  {
    id: `ends: half-close after the request, ${fate.name}`,
    steps: [
      client.send(getFor(fate)),
      client.shut(),
      server.request(getFor(fate)),
      ...only('plain', server.end('eof')),
      ...(fate === BOUND
        ? only('weft', server.end('eof'))
        : only('weft', bound.end('eof'), bound.close())),
      server.send(WHOLE.slice(0, HALF)),
      client.expect(WHOLE.slice(0, HALF)),
      server.send(WHOLE.slice(HALF)),
      ...(fate === BOUND ? [server.close()] : only('plain', server.close())),
      client.expect(WHOLE.slice(HALF)),
      client.end('eof'),
      client.close(),
    ],
    end: 'done',
  },
  {
    id: `ends: half-close while the reply is on its way, ${fate.name}`,
    steps: [
      client.send(getFor(fate)),
      server.request(getFor(fate)),
      server.send(WHOLE.slice(0, HALF)),
      client.expect(WHOLE.slice(0, HALF)),
      client.shut(),
      ...(fate === BOUND ? [server.end('eof')] : only('weft', bound.end('eof'), bound.close())),
      server.send(WHOLE.slice(HALF)),
      ...(fate === BOUND ? [server.close()] : only('plain', server.close())),
      client.expect(WHOLE.slice(HALF)),
      client.end('eof'),
      client.close(),
    ],
    end: 'done',
  },
  {
    id: `ends: half-close in the middle of a body, ${fate.name}`,
    steps: [
      client.send(post('/e', 'whole', fate.headers)[0], 'who'),
      server.request(`${post('/e', 'whole', fate.headers)[0]}who`),
      client.shut(),
      ...(fate === BOUND ? [server.end('eof')] : only('plain', server.end('eof'))),
      ...(fate === BOUND ? [server.close()] : only('plain', server.close())),
      ...(fate === ELSEWHERE ? only('weft', bound.end('eof'), bound.close()) : []),
      ...only('plain', client.end('eof')),
      ...only('weft', client.end('eof', 'ECONNRESET', 'ECONNABORTED')),
      client.close(),
    ],
    end: 'done',
  },
]);

const refusedThenHalfClose: Row = {
  id: 'ends: half-close with the request, refused',
  steps: [
    client.send(getFor(REFUSED)),
    client.shut(),
    ...only('plain', v1.request(getFor(REFUSED)), v1.send(FORBIDDEN)),
    client.expect(FORBIDDEN),
    bound.end('eof'),
    bound.close(),
    client.end('eof'),
    client.close(),
  ],
  end: 'done',
};

/** The bound server ends its side while another one replies. */
const boundGoes: readonly Row[] = (['close', 'reset'] as const).map((how) => {
  const whole = reply({ fill: 60_000, seed: 9 });
  return {
    id: `ends: the bound server's ${how} while another replies`,
    steps: [
      ...after,
      client.send(getFor(ELSEWHERE)),
      v2.request(getFor(ELSEWHERE)),
      v2.send(whole[0] as string),
      client.expect(whole[0] as string),
      ...only('weft', bound[how]()),
      v2.send(...whole.slice(1)),
      ...only('plain', bound.close()),
      ...(how === 'close' ? [client.expect(whole.slice(1)), client.end('eof')] : []),
      // A reset cannot be held back: the client's socket is gone with it, before or after the reply.
      ...(how === 'reset' ? only('plain', client.expect(whole.slice(1)), client.end('eof')) : []),
      client.close(),
    ],
    end: 'done' as const,
  };
});

/** What the client hears where its server ends in the middle: an end, or an error. */
const cutOff = (fate: Fate, plainEnd: 'eof' | 'ECONNRESET'): Step[] => [
  ...(fate === BOUND ? [client.end(plainEnd)] : only('plain', client.end(plainEnd))),
  ...(fate === ELSEWHERE ? only('weft', client.end(...(plainEnd === 'eof' ? EOF : ABORTED))) : []),
  client.close(),
  ...boundEnds(fate),
];

const serverEnds = SIDES.flatMap(([fate, server]) =>
  (['close', 'reset'] as const).flatMap((how): Row[] => {
    const word = how === 'close' ? 'FIN' : 'RST';
    const kind = how === 'close' ? 'eof' : 'ECONNRESET';
    const inMiddle = (name: string, sent: string): Row => ({
      id: `ends: ${word} of the server ${name}, ${fate.name}`,
      steps: [
        client.send(getFor(fate)),
        server.request(getFor(fate)),
        server.send(sent),
        client.expect(sent),
        server[how](),
        ...cutOff(fate, kind),
      ],
      end: 'done',
    });
    return [
      inMiddle('in a body by length', WHOLE.slice(0, HALF)),
      inMiddle('in a chunk', `${bare('200 OK', { 'transfer-encoding': 'chunked' })}9\r\nhalf`),
      inMiddle(
        'between chunks',
        bare('200 OK', { 'transfer-encoding': 'chunked' }) + chunk('half'),
      ),
      {
        id: `ends: ${word} of the server before its reply, ${fate.name}`,
        steps: [
          client.send(getFor(fate)),
          server.request(getFor(fate)),
          server[how](),
          ...(fate === BOUND ? [client.end(kind)] : only('plain', client.end(kind))),
          // Nothing was heard yet: the mesh says so.
          ...(fate === ELSEWHERE ? only('weft', client.expect(UNAVAILABLE)) : []),
          client.close(),
          ...boundEnds(fate),
        ],
        end: 'done',
      },
      {
        id: `ends: ${word} of the server after the reply, ${fate.name}`,
        steps: [
          client.send(getFor(fate)),
          server.request(getFor(fate)),
          server.send(WHOLE),
          client.expect(WHOLE),
          server[how](),
          ...(fate === BOUND
            ? [client.end(kind), client.close()]
            : only('plain', client.end(kind))),
          // An idle connection to another server is none of the client's.
          ...(fate === ELSEWHERE
            ? only('weft', ...after, client.shut(), bound.end(), bound.close())
            : []),
          ...(fate === ELSEWHERE ? [...only('weft', client.end()), client.close()] : []),
        ],
        end: 'done',
      },
      {
        id: `ends: ${word} of the server while the body comes, ${fate.name}`,
        steps: [
          client.send(post('/e', 'whole', fate.headers)[0], 'who'),
          server.request(`${post('/e', 'whole', fate.headers)[0]}who`),
          server[how](),
          ...(fate === BOUND ? [client.end(kind)] : only('plain', client.end(kind))),
          ...(fate === ELSEWHERE ? only('weft', client.expect(UNAVAILABLE)) : []),
          client.close(),
          ...boundEnds(fate),
        ],
        end: 'done',
      },
    ];
  }),
);

/** The client goes without a word; what it had asked for ends with it, and nothing else does. */
const clientResets = SIDES.flatMap(([fate, server]): Row[] => {
  const gone: Step[] = [
    client.reset(),
    bound.end('ECONNRESET', 'eof'),
    ...(fate === ELSEWHERE ? only('weft', server.end('ECONNRESET', 'eof')) : []),
  ];
  const half = getFor(fate).slice(0, 20);
  const row = (name: string, ...steps: Step[]): Row => ({
    id: `ends: RST of the client ${name}, ${fate.name}`,
    steps: [...steps],
    end: 'done',
  });
  return [
    ...(fate === ELSEWHERE
      ? []
      : [
          row(
            'in a head',
            client.send(half),
            ...only('plain', v1.request(half)),
            client.reset(),
            bound.end('ECONNRESET', 'eof'),
          ),
        ]),
    row('after the request', client.send(getFor(fate)), server.request(getFor(fate)), ...gone),
    row(
      'in a body',
      client.send(post('/e', 'whole', fate.headers)[0], 'who'),
      server.request(`${post('/e', 'whole', fate.headers)[0]}who`),
      ...gone,
    ),
    row(
      'in a body in chunks',
      client.send(postChunked('/e', fate.headers), '5\r\nwh'),
      server.request(postChunked('/e', fate.headers)),
      ...(fate === ELSEWHERE ? [server.expect('5\r\nwh')] : []),
      ...gone.slice(0, 1),
    ),
    row(
      'in the reply',
      client.send(getFor(fate)),
      server.request(getFor(fate)),
      server.send(WHOLE.slice(0, HALF)),
      client.expect(WHOLE.slice(0, HALF - 20)),
      client.reset(),
      ...only('plain', bound.end('ECONNRESET', 'eof')),
      ...(fate === BOUND ? [] : only('weft', bound.end('ECONNRESET', 'eof'))),
    ),
  ];
});

const clientReadsLittle: Row = {
  id: 'ends: the client closes with a reply unread, refused',
  steps: [
    client.send(getFor(REFUSED)),
    ...only('plain', v1.request(getFor(REFUSED)), v1.send(FORBIDDEN)),
    client.expect(FORBIDDEN.slice(0, 10)),
    client.close(),
    bound.end('eof', 'ECONNRESET'),
  ],
  end: 'done',
};

const refusedAfterAll: Row = {
  id: 'ends: refused, then the server goes',
  steps: [
    ...answered(getFor(REFUSED), FORBIDDEN),
    bound.close(),
    client.end('eof'),
    client.close(),
  ],
  end: 'done',
};

export const ends: readonly Row[] = [
  ...halfClose,
  refusedThenHalfClose,
  ...boundGoes,
  ...serverEnds,
  ...clientResets,
  clientReadsLittle,
  refusedAfterAll,
];
