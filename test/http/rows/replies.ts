/** Replies of every framing, cut anywhere, to requests of the bound server and of another one. */
import { bare, chunk, get, head, LAST_CHUNK, ok, post, reply } from '../stage/message.js';
import { BOUND, ELSEWHERE, SERVED } from '../stage/outcome.js';
import { UNAVAILABLE } from '../stage/refusal.js';
import { type Bytes, bound, client, exchange, only, type Row, v1, v2 } from '../stage/row.js';

const CHUNKED = { 'transfer-encoding': 'chunked' };
const after = exchange(get('/after'), ok('after'));

/** A reply whose head has so many bytes. */
const withHead = (size: number): string => {
  const head = (pad: number) =>
    bare('200 OK', { 'x-long': 'v'.repeat(pad), 'content-length': '2' });
  return `${head(size - head(0).length)}hi`;
};

/** As much as the framer takes of a head (docs/limits.md). */
const HEAD_MAX = 65_536;

/** Replies that leave the connection open. */
const FORMS: Readonly<Record<string, Bytes>> = {
  'length 0': ok(''),
  '204': bare('204 No Content'),
  '204 with a date': bare('204 No Content', { date: 'Thu, 01 Jan 2026 00:00:00 GMT' }),
  '304 with the length of another reply': bare('304 Not Modified', { 'content-length': '500' }),
  '304': bare('304 Not Modified', { etag: '"a"' }),
  '205 with length 0': bare('205 Reset Content', { 'content-length': '0' }),
  'no phrase': 'HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nhi',
  'neither phrase nor its space': 'HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi',
  'a length in odd spelling': 'HTTP/1.1 200 OK\r\nCONTENT-LENGTH:  2  \r\n\r\nhi',
  'a length without a space': 'HTTP/1.1 200 OK\r\nContent-Length:2\r\n\r\nhi',
  '404 with a body': reply('gone', { status: '404 Not Found' }),
  '500 with a body': reply('oops', { status: '500 Internal Server Error' }),
  chunks: bare('200 OK', CHUNKED) + chunk('one') + chunk('two') + LAST_CHUNK,
  'no chunk': bare('200 OK', CHUNKED) + LAST_CHUNK,
  'chunks with extension and trailer': `${bare('200 OK', CHUNKED)}${chunk('one', ';a=b')}0\r\nx-t: 1\r\n\r\n`,
  'chunks with zeros and capitals': `${bare('200 OK', CHUNKED)}000A\r\n0123456789\r\n00\r\n\r\n`,
  '103 before it': bare('103 Early Hints', { link: '</x>' }) + ok('done'),
  '100 that nobody asked for': bare('100 Continue') + ok('done'),
  'a body like a reply': ok('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'),
  'a head of 9,000 bytes': bare('200 OK', { 'x-long': 'v'.repeat(9000), 'content-length': '0' }),
  'a head of 30,000 bytes': bare('200 OK', { 'x-long': 'v'.repeat(30_000), 'content-length': '0' }),
  'a head of 65,536 bytes': withHead(HEAD_MAX),
  'two hundred headers': `HTTP/1.1 200 OK\r\n${'set-cookie: a=b\r\n'.repeat(200)}content-length: 2\r\n\r\nhi`,
};

/** Clients do not agree on where these end. Another server's are not passed on: docs/limits.md. */
const DOUBTFUL: Readonly<Record<string, string>> = {
  'lines that end in a bare LF': 'HTTP/1.1 200 OK\ncontent-length: 2\n\nhi',
  'a head of 65,537 bytes': withHead(HEAD_MAX + 1),
  'chunked and a length': `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('hello')}${LAST_CHUNK}`,
};

const doubtful = Object.entries(DOUBTFUL).flatMap(([name, form]): Row[] => {
  const request = get('/r', ELSEWHERE.headers);
  return [
    {
      id: `replies: ${name}, bound`,
      steps: [...exchange(get('/r'), form), ...after],
    },
    {
      id: `replies: ${name}, elsewhere`,
      steps: [
        client.send(request),
        v2.request(request),
        v2.send(form),
        ...only('plain', client.expect(form)),
        ...only('weft', client.expect(UNAVAILABLE)),
        ...after,
        ...ELSEWHERE.play([request], ok('again')),
      ],
    },
  ];
});

const forms = SERVED.flatMap((fate) =>
  Object.entries(FORMS).flatMap(([name, form]): Row[] => [
    {
      id: `replies: ${name}, ${fate.name}`,
      steps: [...fate.play([get('/r', fate.headers)], form), ...after],
    },
  ]),
);

const CUT = `${bare('103 Early Hints')}${bare('200 OK', CHUNKED)}${chunk('abc')}${LAST_CHUNK}`;
const cuts = SERVED.flatMap((fate) =>
  Array.from({ length: CUT.length - 1 }, (_, index): Row => {
    const pieces = [CUT.slice(0, index + 1), CUT.slice(index + 1)];
    return {
      id: `replies: cut at byte ${index + 1}, ${fate.name}`,
      steps: [...fate.play([get('/r', fate.headers)], pieces), ...after],
    };
  }),
);

const single = SERVED.flatMap((fate): Row[] =>
  [CUT, ok('by length'), bare('204 No Content')].map((text, index) => ({
    id: `replies: byte by byte ${index + 1}, ${fate.name}`,
    steps: [...fate.play([get('/r', fate.headers)], [...text]), ...after],
  })),
);

const heads = SERVED.flatMap((fate): Row[] => {
  const request = head('HEAD /r HTTP/1.1', fate.headers);
  const forms = [
    bare('200 OK', { 'content-length': '100000' }),
    bare('200 OK', CHUNKED),
    bare('200 OK'),
    bare('404 Not Found', { 'content-length': '7' }),
  ];
  return forms.map((form, index) => ({
    id: `replies: to HEAD ${index + 1}, ${fate.name}`,
    steps: [...fate.play([request], form), ...after],
  }));
});

/** The end of the connection is the end of the reply. */
const untilClose = (
  [
    [BOUND, v1],
    [ELSEWHERE, v2],
  ] as const
).flatMap(([fate, server]) =>
  // The last one promises more than comes.
  [bare('200 OK'), 'HTTP/1.0 200 OK\r\n\r\n', 'HTTP/1.0 200 OK\r\ncontent-length: 12\r\n\r\n'].map(
    (text, index): Row => {
      const request = get('/r', fate.headers);
      return {
        id: `replies: until the server closes ${index + 1}, ${fate.name}`,
        steps: [
          client.send(request),
          server.request(request),
          server.send(text, 'all that ', 'there is'.slice(0, index === 2 ? 0 : 8)),
          server.close(),
          client.expect([text, index === 2 ? 'all that ' : 'all that there is']),
          client.end('eof'),
          client.close(),
          ...(server === v2 ? only('weft', bound.end('eof', 'ECONNRESET')) : []),
        ],
        end: 'done',
      };
    },
  ),
);

/** The reply is there before the body was sent; again, by a connection that was used before. */
const early = SERVED.map((fate): Row => {
  const [start, body] = post('/r', 'late body', fate.headers);
  const server = fate === BOUND ? v1 : v2;
  const round = [
    client.send(start),
    server.request(start),
    server.send(ok('early')),
    client.expect(ok('early')),
    client.send(...(body as string)),
    server.expect(body as string),
  ];
  return {
    id: `replies: before the body, ${fate.name}`,
    steps: [...round, ...fate.play([get('/r', fate.headers)], ok('between')), ...round, ...after],
  };
});

/** Bytes from the server that no request asked for. */
const unasked: readonly Row[] = [
  {
    id: 'replies: a greeting before any request',
    steps: [bound.send('220 hello\r\n'), client.expect('220 hello\r\n')],
  },
  {
    id: 'replies: 408 on an idle connection, and its end',
    steps: [
      ...after,
      bound.send(bare('408 Request Timeout', { connection: 'close', 'content-length': '0' })),
      bound.close(),
      client.expect(bare('408 Request Timeout', { connection: 'close', 'content-length': '0' })),
      client.end('eof'),
      client.close(),
    ],
    end: 'done',
  },
];

export const replies: readonly Row[] = [
  ...forms,
  ...doubtful,
  ...cuts,
  ...single,
  ...heads,
  ...untilClose,
  ...early,
  ...unasked,
];
