/** What single IR constructs become: the whole code of small functions. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from '../../compiler/ir/index.js';
import { printCode } from '../../compiler/lower/asm/index.js';
import { type Lowered, lowerModule } from '../../compiler/lower/index.js';

const test = suite('lower-select');

interface Row {
  readonly name: string;
  readonly ir: string;
  readonly want: string;
  readonly mayGoto?: true;
}
const ROWS: readonly Row[] = [
  {
    name: 'a chain of && becomes compares with immediates that fall through',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 2 v0 + 204
  v2 = const i32 443
  v3 = eq v1, v2
  br_if v3, b1, b2
b1:
  v4 = load.pointer i32 4 v0 + 24
  v5 = const i32 5
  v6 = eq v4, v5
  br_if v6, b3, b2
b2:
  v7 = const i32 2
  return v7
b3:
  v8 = const i32 257
  return v8
}`,
    want: `
     0: if r1 == 0 goto L1
     1: r2 = *(u16 *)(r1 + 204)
     2: if r2 != 443 goto L2
     3: r1 = *(u32 *)(r1 + 24)
     4: if r1 != 5 goto L2
     5: r0 = 257
     6: exit
L1:
     7: r0 = 240
     8: exit
L2:
     9: r0 = 2
    10: exit`,
  },
  {
    name: 'a constant on the left goes to the right, and the question is turned round',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 2 v0 + 204
  v2 = const i32 1024
  v3 = lt_u v2, v1
  br_if v3, b1, b2
b1:
  v4 = const i32 1
  return v4
b2:
  v5 = const i32 2
  return v5
}`,
    want: `
     0: if r1 == 0 goto L1
     1: r1 = *(u16 *)(r1 + 204)
     2: if r1 <= 1024 goto L2
     3: r0 = 1
     4: exit
L1:
     5: r0 = 240
     6: exit
L2:
     7: r0 = 2
     8: exit`,
  },
  {
    name: 'a tree of compares short-circuits',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 2 v0 + 204
  v2 = const i32 443
  v3 = eq v1, v2
  v4 = const i32 80
  v5 = eq v1, v4
  v6 = or i32 v3, v5
  v7 = load.pointer i32 1 v0 + 206
  v8 = const i32 6
  v9 = eq v7, v8
  v10 = and i32 v6, v9
  br_if v10, b1, b2
b1:
  v11 = const i32 1
  return v11
b2:
  v12 = const i32 2
  return v12
}`,
    want: `
     0: if r1 == 0 goto L2
     1: r2 = *(u16 *)(r1 + 204)
     2: r1 = *(u8 *)(r1 + 206)
     3: if r2 == 443 goto L1
     4: if r2 != 80 goto L3
L1:
     5: if r1 != 6 goto L3
     6: r0 = 1
     7: exit
L2:
     8: r0 = 240
     9: exit
L3:
    10: r0 = 2
    11: exit`,
  },
  {
    name: 'a compare that is a value costs one branch',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 2 v0 + 204
  v2 = const i32 443
  v3 = lt_u v1, v2
  return v3
}`,
    want: `
     0: if r1 == 0 goto L1
     1: r1 = *(u16 *)(r1 + 204)
     2: r0 = 1
     3: if r1 >= 443 goto L2
     4: exit
L1:
     5: r0 = 240
     6: exit
L2:
     7: r0 = 0
     8: exit`,
  },
  {
    name: 'a select costs one branch',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 2 v0 + 204
  v2 = const i32 443
  v3 = lt_u v1, v2
  v4 = const i32 7
  v5 = select i32 v3, v4, v1
  return v5
}`,
    want: `
     0: if r1 == 0 goto L1
     1: r1 = *(u16 *)(r1 + 204)
     2: r0 = 7
     3: if r1 >= 443 goto L2
     4: exit
L1:
     5: r0 = 240
     6: exit
L2:
     7: r0 = r1
     8: exit`,
  },
  {
    name: 'a mask that is only tested is a bit test',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i64 8 v0 + 176
  v2 = const i64 4
  v3 = and i64 v1, v2
  v4 = const i64 0
  v5 = ne v3, v4
  br_if v5, b1, b2
b1:
  v6 = const i32 1
  return v6
b2:
  v7 = const i32 2
  return v7
}`,
    want: `
     0: if r1 == 0 goto L1
     1: r1 = *(u64 *)(r1 + 176)
     2: if r1 & 4 goto L2
     3: r0 = 2
     4: exit
L1:
     5: r0 = 240
     6: exit
L2:
     7: r0 = 1
     8: exit`,
  },
  {
    name: 'signed i32 compares are 32 bits wide, unsigned 64, big constants 32',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 4 v0 + 0
  v2 = const i32 4294967295
  v3 = lt_s v1, v2
  br_if v3, b1, b2
b1:
  v4 = const i32 9
  v5 = lt_u v1, v4
  br_if v5, b3, b2
b2:
  v6 = const i32 2147483648
  v7 = eq v1, v6
  br_if v7, b3, b4
b3:
  v8 = const i32 1
  return v8
b4:
  v9 = const i32 2
  return v9
}`,
    want: `
     0: if r1 == 0 goto L3
     1: r1 = *(u32 *)(r1 + 0)
     2: if w1 s>= -1 goto L1
     3: if r1 < 9 goto L2
L1:
     4: if w1 != -2147483648 goto L4
L2:
     5: r0 = 1
     6: exit
L3:
     7: r0 = 240
     8: exit
L4:
     9: r0 = 2
    10: exit`,
  },
  {
    name: 'an i64 constant of more than 32 bits is loaded, others are immediates',
    ir: `
func internal f(v0: ptr, v1: i64) -> i64 stopped 240 241 {
b0:
  v2 = const i64 18446744073709551615
  v3 = add i64 v1, v2
  v4 = const i64 4294967296
  v5 = xor i64 v3, v4
  return v5
}`,
    want: `
     0: r0 = r2
     1: r0 += -1
     2: r1 = 0x100000000 ll
     4: r0 ^= r1
     5: exit`,
  },
  {
    name: 'constant shift counts are masked, division by constant 0 keeps a register',
    ir: `
func internal f(v0: ptr, v1: i32, v2: i32) -> i32 stopped 240 241 {
b0:
  v3 = const i32 33
  v4 = shl i32 v1, v3
  v5 = const i32 0
  v6 = div_u i32 v4, v5
  v7 = shr_s i32 v6, v2
  return v7
}`,
    want: `
     0: r0 = r2
     1: w0 <<= 1
     2: r1 = 0
     3: w0 /= w1
     4: w0 s>>= w3
     5: exit`,
  },
  {
    name: 'an image load compares and uses one register; a constant index folds',
    ir: `
image t align 8 size 64 {
}
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 1 v0 + 206
  v2 = load.image i32 4 t v1 + 8 limit 52
  v3 = const i32 16
  v4 = load.image i32 4 t v3 + 8 limit 52
  v5 = add i32 v2, v4
  return v5
}`,
    want: `
     0: if r1 == 0 goto L1
     1: r2 = *(u8 *)(r1 + 206)
     2: if r2 > 52 goto L1
     3: r1 = t + 8 ll
     5: r1 += r2
     6: r0 = *(u32 *)(r1 + 0)
     7: r1 = t + 24 ll
     9: r1 = *(u32 *)(r1 + 0)
    10: w0 += w1
    11: exit
L1:
    12: r0 = 240
    13: exit`,
  },
  {
    name: 'an index made by a big subtraction gets a barrier',
    ir: `
image t align 8 size 64 {
}
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 4 v0 + 0
  v2 = const i32 2147483647
  v3 = sub i32 v1, v2
  v4 = load.image i32 4 t v3 + 0 limit 60
  return v4
}`,
    want: `
     0: if r1 == 0 goto L1
     1: r2 = *(u32 *)(r1 + 0)
     2: w2 -= 2147483647
     3: w2 &= -1
     4: if r2 > 60 goto L1
     5: r1 = t + 0 ll
     7: r1 += r2
     8: r0 = *(u32 *)(r1 + 0)
     9: exit
L1:
    10: r0 = 240
    11: exit`,
  },
  {
    name: 'extensions, wraps and swaps',
    ir: `
func internal f(v0: ptr, v1: i32, v2: i64) -> i64 stopped 240 241 {
b0:
  v3 = extend_s v1
  v4 = extend_u v1
  v5 = bswap16 i32 v1
  v6 = wrap v2
  v7 = extend8_s i32 v6
  v8 = add i32 v5, v7
  v9 = extend_u v8
  v10 = add i64 v3, v4
  v11 = add i64 v9, v10
  return v11
}`,
    want: `
     0: r0 = r2
     1: r2 = r0
     2: r2 <<= 32
     3: r2 s>>= 32
     4: r1 = r0
     5: r0 = be16 r0
     6: w3 = w3
     7: w3 <<= 24
     8: w3 s>>= 24
     9: w0 += w3
    10: r2 += r1
    11: r0 += r2
    12: exit`,
  },
  {
    name: 'stores of constants need no register',
    ir: `
func dispatcher f(v0: ptr, v1: ptr) -> i32 stopped 240 241 {
b0:
  v2 = const i32 4294967295
  v3 = store.pointer 4 v1 + 8, v2
  v4 = const i64 7
  v5 = store.pointer 8 v1 + 16, v4
  v6 = const i32 1
  return v6
}`,
    want: `
     0: if r2 == 0 goto L1
     1: *(u32 *)(r2 + 8) = -1
     2: *(u64 *)(r2 + 16) = 7
     3: r0 = 1
     4: exit
L1:
     5: r0 = 240
     6: exit`,
  },
  {
    name: 'a call keeps what lives across it in R6 to R9',
    ir: `
extern g(ptr, i32) -> i64
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 1 v0 + 206
  v2 = const i32 5
  v3 = call i64 g(v0, v2)
  v4 = wrap v3
  v5 = add i32 v4, v1
  return v5
}`,
    want: `
     0: if r1 == 0 goto L1
     1: r6 = *(u8 *)(r1 + 206)
     2: r2 = 5
     3: call g
     4: w0 = w0
     5: w0 += w6
     6: exit
L1:
     7: r0 = 240
     8: exit`,
  },
  {
    name: 'laundering loads zero once',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 1 v0 + 206
  v2 = launder i32 v1, v0
  v3 = const i64 9
  v4 = launder i64 v3, v0
  v5 = wrap v4
  v6 = add i32 v2, v5
  return v6
}`,
    want: `
     0: if r1 == 0 goto L1
     1: r2 = *(u64 *)(r1 + 192)
     2: r0 = *(u8 *)(r1 + 206)
     3: w0 += w2
     4: r1 = 9
     5: r1 += r2
     6: w1 = w1
     7: w0 += w1
     8: exit
L1:
     9: r0 = 240
    10: exit`,
  },
  {
    name: 'a loop swaps its values without losing one; its back edge is a jump',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 1 v0 + 206
  v2 = load.pointer i32 1 v0 + 207
  v3 = const i32 0
  br b1(v3, v1, v2)
b1(v4: i32, v5: i32, v6: i32):
  v7 = may_goto
  v8 = const i32 1
  v9 = add i32 v4, v8
  v10 = const i32 5
  v11 = lt_u v9, v10
  br_if v11, b1(v9, v6, v5), b2
b2:
  v12 = sub i32 v5, v6
  return v12
}`,
    want: `
     0: if r1 == 0 goto L2
     1: r0 = *(u8 *)(r1 + 206)
     2: r3 = *(u8 *)(r1 + 207)
     3: r2 = 0
L1:
     4: may_goto L3
     5: w2 += 1
     6: if r2 >= 5 goto L4
     7: r1 = r0
     8: r0 = r3
     9: r3 = r1
    10: goto L1
L2:
    11: r0 = 240
    12: exit
L3:
    13: r0 = 241
    14: exit
L4:
    15: w0 -= w3
    16: exit`,
    mayGoto: true,
  },
  {
    name: 'traps share one end, and only where there is one',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 1 v0 + 206
  v2 = const i32 6
  v3 = eq v1, v2
  br_if v3, b1, b2
b1:
  trap trap
b2:
  trap fuel
}`,
    want: `
     0: if r1 == 0 goto L1
     1: r1 = *(u8 *)(r1 + 206)
     2: if r1 != 6 goto L2
L1:
     3: r0 = 240
     4: exit
L2:
     5: r0 = 241
     6: exit`,
  },
];

function codeOf(ir: string, mayGoto: boolean): string {
  const lowered = lowerModule(parse(`module "m"\n${ir.trim()}\n`), { mayGoto });
  const [func] = lowered.ok ? lowered.functions : [];
  return func === undefined ? 'refused' : printCode(func.code);
}

for (const { name, ir, want, mayGoto } of ROWS) {
  test(name, () => assert.is(codeOf(ir, mayGoto === true), `${want.slice(1)}\n`));
}

test('without may_goto in the kernel the hint is nothing', () => {
  const loop = ROWS.find((row) => row.mayGoto === true)?.ir ?? '';
  assert.not.match(codeOf(loop, false), /may_goto|241/);
});

test('the cost of a function is stated, a loop has no longest path', () => {
  const path = (ir: string): number | null => {
    const lowered = lowerModule(parse(`module "m"\n${ir.trim()}\n`), { mayGoto: false });
    return lowered.ok ? (lowered.functions[0]?.worstPath ?? null) : -1;
  };
  assert.is(path(ROWS[0]?.ir ?? ''), 7);
  assert.is(path(ROWS.find((row) => row.mayGoto === true)?.ir ?? ''), null);
});

test('what earlier passes should have removed is our own fault', () => {
  const refused = (body: string): (() => void) => {
    const ir = `func entry f(v0: ptr) -> i32 stopped 240 241 {\nb0:\n${body}\n}`;
    return () => codeOf(ir, false);
  };
  assert.throws(refused('v1 = abi i32 random()\nreturn v1'), /abi should have been/);
  assert.throws(
    refused('v1 = load.pointer i32 4 v0 + 0\nv2 = clz i32 v1\nreturn v2'),
    /clz should have been/,
  );
  assert.throws(
    refused('v1 = load.pointer i32 4 v0 + 0\nv2 = rotl i32 v1, v1\nreturn v2'),
    /rotl should have been/,
  );
});

/** `count` values that are all alive at the end. */
function pressure(count: number): string {
  const lines = ['func entry f(v0: ptr) -> i32 stopped 240 241 {', 'b0:'];
  for (let i = 1; i <= count; i++) lines.push(`v${i} = load.pointer i32 4 v0 + ${(i % 40) * 4} @0`);
  for (let i = 1; i <= count; i++) {
    lines.push(`v${count + i} = xor i32 v${i === 1 ? 1 : count + i - 1}, v${count + 1 - i} @0`);
  }
  lines.push(`return v${2 * count} @0`, '}');
  return `module "m"\nposition "p.ts" 3:5 "  return many;"\n${lines.join('\n')}\n`;
}

test('values beyond the registers go on the stack, up to its limit', () => {
  const few = lowerModule(parse(pressure(8)), { mayGoto: false });
  const some = lowerModule(parse(pressure(20)), { mayGoto: false });
  const many = lowerModule(parse(pressure(60)), { mayGoto: false });
  assert.ok(few.ok && some.ok && !many.ok);
  assert.is(few.functions[0]?.stack, 0);
  assert.ok((some.functions[0]?.stack ?? 0) > 0);
  const [found] = many.diagnostics;
  assert.is(found?.code, 'L001');
  assert.equal([found?.file, found?.line, found?.column], ['p.ts', 3, 5]);
});

/** A branch over `count` instructions. */
function far(count: number): Lowered {
  const lines = ['func entry f(v0: ptr) -> i32 stopped 240 241 {', 'b0:'];
  lines.push('v1 = load.pointer i32 4 v0 + 0', 'br_if v1, b1, b2', 'b1:');
  for (let i = 2; i < count; i++) lines.push(`v${i} = store.pointer 4 v0 + 0, v1`);
  lines.push('br b2', 'b2:', `v${count} = load.pointer i32 4 v0 + 4`, `return v${count}`, '}');
  return lowerModule(parse(`module "m"\n${lines.join('\n')}\n`), { mayGoto: false });
}

test('a function too long for its jumps is refused', () => {
  const [fits, long] = [far(32000), far(33000)];
  assert.ok(fits.ok && !long.ok);
  assert.is(long.diagnostics[0]?.code, 'L002');
});

/** f0 calls f1, f1 calls f2, ... the last calls `end`. */
function callChain(count: number, end: string): string[] {
  const names = Array.from({ length: count }, (_, i) => `f${i}`);
  const funcs = names.map((name, i) => {
    const callee = names[i + 1] ?? end;
    const body = callee === '' ? 'v1 = const i64 1' : `v1 = call i64 ${callee}(v0)`;
    return `func internal ${name}(v0: ptr) -> i64 stopped 240 241 {\nb0:\n${body}\nreturn v1\n}`;
  });
  const module = parse(`module "m"\n${funcs.join('\n')}\n`);
  const lowered = lowerModule(module, { mayGoto: false });
  return lowered.ok ? [] : lowered.diagnostics.map((d) => d.code);
}

test('recursion and deep chains of calls are refused, shorter ones are not', () => {
  assert.equal(callChain(6, ''), []);
  assert.equal(callChain(7, ''), ['L004']);
  assert.ok(callChain(2, 'f0').includes('L003'));
});

test.run();
