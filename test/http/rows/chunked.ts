/** Request bodies in chunks: the forms that RFC 9112 7.1 knows, cut anywhere. */
import { chunk, get, LAST_CHUNK, ok, postChunked } from '../stage/message.js';
import { FATES, REFUSED } from '../stage/outcome.js';
import { client, exchange, join, type Row, v1, v2 } from '../stage/row.js';

const FORMS: Readonly<Record<string, string>> = {
  'no chunk': LAST_CHUNK,
  'one chunk': chunk('hello') + LAST_CHUNK,
  'three chunks': chunk('one') + chunk('two') + chunk('three') + LAST_CHUNK,
  'an extension': chunk('hello', ';name=value') + LAST_CHUNK,
  'a quoted extension': `${chunk('hello', ';name="a;b\\"c"')}0;last\r\n\r\n`,
  'digits of both cases': `a\r\n${'x'.repeat(10)}\r\nA\r\n${'y'.repeat(10)}\r\n1F\r\n${'z'.repeat(31)}\r\n${LAST_CHUNK}`,
  'leading zeros': `0005\r\nhello\r\n000\r\n\r\n`,
  trailers: `${chunk('hello')}0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n`,
  'data like a head': chunk('GET /private/x HTTP/1.1\r\nhost: shop.prod\r\n\r\n') + LAST_CHUNK,
  'data like the end': chunk('0\r\n\r\n') + LAST_CHUNK,
};
const after = exchange(get('/after'), ok('after'));

const forms = FATES.flatMap((fate) =>
  Object.entries(FORMS).flatMap(([name, body]): Row[] => {
    const head = postChunked('/c', fate.headers);
    return [
      {
        id: `chunked: ${name}, one send, ${fate.name}`,
        steps: [...fate.play([head + body], ok('taken')), ...after],
      },
      {
        id: `chunked: ${name}, after the head, ${fate.name}`,
        steps: [...fate.play([head, body], ok('taken')), ...after],
      },
    ];
  }),
);

const CUT = `5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nt: v\r\n\r\n`;
const cuts = FATES.flatMap((fate) =>
  Array.from({ length: CUT.length - 1 }, (_, index): Row => {
    const at = index + 1;
    const pieces = [postChunked('/c', fate.headers), CUT.slice(0, at), CUT.slice(at)];
    return {
      id: `chunked: cut at byte ${at}, ${fate.name}`,
      steps: [...fate.play(pieces, ok('taken')), ...after],
    };
  }),
);

const single = FATES.map(
  (fate): Row => ({
    id: `chunked: byte by byte, ${fate.name}`,
    steps: [...fate.play([postChunked('/c', fate.headers), ...CUT], ok('taken')), ...after],
  }),
);

const large = FATES.map((fate): Row => {
  const size = 70_000;
  const one = join([`${size.toString(16)}\r\n`, { fill: size, seed: 3 }, '\r\n']);
  return {
    id: `chunked: chunks of 70,000 bytes, ${fate.name}`,
    steps: [
      ...fate.play([postChunked('/c', fate.headers), one, one, LAST_CHUNK], ok('taken')),
      ...after,
    ],
  };
});

const lockstep = ([v1, v2] as const).map((server, index): Row => {
  const head = postChunked('/c', index === 0 ? {} : { 'x-to': 'v2' });
  const chunks = [chunk('one'), chunk('two', ';x'), chunk('three'), LAST_CHUNK];
  return {
    id: `chunked: chunk by chunk as they arrive, ${index === 0 ? 'bound' : 'elsewhere'}`,
    steps: [
      client.send(head),
      server.request(head),
      ...chunks.flatMap((piece) => [client.send(piece), server.expect(piece)]),
      server.send(ok('taken')),
      client.expect(ok('taken')),
      ...after,
    ],
  };
});

const many: Row = {
  id: 'chunked: thirty requests on one connection',
  steps: Array.from({ length: 30 }, (_, index) => {
    const fate = FATES[index % FATES.length] ?? REFUSED;
    const body = Object.values(FORMS)[index % Object.keys(FORMS).length] ?? LAST_CHUNK;
    return fate.play([postChunked(`/c${index}`, fate.headers), body], ok(String(index)));
  }).flat(),
};

export const chunked: readonly Row[] = [...forms, ...cuts, ...single, ...large, ...lockstep, many];
