/** Edges are looked at again only where more is known of them than a round ago, so many branches stay cheap. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION } from '../../compiler/abi/index.js';
import { evaluate, type Module, parse, verifyModule } from '../../compiler/ir/index.js';
import { threadBranches } from '../../compiler/passes/index.js';

const test = suite('thread branches');

/**
 * One edge with a constant (or with what was loaded), through `steps` comparisons one behind the other, each of which
 * it decides only once the one before it is threaded; behind them `joins` blocks with two edges that nothing decides.
 */
function cascade(steps: number, joins: number, isDecided: boolean): string {
  const step = (i: number): string => `b${10 + i}${i === 0 ? '(v10: i32)' : ''}:
  v${100 + 2 * i} = const i32 ${i + 1}
  v${101 + 2 * i} = eq v10, v${100 + 2 * i}
  br_if v${101 + 2 * i}, b3, b${11 + i}
`;
  const first = 10 + steps;
  const join = (i: number): string => {
    const [at, value] = [first + 3 * i, 100 + 2 * steps + 4 * i];
    return `b${at}:
  v${value} = const i32 ${1000 + i}
  v${value + 1} = lt_u v1, v${value}
  br_if v${value + 1}, b${at + 1}, b${at + 2}
b${at + 1}:
  br b${at + 2}
b${at + 2}:
  v${value + 2} = const i32 ${5000 + i}
  v${value + 3} = eq v2, v${value + 2}
  br_if v${value + 3}, b3, b${at + 3}
`;
  };
  const count = (length: number, of: (i: number) => string): string =>
    Array.from({ length }, (_, i) => of(i)).join('');
  return `module "m"
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 4 v0 + ${CONNECTION.random}
  v2 = load.pointer i32 2 v0 + ${CONNECTION.destinationPort}
  v3 = const i32 ${steps + 1}
  v4 = const i32 77
  v5 = eq v1, v4
  br_if v5, b10(${isDecided ? 'v3' : 'v1'}), b10(v2)
${count(steps, step)}${count(joins, join)}b${first + 3 * joins}:
  return v1
b3:
  return v2
}
`;
}

function threaded(text: string): { module: Module; asked: number; changed: boolean } {
  const module = parse(text);
  let asked = 0;
  const onAsked = (): void => {
    asked += 1;
  };
  const changed = module.functions.map((func) => threadBranches(func, module, onAsked));
  assert.equal(verifyModule(module), []);
  return { module, asked, changed: changed.includes(true) };
}

function answer(module: Module, random: number, port: number): bigint {
  const bytes = new Uint8Array(CONNECTION.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(CONNECTION.random, random, true);
  view.setUint16(CONNECTION.destinationPort, port, true);
  return evaluate(module, 'f', { pointers: [bytes] }).value;
}

test('each copy has its own edges looked at, not those of the whole function', () => {
  const asked = (steps: number, joins: number): number =>
    threaded(cascade(steps, joins, true)).asked;
  // Twice as many branches beside it, or steps of it, are looked at no more than twice as often.
  assert.ok(asked(40, 200) <= 2 * asked(40, 100), `${asked(40, 100)} to ${asked(40, 200)}`);
  assert.ok(asked(60, 100) <= 2 * asked(30, 100), `${asked(30, 100)} to ${asked(60, 100)}`);
  assert.ok(asked(40, 100) <= 4 * (40 + 2 * 100), `${asked(40, 100)}`);
});

test('an edge that a copy decides is found rounds later', () => {
  const text = cascade(40, 3, true);
  const { module, changed } = threaded(text);
  assert.ok(changed);
  // From 77 no comparison of the steps is left, nor the first behind them.
  const copies =
    (module.functions[0]?.blocks.length ?? 0) - (parse(text).functions[0]?.blocks.length ?? 0);
  assert.is(copies, 40 + 1);
  for (const [random, port] of [
    [77, 1],
    [77, 5000],
    [76, 40],
    [76, 41],
    [1, 5001],
  ] as const)
    assert.is(answer(module, random, port), answer(parse(text), random, port), `${random} ${port}`);
});

test('what the edges pass decides nothing: all are looked at once', () => {
  const { asked, changed, module } = threaded(cascade(40, 100, false));
  assert.not(changed);
  assert.is(asked, 2 * (1 + 100));
  assert.is(answer(module, 77, 5), answer(parse(cascade(40, 100, false)), 77, 5));
});
test.run();
