/** Other ways to the same server: its own address, a mapped address, from outside the mesh. */
import { get, ok, post } from '../stage/message.js';
import { BAD_REQUEST, FORBIDDEN, FORBIDDEN_LAST } from '../stage/refusal.js';
import {
  answered,
  answeredLast,
  answeredToEnd,
  exchange,
  type Row,
  type Step,
} from '../stage/row.js';

const after = exchange(get('/after'), ok('after'));
const twoLengths =
  'POST /x HTTP/1.1\r\nhost: shop.prod\r\ncontent-length: 0\r\ncontent-length: 9\r\n\r\n';

/** The endpoint's own address: judged alike, never routed. */
const direct: readonly Row[] = [
  {
    id: 'around: its own address, allowed',
    to: 'endpoint',
    steps: [...exchange(get('/x'), ok('v1')), ...after],
  },
  {
    id: 'around: its own address, refused',
    to: 'endpoint',
    steps: [...answered(get('/private/x'), FORBIDDEN), ...after],
  },
  {
    id: 'around: its own address, refused with a body',
    to: 'endpoint',
    steps: [...answered([post('/private/x', 'hello').join('')], FORBIDDEN), ...after],
  },
  {
    id: 'around: its own address is no name of a service, so nothing is routed',
    to: 'endpoint',
    steps: [...exchange(get('/x', { 'x-to': 'v2' }), ok('v1')), ...after],
  },
  {
    id: 'around: its own address, malformed',
    to: 'endpoint',
    steps: answeredLast(twoLengths, BAD_REQUEST),
    end: 'done',
  },
];

/** An IPv6 socket that says ::ffff:a.b.c.d. */
const mapped: readonly Row[] = (['service', 'endpoint'] as const).map((to) => ({
  id: `around: a mapped address of the ${to}`,
  to,
  socket: 'mapped',
  families: [4],
  steps: [
    ...exchange(get('/x'), ok('v1')),
    ...answered(get('/private/x'), FORBIDDEN),
    ...(to === 'service' ? exchange(get('/x', { 'x-to': 'v2' }), ok('v2'), { to: 'v2' }) : []),
    ...after,
  ],
}));

/**
 * A client that no node of the mesh knows: the receiving workload judges. A refusal is as long as
 * what it answers, by blanks; where that is shorter, it is the last (docs/limits.md).
 */
const LONG = { 'x-long': 'y'.repeat(200) };
const inPlaceOf = (request: string, reply: string): string => {
  const [head = '', body = ''] = reply.split('\r\n\r\n');
  return `${head}${' '.repeat(request.length - reply.length)}\r\n\r\n${body}`;
};
const refusedLong = (request: string): Step[] => [
  ...answered([request], inPlaceOf(request, FORBIDDEN)),
  ...after,
];
const outside: readonly Row[] = [
  {
    id: 'around: from outside, allowed',
    from: 'outsider',
    steps: [...exchange(get('/x'), ok('v1')), ...after],
  },
  {
    id: 'around: from outside, refused for everybody',
    from: 'outsider',
    steps: refusedLong(get('/private/x', LONG)),
  },
  {
    id: 'around: from outside, refused for strangers',
    from: 'outsider',
    steps: refusedLong(get('/inside/x', LONG)),
  },
  {
    id: 'around: from inside, what strangers may not',
    steps: exchange(get('/inside/x'), ok('v1')),
  },
  {
    id: 'around: from outside, refused with a body',
    from: 'outsider',
    steps: refusedLong(post('/private/x', 'hello', LONG).join('')),
  },
  {
    id: 'around: from outside, refused in less than the refusal',
    from: 'outsider',
    steps: answeredLast(get('/private/x'), FORBIDDEN_LAST),
    end: 'done',
  },
  {
    id: 'around: from outside, refused, and read to the end',
    from: 'outsider',
    steps: answeredToEnd(get('/private/x'), FORBIDDEN_LAST),
    end: 'done',
  },
  {
    id: 'around: from outside, split head',
    from: 'outsider',
    steps: answeredLast([...get('/private/x')], FORBIDDEN_LAST),
    end: 'done',
  },
  {
    id: 'around: from outside, malformed',
    from: 'outsider',
    steps: answeredLast(twoLengths, inPlaceOf(twoLengths, BAD_REQUEST)),
    end: 'done',
  },
];

export const around: readonly Row[] = [...direct, ...mapped, ...outside];
