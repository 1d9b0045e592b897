/** Golden files of the verifier's work: read back as written, and each kind of difference is a finding. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareCounts, formatCounts, type Measured, parseCounts } from '../kernels/counts.js';

const MAKER = { kernel: '6.1.0-1-cloud-amd64', clang: '14.0.6', mayGoto: false };
const one = (program: string, count: number | null, ...refusal: string[]): Measured => ({
  object: 'stubs',
  program,
  count,
  refusal,
});
const golden = parseCounts(formatCounts(MAKER, [one('a', 2000), one('b', 30)]));

const test = suite('counts of the verifier');

test('a file is read as it was written, and a kernel that does the same has no findings', () => {
  assert.equal(golden.maker, MAKER);
  assert.equal(
    [...golden.counts],
    [
      ['stubs a', 2000],
      ['stubs b', 30],
    ],
  );
  assert.equal(compareCounts(golden, [one('a', 2000), one('b', 30)]), []);
  assert.throws(() => parseCounts('stubs a many\n'), /no line/);
});

test('a count may differ by a tenth or by a hundred, whichever is more', () => {
  assert.equal(compareCounts(golden, [one('a', 2200), one('b', 130)]), []);
  assert.equal(compareCounts(golden, [one('a', 2201), one('b', 131)]), [
    'stubs a: 2201 instructions, the file says 2000',
    'stubs b: 131 instructions, the file says 30',
  ]);
  assert.equal(compareCounts(golden, [one('a', 1799), one('b', 30)]).length, 1);
});

test('without counts, only what loads is compared', () => {
  assert.equal(compareCounts(golden, [one('a', 9), one('b', 9999)], false), []);
  assert.equal(compareCounts(golden, [one('a', 9)], false).length, 1);
});

test('a missing program, a new one and a refused one are findings', () => {
  assert.equal(compareCounts(golden, [one('a', 2000), one('c', 7)]), [
    'stubs c: 7 instructions, and not in the file',
    'stubs b: in the file, and was not loaded',
  ]);
  const refused = compareCounts(golden, [one('a', null, 'too large', '1: exit'), one('b', 30)]);
  assert.equal(refused, ['stubs a: refused: too large\n    1: exit']);
});

test.run();
