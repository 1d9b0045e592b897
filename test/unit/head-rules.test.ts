/** Every rule of the head parser: what it refuses, and beside it what it takes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HEAD_REASON } from '../../compiler/abi/index.js';
import { describe, latin, wasmParser } from '../fuzz/wasm-head.js';

const test = suite('head rules');
const parser = wasmParser(['x-a']);

/** A head with these lines after the request line and Host. */
const lines = (...all: string[]): string =>
  `GET / HTTP/1.1\r\nHost: h\r\n${all.map((line) => `${line}\r\n`).join('')}\r\n`;
/** A head with this request line. */
const first = (line: string): string => `${line}\r\nHost: h\r\n\r\n`;
const AT = 'GET / HTTP/1.1\r\nHost: h\r\n'.length;
const OK = 'GET / ?- @h 1.1 keepAlive';

const rows: readonly (readonly [string, string])[] = [
  // request line
  [first('GET / HTTP/1.1'), OK],
  [`\r\n${first('GET / HTTP/1.1')}`, '400 emptyLine 0'],
  [`\n${first('GET / HTTP/1.1')}`, '400 emptyLine 0'],
  [` ${first('GET / HTTP/1.1')}`, '400 method 0'],
  [first("M!#$%&'*+-.^_`|~9 / HTTP/1.1"), "M!#$%&'*+-.^_`|~9 / ?- @h 1.1 keepAlive"],
  [first('G(T / HTTP/1.1'), '400 method 1'],
  [first('G\0T / HTTP/1.1'), '400 method 1'],
  [first('GÄT / HTTP/1.1'), '400 method 1'],
  [first('GET\t/ HTTP/1.1'), '400 method 3'],
  [first('GET\r\n/ HTTP/1.1'), '400 method 3'],
  [first(`${'M'.repeat(32)} / HTTP/1.1`), `${'M'.repeat(32)} / ?- @h 1.1 keepAlive`],
  [first(`${'M'.repeat(33)} / HTTP/1.1`), '501 methodLong 32'],
  [first(`${'M'.repeat(100)} / HTTP/1.1`), '501 methodLong 32'],
  [first('GET  / HTTP/1.1'), '400 targetForm 4'],
  [first('GET /  HTTP/1.1'), '400 version 6'],
  [first('GET /'), '400 version 5'],
  [first('GET /\tHTTP/1.1'), '400 targetCharacter 5'],
  [first('GET /\x7f HTTP/1.1'), '400 targetCharacter 5'],
  [first('GET /\0 HTTP/1.1'), '400 targetCharacter 5'],
  [first('GET /é HTTP/1.1'), '400 targetCharacter 5'],
  [first('GET /a#b HTTP/1.1'), '400 targetFragment 6'],
  [first('GET /?a#b HTTP/1.1'), '400 targetFragment 7'],
  [first('GET / HTTP/1.1#'), '400 version 14'],
  [
    first('GET /!"$&\'()*+,-.:;<=>@[]^_`{|}~ HTTP/1.1'),
    'GET /!"$&\'()*+,-.:;<=>@[]^_`{|}~ ?- @h 1.1 keepAlive',
  ],
  // version
  ['GET / HTTP/1.0\r\n\r\n', 'GET / ?- @- 1.0 '],
  [first('GET / HTTP/1.2'), '505 versionUnsupported 6'],
  [first('GET / HTTP/2.0'), '505 versionUnsupported 6'],
  [first('GET / HTTP/0.9'), '505 versionUnsupported 6'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '505 versionUnsupported 6'],
  [first('GET / HTTP/1.'), '400 version 6'],
  [first('GET / HTTP/x.1'), '400 version 6'],
  [first('GET / http/1.1'), '400 version 6'],
  [first('GET / HTTP/1.1 '), '400 version 14'],
  [first('GET / HTTP/1.11'), '400 version 14'],
  [first('GET / XTTP/1.1'), '400 version 6'],
  ['GET / HTTP/1.1\nHost: h\r\n\r\n', '400 bareLf 14'],
  ['GET / HTTP/1.1\rHost: h\r\n\r\n', '400 bareCr 14'],
  // lines
  [lines('A: b'), OK],
  [lines('A : b'), `400 nameSpace ${AT + 1}`],
  [lines('A\t: b'), `400 nameSpace ${AT + 1}`],
  [lines(' A: b'), `400 fold ${AT}`],
  [lines('A: b', ' c'), `400 fold ${AT + 6}`],
  [lines('A: b', '\tc: d'), `400 fold ${AT + 6}`],
  ['GET / HTTP/1.1\r\n Host: h\r\n\r\n', '400 fold 16'],
  [lines(': b'), `400 nameEmpty ${AT}`],
  [lines('A'), `400 noColon ${AT + 1}`],
  [lines('A\nB: c'), `400 noColon ${AT + 1}`],
  [lines('A(: b'), `400 nameCharacter ${AT + 1}`],
  [lines('A\0: b'), `400 nameCharacter ${AT + 1}`],
  [lines('Aä: b'), `400 nameCharacter ${AT + 1}`],
  [lines('A/B: b'), `400 nameCharacter ${AT + 1}`],
  [lines("!#$%&'*+-.^_`|~: b"), OK],
  [lines(`${'n'.repeat(200)}: b`), OK],
  [lines(`${'n'.repeat(200)}(: b`), `400 nameCharacter ${AT + 200}`],
  [lines('A: b\tc é \xff'), OK],
  [lines('A: b\0c'), `400 valueControl ${AT + 4}`],
  [lines('A: b\x7fc'), `400 valueControl ${AT + 4}`],
  [lines('A: b\x1bc'), `400 valueControl ${AT + 4}`],
  [lines('A: b\nB: c'), `400 bareLf ${AT + 4}`],
  [lines('A: b\rB: c'), `400 bareCr ${AT + 4}`],
  [lines('A: b\r\rB: c'), `400 bareCr ${AT + 4}`],
  ['GET / HTTP/1.1\r\nHost: h\r\n\n', `400 bareLf ${AT}`],
  ['GET / HTTP/1.1\r\nHost: h\r\n\r\r', `400 bareCr ${AT}`],
  // host
  ['GET / HTTP/1.1\r\n\r\n', '400 hostMissing 18'],
  ['GET / HTTP/1.1\r\nHost:\r\n\r\n', 'GET / ?- @ 1.1 keepAlive'],
  ['GET / HTTP/1.1\r\nHosts: h\r\n\r\n', '400 hostMissing 28'],
  [lines('host: h'), `400 hostRepeated ${AT + 6}`],
  ['GET / HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n', '400 hostRepeated 31'],
  ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n', '400 hostCharacter 23'],
  ['GET / HTTP/1.1\r\nHost: a@b\r\n\r\n', '400 hostCharacter 23'],
  ['GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', '400 hostCharacter 23'],
  ['GET / HTTP/1.1\r\nHost: aéb\r\n\r\n', '400 hostCharacter 23'],
  ['GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', 'GET / ?- @[::1]:80 1.1 keepAlive'],
  ['GET / HTTP/1.1\r\nHost: a_b.c~d%20!:80\r\n\r\n', 'GET / ?- @a_b.c~d%20!:80 1.1 keepAlive'],
  // length and coding
  [lines('Content-Length: 0'), `${OK} length=0`],
  [lines('Content-Length: 42 '), `${OK} length=42`],
  [lines('Content-Length: 12345678'), `${OK} length=12345678`],
  [lines('Content-Length: 123456789'), `${OK} length=123456789`],
  [lines('Content-Length: 9999999999999999'), `${OK} length=9999999999999999`],
  [lines('Content-Length: 0000000000000001'), `${OK} length=1`],
  [lines('Content-Length: 10000000000000000'), `400 lengthOverflow ${AT + 16}`],
  [lines('Content-Length: 99999999999999999999999'), `400 lengthOverflow ${AT + 16}`],
  [lines('Content-Length:'), `400 lengthInvalid ${AT + 15}`],
  [lines('Content-Length: +1'), `400 lengthInvalid ${AT + 16}`],
  [lines('Content-Length: -1'), `400 lengthInvalid ${AT + 16}`],
  [lines('Content-Length: 1 1'), `400 lengthInvalid ${AT + 16}`],
  [lines('Content-Length: 1,1'), `400 lengthInvalid ${AT + 16}`],
  [lines('Content-Length: 0x1'), `400 lengthInvalid ${AT + 16}`],
  [lines('Content-Length: 1:'), `400 lengthInvalid ${AT + 16}`],
  [lines('Content-Length: /1'), `400 lengthInvalid ${AT + 16}`],
  [lines('Content-Length: 1x345678901234'), `400 lengthInvalid ${AT + 16}`],
  [lines('Content-Length: 1', 'Content-Length: 1'), `400 lengthRepeated ${AT + 35}`],
  [lines('Content-Length: 1', 'content-length: 2'), `400 lengthRepeated ${AT + 35}`],
  [lines('Content_Length: 1', 'Content-Length: 2'), `${OK} length=2`],
  [lines('Transfer-Encoding: chunked'), `${OK} chunked`],
  [lines('TRANSFER-encoding: \tCHUNKED '), `${OK} chunked`],
  [lines('Transfer-Encoding: xchunked'), `501 codingUnknown ${AT + 19}`],
  [lines('Transfer-Encoding: gzip, chunked'), `501 codingUnknown ${AT + 19}`],
  [lines('Transfer-Encoding: chunked, gzip'), `400 codingNotLast ${AT + 19}`],
  [lines('Transfer-Encoding: identity'), `400 codingNotLast ${AT + 19}`],
  [lines('Transfer-Encoding: chunke'), `400 codingNotLast ${AT + 19}`],
  [lines('Transfer-Encoding: chunked\t'), `400 codingNotLast ${AT + 19}`],
  [lines('Transfer-Encoding:'), `400 codingNotLast ${AT + 18}`],
  [lines('Transfer-Encoding: chunked;a=b'), `400 codingNotLast ${AT + 19}`],
  [
    lines('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    `400 codingRepeated ${AT + 47}`,
  ],
  [lines('Transfer-Encoding: chunked', 'Content-Length: 1'), `400 lengthWithCoding ${AT + 49}`],
  [lines('Content-Length: 1', 'Transfer-Encoding: chunked'), `400 lengthWithCoding ${AT + 49}`],
  ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', '400 codingVersion 47'],
  // connection
  [lines('Connection: close'), 'GET / ?- @h 1.1 close'],
  [lines('Connection: Close'), 'GET / ?- @h 1.1 close'],
  [lines('Connection: closed'), OK],
  [lines('Connection: clo se'), OK],
  [lines('Connection: foo ,\tCLOSE ,'), 'GET / ?- @h 1.1 close'],
  [lines('Connection: a', 'Connection: close'), 'GET / ?- @h 1.1 close'],
  ['GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 'GET / ?- @- 1.0 keepAlive'],
  ['GET / HTTP/1.0\r\nConnection: a, Keep-Alive\r\n\r\n', 'GET / ?- @- 1.0 keepAlive'],
  ['GET / HTTP/1.0\r\nConnection: keep-alives\r\n\r\n', 'GET / ?- @- 1.0 '],
  ['GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n', 'GET / ?- @- 1.0 close'],
  [lines('Connection: Upgrade', 'Upgrade: websocket'), `${OK} upgrade`],
  [lines('Connection: upgrade'), OK],
  [lines('Upgrade: websocket'), OK],
  [lines('Expect: 100-Continue'), `${OK} expect`],
  [lines('Expect: 100-continues'), OK],
  ['GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n', 'GET / ?- @- 1.0 '],
  // target forms
  [first('OPTIONS * HTTP/1.1'), 'OPTIONS * ?- @h 1.1 keepAlive'],
  [first('OPTIONS /x HTTP/1.1'), 'OPTIONS /x ?- @h 1.1 keepAlive'],
  [first('OPTIONS ** HTTP/1.1'), '400 targetForm 8'],
  [first('GET * HTTP/1.1'), '400 targetForm 4'],
  [first('GET x HTTP/1.1'), '400 targetForm 4'],
  [first('GET http://h/a?b HTTP/1.1'), 'GET /a ?b @h 1.1 keepAlive'],
  [first('GET HTTPS://H HTTP/1.1'), 'GET / ?- @H 1.1 keepAlive'],
  [first('GET http://h?q HTTP/1.1'), 'GET / ?q @h 1.1 keepAlive'],
  [first('GET http://i/ HTTP/1.1'), '400 hostDiffers 11'],
  [first('GET http://h:80/ HTTP/1.1'), '400 hostDiffers 11'],
  [first('GET http:/// HTTP/1.1'), '400 targetForm 11'],
  [first('GET http:// HTTP/1.1'), '400 targetForm 4'],
  [first('GET http://u@h/ HTTP/1.1'), '400 targetForm 12'],
  [first('GET ftp://h/ HTTP/1.1'), '400 targetForm 4'],
  ['GET http://h/ HTTP/1.0\r\n\r\n', 'GET / ?- @h 1.0 '],
  [first('CONNECT h:443 HTTP/1.1'), 'CONNECT - ?- @h:443 1.1 keepAlive upgrade'],
  [first('CONNECT [::1]:443 HTTP/1.1'), 'CONNECT - ?- @[::1]:443 1.1 keepAlive upgrade'],
  [first('CONNECT h HTTP/1.1'), '400 targetForm 8'],
  [first('CONNECT h: HTTP/1.1'), '400 targetForm 8'],
  [first('CONNECT :443 HTTP/1.1'), '400 targetForm 8'],
  [first('CONNECT h:x HTTP/1.1'), '400 targetForm 8'],
  [first('CONNECT h:123456 HTTP/1.1'), '400 targetForm 8'],
  [first('CONNECT /h:443 HTTP/1.1'), '400 targetForm 8'],
  [first('CONNECT http://h:443 HTTP/1.1'), '400 targetForm 8'],
];
for (const [index, [have, want]] of rows.entries())
  test(`${index} ${JSON.stringify(have.length > 70 ? `${have.slice(0, 70)}...` : have)}`, () => {
    assert.is(describe(parser, have), want);
  });

const paths: readonly (readonly [string, string])[] = [
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/public/../private', '/private'],
  ['/public/./../private', '/private'],
  ['/public/%2e%2e/private', '/private'],
  ['/public/%2E/%2E%2E/private', '/private'],
  ['/public/.%2e/private', '/private'],
  ['/public\\..\\private', '/private'],
  ['/..', '/'],
  ['/../../x', '/x'],
  ['/.', '/'],
  ['/a/.', '/a/'],
  ['/a/..', '/'],
  ['/a/b/..', '/a/'],
  ['/a/b/../', '/a/'],
  ['/a//../b', '/a/b'],
  ['//a', '//a'],
  ['/a//b', '/a//b'],
  ['/...', '/...'],
  ['/.a', '/.a'],
  ['/a.', '/a.'],
  ['/..a/b', '/..a/b'],
  ['/a../b', '/a../b'],
  ['/%41%7a%30%2D%5f%7E', '/Az0-_~'],
  ['/%2f%5C%20%25', '/%2f%5C%20%25'],
  ['/%252e%252e/x', '/%252e%252e/x'],
  ['/%', '/%'],
  ['/%4', '/%4'],
  ['/%4g', '/%4g'],
  ['/%%34%31', '/%41'],
  ['/a\\b', '/a/b'],
];
for (const [have, want] of paths)
  test(`path ${have}`, () => {
    const flags = have === want ? 'keepAlive' : 'keepAlive normalised';
    assert.is(
      describe(parser, first(`GET ${have}?/../%41\\ HTTP/1.1`)),
      `GET ${want} ?/../%41\\ @h 1.1 ${flags}`,
    );
    assert.is(
      describe(parser, first(`GET ${have} HTTP/1.1`)),
      `GET ${want} ?- @h 1.1 ${flags}`,
      'without query',
    );
    assert.is(
      describe(parser, first(`GET http://h${have} HTTP/1.1`)),
      `GET ${want} ?- @h 1.1 ${flags}`,
      'absolute',
    );
  });

test('%00 in the path is refused, in the query it stays', () => {
  assert.is(describe(parser, first('GET /a%00b HTTP/1.1')), '400 pathNul 6');
  assert.is(describe(parser, first('GET /a?%00 HTTP/1.1')), 'GET /a ?%00 @h 1.1 keepAlive');
  assert.is(describe(parser, first('GET /a%01 HTTP/1.1')), 'GET /a%01 ?- @h 1.1 keepAlive');
});

test('a head of 8192 bytes is taken, one more is 431', () => {
  const sized = (size: number): string => lines(`A: ${'x'.repeat(size - lines('A: ').length)}`);
  assert.is(describe(parser, sized(8192)), OK);
  assert.is(describe(parser, sized(8193)), '431 tooLarge 8192');
  assert.is(describe(parser, sized(8193).slice(0, 8191)), 'incomplete');
  assert.is(describe(parser, `GET /${'a'.repeat(9000)}`), '431 tooLarge 8192');
  assert.is(describe(parser, `GET / HTTP/1.1\r\n${'a'.repeat(9000)}`), '431 tooLarge 8192');
});

test('what follows the head is not looked at', () => {
  const head = parser.parse(latin(`${lines()}\0\n\r body`));
  assert.is(head.status === 'ok' && head.length, lines().length);
});

test('every reason has a row', () => {
  const seen = new Set(rows.map(([, want]) => want.split(' ')[1]));
  const missing = Object.keys(HEAD_REASON).filter((reason) => !seen.has(reason));
  assert.equal(missing, ['accepted', 'tooLarge', 'pathNul']);
});

test.run();
