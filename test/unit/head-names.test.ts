/** Header names of a bundle: which are taken, and that each is found in a head by the parser. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeHeaderNames, HEADER_SLOTS, isHeaderName, NAMES } from '../../compiler/abi/index.js';
import { viewText } from '../../runtime/http/index.js';
import { latin, wasmParser } from '../fuzz/wasm-head.js';

const test = suite('head names');

/** The values that the parser finds for these names, in their order. */
function find(names: readonly string[], lines: string): (string | null)[] {
  const head = wasmParser(names).parse(latin(`GET / HTTP/1.1\r\nHost: h\r\n${lines}\r\n`));
  if (head.status !== 'ok') throw new Error(JSON.stringify(head));
  return names.map((_, slot) => viewText(head.bytes, head.headers[slot] ?? null));
}

for (const [name, want] of [
  ['x-team', true],
  ["a!#$%&'*+-._`|9", true],
  ['x'.repeat(64), true],
  ['x'.repeat(65), false],
  ['', false],
  ['X-Team', false],
  ['x team', false],
  ['x:', false],
  ['a^b', false],
  ['a~b', false],
  ['ü', false],
] as const)
  test(`\`${name}\` is ${want ? 'a' : 'no'} name`, () => {
    assert.is(isHeaderName(name), want);
    if (want) assert.is(encodeHeaderNames([name]).length, NAMES.size);
    else assert.throws(() => encodeHeaderNames([name]), RangeError);
  });

test('a slot has one name, and there are 16', () => {
  const names = Array.from({ length: HEADER_SLOTS + 1 }, (_, i) => `x-${i}`);
  assert.throws(() => encodeHeaderNames(['a', 'a']), RangeError);
  assert.throws(() => encodeHeaderNames(names), RangeError);
  assert.is(encodeHeaderNames(names.slice(1)).length, NAMES.size);
});

test('the same names give the same bytes', () => {
  assert.equal(encodeHeaderNames(['a', 'b']), encodeHeaderNames(['a', 'b']));
  assert.not.equal(encodeHeaderNames(['a', 'b']), encodeHeaderNames(['b', 'a']));
});

test('names of every length are found, whatever their case', () => {
  for (let length = 1; length <= 64; length++) {
    const name = 'abcdefgh-ijklmno.pqrstuv_wxyz012'.repeat(2).slice(0, length);
    const other = `${name.slice(0, -1)}!`;
    assert.equal(find([name], `${name.toUpperCase()}: v${length}\r\n`), [`v${length}`], name);
    assert.equal(find([name], `${other}: v\r\n${name}x: v\r\nx${name}: v\r\n`), [null], other);
  }
});

test('bytes that differ only by case folding are not taken for one another', () => {
  // 0x20 turns `-` to itself, but a carriage return or an at sign would become a hyphen or a grave.
  assert.equal(find(['a-b', 'a`b', 'a_b'], 'a-b: 1\r\na_b: 2\r\n'), ['1', null, '2']);
});

test('16 names beside those that frame', () => {
  const names = Array.from({ length: HEADER_SLOTS }, (_, i) => `x-header-${i}`);
  const lines = names.map((name, i) => `${name}:${i}\r\n`).join('');
  assert.equal(
    find(names, lines),
    names.map((_, i) => String(i)),
  );
});

test('a framing header can be looked at too', () => {
  const names = ['content-length', 'host', 'connection', 'upgrade'];
  assert.equal(find(names, 'Content-Length: 007\r\nConnection: close\r\n'), [
    '007',
    'h',
    'close',
    null,
  ]);
});

test('an empty value is there; a repeated one is the first, and told', () => {
  const parser = wasmParser(['a', 'b', 'c']);
  const head = parser.parse(latin('GET / HTTP/1.0\r\nb:1\r\na:\r\nb: 2\r\n\r\n'));
  if (head.status !== 'ok') throw new Error(JSON.stringify(head));
  assert.equal(
    head.headers.slice(0, 3).map((view) => viewText(head.bytes, view)),
    ['', '1', null],
  );
  assert.is(head.repeated, 2);
});

test('white space around a value is not part of it', () => {
  for (const [line, want] of [
    ['a:v', 'v'],
    ['a: v', 'v'],
    ['a:\tv\t', 'v'],
    ['a:   \t           v w \t ', 'v w'],
    ['a: \t ', ''],
    [`a: ${'x\ty '.repeat(100)}`, `${'x\ty '.repeat(99)}x\ty`],
    [`a:${' '.repeat(500)}v${' '.repeat(500)}`, 'v'],
  ] as const)
    assert.equal(find(['a'], `${line}\r\n`), [want], JSON.stringify(line));
});

test.run();
