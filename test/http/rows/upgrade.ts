/** Upgrade and CONNECT: after the server agrees, bytes are nobody's business; where it does not, HTTP goes on. */
import { bare, get, head, ok } from '../stage/message.js';
import { BOUND, ELSEWHERE, type Fate, REFUSED } from '../stage/outcome.js';
import { FORBIDDEN } from '../stage/refusal.js';
import { answered, bound, client, exchange, only, type Row, v1, v2 } from '../stage/row.js';

const SWITCH = bare('101 Switching Protocols', { upgrade: 'websocket', connection: 'Upgrade' });
const FRAMES = '\x81\x05hello\x82\x03\x00\xff\r';
const LOOKS_LIKE = get('/private/x', { 'x-team': 'red' });
const after = exchange(get('/after'), ok('after'));

const upgrade = (fate: Fate): string =>
  get('/u', {
    ...fate.headers,
    connection: 'keep-alive, Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  });

const served = (
  [
    [BOUND, v1],
    [ELSEWHERE, v2],
  ] as const
).flatMap(([fate, server]): Row[] => {
  const request = upgrade(fate);
  const native = [client.shut(), server.end(), server.close(), client.end(), client.close()];
  // A tunnel goes by the agent, and knows no half-close: docs/limits.md.
  const finish = [
    ...only('plain', ...native),
    ...only('weft', client.close(), server.end('eof', 'ECONNRESET')),
  ];
  return [
    {
      id: `upgrade: bytes both ways, ${fate.name}`,
      steps: [
        ...fate.play([request], SWITCH),
        client.send(FRAMES),
        server.expect(FRAMES),
        server.send(FRAMES, 'x'),
        client.expect(`${FRAMES}x`),
        client.send('\n', '', FRAMES.repeat(1000)),
        server.expect(`\n${FRAMES.repeat(1000)}`),
        ...finish,
      ],
      end: 'done',
    },
    {
      id: `upgrade: bytes that look like a request, ${fate.name}`,
      steps: [
        ...fate.play([request], SWITCH),
        client.send(LOOKS_LIKE),
        server.expect(LOOKS_LIKE),
        server.send(ok('echo')),
        client.expect(ok('echo')),
        ...finish,
      ],
      end: 'done',
    },
    {
      id: `upgrade: the first bytes with the 101, ${fate.name}`,
      steps: [
        client.send(request),
        server.request(request),
        server.send(SWITCH + FRAMES),
        client.expect(SWITCH + FRAMES),
        client.send(FRAMES),
        server.expect(FRAMES),
        ...finish,
      ],
      end: 'done',
    },
    {
      id: `upgrade: not taken, and HTTP goes on, ${fate.name}`,
      steps: [
        ...fate.play([request], ok('no')),
        ...after,
        ...answered(get('/x', REFUSED.headers), FORBIDDEN),
        ...fate.play([request], bare('426 Upgrade Required', { 'content-length': '0' })),
        ...after,
      ],
    },
    {
      id: `upgrade: the server ends it, ${fate.name}`,
      steps: [
        ...fate.play([request], SWITCH),
        server.send(FRAMES),
        server.close(),
        client.expect(FRAMES),
        client.end(),
        client.close(),
        ...only('weft', bound.end('eof', 'ECONNRESET')),
      ],
      end: 'done',
    },
    {
      id: `upgrade: the client ends its side first, ${fate.name}`,
      steps: [
        ...fate.play([request], SWITCH),
        client.send(FRAMES),
        server.expect(FRAMES),
        client.shut(),
        server.end(),
        server.send(FRAMES),
        server.close(),
        client.expect(FRAMES),
        client.end(),
        client.close(),
        ...only('weft', bound.end('eof', 'ECONNRESET')),
      ],
      end: 'done',
    },
    {
      id: `upgrade: a request behind it that is not allowed, while it is not taken, ${fate.name}`,
      steps: [
        client.send(request),
        server.request(request),
        client.send(LOOKS_LIKE),
        server.send(ok('no')),
        ...only('plain', v1.request(LOOKS_LIKE), v1.send(FORBIDDEN)),
        client.expect(ok('no') + FORBIDDEN),
        ...after,
      ],
    },
  ];
});

const connect = head('CONNECT shop.prod:80 HTTP/1.1').replace(
  'host: shop.prod',
  'host: shop.prod:80',
);
const others: readonly Row[] = [
  { id: 'upgrade: refused', steps: [...answered(upgrade(REFUSED), FORBIDDEN), ...after] },
  {
    id: 'upgrade: CONNECT, bound',
    steps: [
      ...exchange(connect, bare('200 OK')),
      client.send(LOOKS_LIKE),
      v1.expect(LOOKS_LIKE),
      v1.send(FRAMES),
      client.expect(FRAMES),
      client.close(),
      v1.end('eof', 'ECONNRESET'),
    ],
    end: 'done',
  },
  {
    id: 'upgrade: CONNECT that is not taken, bound',
    steps: [
      ...exchange(connect, bare('405 Method Not Allowed', { 'content-length': '0' })),
      ...after,
    ],
  },
];

export const upgrades: readonly Row[] = [...served, ...others];
