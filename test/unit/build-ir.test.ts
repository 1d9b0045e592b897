/** WASM to IR: what comes out, and what is refused where. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FRAME_DEPTH, FRAME_WORDS } from '../../compiler/abi/index.js';
import { buildModule } from '../../compiler/frontend/build-ir.js';
import { evaluate, printFunc } from '../../compiler/ir/index.js';
import { buildText, frontendOf } from '../support/build.js';

const test = suite('build-ir');

const IMPORTS = `
  (import "weft" "destination_port" (func $port (result i32)))
  (import "weft" "attribute" (func $attribute (param i32 i32) (result i32)))
  (import "weft" "nonsense" (func $nonsense))`;
const policy = (body: string, rest = ''): string =>
  `(module ${IMPORTS} (memory 1) (global $state (mut i32) (i32.const 7)) (data (i32.const 64) "\\2a\\00\\00\\00")
   ${rest} (func (export "authorizeConnection") (param $c i32) (result i32) (local $i i32) ${body}))`;

function codes(text: string, fuel?: number): string[] {
  return buildText(text, fuel).diagnostics.map((d) => d.code);
}
function value(text: string, port = 80n, fuel = 1000): string {
  const { module, diagnostics } = buildText(text, fuel);
  if (module === null) return diagnostics.map((d) => d.code).join();
  const ran = evaluate(module, 'p0_authorize', { abi: () => port });
  return `${ran.stop ?? ran.value}`;
}

test('a br_table of a constant takes its case, and beyond them the default', () => {
  const table = (n: number): string =>
    `(block $c (block $b (block $a (br_table $a $b $c (i32.const ${n}))) (return (i32.const 10))) (return (i32.const 20))) (i32.const 30)`;
  assert.equal(
    [0, 1, 2, 9, -1].map((n) => value(policy(table(n)))),
    ['10', '20', '30', '30', '30'],
  );
});

test('constants of memory and globals fold away', () => {
  const { module } = buildText(policy('(i32.add (i32.load (i32.const 64)) (global.get $state))'));
  const text = printFunc(module?.functions[0] ?? (assert.unreachable() as never));
  assert.match(text, /b0:\n {2}v\d+ = const i32 49.*\n {2}return v\d+/);
});

test('a rule chain is compare and branch, one load an attribute', () => {
  const rule = (n: number): string =>
    `(if (i32.and (i32.eq (call $attribute (i32.const 0) (i32.const 1)) (i32.const ${n})) (i32.eq (call $port) (i32.const ${n + 80}))) (then (return (i32.const ${256 * n + 1}))))`;
  const { module } = buildText(policy(`${[2, 3, 4].map(rule).join('')} (i32.const 2)`));
  const text = printFunc(module?.functions[0] ?? (assert.unreachable() as never));
  assert.is(text.match(/abi i32 attribute/g)?.length, 1, text);
  assert.is(text.match(/abi i32 destination_port/g)?.length, 1, text);
  assert.is(text.match(/br_if/g)?.length, 6, text);
  assert.not.match(text, / (and|or|select) i32/);
});

const ROWS: readonly (readonly [string, string])[] = [
  ['(unreachable)', 'trap'],
  ['(i32.div_u (i32.const 1) (i32.sub (call $port) (i32.const 80)))', 'trap'],
  ['(i32.div_s (i32.const 0x80000000) (i32.sub (call $port) (i32.const 81)))', 'trap'],
  ['(i32.rem_s (i32.const 0x80000000) (i32.sub (call $port) (i32.const 81)))', '0'],
  ['(i32.load (i32.add (call $port) (i32.const 65453)))', 'trap'],
  ['(i32.load (i32.add (call $port) (i32.const 65452)))', '0'],
  ['(i32.load8_u (i32.sub (call $port) (i32.const 16)))', '42'],
  ['(loop $l (br_if $l (i32.eq (call $port) (i32.const 80)))) (i32.const 1)', 'fuel'],
  [
    '(loop $l (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.lt_u (local.get $i) (i32.const 9)))) (local.get $i)',
    '9',
  ],
  [
    '(block $a (block $b (block $c (br_table $a $b $c (i32.sub (call $port) (i32.const 79)))) (return (i32.const 5))) (return (i32.const 6))) (i32.const 7)',
    '6',
  ],
  ['(memory.size)', '1'],
];
for (const [body, want] of ROWS) {
  test(`value of ${body.slice(0, 60)}`, () => assert.is(value(policy(body)), want));
}

test('calls: values, traps and fuel pass through', () => {
  const helper = (body: string): string =>
    `(func $f (param $x i32) (result i32) (local $n i32) ${body})`;
  const twice = '(i32.add (call $f (call $port)) (call $f (i32.const 3)))';
  const big = '(local.set $n (i32.mul (local.get $x) (i32.const 3)))'.repeat(40);
  const loop =
    '(loop $l (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $l (i32.lt_u (local.get $n) (local.get $x)))) (local.get $n)';
  assert.is(value(policy(twice, helper('(i32.add (local.get $x) (i32.const 1))'))), '85');
  assert.is(value(policy(twice, helper(`${big} ${loop}`))), '251');
  assert.is(value(policy(twice, helper(loop))), '83');
  assert.is(value(policy(twice, helper(loop)), 80n, 50), 'fuel');
  assert.is(value(policy(twice, helper('(unreachable)'))), 'trap');
  const wide =
    '(func $w (param i64 i64 i64 i64) (result i64) (i64.add (local.get 0) (local.get 3)))';
  const call = '(i32.wrap_i64 (call $w (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)))';
  assert.is(value(policy(call, wide)), '5');
});

/** As many values as no frame holds. */
const MANY = Array.from({ length: FRAME_WORDS }, (_, i) => i);
const REFUSED: readonly (readonly [string, string, string])[] = [
  ['I101', '(f32.eq (f32.convert_i32_u (call $port)) (f32.const 1))', ''],
  ['I102', '(i32.store (i32.const 0) (i32.const 1)) (i32.const 1)', ''],
  ['I102', '(memory.fill (i32.const 0) (i32.const 1) (call $port)) (i32.const 1)', ''],
  ['I103', '(memory.grow (i32.const 1))', ''],
  ['I104', '(global.set $state (i32.const 1)) (i32.const 1)', ''],
  [
    'I105',
    '(call_indirect (result i32) (call $port))',
    '(table 1 funcref) (func $put (table.set (i32.const 0) (ref.null func)))',
  ],
  [
    'I105',
    '(call_indirect (result i32) (call $port))',
    '(table 2000 funcref) (elem (i32.const 1999) $put) (func $put (result i32) (i32.const 1))',
  ],
  [
    'I106',
    '(call $r (call $port))',
    `(func $r (param i32) (result i32) ${MANY.map((i) => `(local $l${i} i32)`).join('')}
      ${MANY.map((i) => `(local.set $l${i} (i32.mul (local.get 0) (i32.const ${i + 3})))`).join('')}
      (if (local.get 0) (then (drop (call $r (i32.sub (local.get 0) (i32.const 1))))))
      ${MANY.reduce((sum, i) => `(i32.xor (local.get $l${i}) ${sum})`, '(i32.const 0)')})`,
  ],
  ['I107', '(loop $l (br $l)) (unreachable)', ''],
  [
    'I107',
    '(loop $l (drop (call $h (call $port))) (br $l)) (unreachable)',
    `(func $h (param i32) (result i32) (local $n i32) ${'(local.set $n (i32.add (i32.mul (local.get $n) (local.get 0)) (i32.const 3)))'.repeat(20)} (local.get $n)) (func $g (result i32) (call $h (i32.const 1)))`,
  ],
  ['I109', '(call $nonsense) (i32.const 1)', ''],
];
for (const [code, body, rest] of REFUSED) {
  test(`refuses ${code}: ${body.slice(0, 50)}`, () => {
    assert.equal(codes(policy(body, rest)), [code]);
    const [first] = buildText(policy(body, rest)).diagnostics;
    assert.ok(first?.line !== null && first?.help !== null);
  });
  test(`${code} is no matter where it cannot be reached: ${body.slice(0, 40)}`, () => {
    const dead = `(if (i32.eq (global.get $state) (i32.const 8)) (then (return (block (result i32) ${body})))) (i32.const 1)`;
    assert.equal(codes(policy(dead, rest)), []);
  });
}

test('refuses I108: a memory of more than 512 MiB', () => {
  const body = '(func (export "authorizeConnection") (result i32) (i32.const 1))';
  assert.equal(codes(`(module (memory 8193) ${body})`), ['I108']);
  assert.equal(codes(`(module (memory 1) ${body})`), []);
});

test('refuses I110: what inlining blows up', () => {
  const level = (n: number): string =>
    `(func $w${n} (param i64) (result i64) ${n === 0 ? '(i64.mul (local.get 0) (i64.const 3))' : `(i64.add (call $w${n - 1} (local.get 0)) (call $w${n - 1} (i64.const 5)))`})`;
  const levels = (n: number): string => Array.from({ length: n + 1 }, (_, i) => level(i)).join('');
  const call = (n: number): string =>
    `(i32.wrap_i64 (call $w${n} (i64.extend_i32_u (call $port))))`;
  assert.equal(codes(policy(call(18), levels(18)), 1_000_000), ['I110']);
  // What is behind the end of the fuel is not built.
  assert.equal(codes(policy(call(18), levels(18)), 100), []);
  assert.equal(codes(policy(call(3), levels(3))), []);
});

test('refuses I111: what is no module', () => {
  const frontend = { ...frontendOf(policy('(i32.const 1)'), 10), wasm: Uint8Array.from([0, 1]) };
  const { module, diagnostics } = buildModule({ frontend, policy: 0, name: 'x' });
  assert.is(module, null);
  assert.is(diagnostics[0]?.code, 'I111');
});

test('a call through a constant table slot is a call', () => {
  const table = '(table 1 funcref) (elem (i32.const 0) $g) (func $g (result i32) (i32.const 9))';
  assert.is(value(policy('(call_indirect (result i32) (i32.const 0))', table)), '9');
});

test('a call through a table by any index calls the function in the slot, or traps', () => {
  const functions =
    '(func $a (result i32) (i32.const 5)) (func $b (result i32) (i32.const 6)) (func $c (result i64) (i64.const 7))';
  const table = `(table 5 funcref) (elem (i32.const 1) $a $b $c) ${functions}`;
  const body = '(call_indirect (result i32) (i32.sub (call $port) (i32.const 80)))';
  const at = (slot: bigint): string => value(policy(body, table), 80n + slot);
  assert.equal([0n, 1n, 2n, 3n, 4n, 5n].map(at), ['trap', '5', '6', 'trap', 'trap', 'trap']);
});

const FAC =
  '(func $fac (param i64) (result i64) (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 1)) (else (i64.mul (local.get 0) (call $fac (i64.sub (local.get 0) (i64.const 1)))))))';
const FIB =
  '(func $fib (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0)) (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))';
/** Two results, i64 and i32, and recursion of another function in it. */
const MIXED = `(func $m (param i64 i32) (result i64 i32) (local $a i64) (local $b i32)
  (if (i32.eqz (local.get 1)) (then (return (i64.const 7) (i32.const 3))))
  (call $m (i64.add (local.get 0) (i64.const 1)) (i32.sub (local.get 1) (i32.const 1)))
  (local.set $b) (local.set $a)
  (i64.add (i64.mul (local.get $a) (i64.const 3)) (local.get 0))
  (i32.add (call $fib (local.get 1)) (local.get $b)))`;

test('recursion has a frame for each call, down to the declared depth', () => {
  const fac = (port: bigint): string =>
    value(
      policy(
        '(i32.wrap_i64 (i64.shr_u (call $fac (i64.extend_i32_u (call $port))) (i64.const 8)))',
        FAC,
      ),
      port,
    );
  let product = 1n;
  for (let n = 1n; n <= BigInt(FRAME_DEPTH); n++) {
    product = BigInt.asUintN(64, product * n);
    assert.is(fac(n), String(BigInt.asUintN(32, product >> 8n)), String(n));
  }
  assert.is(fac(BigInt(FRAME_DEPTH) + 1n), 'trap');
});

test('a last call, also before an else, needs no frame', () => {
  const last =
    '(func $t (param i32 i32) (result i32) (if (result i32) (local.get 0) (then (call $t (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 3)))) (else (local.get 1))))';
  assert.is(value(policy('(call $t (call $port) (i32.const 0))', last), 500n), '1500');
});

test('recursion keeps what is needed behind a call, across others in it', () => {
  const fib = (port: bigint, fuel = 100_000): string =>
    value(policy('(call $fib (call $port))', FIB), port, fuel);
  assert.equal(
    [0n, 1n, 2n, 10n, 15n].map((n) => fib(n)),
    ['0', '1', '1', '55', '610'],
  );
  // 177 calls, and the policy's own begin.
  assert.is(fib(10n, 178), '55');
  assert.is(fib(10n, 177), 'fuel');
  const mixed =
    '(call $m (i64.extend_i32_u (call $port)) (i32.and (call $port) (i32.const 15))) (local.set $i) (i32.wrap_i64) (i32.mul (i32.const 1000)) (i32.add (local.get $i))';
  const js = (a: number, n: number): [number, number] => {
    if (n === 0) return [7, 3];
    const fibonacci = (k: number): number => (k < 2 ? k : fibonacci(k - 1) + fibonacci(k - 2));
    const [x, y] = js(a + 1, n - 1);
    return [x * 3 + a, fibonacci(n) + y];
  };
  for (const port of [0, 1, 5, 23]) {
    const [x, y] = js(port, port & 15);
    assert.is(value(policy(mixed, FIB + MIXED), BigInt(port), 100_000), String(x * 1000 + y));
  }
});

test('recursion through a table keeps what is needed, too', () => {
  const functions = `(type $t (func (param i32) (result i32))) (table 2 funcref) (elem (i32.const 0) $up $down)
    (func $up (type $t) (if (result i32) (local.get 0)
      (then (i32.add (local.get 0) (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.and (local.get 0) (i32.const 1))))) (else (i32.const 100))))
    (func $down (type $t) (if (result i32) (local.get 0)
      (then (i32.xor (local.get 0) (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))) (else (i32.const 200))))`;
  const js = (n: number, up: boolean): number => {
    if (n === 0) return up ? 100 : 200;
    return up ? n + js(n - 1, (n & 1) === 0) : n ^ js(n - 1, true);
  };
  for (const n of [0, 1, 2, 9, 40]) {
    assert.is(value(policy('(call $up (call $port))', functions), BigInt(n)), String(js(n, true)));
  }
});

test.run();
