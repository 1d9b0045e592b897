/**
 * Heads that are refused: what two servers could read in two ways, what is no HTTP/1.1, what is too
 * long. Not a byte of them reaches the server; the client hears why, and the connection is of no more use.
 */
import { get, HOST, head, ok, postChunked } from '../stage/message.js';
import { BAD_REQUEST, NOT_IMPLEMENTED, TOO_LARGE, VERSION } from '../stage/refusal.js';
import {
  answeredLast,
  answeredToEnd,
  bound,
  client,
  exchange,
  only,
  type Row,
  v1,
} from '../stage/row.js';

const LINE = 'POST /m HTTP/1.1\r\n';
const HOSTED = `${LINE}host: ${HOST}\r\n`;
const length = (...values: string[]): string =>
  `${HOSTED}${values.map((v) => `content-length: ${v}\r\n`).join('')}\r\n`;
const coding = (...values: string[]): string =>
  `${HOSTED}${values.map((v) => `transfer-encoding: ${v}\r\n`).join('')}\r\n`;
const INNER = 'GET /private/x HTTP/1.1\r\nhost: shop.prod\r\n\r\n';

/** 400. Many carry a second request that only another reading would find. */
const BAD: Readonly<Record<string, string>> = {
  'two lengths that differ': `${length('0', '44')}${INNER}`,
  'two equal lengths': `${length('5', '5')}hello`,
  'a list of lengths': `${length('5, 5')}hello`,
  'length and chunked': `${HOSTED}content-length: 44\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${INNER}`,
  'chunked and length': `${HOSTED}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n${INNER}`,
  'a length with a sign': length('+5'),
  'a negative length': length('-5'),
  'a length in hex': length('0x5'),
  'an empty length': length(''),
  'a length with a letter': length('5a'),
  'a length with a space inside': length('5 5'),
  'a length beyond 2^64': length('18446744073709551621'),
  'a length of 17 digits': length('10000000000000000'),
  'chunked twice': coding('chunked', 'chunked'),
  'a coding that nobody knows': coding('gzip'),
  'chunked is not last': coding('chunked, gzip'),
  'an empty coding': coding(''),
  identity: coding('identity'),
  'a coding with a tab inside': coding('chunked\tx'),
  'a coding in HTTP/1.0': `POST /m HTTP/1.0\r\nhost: ${HOST}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a space before the colon': `${HOSTED}content-length : 5\r\n\r\nhello`,
  'a tab before the colon': `${HOSTED}transfer-encoding\t: chunked\r\n\r\n0\r\n\r\n`,
  'a folded line': `${HOSTED}x-a: b\r\n c: d\r\n\r\n`,
  'a folded coding': `${HOSTED}transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
  'a line that starts with a space, first': `${LINE} host: ${HOST}\r\n\r\n`,
  'a line without a colon': `${HOSTED}nonsense\r\n\r\n`,
  'an empty name': `${HOSTED}: value\r\n\r\n`,
  'a name with a space': `${HOSTED}x a: b\r\n\r\n`,
  'a name with a parenthesis': `${HOSTED}x(a): b\r\n\r\n`,
  'a name with a high byte': `${HOSTED}x\xe4: b\r\n\r\n`,
  'a bare CR in a value': `${HOSTED}x-a: b\rcontent-length: 5\r\n\r\n`,
  'a bare CR at the end of a line': `${HOSTED}x-a: b\r\rc: d\r\n\r\n`,
  'a bare LF at the end of a line': `${HOSTED}x-a: b\ncontent-length: 0\r\n\r\n`,
  'bare LFs alone': `POST /m HTTP/1.1\nhost: ${HOST}\n\n`,
  'a bare LF at the end of the head': `${HOSTED}\n`,
  'NUL in a value': `${HOSTED}x-a: b\0c\r\n\r\n`,
  'NUL in a name': `${HOSTED}x\0: b\r\n\r\n`,
  'NUL in the path': `GET /a\0b HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`,
  'an escaped NUL in the path': get('/a%00b'),
  'a control in a value': `${HOSTED}x-a: \x01\r\n\r\n`,
  'DEL in a value': `${HOSTED}x-a: \x7f\r\n\r\n`,
  'a space in the target': `GET /a b HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`,
  'two spaces after the method': `GET  /m HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`,
  'a tab after the method': `GET\t/m HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`,
  'two spaces before the version': `GET /m  HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`,
  'a space after the version': `GET /m HTTP/1.1 \r\nhost: ${HOST}\r\n\r\n`,
  'a high byte in the target': `GET /\xe4 HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`,
  'a fragment in the target': get('/a#b'),
  'a target without a slash': get('m'),
  'an asterisk for GET': get('*'),
  'another scheme': get('ftp://shop.prod/m'),
  'user information': get('http://user@shop.prod/m'),
  'CONNECT without a port': head('CONNECT shop.prod HTTP/1.1'),
  'a method with a colon': `G:T /m HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`,
  'no method': ` /m HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`,
  'HTTP/0.9': 'GET /m\r\n',
  'a lower-case version': `GET /m http/1.1\r\nhost: ${HOST}\r\n\r\n`,
  'a version of two digits': `GET /m HTTP/1.10\r\nhost: ${HOST}\r\n\r\n`,
  'no host': 'GET /m HTTP/1.1\r\n\r\n',
  'two hosts': `GET /m HTTP/1.1\r\nhost: ${HOST}\r\nhost: other.prod\r\n\r\n`,
  'two equal hosts': `GET /m HTTP/1.1\r\nhost: ${HOST}\r\nhost: ${HOST}\r\n\r\n`,
  'a host with a slash': `GET /m HTTP/1.1\r\nhost: ${HOST}/x\r\n\r\n`,
  'a host that the target does not have': `GET http://other.prod/m HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`,
  'an empty line first': `\r\n${get('/m')}`,
  'an empty line of LF first': `\n${get('/m')}`,
  'the hello of TLS': `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${'r'.repeat(32)}`,
  'the greeting of SSH': 'SSH-2.0-OpenSSH_9.2\r\n',
  zeros: '\0\0\0\0\0\0\0\0',
  'a proxy line': 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
};

const bad = Object.entries(BAD).map(
  ([name, bytes]): Row => ({
    id: `malformed: ${name}`,
    steps: answeredLast(bytes, BAD_REQUEST),
    end: 'done',
  }),
);

const others = (
  [
    ['chunked, chunked', coding('chunked, chunked'), NOT_IMPLEMENTED],
    ['gzip, chunked', coding('gzip, chunked'), NOT_IMPLEMENTED],
    ['xchunked', coding('xchunked'), NOT_IMPLEMENTED],
    ['a method of 33 letters', head(`${'M'.repeat(33)} /m HTTP/1.1`), NOT_IMPLEMENTED],
    ['HTTP/2.0', head('GET /m HTTP/2.0'), VERSION],
    ['HTTP/1.2', head('GET /m HTTP/1.2'), VERSION],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', VERSION],
  ] as const
).map(
  ([name, bytes, reply]): Row => ({
    id: `malformed: ${name}`,
    steps: answeredLast(bytes, reply),
    end: 'done',
  }),
);

const toEnd: Row = {
  id: 'malformed: a folded line, and read to the end',
  steps: answeredToEnd(BAD['a folded line'] ?? '', BAD_REQUEST),
  end: 'done',
};

/** After good requests, and behind them in one send. */
const later: readonly Row[] = ['two lengths that differ', 'a folded line', 'zeros'].flatMap(
  (name) => {
    const bytes = BAD[name] ?? '';
    const good = get('/first');
    return [
      {
        id: `malformed: ${name}, as the second request`,
        steps: [...exchange(good, ok('first')), ...answeredLast(bytes, BAD_REQUEST)],
        end: 'done' as const,
      },
      {
        id: `malformed: ${name}, pipelined`,
        steps: [
          client.send(good + bytes),
          v1.request(good),
          v1.send(ok('first')),
          ...only('plain', v1.request(bytes), v1.send(BAD_REQUEST), bound.close()),
          client.expect(ok('first') + BAD_REQUEST),
          ...only('weft', client.shut(), bound.end(), bound.close()),
          client.end(),
          client.close(),
        ],
        end: 'done' as const,
      },
      {
        id: `malformed: ${name}, byte by byte`,
        // What is malformed is known before its last byte: the rest need not be taken.
        steps: answeredLast([...bytes.slice(0, 12), bytes.slice(12)], BAD_REQUEST),
        end: 'done' as const,
      },
    ];
  },
);

/** The length of a whole head, brought to `size` by a header. */
const sized = (size: number): string => {
  const least = get('/m', { 'x-pad': '' }).length;
  return get('/m', { 'x-pad': 'p'.repeat(size - least) });
};
const LIMIT = 8192;
const limits: readonly Row[] = [
  {
    id: 'malformed: a head of the largest size is none',
    steps: exchange(sized(LIMIT), ok('fits')),
  },
  {
    id: 'malformed: a head of the largest size in pieces is none',
    steps: exchange(sized(LIMIT).match(/[\s\S]{1,1000}/g) ?? [], ok('fits')),
  },
  {
    id: 'malformed: a head of one byte more',
    steps: answeredLast(sized(LIMIT + 1), TOO_LARGE),
    end: 'done',
  },
  {
    id: 'malformed: a head of 100 KB',
    steps: answeredLast(sized(100_000), TOO_LARGE),
    end: 'done',
  },
  {
    id: 'malformed: a head of one byte more, cut before that byte',
    steps: answeredLast(
      [sized(LIMIT + 1).slice(0, LIMIT), sized(LIMIT + 1).slice(LIMIT)],
      TOO_LARGE,
    ),
    end: 'done',
  },
  {
    id: 'malformed: a target of 9,000 bytes',
    steps: answeredLast(get(`/${'a'.repeat(9000)}`), TOO_LARGE),
    end: 'done',
  },
  {
    id: 'malformed: four hundred short headers are none',
    steps: exchange(
      `GET /m HTTP/1.1\r\nhost: ${HOST}\r\n${'a: b\r\n'.repeat(400)}\r\n`,
      ok('fits'),
    ),
  },
];

/** Chunks that cannot be read: the body has begun, so there is nothing left to say; it ends. */
const CHUNKS: Readonly<Record<string, string>> = {
  'no digits': 'xyz\r\n',
  'a space before the end': '5 \r\nhello\r\n0\r\n\r\n',
  'a sign': '+5\r\nhello\r\n0\r\n\r\n',
  'a prefix': '0x5\r\nhello\r\n0\r\n\r\n',
  'an empty line': '\r\n0\r\n\r\n',
  'too many digits': 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
  'data that is longer': '3\r\nhello\r\n0\r\n\r\n',
  'a bare LF after the size': '5\nhello\r\n0\r\n\r\n',
  'a bare LF after the data': '5\r\nhello\n0\r\n\r\n',
  'a bare CR in an extension': '5;a\rb\r\nhello\r\n0\r\n\r\n',
  'a bare LF in a trailer': '0\r\nx: y\nz: a\r\n\r\n',
};
const chunks = Object.entries(CHUNKS).map(([name, body]): Row => {
  const start = postChunked('/m');
  return {
    id: `malformed: chunks: ${name}`,
    steps: [
      client.send(start),
      v1.request(start),
      { ...client.send(body), mode: 'plain' },
      ...only('plain', v1.expect(body), bound.close()),
      { ...client.attempt(body), mode: 'weft' },
      ...only('weft', client.attempt(INNER), client.shut(), bound.lacks(INNER), bound.close()),
      client.end('eof', 'ECONNRESET', 'ECONNABORTED'),
      client.close(),
    ],
    end: 'done',
  };
});

export const malformed: readonly Row[] = [...bad, ...others, toEnd, ...later, ...limits, ...chunks];
