/** IR text, flow graph, evaluator and arithmetic: the ground that passes stand on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  components,
  dominators,
  evaluate,
  foldBinary,
  foldUnary,
  loops,
  parse,
  print,
  reversePostorder,
  verifyModule,
} from '../../compiler/ir/index.js';

const test = suite('ir-core');

const ALL = `module "all"
position "a \\"b\\".ts" 3:7 "  return x;"
extern other(ptr, i32) -> i32

image table align 8 size 16 {
  1: 01ff
  9: 07
}

func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = const i32 5
  v2 = const i64 18446744073709551615 @0
  v3 = load.pointer i32 2 v0 + 204
  v4 = load.image i32 1 table v3 + 1 limit 14
  v5 = popcnt i32 v4
  v6 = extend_u v5
  v7 = add i64 v6, v2
  v8 = lt_s v6, v7
  v9 = select i32 v8, v1, v3
  v10 = wrap v7
  v11 = store.pointer 4 v0 + 8, v10
  v12 = call i32 other(v0, v9)
  v13 = abi i32 attribute(v1, v1)
  v14 = launder i32 v13, v0
  v15 = extend_s v14
  br_if v14, b1(v9, v7), b2
b1(v16: i32, v17: i64):
  v18 = may_goto
  switch v16, [b2, b1(v12, v15), b3], b3 @0
b2:
  trap fuel
b3:
  return v16
}

func dispatcher g(v0: ptr, v1: ptr) -> none stopped 0 0 {
b0:
  return
}
`;
test('text comes back as it was', () => {
  const module = parse(ALL);
  assert.is(print(module), ALL);
  assert.equal([...(module.images[0]?.bytes ?? [])].slice(0, 4), [0, 1, 255, 0]);
  assert.is(module.functions[0]?.nextValue, 19);
  assert.is(module.functions[0]?.nextBlock, 4);
  assert.equal(verifyModule(module), []);
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  [
    'func entry f(v0: ptr) -> i32 stopped 0 0 {\nb0:\n  v1 = nonsense v0\n}',
    /line 3: unknown operation `nonsense`/,
  ],
  ['func other f() -> i32 stopped 0 0 {\n}', /line 1: unknown kind of function/],
  ['func entry f(v0: ptr) -> i32 stopped 0 0 {\nb0:\n  return v1 v2\n}', /line 3: unexpected `v2`/],
  [
    'func entry f(v0: ptr) -> i32 stopped 0 0 {\nb0:\n  v1 = const i32 x\n}',
    /line 3: `x` is no number/,
  ],
  ['func entry f(v0: ptr) -> i32 stopped 0 0 {\nb0:', /unexpected end of text/],
  ['nonsense', /line 1: unknown item `nonsense`/],
];
for (const [text, message] of WRONG) {
  test(`text: ${message.source}`, () => assert.throws(() => parse(text), message));
}

const NESTED = parse(`func entry f(v0: ptr, v1: i32) -> i32 stopped 240 241 {
b0:
  br b1
b1:
  br b2
b2:
  br_if v1, b2, b3
b3:
  br_if v1, b1, b4
b4:
  return v1
b5:
  br b4
}`);
test('order, dominators and loops', () => {
  const [func] = NESTED.functions;
  if (func === undefined) throw new Error('no function');
  assert.equal(
    reversePostorder(func).map((block) => Number(block.id)),
    [0, 1, 2, 3, 4],
  );
  const doms = dominators(func);
  const [b0, b1, b2, , b4, b5] = func.blocks.map((block) => block.id);
  if (b0 === undefined || b1 === undefined || b2 === undefined) throw new Error('no block');
  if (b4 === undefined || b5 === undefined) throw new Error('no block');
  assert.ok(doms.dominates(b1, b4) && doms.dominates(b0, b2) && doms.dominates(b2, b2));
  assert.not(doms.dominates(b4, b1));
  assert.not(doms.parent.has(b5));
  assert.equal(
    loops(func).map((loop) => [Number(loop.header), [...loop.blocks].map(Number).sort()]),
    [
      [1, [1, 2, 3]],
      [2, [2]],
    ],
  );
});

test('components', () => {
  const next: Readonly<Record<string, string[]>> = { a: ['b'], b: ['c'], c: ['b', 'd'], d: [] };
  const found = components(['a', 'b', 'c', 'd'], (node) => next[node] ?? []);
  assert.equal(
    found.map((group) => group.sort().join('')),
    ['d', 'bc', 'a'],
  );
});

test('arithmetic at its edges', () => {
  const least = 1n << 31n;
  const minusOne = 0xffffffffn;
  assert.is(foldBinary('div_s', 'i32', least, minusOne), null);
  assert.is(foldBinary('rem_s', 'i32', least, minusOne), 0n);
  assert.is(foldBinary('div_u', 'i32', 1n, 0n), null);
  assert.is(foldBinary('div_s', 'i32', minusOne - 6n, 2n), minusOne - 2n);
  assert.is(foldBinary('shl', 'i32', 1n, 33n), 2n);
  assert.is(foldBinary('rotl', 'i64', 1n, 64n), 1n);
  assert.is(foldBinary('shr_s', 'i64', 1n << 63n, 63n), (1n << 64n) - 1n);
  assert.is(foldUnary('clz', 'i64', 0n), 64n);
  assert.is(foldUnary('ctz', 'i32', 8n), 3n);
  assert.is(foldUnary('extend8_s', 'i32', 0x80n), 0xffffff80n);
  assert.is(foldUnary('bswap16', 'i32', 0x11223344n), 0x4433n);
});

const RUN = parse(`image table align 8 size 8 {
  4: 2a
}

func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 2 v0 + 2
  v2 = load.image i32 1 table v1 + 0 limit 7
  v3 = store.pointer 1 v0 + 0, v2
  v4 = abi i32 family()
  v5 = call i32 other(v4)
  v6 = add i32 v5, v2
  switch v1, [b1, b2], b3
b1:
  trap fuel
b2:
  trap trap
b3:
  return v6
}`);
const ROWS: readonly (readonly [number, string | null, bigint])[] = [
  [4, null, 148n],
  [0, 'fuel', 241n],
  [1, 'trap', 240n],
  [8, 'trap', 240n],
];
for (const [index, stop, value] of ROWS) {
  test(`evaluate at ${index}`, () => {
    const bytes = Uint8Array.from([9, 9, index, 0]);
    const ran = evaluate(RUN, 'f', {
      pointers: [bytes],
      abi: (name) => (name === 'family' ? 6n : 0n),
      call: (callee, args) => (callee === 'other' ? 100n + (args[0] ?? 0n) : 0n),
    });
    assert.equal(ran, { stop, value });
    if (stop === null) assert.is(bytes[0], 42);
  });
}
test('evaluate ends what does not end', () => {
  const endless = parse(
    'func entry f(v0: ptr) -> i32 stopped 0 0 {\nb0:\n  br b1\nb1:\n  br b1\n}',
  );
  assert.throws(() => evaluate(endless, 'f', { steps: 100 }), /too many steps/);
});

test.run();
