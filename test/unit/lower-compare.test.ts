/** What compares and the branches on them become: the whole code of small functions. */
import { type Row, rowSuite } from '../support/lower-code.js';

/** A loop that counts from 0 to a number that it reads. */
const COUNTED = `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 2 v0 + 204
  v2 = const i32 0
  v3 = const i32 1
  br b1(v2)
b1(v4: i32):
  v5 = lt_u v4, v1
  br_if v5, b2, b3
b2:
  v6 = add i32 v4, v3
  br b1(v6)
b3:
  return v4
}`;

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
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r2 = *(u16 *)(r1 + 204)
     3: r0 = 2
     4: if r2 != 443 goto L1
     5: r1 = *(u32 *)(r1 + 24)
     6: if r1 != 5 goto L1
     7: r0 = 257
L1:
     8: exit`,
  },
  {
    name: 'a counter on the left goes to the right, for verifiers that ask there',
    ir: COUNTED,
    want: `
     0: r0 = 240
     1: if r1 == 0 goto L3
     2: r1 = *(u16 *)(r1 + 204)
     3: r0 = 0
L1:
     4: if r1 > r0 goto L2
     5: goto L3
L2:
     6: w0 += 1
     7: goto L1
L3:
     8: exit`,
  },
  {
    name: 'with may_goto it stays, since newer ones ask both sides',
    ir: COUNTED,
    mayGoto: true,
    want: `
     0: r0 = 240
     1: if r1 == 0 goto L2
     2: r1 = *(u16 *)(r1 + 204)
     3: r0 = 0
L1:
     4: if r0 >= r1 goto L2
     5: w0 += 1
     6: goto L1
L2:
     7: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r1 = *(u16 *)(r1 + 204)
     3: r0 = 1
     4: if r1 > 1024 goto L1
     5: r0 = 2
L1:
     6: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L2
     2: r2 = *(u16 *)(r1 + 204)
     3: r1 = *(u8 *)(r1 + 206)
     4: if r2 == 443 goto L1
     5: r0 = 2
     6: if r2 != 80 goto L2
L1:
     7: r0 = 1
     8: if r1 == 6 goto L2
     9: r0 = 2
L2:
    10: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r1 = *(u16 *)(r1 + 204)
     3: r0 = 1
     4: if r1 < 443 goto L1
     5: r0 = 0
L1:
     6: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r1 = *(u16 *)(r1 + 204)
     3: r0 = 7
     4: if r1 < 443 goto L1
     5: r0 = r1
L1:
     6: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r1 = *(u64 *)(r1 + 176)
     3: r0 = 1
     4: if r1 & 4 goto L1
     5: r0 = 2
L1:
     6: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L2
     2: r1 = *(u32 *)(r1 + 0)
     3: if w1 s>= -1 goto L1
     4: r0 = 1
     5: if r1 < 9 goto L2
L1:
     6: r0 = 1
     7: if w1 == -2147483648 goto L2
     8: r0 = 2
L2:
     9: exit`,
  },
];

const test = rowSuite('lower-compare', ROWS);

test.run();
