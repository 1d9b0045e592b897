/**
 * Every rule of the reply framer: what it refuses and beside it what it takes, each stream at once,
 * cut at each byte, and byte by byte.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ASKED_MAX, FRAME_REASON, REPLY_HEAD_MAX, TRAILERS_MAX } from '../../compiler/abi/index.js';
import { cut, describeStream, framing } from '../fuzz/wasm-frame.js';
import { latin } from '../fuzz/wasm-head.js';

const test = suite('reply rules');

/** A reply with this status and these lines. */
const reply = (status: string, ...lines: string[]): string =>
  `HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const EMPTY = 'Content-Length: 0';
const CHUNKED = 'Transfer-Encoding: chunked';
const two = (...lines: string[]): string => reply('200 OK', ...lines);
/** What a reply with these lines and no body is. */
const took = (text: string, rest = ''): string =>
  `200 head=${text.length} length=0${rest === '' ? '' : ` ${rest}`} body @${text.length} | idle`;
const chunked = (body: string): string => two(CHUNKED) + body;
const CHUNKED_HEAD = two(CHUNKED).length;

const same = (...lines: string[]): readonly [string, string, string] => {
  const text = two(EMPTY, ...lines);
  return ['get', text, took(text)];
};
const bad = (want: string, ...lines: string[]): readonly [string, string, string] => [
  'get',
  two(...lines),
  `refused ${want}`,
];
const body = (text: string, want: string): readonly [string, string, string] => [
  'get',
  chunked(text),
  want.startsWith('refused') || want.startsWith('cut')
    ? want
    : `200 head=${CHUNKED_HEAD} chunked body @${CHUNKED_HEAD + text.length} | ${want}`,
];

const rows: readonly (readonly [string, string, string])[] = [
  // status line
  ['get', two(EMPTY), '200 head=38 length=0 body @38 | idle'],
  ['get', '', 'idle'],
  ['', '', 'idle'],
  ['', two(EMPTY), 'refused unasked'],
  ['get', two(EMPTY) + two(EMPTY), '200 head=38 length=0 body @38 | refused unasked'],
  [
    'get get',
    `${two(EMPTY) + reply('404 Not Found', 'Content-Length: 3')}abc`,
    '200 head=38 length=0 body @38 | 404 head=45 length=3 body @86 | idle',
  ],
  ['get', `\r\n${two(EMPTY)}`, 'refused statusLine'],
  ['get', reply('200', EMPTY), '200 head=35 length=0 body @35 | idle'],
  ['get', reply('200 ', EMPTY), '200 head=36 length=0 body @36 | idle'],
  ['get', reply('200 Très \x80 ok\t!', EMPTY), '200 head=47 length=0 body @47 | idle'],
  ['get', reply('100', EMPTY), 'cut'],
  ['get', reply('999 X', EMPTY), '999 head=37 length=0 body @37 | idle'],
  ['get', reply('099 X', EMPTY), 'refused statusLine'],
  ['get', reply('20 X', EMPTY), 'refused statusLine'],
  ['get', reply('2000 X', EMPTY), 'refused statusLine'],
  ['get', reply('2x0 X', EMPTY), 'refused statusLine'],
  ['get', reply('\xcc01 X', EMPTY), 'refused statusLine'],
  ['get', reply('2\xfc0 X', EMPTY), 'refused statusLine'],
  ['get', reply('200X', EMPTY), 'refused statusLine'],
  ['get', reply(' 200 X', EMPTY), 'refused statusLine'],
  ['get', reply('200\tX', EMPTY), 'refused statusLine'],
  ['get', reply('-20 X', EMPTY), 'refused statusLine'],
  ['get', 'HTTP/1.2 200 OK\r\n\r\n', 'refused statusLine'],
  ['get', 'HTTP/2.0 200 OK\r\n\r\n', 'refused statusLine'],
  ['get', 'HTTP/0.9 200 OK\r\n\r\n', 'refused statusLine'],
  ['get', 'http/1.1 200 OK\r\n\r\n', 'refused statusLine'],
  ['get', 'HTTP/1.1\t200 OK\r\n\r\n', 'refused statusLine'],
  ['get', 'ICY 200 OK\r\n\r\n', 'refused statusLine'],
  ['get', 'HTTP/1.1 200 OK\n\r\n', 'refused bareLf'],
  ['get', 'HTTP/1.1 200\n\r\n', 'refused statusLine'],
  ['get', 'HTTP/1.1 200 OK\r \r\n\r\n', 'refused bareCr'],
  ['get', 'HTTP/1.1 200 O\0K\r\n\r\n', 'refused valueControl'],
  ['get', 'HTTP/1.1 200 O', 'cut'],
  // lines
  same('A: b'),
  same('A:b'),
  same('A:'),
  same('A:   \t b \t'),
  same("!#$%&'*+-.^_`|~: b\tc é \xff"),
  same(`${'n'.repeat(100)}: ${'v'.repeat(300)}`),
  same(`A: ${'v\t'.repeat(100)}`),
  bad('nameSpace', 'A : b'),
  bad('nameSpace', 'A\t: b'),
  bad('nameSpace', 'Content-Length : 0'),
  bad('fold', EMPTY, ' fold: x'),
  bad('fold', EMPTY, '\tx'),
  bad('nameEmpty', ': b'),
  bad('noColon', 'A'),
  bad('noColon', 'A\nB: c'),
  bad('nameCharacter', 'A(: b'),
  bad('nameCharacter', 'A\0: b'),
  bad('nameCharacter', 'Aä: b'),
  bad('valueControl', 'A: b\0c'),
  bad('valueControl', 'A: b\x7fc'),
  bad('bareLf', 'A: b\nB: c'),
  bad('bareCr', 'A: b\rB: c'),
  ['get', `HTTP/1.1 200 OK\r\n${EMPTY}\r\n\n`, 'refused bareLf'],
  ['get', `HTTP/1.1 200 OK\r\n${EMPTY}\r\n\r\r`, 'refused bareCr'],
  // length
  ['get', `${two('Content-Length: 3')}abc`, '200 head=38 length=3 body @41 | idle'],
  ['get', `${two('Content-Length: 4')}abc`, 'cut in 200'],
  ['get', two('Content-Length: 1'), 'cut in 200'],
  ['get', `${two('content-LENGTH:  \t 1  ')}a`, '200 head=43 length=1 body @44 | idle'],
  ['get', two('Content-Length: 0000000000000000'), '200 head=53 length=0 body @53 | idle'],
  ['get', two('Content-Length: 9999999999999999'), 'cut in 200'],
  bad('lengthOverflow', 'Content-Length: 10000000000000000'),
  bad('lengthInvalid', 'Content-Length:'),
  bad('lengthInvalid', 'Content-Length: '),
  bad('lengthInvalid', 'Content-Length: +1'),
  bad('lengthInvalid', 'Content-Length: -1'),
  bad('lengthInvalid', 'Content-Length: 1 1'),
  bad('lengthInvalid', 'Content-Length: 1, 1'),
  bad('lengthInvalid', 'Content-Length: 0x1'),
  bad('lengthInvalid', 'Content-Length: 1\t'),
  bad('lengthInvalid', 'Content-Length: 1:'),
  bad('lengthRepeated', EMPTY, EMPTY),
  bad('lengthRepeated', 'Content-Length: 1', 'content-length: 2'),
  same('Content_Length: 2', 'Content-Lengths: 3', 'Content-Lengt: 4', 'X-Content-Length: 5'),
  // coding
  body('0\r\n\r\n', 'idle'),
  ['get', `${two('TRANSFER-encoding:\t CHUNKED ')}0\r\n\r\n`, '200 head=49 chunked body @54 | idle'],
  bad('codingUnknown', 'Transfer-Encoding: xchunked'),
  bad('codingUnknown', 'Transfer-Encoding: gzip, chunked'),
  bad('codingUnknown', 'Transfer-Encoding: chunked, gzip'),
  bad('codingUnknown', 'Transfer-Encoding: identity'),
  bad('codingUnknown', 'Transfer-Encoding: chunk ed'),
  bad('codingUnknown', 'Transfer-Encoding: chunke'),
  bad('codingUnknown', 'Transfer-Encoding: chunked\t'),
  bad('codingUnknown', 'Transfer-Encoding:'),
  bad('codingUnknown', 'Transfer-Encoding: chunked;a=b'),
  bad('codingRepeated', CHUNKED, CHUNKED),
  bad('lengthWithCoding', CHUNKED, EMPTY),
  bad('lengthWithCoding', EMPTY, CHUNKED),
  ['get', `HTTP/1.0 200 OK\r\n${CHUNKED}\r\n\r\n`, 'refused codingVersion'],
  same('Transfer-Encodings: chunked', 'Transfer-Encodinh: chunked', 'Transfer-Encodin: chunked'),
  // chunks
  body('3\r\nabc\r\n0\r\n\r\n', 'idle'),
  body('A;x="y z";q\r\n0123456789\r\nb\r\n0123456789a\r\n000;\t\r\nA: b\r\nC:\r\n\r\n', 'idle'),
  body('0\r\nConnection: close\r\n\r\n', 'idle'),
  body('0\r\nHost: x\r\n\r\n', 'idle'),
  body('3\r\nabc\r\n0\r\n', 'cut'),
  body('3\r\nab', 'cut in 200'),
  body('3\r\nabcd\n0\r\n\r\n', 'refused chunkEnd'),
  body('3\r\nabc\n0\r\n\r\n', 'refused chunkEnd'),
  body('3\r\nabcx\n0\r\n\r\n', 'refused chunkEnd'),
  body('3\r\nabc\r0\r\n\r\n', 'refused chunkEnd'),
  body('3 \r\nabc\r\n0\r\n\r\n', 'refused chunkSize'),
  body(' 3\r\nabc\r\n0\r\n\r\n', 'refused chunkSize'),
  body('0x3\r\nabc\r\n0\r\n\r\n', 'refused chunkSize'),
  body('+3\r\nabc\r\n0\r\n\r\n', 'refused chunkSize'),
  body('\r\n', 'refused chunkSize'),
  body(';a\r\n', 'refused chunkSize'),
  body('g\r\n', 'refused chunkSize'),
  body('3\nabc\r\n0\r\n\r\n', 'refused bareLf'),
  body('3;a\nabc\r\n0\r\n\r\n', 'refused bareLf'),
  body('3\r\rabc\r\n0\r\n\r\n', 'refused bareCr'),
  body('3;a\r\rabc\r\n0\r\n\r\n', 'refused bareCr'),
  body('3;\0\r\nabc\r\n0\r\n\r\n', 'refused chunkControl'),
  body('0000000000000003\r\nabc\r\n0\r\n\r\n', 'idle'),
  body('00000000000000003\r\nabc\r\n0\r\n\r\n', 'refused chunkOverflow'),
  body('1fffffffffffff\r\n', 'cut in 200'),
  body('20000000000000\r\n', 'refused chunkOverflow'),
  body('ffffffffffffffff\r\n', 'refused chunkOverflow'),
  body(`3;${'x'.repeat(252)}\r\nabc\r\n0\r\n\r\n`, 'idle'),
  body(`3;${'x'.repeat(253)}\r\nabc\r\n0\r\n\r\n`, 'refused chunkLarge'),
  body('0\r\n A: b\r\n\r\n', 'refused fold'),
  body('0\r\nA : b\r\n\r\n', 'refused nameSpace'),
  body('0\r\nA: b\nB: c\r\n\r\n', 'refused bareLf'),
  body('0\r\nA: \0\r\n\r\n', 'refused valueControl'),
  body('0\r\nContent-Length: 0\r\n\r\n', 'refused trailerFraming'),
  body('0\r\ntransfer-encoding: chunked\r\n\r\n', 'refused trailerFraming'),
  body('0\r\nab\r\n\r\n', 'refused noColon'),
  body('0\r\n\n', 'refused bareLf'),
  // what has no body
  ['head', two('Content-Length: 12'), '200 head=39 length=12 @39 | idle'],
  ['head', two(CHUNKED), '200 head=47 chunked @47 | idle'],
  ['head', two(), '200 head=19 @19 | idle'],
  ['head get', two('Content-Length: 1') + two(EMPTY), '200 head=38 length=1 @38 | 200 head=38 length=0 body @76 | idle'],
  ['get', reply('204 No Content'), '204 head=27 @27 | idle'],
  ['get', reply('204 No Content', 'Content-Length: 5'), '204 head=46 length=5 @46 | idle'],
  ['get', reply('304 Not Modified', 'Content-Length: 5'), '304 head=48 length=5 @48 | idle'],
  ['get', reply('304 Not Modified', CHUNKED), '304 head=57 chunked @57 | idle'],
  ['get', reply('205 Reset Content', EMPTY), '205 head=49 length=0 body @49 | idle'],
  // 1xx
  ['get', reply('100 Continue') + two(EMPTY), '200 head=38 length=0 body interim @63 | idle'],
  [
    'get get',
    reply('100 Continue') + reply('103 Early Hints', 'Link: </a>') + two(EMPTY) + two(EMPTY),
    '200 head=38 length=0 body interim @103 | 200 head=38 length=0 body @141 | idle',
  ],
  ['get', reply('100 Continue', 'Content-Length: 5', 'Connection: close') + two(EMPTY), '200 head=38 length=0 body interim @101 | idle'],
  ['get', reply('100 Continue'), 'cut'],
  ['get', reply('100 Continue', EMPTY, EMPTY), 'refused lengthRepeated'],
  ['', reply('100 Continue'), 'refused unasked'],
  // tunnels
  ['upgrade', `${reply('101 Switching Protocols')}\0\r\n`, '101 head=36 close tunnels @36 | idle'],
  ['head+upgrade', reply('101 Switching Protocols'), '101 head=36 close tunnels @36 | idle'],
  ['upgrade', two(EMPTY), '200 head=38 length=0 body @38 | idle'],
  ['upgrade', reply('100 Continue') + reply('101 X'), '101 head=18 close interim tunnels @43 | idle'],
  ['get', reply('101 Switching Protocols'), 'refused switchUnasked'],
  ['head', reply('101 Switching Protocols'), 'refused switchUnasked'],
  ['connect', reply('101 Switching Protocols'), 'refused switchUnasked'],
  ['get upgrade', two(EMPTY) + reply('101 X'), '200 head=38 length=0 body @38 | 101 head=18 close tunnels @56 | idle'],
  ['upgrade get', two(EMPTY) + reply('101 X'), '200 head=38 length=0 body @38 | refused switchUnasked'],
  ['connect', `${two('Content-Length: 5')}xyz`, '200 head=38 length=5 close tunnels @38 | idle'],
  ['connect', `${two(CHUNKED)}xyz`, '200 head=47 chunked close tunnels @47 | idle'],
  ['connect', reply('407 X', EMPTY), '407 head=37 length=0 body @37 | idle'],
  // until close
  ['get', `${two()}any\0thing`, '200 head=19 body close closes @19 | ended'],
  ['get', two(), '200 head=19 body close closes @19 | ended'],
  ['get', 'HTTP/1.0 200 OK\r\n\r\nany', '200 head=19 body close closes @19 | ended'],
  ['connect', reply('502 X'), '502 head=18 body close closes @18 | ended'],
  // persistence
  ['get get', two(EMPTY, 'Connection: close') + two(EMPTY), '200 head=57 length=0 body close @57 | refused afterClose'],
  ['get', two(EMPTY, 'Connection: close'), '200 head=57 length=0 body close @57 | idle'],
  ['get', two(EMPTY, 'Connection: a ,\tCLOSE ,'), '200 head=63 length=0 body close @63 | idle'],
  ['get', two(EMPTY, 'Connection: a', 'Connection: close'), '200 head=72 length=0 body close @72 | idle'],
  ['get', two(EMPTY, 'Connection: keep-alive, close'), '200 head=69 length=0 body close @69 | idle'],
  ['get', `HTTP/1.0 200 OK\r\n${EMPTY}\r\n\r\n`, '200 head=38 length=0 body close @38 | idle'],
  ['get', `HTTP/1.0 200 OK\r\n${EMPTY}\r\nConnection: Keep-Alive\r\n\r\n`, '200 head=62 length=0 body @62 | idle'],
  ['get', `HTTP/1.0 200 OK\r\n${EMPTY}\r\nConnection: keep-alives\r\n\r\n`, '200 head=63 length=0 body close @63 | idle'],
  same('Connection: keep-alive'),
  same('Connection: closed'),
  same('Connection: clo se'),
  same('Connection:'),
  bad('bareCr', EMPTY, 'Connection: keep\ralive'),
  bad('noColon', 'Content\rLength: 0'),
  same('Connections: close'),
  same('Connectioo: close'),
]; // biome-ignore format: a table

for (const [index, [asked, text, want]] of rows.entries())
  test(`${index} ${asked}: ${JSON.stringify(text.length > 70 ? `${text.slice(0, 70)}...` : text)}`, () => {
    const bytes = latin(text);
    assert.is(describeStream([bytes], asked), want);
    for (let at = 1; at < bytes.length; at++)
      assert.is(describeStream(cut(bytes, [at]), asked), want, `cut at ${at}`);
    const each = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, i) => i + 1);
    assert.is(describeStream(cut(bytes, each), asked), want, 'byte by byte');
  });

/** At once, in windows of odd sizes, and byte by byte. */
function everyWay(text: string, asked: string, want: string): void {
  const bytes = latin(text);
  for (const size of [bytes.length, 1, 7, 1000, 1024, 1025]) {
    const count = Math.ceil(bytes.length / size) - 1;
    const at = Array.from({ length: count }, (_, i) => (i + 1) * size);
    assert.is(describeStream(cut(bytes, at), asked), want, `pieces of ${size}`);
  }
}

test('a head of 65536 bytes is taken, one more is refused', () => {
  const sized = (size: number, line = 'A'): string =>
    two(EMPTY, `${line}: ${'x'.repeat(size - two(EMPTY, `${line}: `).length)}`);
  const max = REPLY_HEAD_MAX;
  everyWay(sized(max), 'get', `200 head=${max} length=0 body @${max} | idle`);
  everyWay(sized(max + 1), 'get', 'refused headLarge');
  everyWay(sized(max + 1).slice(0, max - 1), 'get', 'cut');
  everyWay(`${sized(max + 1).slice(0, max)}\0`, 'get', 'refused headLarge');
  everyWay(`${sized(max + 1).slice(0, max - 1)}\0`, 'get', 'refused nameCharacter');
  // Of each head on its own: those before do not count.
  everyWay(
    reply('103 A', 'B: c').repeat(1000) + sized(max),
    'get',
    `200 head=${max} length=0 body interim @${max + 25 * 1000 - 1000} | idle`,
  );
});

test('trailers of 8192 bytes are taken, one more is refused', () => {
  const sized = (size: number): string => `A: ${'x'.repeat(size - 7)}\r\n\r\n`;
  const head = two(CHUNKED).length;
  const want = `200 head=${head} chunked body @${head + 3 + TRAILERS_MAX} | idle`;
  everyWay(chunked(`0\r\n${sized(TRAILERS_MAX)}`), 'get', want);
  everyWay(chunked(`0\r\n${sized(TRAILERS_MAX + 1)}`), 'get', 'refused trailersLarge');
});

test('a body is passed over whatever it holds', () => {
  const data = 'HTTP/1.1 500 No\r\n\r\n\0'.repeat(500);
  const text =
    two(`Content-Length: ${data.length}`) +
    data +
    chunked(`${data.length.toString(16)}\r\n${data}\r\n0\r\n\r\n`);
  const first = two(`Content-Length: ${data.length}`).length;
  const second = first + data.length + CHUNKED_HEAD;
  everyWay(
    text,
    'get get',
    `200 head=${first} length=${data.length} body @${first + data.length} | 200 head=${CHUNKED_HEAD} chunked body @${second + 6 + data.length + 7} | idle`,
  );
});

test('what is known when: the head tells before the body came', () => {
  const framer = framing.openReplyFramer();
  framer.ask();
  const head = latin(two('Content-Length: 70000'));
  assert.equal(framer.frame(head.subarray(0, 30)), { event: 'more', taken: 30 });
  assert.is(framer.state().head, false);
  assert.equal(framer.frame(head.subarray(30)), { event: 'more', taken: head.length - 30 });
  const { head: known, status, headLength, contentLength, left, done } = framer.state();
  assert.equal([known, status, headLength], [true, 200, head.length]);
  assert.equal([contentLength, left, done], [70_000n, 70_000n, 0]);
  assert.equal(framer.frame(new Uint8Array(80_000)), { event: 'done', taken: 70_000 });
  assert.is(framer.state().done, 1);
});

test('as many requests wait as are counted, and replies make room', () => {
  const framer = framing.openReplyFramer();
  for (let i = 0; i < ASKED_MAX; i++) assert.is(framer.ask(), true);
  assert.is(framer.ask(), false);
  for (let i = 0; i < 100; i++) {
    assert.is(framer.frame(latin(two(EMPTY))).event, 'done');
    assert.is(framer.ask(...(i % 2 ? (['head'] as const) : [])), true);
    assert.is(framer.ask(), false);
  }
  assert.is(framer.state().done, 100);
});

test('what was refused stays refused; what opened stays open', () => {
  const framer = framing.openReplyFramer();
  assert.is(framer.frame(latin('x')).event, 'refused');
  assert.is(framer.ask(), true);
  assert.equal(framer.frame(latin(two(EMPTY))), { event: 'refused', taken: 0 });
  const other = framing.openReplyFramer();
  other.ask('upgrade');
  const head = latin(reply('101 X'));
  assert.equal(other.frame(head), { event: 'tunnels', taken: head.length });
  assert.equal(other.frame(new Uint8Array(5000)), { event: 'tunnels', taken: 5000 });
  assert.is(other.end(), 'more');
});

test('every reason has a row', () => {
  const seen = new Set(rows.flatMap(([, , want]) => /refused (\w+)/.exec(want)?.[1] ?? []));
  const missing = Object.keys(FRAME_REASON).filter((reason) => !seen.has(reason));
  assert.equal(missing, ['accepted', 'headLarge', 'trailersLarge']);
});

test.run();
