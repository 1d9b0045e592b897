/** What calls, loops and traps become: the whole code of small functions. */
import * as assert from 'uvu/assert';
import { codeOf, type Row, rowSuite } from '../support/lower-code.js';

const ROWS: readonly Row[] = [
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
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r6 = *(u8 *)(r1 + 206)
     3: r2 = 5
     4: call g
     5: w0 = w0
     6: w0 += w6
L1:
     7: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r2 = *(u64 *)(r1 + 200)
     3: r0 = *(u8 *)(r1 + 206)
     4: w0 += w2
     5: r1 = 9
     6: r1 += r2
     7: w1 = w1
     8: w0 += w1
L1:
     9: exit`,
  },
  {
    name: 'a constant that a test tells of is not written again',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 4 v0 + 24
  v2 = const i32 5
  v3 = eq v1, v2
  v4 = load.pointer i32 4 v0 + 28
  v5 = const i32 9
  v6 = lt_u v4, v5
  br_if v3, b2, b1
b1:
  br_if v6, b3, b4
b2:
  return v2
b3:
  return v1
b4:
  return v5
}`,
    want: `
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r0 = *(u32 *)(r1 + 24)
     3: r1 = *(u32 *)(r1 + 28)
     4: if r0 == 5 goto L1
     5: if r1 < 9 goto L1
     6: r0 = 9
L1:
     7: exit`,
  },
  {
    name: 'one that a test denies is',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 4 v0 + 24
  v2 = const i32 5
  v3 = ne v1, v2
  v4 = load.pointer i32 4 v0 + 28
  v5 = const i32 9
  v6 = lt_u v4, v5
  br_if v3, b2, b1
b1:
  br_if v6, b3, b4
b2:
  return v2
b3:
  return v1
b4:
  return v5
}`,
    want: `
     0: r0 = 240
     1: if r1 == 0 goto L2
     2: r0 = *(u32 *)(r1 + 24)
     3: r1 = *(u32 *)(r1 + 28)
     4: if r0 == 5 goto L1
     5: r0 = 5
     6: goto L2
L1:
     7: if r1 < 9 goto L2
     8: r0 = 9
L2:
     9: exit`,
  },
  {
    name: 'a test that fails tells of the constant it asked against',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 4 v0 + 24
  v2 = const i32 5
  v3 = ne v1, v2
  v4 = load.pointer i32 4 v0 + 28
  v5 = const i32 9
  v6 = lt_u v4, v5
  br_if v3, b1, b2
b1:
  br_if v6, b3, b4
b2:
  return v2
b3:
  return v1
b4:
  return v5
}`,
    want: `
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r0 = *(u32 *)(r1 + 24)
     3: r1 = *(u32 *)(r1 + 28)
     4: if r0 == 5 goto L1
     5: if r1 < 9 goto L1
     6: r0 = 9
L1:
     7: exit`,
  },
  {
    name: 'one that fails denies the constant it asked for',
    ir: `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 4 v0 + 24
  v2 = const i32 5
  v3 = eq v1, v2
  v4 = load.pointer i32 4 v0 + 28
  v5 = const i32 9
  v6 = lt_u v4, v5
  br_if v3, b1, b2
b1:
  br_if v6, b3, b4
b2:
  return v2
b3:
  return v1
b4:
  return v5
}`,
    want: `
     0: r0 = 240
     1: if r1 == 0 goto L2
     2: r0 = *(u32 *)(r1 + 24)
     3: r1 = *(u32 *)(r1 + 28)
     4: if r0 != 5 goto L1
     5: if r1 < 9 goto L2
     6: r0 = 9
     7: goto L2
L1:
     8: r0 = 5
L2:
     9: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L4
     2: r0 = *(u8 *)(r1 + 206)
     3: r3 = *(u8 *)(r1 + 207)
     4: r2 = 0
L1:
     5: may_goto L2
     6: w2 += 1
     7: if r2 >= 5 goto L3
     8: r1 = r0
     9: r0 = r3
    10: r3 = r1
    11: goto L1
L2:
    12: r0 = 241
    13: goto L4
L3:
    14: w0 -= w3
L4:
    15: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r1 = *(u8 *)(r1 + 206)
     3: if r1 == 6 goto L1
     4: r0 = 241
L1:
     5: exit`,
  },
];

const test = rowSuite('lower-flow', ROWS);

test('without may_goto in the kernel the hint is nothing', () => {
  const loop = ROWS.find((row) => row.mayGoto === true)?.ir ?? '';
  assert.not.match(codeOf(loop, false), /may_goto|241/);
});

test.run();
