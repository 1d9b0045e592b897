/** The grammar of path patterns; what they match is in test/case/request-pattern.case. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_PATTERN, MAX_PATTERN_STEPS, parsePattern } from '../../compiler/abi/index.js';

const test = suite('abi: path patterns');

const rows: readonly (readonly [string, string | null])[] = [
  ['/', '"/" end'],
  ['/a', '"/a" end'],
  ['/a/b/', '"/a/b/" end'],
  ['/a//b', '"/a//b" end'],
  ['/**', 'rest'],
  ['/a/**', '"/a" rest'],
  ['/*', '"/" element end'],
  ['/{id}/', '"/" element "/" end'],
  ['/users/{id}/**', '"/users/" element rest'],
  ['/a/{b_c}/*/d/e', '"/a/" element "/" element "/d/e" end'],
  ['/a%20b', '"/a%20b" end'],
  ['', null],
  ['a', null],
  ['**', null],
  ['/**/a', null],
  ['/a**', null],
  ['/a*', null],
  ['/***', null],
  ['/{}', null],
  ['/{a', null],
  ['/v{a}', null],
  ['/{a}b', null],
  ['/{1}', null],
  ['/a/../b', null],
  ['/a/.', null],
  ['/a?b', null],
  ['/a#b', null],
  ['/a b', null],
  ['/%2', null],
  ['/\u00e9', null],
];
for (const [pattern, want] of rows) {
  test(pattern, () => {
    const steps = parsePattern(pattern);
    const have = steps?.map((s) => (s.op === 'literal' ? JSON.stringify(s.text) : s.op)).join(' ');
    assert.is(have ?? null, want);
  });
}

test('as long as may be, and longer', () => {
  const long = `/${'a'.repeat(MAX_PATTERN - 1)}`;
  assert.is(parsePattern(long)?.length, 2);
  assert.is(parsePattern(`${long}a`), null);
  const steps = '/*'.repeat((MAX_PATTERN_STEPS - 2) / 2);
  assert.is(parsePattern(`${steps}/a`)?.length, MAX_PATTERN_STEPS);
  assert.is(parsePattern(`${steps}/*`), null);
});
test.run();
