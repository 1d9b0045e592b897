/** A chain of comparisons and the tree that it becomes answer alike, for each constant and beside it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION } from '../../compiler/abi/index.js';
import { evaluate, type Module, parse, verifyModule } from '../../compiler/ir/index.js';
import { balanceChains } from '../../compiler/passes/index.js';
import { Prng } from '../support/prng.js';

const test = suite('balance chains');

function chain(constants: readonly number[]): string {
  const links = constants.map(
    (c, i) => `b${2 * i}:
  v${10 + 3 * i} = const i32 ${c}
  v${11 + 3 * i} = ${i % 3 === 1 ? 'ne' : 'eq'} v1, v${10 + 3 * i}
  br_if v${11 + 3 * i}, ${i % 3 === 1 ? `b${2 * i + 2}, b${2 * i + 1}` : `b${2 * i + 1}, b${2 * i + 2}`}
b${2 * i + 1}:
  v${12 + 3 * i} = const i32 ${i + 1}
  return v${12 + 3 * i}
`,
  );
  const load = `  v1 = load.pointer i32 4 v0 + ${CONNECTION.random}\n`;
  const text = links.join('').replace('b0:\n', `b0:\n${load}`);
  return `module "m"\nfunc entry f(v0: ptr) -> i32 stopped 240 241 {\n${text}b${2 * constants.length}:\n  return v1\n}\n`;
}

function answer(module: Module, value: number): bigint {
  const bytes = new Uint8Array(CONNECTION.size);
  new DataView(bytes.buffer).setUint32(CONNECTION.random, value, true);
  return evaluate(module, 'f', { pointers: [bytes] }).value;
}

for (const length of [8, 9, 13, 40]) {
  test(`${length} constants`, () => {
    const random = new Prng(length);
    const edges = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff];
    const constants = Array.from({ length }, () =>
      random.oneIn(4) ? random.pick(edges) : random.u32() >>> 0,
    );
    const [before, after] = [parse(chain(constants)), parse(chain(constants))];
    assert.ok(after.functions.map((func) => balanceChains(func)).includes(true));
    assert.equal(verifyModule(after), []);
    for (const constant of constants) {
      for (const value of [constant, (constant + 1) >>> 0, (constant - 1) >>> 0])
        assert.is(answer(after, value), answer(before, value), String(value));
    }
  });
}

test('a short chain stays', () => {
  const module = parse(chain([1, 2, 3, 4, 5, 6, 7]));
  assert.not(module.functions.map((func) => balanceChains(func)).includes(true));
});
test.run();
