/** Binary reader and writer: LEB128 vectors, sections, every part of a module, hostile input. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  encodeSigned,
  encodeU32,
  Reader,
  readModule,
  readSections,
  SECTION,
  withSection,
  writeSections,
} from '../../compiler/frontend/wasm/index.js';
import { assemble } from '../support/run-wasm.js';

const test = suite('wasm-read');

const U32: readonly (readonly [number, readonly number[]])[] = [
  [0, [0]],
  [127, [0x7f]],
  [128, [0x80, 1]],
  [624485, [0xe5, 0x8e, 0x26]],
  [0xffffffff, [0xff, 0xff, 0xff, 0xff, 0x0f]],
];
const S64: readonly (readonly [bigint, readonly number[]])[] = [
  [0n, [0]],
  [63n, [0x3f]],
  [64n, [0xc0, 0]],
  [-1n, [0x7f]],
  [-64n, [0x40]],
  [-65n, [0xbf, 0x7f]],
  [-123456n, [0xc0, 0xbb, 0x78]],
  [-(2n ** 63n), [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]],
];
test('LEB128 both ways', () => {
  for (const [value, bytes] of U32) {
    assert.equal(encodeU32(value), bytes);
    assert.is(new Reader(Uint8Array.from(bytes)).u32(), value);
  }
  for (const [value, bytes] of S64) {
    assert.equal(encodeSigned(BigInt.asUintN(64, value), 64), bytes);
    assert.is(new Reader(Uint8Array.from(bytes)).signed(64), BigInt.asUintN(64, value));
  }
});

const BAD_NUMBERS = [[], [0x80], [0xff, 0xff, 0xff, 0xff, 0x1f], [0x80, 0x80, 0x80, 0x80, 0x80, 0]];
for (const bytes of BAD_NUMBERS) {
  test(`u32 refuses [${bytes}]`, () => {
    assert.throws(() => new Reader(Uint8Array.from(bytes)).u32(), /end|long/);
  });
}
test('signed refuses what does not fit', () => {
  const wide = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x4f]);
  assert.throws(() => new Reader(wide).signed(32), /range/);
});

const MODULE = `(module
  (type $pair (func (param i64) (result i32 i32)))
  (import "weft" "now" (func $now (result i64)))
  (import "weft" "fixed" (global $fixed i32))
  (memory 2 4)
  (global $g (mut i64) (i64.const -5))
  (table 4 funcref) (elem (i32.const 2) $f $now)
  (data (i32.const 8) "abc") (data "passive")
  (func $f (export "f") (type $pair) (local i32 i64 i64)
    (block $b (result i32 i32) (br_table $b $b (i32.const 1) (i32.const 2) (i32.const 0)))
    (drop (f64.const 1.5)) (drop (i32.trunc_sat_f32_u (f32.const 2)))
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))`;

test('every part of a module', () => {
  const read = readModule(assemble(MODULE));
  if (!read.ok) throw new Error(read.fault.message);
  const m = read.value;
  assert.equal(
    m.imports.map((i) => [i.module, i.name, i.kind]),
    [
      ['weft', 'now', 'func'],
      ['weft', 'fixed', 'global'],
    ],
  );
  assert.is(m.importedFunctions, 1);
  assert.is(m.importedGlobals, 1);
  assert.equal(m.functions[1], { params: ['i64'], results: ['i32', 'i32'] });
  assert.equal(m.globals, [{ type: 'i64', mutable: true, init: 2n ** 64n - 5n }]);
  assert.equal(m.memory, { min: 2, max: 4 });
  assert.equal(
    [...(m.tables.get(0) ?? [])],
    [
      [2, 1],
      [3, 0],
    ],
  );
  assert.equal(
    m.data.map((d) => [d.at, new TextDecoder().decode(d.bytes)]),
    [
      [8, 'abc'],
      [null, 'passive'],
    ],
  );
  const [body] = m.bodies;
  // binaryen adds i32s for the tuple.
  assert.is(body?.locals.filter((type) => type === 'i64').length, 2);
  const ops = body?.instrs.map((i) => i.op) ?? [];
  for (const op of ['br_table', 'f64.const', 'i32.trunc_sat_f32_u', 'memory.fill', 'end']) {
    assert.ok(ops.includes(op), op);
  }
});

test('offsets are those of the opcode in the module', () => {
  const wasm = assemble(MODULE);
  const read = readModule(wasm);
  const fill = read.ok ? read.value.bodies[0]?.instrs.find((i) => i.op === 'memory.fill') : null;
  assert.equal([...wasm.subarray(fill?.pos, fill?.end)], [0xfc, 0x0b, 0]);
});

test('sections are written as they were read', () => {
  const wasm = assemble(MODULE);
  const read = readSections(wasm);
  if (!read.ok) throw new Error('malformed');
  assert.equal(writeSections(read.value), wasm);
  const start = withSection(read.value, SECTION.start, Uint8Array.from([0]));
  const ids = start.map((s) => s.id).filter((id) => id !== 0);
  assert.is(ids.indexOf(SECTION.start), ids.indexOf(SECTION.export) + 1);
  assert.is(withSection(start, SECTION.start, Uint8Array.from([1])).length, start.length);
});

test('every truncation and every changed byte is a fault or a module, never a crash', () => {
  const wasm = assemble(MODULE);
  for (let i = 0; i < wasm.length; i++) {
    assert.type(readModule(wasm.subarray(0, i)).ok, 'boolean');
    for (const byte of [0x7f, 0xff]) {
      const changed = Uint8Array.from(wasm);
      changed[i] = byte;
      assert.type(readModule(changed).ok, 'boolean');
    }
  }
  assert.not(readModule(wasm.subarray(0, wasm.length - 1)).ok);
});

const code = (body: readonly number[]): Uint8Array =>
  writeSections([
    { id: SECTION.type, name: null, offset: 0, bytes: Uint8Array.from([1, 0x60, 0, 0]) },
    { id: SECTION.function, name: null, offset: 0, bytes: Uint8Array.from([1, 0]) },
    {
      id: SECTION.code,
      name: null,
      offset: 0,
      bytes: Uint8Array.from([1, ...encodeU32(body.length + 1), 0, ...body]),
    },
  ]);
const FAULTS: readonly (readonly [string, readonly number[]])[] = [
  ['unknown opcode 0x27', [0x27, 0x0b]],
  ['simd instructions are not supported', [0xfd, 0x0c, 0x0b]],
  ['atomic instructions are not supported', [0xfe, 0x03, 0x00, 0x0b]],
  ['else without if', [0x05, 0x0b]],
  ['bytes after the end of a function', [0x0b, 0x01]],
  ['unexpected end', [0x02, 0x40, 0x0b]],
  ['unknown block type', [0x02, 0x05, 0x0b, 0x0b]],
];
for (const [message, body] of FAULTS) {
  test(`fault: ${message}`, () => {
    const read = readModule(code(body));
    assert.is(read.ok ? null : read.fault.message, message);
  });
}

test('nesting costs no stack', () => {
  const deep = 50_000;
  const body = [...Array(deep).fill([0x02, 0x40]).flat(), ...Array(deep + 1).fill(0x0b)];
  const read = readModule(code(body));
  assert.is(read.ok && read.value.bodies[0]?.instrs.length, 2 * deep + 1);
});

test.run();
