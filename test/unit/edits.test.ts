/** Edits of a head and Locations of redirects: Gateway API's vectors, and the forms of a target. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Edit, Redirect } from '../../compiler/abi/index.js';
import { replyBytes } from '../../compiler/abi/index.js';
import {
  applyEdits,
  describeEdits,
  type Head,
  locationOf,
  redirectedOf,
  redirectReply,
  replacePrefix,
} from '../../runtime/http/index.js';
import { latin, wasmParser } from '../fuzz/wasm-head.js';

const parser = wasmParser();
function parsed(text: string): Head {
  const head = parser.parse(latin(text));
  if (head.status !== 'ok') throw new Error(`not accepted: ${JSON.stringify(head)}`);
  return head;
}
const latinText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const prefixes = suite('http: replace a prefix');
/** Path, prefix, replacement, result. The first eleven and the three after them are Gateway API's. */
const prefixRows: readonly (readonly [string, string, string, string | null])[] = [
  ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
  ['/foo/bar', '/foo', '', '/bar'],
  ['/foo', '/foo', '/xyz', '/xyz'],
  ['/foo', '/foo', '', '/'],
  ['/foo', '/foo', '/', '/'],
  ['/foo/', '/foo', '/xyz', '/xyz/'],
  ['/foo/', '/foo', '', '/'],
  ['/foo/', '/foo', '/', '/'],
  ['/strip-prefix/three', '/strip-prefix', '/', '/three'],
  ['/strip-prefix', '/strip-prefix', '/', '/'],
  ['/prefix/one/two', '/prefix', '/one', '/one/one/two'],
  ['/prefix/one/two', '/prefix/one', '/one', '/one/two'],
  ['/foobar', '/foo', '/xyz', null],
  ['/fo', '/foo', '/xyz', null],
  ['/', '/foo', '/xyz', null],
  ['/a', '/', '/xyz', '/xyz/a'],
  ['/', '/', '/xyz', '/xyz/'],
  ['/Foo', '/foo', '/xyz', null],
];
for (const [path, prefix, replacement, want] of prefixRows) {
  prefixes(`${path} (${prefix}, ${replacement || '""'})`, () =>
    assert.is(replacePrefix(path, prefix, replacement), want),
  );
}
prefixes.run();

const heads = suite('http: edits of a head');
const lines = (first: string, ...rest: string[]): string =>
  `${[first, ...rest].join('\r\n')}\r\n\r\n`;
interface Row {
  readonly name: string;
  readonly sent: string;
  readonly edits: readonly Edit[];
  readonly want: string;
  readonly told?: readonly string[];
}
const GET = 'GET / HTTP/1.1';
const rows: readonly Row[] = [
  {
    name: 'without edits the same bytes',
    sent: lines('GET /a%7e/../b?x=%7e HTTP/1.1', 'Host:  h ', 'X-A:1'),
    edits: [],
    want: lines('GET /a%7e/../b?x=%7e HTTP/1.1', 'Host:  h ', 'X-A:1'),
    told: [],
  },
  {
    name: 'set adds one that is missing',
    sent: lines(GET, 'Host: h'),
    edits: [{ op: 'set', name: 'x-a', value: 'b' }],
    want: lines(GET, 'Host: h', 'x-a: b'),
    told: ['set x-a: b'],
  },
  {
    name: 'set overwrites all of that name, in any case',
    sent: lines(GET, 'X-A: 1', 'Host: h', 'x-a: 2', 'X-Ab: 3'),
    edits: [{ op: 'set', name: 'x-a', value: 'b' }],
    want: lines(GET, 'Host: h', 'X-Ab: 3', 'x-a: b'),
  },
  {
    name: 'add appends: foo and bar,baz are foo,bar,baz',
    sent: lines(GET, 'X-A: foo', 'Host: h'),
    edits: [{ op: 'add', name: 'x-a', value: 'bar,baz' }],
    want: lines(GET, 'X-A: foo', 'Host: h', 'x-a: bar,baz'),
  },
  {
    name: 'remove deletes all of that name',
    sent: lines(GET, 'X-A: 1', 'Host: h', 'x-a:2', 'X-B: x-a: 1'),
    edits: [{ op: 'remove', name: 'x-a' }],
    want: lines(GET, 'Host: h', 'X-B: x-a: 1'),
    told: ['remove x-a'],
  },
  {
    name: 'in the order in which they are written',
    sent: lines(GET, 'Host: h', 'a: 1', 'b: 1', 'c: 1'),
    edits: [
      { op: 'set', name: 'a', value: '2' },
      { op: 'add', name: 'a', value: '3' },
      { op: 'add', name: 'b', value: '2' },
      { op: 'set', name: 'b', value: '3' },
      { op: 'add', name: 'c', value: '2' },
      { op: 'remove', name: 'c' },
    ],
    want: lines(GET, 'Host: h', 'a: 2', 'a: 3', 'b: 3'),
  },
  {
    name: 'an empty value',
    sent: lines(GET, 'Host: h'),
    edits: [{ op: 'set', name: 'x-a', value: '' }],
    want: lines(GET, 'Host: h', 'x-a: '),
  },
  {
    name: 'bytes above ASCII stay',
    sent: lines(GET, 'Host: h', 'X-A: \xe9\xff'),
    edits: [{ op: 'set', name: 'b', value: '1' }],
    want: lines(GET, 'Host: h', 'X-A: \xe9\xff', 'b: 1'),
  },
  {
    name: 'the path, and the query stays',
    sent: lines('GET /a/b?c=/d HTTP/1.1', 'Host: h'),
    edits: [{ op: 'path', path: '/y' }],
    want: lines('GET /y?c=/d HTTP/1.1', 'Host: h'),
    told: ['path /y'],
  },
  {
    name: 'an empty query stays one',
    sent: lines('GET /a? HTTP/1.1', 'Host: h'),
    edits: [{ op: 'path', path: '/y' }],
    want: lines('GET /y? HTTP/1.1', 'Host: h'),
  },
  {
    name: 'a prefix of the normalised path',
    sent: lines('GET /x/../%66oo/bar?q HTTP/1.1', 'Host: h'),
    edits: [{ op: 'prefix', prefix: '/foo', replacement: '/xyz' }],
    want: lines('GET /xyz/bar?q HTTP/1.1', 'Host: h'),
    told: ['path /xyz/bar'],
  },
  {
    name: 'another path stays as it was sent',
    sent: lines('GET /x/../%66oobar?q HTTP/1.1', 'Host: h'),
    edits: [{ op: 'prefix', prefix: '/foo', replacement: '/xyz' }],
    want: lines('GET /x/../%66oobar?q HTTP/1.1', 'Host: h'),
    told: [],
  },
  {
    name: 'the host in its place',
    sent: lines('GET /a HTTP/1.1', 'X-A: 1', 'HOST: h:80', 'X-B: 1'),
    edits: [{ op: 'host', host: 'other:81' }],
    want: lines('GET /a HTTP/1.1', 'X-A: 1', 'host: other:81', 'X-B: 1'),
    told: ['host other:81'],
  },
  {
    name: 'a request of HTTP/1.0 without a host gets one',
    sent: lines('GET /a HTTP/1.0', 'X-A: 1'),
    edits: [{ op: 'host', host: 'h' }],
    want: lines('GET /a HTTP/1.0', 'host: h', 'X-A: 1'),
  },
  {
    name: 'an absolute form whose host is edited becomes an origin form',
    sent: lines('GET http://h:80/a?b HTTP/1.1', 'Host: h:80'),
    edits: [{ op: 'host', host: 'other' }],
    want: lines('GET /a?b HTTP/1.1', 'host: other'),
  },
  {
    name: 'an absolute form whose path is edited keeps its host',
    sent: lines('GET http://h/a HTTP/1.0', 'X-A: 1'),
    edits: [{ op: 'path', path: '/y' }],
    want: lines('GET /y HTTP/1.0', 'host: h', 'X-A: 1'),
  },
  {
    name: 'an absolute form without a path has the path /',
    sent: lines('GET http://h?b HTTP/1.1', 'Host: h'),
    edits: [{ op: 'prefix', prefix: '/', replacement: '/y' }],
    want: lines('GET /y/?b HTTP/1.1', 'host: h'),
  },
  {
    name: 'an absolute form of which only headers are edited stays one',
    sent: lines('GET http://h/a HTTP/1.1', 'Host: h'),
    edits: [{ op: 'set', name: 'a', value: 'b' }],
    want: lines('GET http://h/a HTTP/1.1', 'Host: h', 'a: b'),
  },
  {
    name: 'OPTIONS * has no path',
    sent: lines('OPTIONS * HTTP/1.1', 'Host: h'),
    edits: [
      { op: 'path', path: '/y' },
      { op: 'host', host: 'other' },
    ],
    want: lines('OPTIONS * HTTP/1.1', 'host: other'),
    told: ['host other'],
  },
  {
    name: 'CONNECT has no path',
    sent: lines('CONNECT h:443 HTTP/1.1', 'Host: h:443'),
    edits: [{ op: 'prefix', prefix: '/', replacement: '/y' }],
    want: lines('CONNECT h:443 HTTP/1.1', 'Host: h:443'),
    told: [],
  },
];
for (const { name, sent, edits, want, told } of rows) {
  heads(name, () => {
    const head = parsed(sent);
    assert.is(latinText(applyEdits(latin(sent), head, edits)), want);
    if (told !== undefined) assert.equal(describeEdits(head, edits), told);
    parsed(want);
  });
}
heads('what follows the head is none of its business', () => {
  const sent = lines('POST /a HTTP/1.1', 'Host: h', 'Content-Length: 4');
  const edited = applyEdits(latin(`${sent}body`), parsed(sent), [{ op: 'remove', name: 'x' }]);
  assert.is(latinText(edited), sent);
});
heads.run();

const locations = suite('http: locations');
const REDIRECT: Redirect = {
  status: 302,
  scheme: null,
  host: null,
  port: null,
  path: null,
  keepsQuery: true,
};
const of = (
  change: Partial<Redirect>,
  scheme: 'http' | 'https',
  port: number,
  rest: Partial<Parameters<typeof locationOf>[1]> = {},
): string =>
  locationOf(
    { ...REDIRECT, ...change },
    { scheme, port, host: 'h', path: '/', query: null, ...rest },
  );
/** What is said, the listener, the Location. The first six are Gateway API's. */
const vectors: readonly (readonly [Partial<Redirect>, 'http' | 'https', number, string])[] = [
  [{}, 'http', 80, 'http://h/'],
  [{}, 'http', 8080, 'http://h:8080/'],
  [{}, 'https', 443, 'https://h/'],
  [{ port: 80 }, 'http', 8080, 'http://h/'],
  [{ scheme: 'https', port: 8443 }, 'http', 80, 'https://h:8443/'],
  [{ scheme: 'http', port: 8080 }, 'https', 443, 'http://h:8080/'],
  [{ scheme: 'https' }, 'http', 8080, 'https://h/'],
  [{ scheme: 'http' }, 'https', 443, 'http://h/'],
  [{ scheme: 'https', port: 443 }, 'http', 80, 'https://h/'],
  [{ scheme: 'https', port: 80 }, 'http', 80, 'https://h:80/'],
  [{ host: 'x' }, 'http', 80, 'http://x/'],
  [{ host: 'x' }, 'http', 9080, 'http://x:9080/'],
  [{ path: { op: 'path', path: '/y' } }, 'http', 80, 'http://h/y'],
];
for (const [change, scheme, port, want] of vectors) {
  locations(`${JSON.stringify(change)} on ${scheme} ${port}`, () =>
    assert.is(of(change, scheme, port), want),
  );
}
locations('the port of Host does not count', () => {
  assert.is(of({}, 'http', 80, { host: 'h:9999' }), 'http://h/');
  assert.is(of({}, 'http', 81, { host: '[::1]:9999' }), 'http://[::1]:81/');
  assert.is(of({}, 'http', 80, { host: '[::1]' }), 'http://[::1]/');
});
locations('path and query of the request', () => {
  const request = { path: '/foo/bar', query: 'a=/b' };
  assert.is(of({}, 'http', 80, request), 'http://h/foo/bar?a=/b');
  const path = { op: 'prefix', prefix: '/foo', replacement: '' } as const;
  assert.is(of({ path }, 'http', 80, request), 'http://h/bar?a=/b');
  assert.is(of({ path, keepsQuery: false }, 'http', 80, request), 'http://h/bar');
  assert.is(of({ path }, 'http', 80, { path: '/x', query: '' }), 'http://h/x?');
});
locations('a request without a host', () => {
  assert.is(of({}, 'http', 80, { host: null, path: '/a', query: 'b' }), '/a?b');
  assert.is(of({ scheme: 'https' }, 'http', 80, { host: '' }), '/');
  // Two slashes would lead to the host `evil`.
  assert.is(of({}, 'http', 80, { host: null, path: '//evil/a' }), '/evil/a');
  assert.is(of({ host: 'x' }, 'http', 80, { host: null, path: '//a' }), 'http://x//a');
});
locations('the reply', () => {
  const head = parsed(lines('GET /a/../b?c HTTP/1.1', 'Host: Example:81'));
  const reply = redirectReply({ ...REDIRECT, status: 308 }, redirectedOf(head, 9080));
  assert.is(
    latinText(replyBytes(reply)),
    'HTTP/1.1 308 Permanent Redirect\r\ncontent-length: 0\r\nlocation: http://Example:9080/b?c\r\n\r\n',
  );
  const star = redirectedOf(parsed(lines('OPTIONS * HTTP/1.1', 'Host: h')), 80);
  assert.is(locationOf(REDIRECT, star), 'http://h/');
});
locations.run();
