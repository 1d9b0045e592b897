/** `Expect: 100-continue`: who waits, who does not, and who is told no before the body. */
import { bare, get, ok, post } from '../stage/message.js';
import { BOUND, ELSEWHERE, type Fate, REFUSED } from '../stage/outcome.js';
import { FORBIDDEN, FORBIDDEN_LAST } from '../stage/refusal.js';
import {
  answered,
  answeredLast,
  bound,
  client,
  exchange,
  only,
  type Row,
  v1,
  v2,
} from '../stage/row.js';

const CONTINUE = bare('100 Continue');
const BODY = 'the body that was asked for';
const EXPECT = { expect: '100-continue' };
const after = exchange(get('/after'), ok('after'));
const headFor = (fate: Fate): string => post('/e', BODY, { ...fate.headers, ...EXPECT })[0];

const served = (
  [
    [BOUND, v1],
    [ELSEWHERE, v2],
  ] as const
).flatMap(([fate, server]): Row[] => {
  const head = headFor(fate);
  return [
    {
      id: `expect: 100, then the body, ${fate.name}`,
      steps: [
        client.send(head),
        server.request(head),
        server.send(CONTINUE),
        client.expect(CONTINUE),
        client.send(BODY),
        server.expect(BODY),
        server.send(ok('taken')),
        client.expect(ok('taken')),
        ...after,
      ],
    },
    {
      id: `expect: the body without waiting, ${fate.name}`,
      steps: [
        client.send(head, BODY),
        server.request(head),
        server.send(CONTINUE),
        server.expect(BODY),
        server.send(ok('taken')),
        client.expect([CONTINUE, ok('taken')]),
        ...after,
      ],
    },
    {
      id: `expect: the body at once and no 100, ${fate.name}`,
      steps: [...fate.play([head + BODY], ok('taken')), ...after],
    },
    {
      id: `expect: the body after 417, ${fate.name}`,
      steps: [
        client.send(head),
        server.request(head),
        server.send(bare('417 Expectation Failed', { 'content-length': '0' })),
        client.expect(bare('417 Expectation Failed', { 'content-length': '0' })),
        client.send(BODY),
        server.expect(BODY),
        ...after,
      ],
    },
    {
      id: `expect: 102, 100, 103 before the reply, ${fate.name}`,
      steps: [
        client.send(head),
        server.request(head),
        server.send(bare('102 Processing')),
        server.send(CONTINUE),
        client.expect([bare('102 Processing'), CONTINUE]),
        client.send(BODY),
        server.expect(BODY),
        server.send(bare('103 Early Hints', { link: '</x.css>' }), ok('taken')),
        client.expect([bare('103 Early Hints', { link: '</x.css>' }), ok('taken')]),
        ...after,
      ],
    },
  ];
});

const refused: readonly Row[] = [
  {
    // Whether the body comes is the client's choice, so nobody knows what the next byte is.
    id: 'expect: no instead of 100, refused',
    steps: answeredLast(headFor(REFUSED), FORBIDDEN_LAST),
    end: 'done',
  },
  {
    id: 'expect: no instead of 100, the body comes all the same, refused',
    steps: [
      client.send(headFor(REFUSED)),
      ...only('plain', v1.request(headFor(REFUSED)), v1.send(FORBIDDEN_LAST)),
      client.expect(FORBIDDEN_LAST),
      client.send(BODY),
      ...only('plain', v1.expect(BODY)),
      client.shut(),
      bound.end(),
      bound.close(),
      client.end(),
      client.close(),
    ],
    end: 'done',
  },
  {
    id: 'expect: the body at once, refused',
    steps: [...answered(headFor(REFUSED) + BODY, FORBIDDEN), ...after],
  },
];

export const expectations: readonly Row[] = [...served, ...refused];
