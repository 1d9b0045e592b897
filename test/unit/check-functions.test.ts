/** Bundles of more functions than a BPF program has room for are refused, at the first that has none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkFunctions, MAX_FUNCTIONS } from '../../compiler/check-functions.js';
import { AUTHORIZE_FUNCTION, type LoweredFunction } from '../../compiler/lower/index.js';

const test = suite('functions of a program');

function lowered(name: string, calls: readonly string[], line = 1): LoweredFunction {
  const position = { file: 'p.ts', line, column: 1 };
  return {
    name,
    kind: 'subprogram',
    relocations: calls.map((symbol) => ({ kind: 'call', symbol, at: 0 })),
    lines: [{ at: 0, position }],
  } as unknown as LoweredFunction;
}

/** The joined function, so many that it calls, and one that nothing calls. */
function bundle(count: number): LoweredFunction[] {
  const names = Array.from({ length: count }, (_, i) => `p${i}_authorize`);
  const called = names.map((name, i) => lowered(name, [], i + 2));
  return [lowered(AUTHORIZE_FUNCTION, names), ...called, lowered('alone', [])];
}

test('as many as there is room for; what is not called does not count', () => {
  assert.equal(checkFunctions(bundle(MAX_FUNCTIONS - 1)), []);
});

test('one more', () => {
  const [found, ...more] = checkFunctions(bundle(MAX_FUNCTIONS));
  assert.equal(more, []);
  assert.is(found?.code, 'B213');
  assert.is(found?.message, 'the policies come to 215 functions, at most 214');
  assert.equal([found?.file, found?.line], ['p.ts', MAX_FUNCTIONS + 1]);
});

test.run();
