/**
 * What a route may be beside a cluster: a reply, a redirect, a changed request, a share of requests. Each
 * with one that it nearly is.
 */
import { bare, chunk, get, head, LAST_CHUNK, ok, post, postChunked } from '../stage/message.js';
import { headOf } from '../stage/refusal.js';
import { answered, client, exchange, only, type Row, v1, v2 } from '../stage/row.js';

const after = exchange(get('/after'), ok('after'));

const BUSY =
  'HTTP/1.1 429 Too Many Requests\r\ncontent-length: 9\r\ncontent-type: text/plain\r\nretry-after: 5\r\n\r\nslow down';

const responses: readonly Row[] = [
  {
    id: 'routes: a reply',
    steps: [...answered(get('/busy/x'), BUSY), ...answered(get('/busy/y'), BUSY), ...after],
  },
  {
    id: 'routes: a reply to HEAD has no body',
    steps: [...answered(head('HEAD /busy/x HTTP/1.1'), headOf(BUSY)), ...after],
  },
  {
    id: 'routes: a reply to a request with a body',
    steps: [...answered([post('/busy/x', 'a body').join('')], BUSY), ...after],
  },
  {
    id: 'routes: a reply to a request in chunks',
    steps: [...answered([postChunked('/busy/x') + chunk('a body') + LAST_CHUNK], BUSY), ...after],
  },
  {
    id: 'routes: a reply behind one that is outstanding',
    steps: [
      client.send(get('/first') + get('/busy/x')),
      v1.request(get('/first')),
      v1.send(ok('first')),
      ...only('plain', v1.request(get('/busy/x')), v1.send(BUSY)),
      client.expect(ok('first') + BUSY),
      ...after,
    ],
  },
  {
    id: 'routes: nearly the path of a reply',
    steps: [...exchange(get('/busy'), ok('served')), ...exchange(get('/x/busy/'), ok('served'))],
  },
];

const location = (status: string, to: string): string =>
  bare(status, { 'content-length': '0', location: to });
const MOVED = '301 Moved Permanently';
const PERMANENT = '308 Permanent Redirect';

/** Targets, and where they lead. */
const REDIRECTS: readonly (readonly [string, string, string])[] = [
  ['/old/x', MOVED, 'http://new.example/new/x'],
  ['/old', MOVED, 'http://new.example/new'],
  ['/old/', MOVED, 'http://new.example/new/'],
  ['/old/x?a=1&b=%20', MOVED, 'http://new.example/new/x?a=1&b=%20'],
  ['/x/../old/y', MOVED, 'http://new.example/new/y'],
  ['/%6fld/y', MOVED, 'http://new.example/new/y'],
  ['http://shop.prod/old/x', MOVED, 'http://new.example/new/x'],
  // Elements are replaced, not letters.
  ['/older/x', MOVED, 'http://new.example/older/x'],
  ['/secure/x?a=1', PERMANENT, 'https://shop.prod/secure/x'],
];
const redirects: readonly Row[] = [
  ...REDIRECTS.map(
    ([target, status, to]): Row => ({
      id: `routes: ${target} is redirected`,
      steps: [...answered(get(target), location(status, to)), ...after],
    }),
  ),
  {
    id: 'routes: a redirect of a request with a body',
    steps: [
      ...answered([post('/old/x', 'a body').join('')], location(MOVED, 'http://new.example/new/x')),
      ...after,
    ],
  },
  {
    id: 'routes: a redirect between others in one send',
    steps: [
      client.send(get('/one') + get('/old/x') + get('/two')),
      v1.request(get('/one')),
      v1.send(ok('one')),
      ...only(
        'plain',
        v1.request(get('/old/x')),
        v1.send(location(MOVED, 'http://new.example/new/x')),
      ),
      v1.request(get('/two')),
      v1.send(ok('two')),
      client.expect(ok('one') + location(MOVED, 'http://new.example/new/x') + ok('two')),
      ...after,
    ],
  },
  {
    id: 'routes: nearly the path of a redirect',
    steps: [...exchange(get('/OLD/x'), ok('served')), ...exchange(get('/?/old/x'), ok('served'))],
  },
];

const edited = (id: string, request: string, becomes: string, to: 'v1' | 'v2' = 'v2'): Row => ({
  id: `routes: ${id}`,
  steps: [
    ...exchange([request], ok('changed'), { to, edited: becomes }),
    // Again, on the connection that this left to the pool.
    ...exchange([request], ok('changed'), { to, edited: becomes }),
    ...after,
  ],
});
const inner = (line: string, more = ''): string => `${line}\r\nhost: inner.example\r\n${more}\r\n`;
const MARKS = 'x-version: v2\r\nx-tag: b\r\n';
const LENGTH = 'content-length: 6\r\n';

const edits: readonly Row[] = [
  edited(
    'headers are set, added and removed',
    get('/marked/x?q=1', { 'x-tag': 'a', 'x-secret': '1', 'x-version': 'v1', 'x-else': 'e' }),
    `GET /marked/x?q=1 HTTP/1.1\r\nhost: shop.prod\r\nx-tag: a\r\nx-else: e\r\n${MARKS}\r\n`,
  ),
  edited(
    'headers in other letters are the same',
    get('/marked/x', { 'X-Secret': '1', 'X-VERSION': 'v1', 'x-secrets': 's' }),
    `GET /marked/x HTTP/1.1\r\nhost: shop.prod\r\nx-secrets: s\r\n${MARKS}\r\n`,
  ),
  edited(
    'a changed request with a body',
    post('/marked/x', 'a body').join(''),
    `POST /marked/x HTTP/1.1\r\nhost: shop.prod\r\n${LENGTH}${MARKS}\r\na body`,
  ),
  edited(
    'a changed request in chunks',
    postChunked('/marked/x') + chunk('a body') + LAST_CHUNK,
    `POST /marked/x HTTP/1.1\r\nhost: shop.prod\r\ntransfer-encoding: chunked\r\n${MARKS}\r\n${chunk('a body')}${LAST_CHUNK}`,
  ),
  {
    id: 'routes: nearly the path of a change',
    steps: exchange(get('/marked', { 'x-secret': '1' }), ok('served')),
  },
  edited(
    'a prefix of the path, and the host',
    get('/api/x?a=/api/'),
    inner('GET /x?a=/api/ HTTP/1.1'),
  ),
  edited('a path that is the prefix', get('/api'), inner('GET / HTTP/1.1')),
  edited('a path whose element the prefix begins', get('/apis/x'), inner('GET /apis/x HTTP/1.1')),
  edited(
    'a target with its host',
    head('GET http://shop.prod/api/x HTTP/1.1'),
    inner('GET /x HTTP/1.1'),
  ),
  edited(
    'a changed path with a body',
    post('/api/x', 'a body').join(''),
    `${inner('POST /x HTTP/1.1', LENGTH)}a body`,
  ),
  edited('a whole path, to the bound cluster', get('/whole/x?a=1'), get('/only?a=1'), 'v1'),
  {
    id: 'routes: nearly the path of a prefix',
    steps: [...exchange(get('/API/x'), ok('served')), ...exchange(get('/x/api/'), ok('served'))],
  },
];

/** Cookies, and where their hash leads: the same wherever it is computed. */
const SESSIONS = { v1: 'carol', v2: 'alice' } as const;
const withSession = (session: string): string =>
  get('/shared/x', { cookie: `a=b; session=${session}` });

const shares: readonly Row[] = [
  {
    id: 'routes: a share of nothing never',
    steps: Array.from({ length: 20 }, (_, n) =>
      exchange(get(`/never/${n}`), ok('v2'), { to: 'v2' }),
    ).flat(),
  },
  {
    id: 'routes: a share of all always',
    steps: Array.from({ length: 20 }, (_, n) => exchange(get(`/always/${n}`), ok('v1'))).flat(),
  },
  {
    id: 'routes: a session stays where it is',
    steps: Array.from({ length: 6 }, (_, n) => {
      const to = n % 2 === 0 ? 'v1' : 'v2';
      return exchange(withSession(SESSIONS[to]), ok(to), { to });
    }).flat(),
  },
  {
    id: 'routes: a session by the agent, where it is by the kernel',
    steps: [
      client.send(withSession(SESSIONS.v2) + withSession(SESSIONS.v1) + withSession(SESSIONS.v2)),
      v2.request(withSession(SESSIONS.v2)),
      v2.send(ok('one')),
      v1.request(withSession(SESSIONS.v1)),
      v1.send(ok('two')),
      v2.request(withSession(SESSIONS.v2)),
      v2.send(ok('three')),
      client.expect(ok('one') + ok('two') + ok('three')),
      ...after,
    ],
  },
];

export const routes: readonly Row[] = [...responses, ...redirects, ...edits, ...shares];
