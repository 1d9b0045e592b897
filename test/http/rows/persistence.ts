/** How long a connection lives: many requests, HTTP/1.0, `Connection` of either side. */
import { bare, get, head, ok, post } from '../stage/message.js';
import { BOUND, ELSEWHERE, FATES, REFUSED, SERVED } from '../stage/outcome.js';
import { FORBIDDEN, FORBIDDEN_LAST } from '../stage/refusal.js';
import {
  answered,
  answeredToEnd,
  bound,
  client,
  exchange,
  only,
  other,
  type Row,
  type Step,
  v1,
  v2,
} from '../stage/row.js';

const after = exchange(get('/after'), ok('after'));

const many: readonly Row[] = [
  {
    id: 'persistence: a hundred requests, bound',
    steps: Array.from({ length: 100 }, (_, n) => exchange(get(`/k${n}`), ok(`reply ${n}`))).flat(),
  },
  {
    id: 'persistence: a hundred requests, elsewhere',
    steps: Array.from({ length: 100 }, (_, n) =>
      ELSEWHERE.play([get(`/k${n}`, ELSEWHERE.headers)], ok(`reply ${n}`)),
    ).flat(),
  },
  {
    id: 'persistence: a hundred requests, refused',
    steps: Array.from({ length: 100 }, (_, n) =>
      REFUSED.play([get(`/k${n}`, REFUSED.headers)], ''),
    ).flat(),
  },
  {
    id: 'persistence: bound, elsewhere, other, refused in turn',
    steps: Array.from({ length: 40 }, (_, n): Step[] => {
      const turn = n % 4;
      if (turn === 3) return answered(get(`/k${n}`, { 'x-team': 'red' }), FORBIDDEN);
      const to = (['v1', 'v2', 'other'] as const)[turn] ?? 'v1';
      return exchange(get(`/k${n}`, { 'x-to': to }), ok(`${to} ${n}`), { to });
    }).flat(),
  },
  {
    id: 'persistence: bodies in turn with methods',
    steps: FATES.flatMap((fate) =>
      Array.from({ length: 10 }, (_, n) =>
        fate.play(
          n % 2 === 0
            ? [post(`/k${n}`, 'b'.repeat(n * 100), fate.headers).join('')]
            : [get('/k', fate.headers)],
          ok('r'.repeat(n * 500)),
        ),
      ).flat(),
    ),
  },
];

const oldHead = (line: string, headers = {}): string => head(`${line} HTTP/1.0`, headers);

const old = FATES.flatMap((fate): Row[] => [
  {
    id: `persistence: HTTP/1.0 with keep-alive, ${fate.name}`,
    steps: [
      ...fate.play(
        [oldHead('GET /k', { ...fate.headers, connection: 'keep-alive' })],
        ok('one', { connection: 'keep-alive' }),
      ),
      ...fate.play([get('/k', fate.headers)], ok('two')),
    ],
  },
]);

/** The server ends the connection after its reply, as it was asked to or as it says. */
const ends = (
  [
    [BOUND, v1],
    [ELSEWHERE, v2],
  ] as const
).flatMap(([fate, server]): Row[] => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['HTTP/1.0', oldHead('GET /k', fate.headers), ok('one')],
    [
      'HTTP/1.0 without a host',
      `GET /k HTTP/1.0\r\n${fate === BOUND ? '' : 'x-to: v2\r\n'}\r\n`,
      ok('one'),
    ],
    ['close of the client', get('/k', { ...fate.headers, connection: 'close' }), ok('one')],
    [
      'close of both',
      get('/k', { ...fate.headers, connection: 'close' }),
      ok('one', { connection: 'close' }),
    ],
    ['close of the server', get('/k', fate.headers), ok('one', { connection: 'close' })],
    [
      'close among other words',
      get('/k', { ...fate.headers, connection: 'x-a, Close' }),
      ok('one'),
    ],
  ];
  return cases.map(([name, request, reply]) => ({
    id: `persistence: ${name}, ${fate.name}`,
    steps: [
      client.send(request),
      server.request(request),
      server.send(reply),
      server.close(),
      client.expect(reply),
      // The end of a connection to another server is not the end of the client's own: docs/limits.md.
      ...(server === v2 ? only('weft', ...after, client.shut(), bound.end(), bound.close()) : []),
      client.end('eof'),
      client.close(),
    ],
    end: 'done',
  }));
});

const refusedOnce: readonly Row[] = [
  {
    id: 'persistence: close of the client, refused',
    steps: [
      ...answered(get('/k', { ...REFUSED.headers, connection: 'close' }), FORBIDDEN_LAST),
      client.shut(),
      bound.end('eof', 'ECONNRESET'),
      bound.close(),
      client.end('eof'),
    ],
    end: 'done',
  },
  {
    id: 'persistence: close of the client, refused, and read to the end',
    steps: answeredToEnd(get('/k', { ...REFUSED.headers, connection: 'close' }), FORBIDDEN_LAST),
    end: 'done',
  },
  {
    id: 'persistence: HTTP/1.0, refused, and read to the end',
    steps: answeredToEnd(head('GET /k HTTP/1.0', REFUSED.headers), FORBIDDEN_LAST),
    end: 'done',
  },
  {
    id: 'persistence: an idle connection that the server closes',
    steps: [...after, bound.close(), client.end('eof'), client.close()],
    end: 'done',
  },
  {
    id: 'persistence: a connection that never asks',
    steps: [],
  },
  {
    id: 'persistence: the server closes before any request',
    steps: [bound.close(), client.end('eof'), client.close()],
    end: 'done',
  },
];

const timed = SERVED.map(
  (fate): Row => ({
    id: `persistence: keep-alive parameters, ${fate.name}`,
    steps: [
      ...fate.play(
        [get('/k', { ...fate.headers, connection: 'keep-alive, x-b' })],
        bare('200 OK', {
          'keep-alive': 'timeout=5',
          connection: 'keep-alive',
          'content-length': '0',
        }),
      ),
      ...after,
    ],
  }),
);

const elsewhereThenOther: Row = {
  id: 'persistence: another service and back',
  steps: [
    ...after,
    ...exchange(get('/o', { 'x-to': 'other' }), ok('from the other'), { to: 'other' }),
    ...after,
    client.send(get('/p', { 'x-to': 'other' })),
    other.request(get('/p', { 'x-to': 'other' })),
    other.send(ok('again')),
    client.expect(ok('again')),
  ],
};

export const persistence: readonly Row[] = [
  ...many,
  ...old,
  ...ends,
  ...refusedOnce,
  ...timed,
  elsewhereThenOther,
];
