/** What single IR operations become: the whole code of small functions. */
import { type Row, rowSuite } from '../support/lower-code.js';

const ROWS: readonly Row[] = [
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
    name: 'an index that is below the limit by how it is computed is not compared; one above is',
    ir: `
image t align 8 size 64 {
}
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 4 v0 + 200
  v2 = const i32 12
  v3 = lt_u v1, v2
  v13 = const i32 0
  v4 = select i32 v3, v1, v13
  v5 = const i32 2
  v6 = shl i32 v4, v5
  v7 = load.image i32 4 t v6 + 8 limit 44
  v8 = load.image i32 4 t v6 + 8 limit 43
  v9 = add i32 v7, v8
  v10 = const i32 7
  v11 = and i32 v9, v10
  v12 = load.image i32 1 t v11 + 0 limit 7
  return v12
}`,
    want: `
     0: r0 = 240
     1: if r1 == 0 goto L2
     2: r3 = *(u32 *)(r1 + 200)
     3: if r3 < 12 goto L1
     4: r3 = 0
L1:
     5: w3 <<= 2
     6: r1 = t + 8 ll
     8: r1 += r3
     9: r2 = *(u32 *)(r1 + 0)
    10: r0 = 240
    11: if r3 > 43 goto L2
    12: r1 = t + 8 ll
    14: r1 += r3
    15: r1 = *(u32 *)(r1 + 0)
    16: w2 += w1
    17: w2 &= 7
    18: r1 = t + 0 ll
    20: r1 += r2
    21: r0 = *(u8 *)(r1 + 0)
L2:
    22: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r2 = *(u8 *)(r1 + 206)
     3: if r2 > 52 goto L1
     4: r1 = t + 8 ll
     6: r1 += r2
     7: r0 = *(u32 *)(r1 + 0)
     8: r1 = t + 24 ll
    10: r1 = *(u32 *)(r1 + 0)
    11: w0 += w1
L1:
    12: exit`,
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
     0: r0 = 240
     1: if r1 == 0 goto L1
     2: r2 = *(u32 *)(r1 + 0)
     3: w2 -= 2147483647
     4: w2 &= -1
     5: if r2 > 60 goto L1
     6: r1 = t + 0 ll
     8: r1 += r2
     9: r0 = *(u32 *)(r1 + 0)
L1:
    10: exit`,
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
     0: r0 = 240
     1: if r2 == 0 goto L1
     2: *(u32 *)(r2 + 8) = -1
     3: *(u64 *)(r2 + 16) = 7
     4: r0 = 1
L1:
     5: exit`,
  },
];

const test = rowSuite('lower-select', ROWS);

test.run();
