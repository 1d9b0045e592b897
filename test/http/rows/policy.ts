/** What the policy asks of method, path and headers, in every spelling that a server reads alike. */
import { get, HOST, head, ok } from '../stage/message.js';
import { FORBIDDEN, headOf } from '../stage/refusal.js';
import { answered, exchange, type Row } from '../stage/row.js';

const after = exchange(get('/after'), ok('after'));

/** Targets whose path is below /private/. What is sent on is the request as it came. */
const PRIVATE = [
  '/private/x',
  '/private/',
  '/private/x?y=/public/',
  '/%70rivate/x',
  '/%70%72%69%76%61%74%65/x',
  '/./private/x',
  '/public/../private/x',
  '/public/%2e%2e/private/x',
  '/public/%2E%2E/private/x',
  '/public/.%2e/private/x',
  '/public/./../private/x',
  '/a/b/../../private/x',
  '/../private/x',
  '/public\\..\\private\\x',
  'http://shop.prod/private/x',
  'http://shop.prod/public/../private/x',
];
const PUBLIC = [
  '/privat/x',
  '/private',
  '/privatex/',
  '/PRIVATE/x',
  // Slashes are not merged: they are other paths to the server too.
  '//private/x',
  '/public//../private/x',
  '/private/../public/x',
  '/x?/private/x',
  '/x/private/x',
  '/%2570rivate/x',
  '/?p=/private/',
  '/public/..%20/private/x',
  '/',
  '/a%20b',
  `/${'long/'.repeat(200)}`,
];

const paths = [
  ...PRIVATE.map(
    (target): Row => ({
      id: `policy: ${target} is private`,
      steps: [...answered(get(target), FORBIDDEN), ...after],
    }),
  ),
  ...PUBLIC.map(
    (target): Row => ({
      id: `policy: ${target.slice(0, 40)} is not`,
      steps: [...exchange(get(target), ok('served')), ...after],
    }),
  ),
];

const line = (text: string): string => `GET /x HTTP/1.1\r\nhost: ${HOST}\r\n${text}\r\n\r\n`;
const RED = ['x-team: red', 'X-TEAM: red', 'x-team:red', 'x-team:   red  ', 'x-team:\tred\t'];
const NOT_RED = [
  'x-team: Red',
  'x-team: red2',
  'x-team:',
  'x-teams: red',
  'x-other: x-team: red',
  'team: red',
];
const headers = [
  ...RED.map(
    (text): Row => ({
      id: `policy: ${JSON.stringify(text)} is red`,
      steps: [...answered(line(text), FORBIDDEN), ...after],
    }),
  ),
  ...NOT_RED.map(
    (text): Row => ({
      id: `policy: ${JSON.stringify(text)} is not`,
      steps: exchange(line(text), ok('served')),
    }),
  ),
  {
    // No line of it says the whole: the policy stops, and its failure is to deny.
    id: 'policy: a header that stands twice stops the policy',
    steps: [...answered(line('x-team: blue\r\nx-team: green'), FORBIDDEN), ...after],
  },
  {
    id: 'policy: a header that no policy looks at may stand twice',
    steps: exchange(line('x-else: blue\r\nx-else: green'), ok('served')),
  },
];

const methods: readonly Row[] = [
  { id: 'policy: TRACE', steps: [...answered(head('TRACE /x HTTP/1.1'), FORBIDDEN), ...after] },
  {
    id: 'policy: Trace is another method',
    steps: exchange(head('Trace /x HTTP/1.1'), ok('served')),
  },
  {
    id: 'policy: HEAD that is refused has no body',
    steps: [...answered(head('HEAD /private/x HTTP/1.1'), headOf(FORBIDDEN)), ...after],
  },
  {
    id: 'policy: the host in other letters, with its port',
    steps: exchange('GET /x HTTP/1.1\r\nHost: SHOP.prod:80\r\n\r\n', ok('served')),
  },
  {
    id: 'policy: an empty host',
    steps: exchange('GET /x HTTP/1.1\r\nHost:\r\n\r\n', ok('served')),
  },
];

export const policy: readonly Row[] = [...paths, ...headers, ...methods];
