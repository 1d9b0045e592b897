/** Fuel injection: it stops loops and calls, keeps meaning, renumbers, and maps offsets back. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { injectFuel } from '../../compiler/frontend/fuel.js';
import { readModule } from '../../compiler/frontend/wasm/index.js';
import { assemble, instantiate, type WasmGlobalCell } from '../support/run-wasm.js';

const test = suite('wasm-fuel');

const LOOP = `(module
  (import "weft" "destination_port" (func $port (result i32)))
  (table 1 funcref) (elem (i32.const 0) $sum)
  (func $sum (export "sum") (param $n i32) (result i32) (local $s i32)
    (loop $again
      (local.set $s (i32.add (local.get $s) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.add (local.get $s) (call $port)))
  (func (export "twice") (result i32)
    (i32.add (call $sum (i32.const 2)) (call_indirect (param i32) (result i32) (i32.const 3) (i32.const 0)))))`;

interface Ran {
  readonly sum: (n: number) => number;
  readonly twice: () => number;
  readonly fuel: WasmGlobalCell;
}
function run(wasm: Uint8Array): Ran {
  return instantiate(wasm, {
    destination_port: () => 0,
    out_of_fuel: () => {
      throw new Error('fuel');
    },
  }) as unknown as Ran;
}

test('a run within the budget keeps its result and burns one a header and entry', () => {
  const ran = run(injectFuel(assemble(LOOP), 100).wasm);
  assert.is(ran.sum(4), 10);
  assert.is(ran.fuel.value, 95);
  assert.is(ran.twice(), 9);
});

test('a run beyond the budget stops', () => {
  const ran = run(injectFuel(assemble(LOOP), 5).wasm);
  assert.is(ran.sum(4), 10);
  assert.throws(() => ran.sum(1), /fuel/);
});

test('an import that is there is used', () => {
  const text = `(module (import "weft" "out_of_fuel" (func $out)) (func (export "f") (call $out)))`;
  const read = readModule(injectFuel(assemble(text), 1).wasm);
  assert.ok(read.ok && read.value.imports.length === 1);
});

test('offsets lead back to the same instruction, injected ones to their loop', () => {
  const wasm = assemble(LOOP);
  const fuelled = injectFuel(wasm, 100);
  const before = readModule(wasm);
  const after = readModule(fuelled.wasm);
  if (!before.ok || !after.ok) throw new Error('malformed');
  const old = new Map(before.value.bodies.flatMap((b) => b.instrs).map((i) => [i.pos, i.op]));
  const seen = new Set<number>();
  for (const instr of after.value.bodies.flatMap((b) => b.instrs)) {
    const from = fuelled.originalOffset(instr.pos);
    assert.ok(from !== null && old.has(from), `${instr.op} at ${instr.pos}`);
    if (old.get(from ?? 0) === instr.op) seen.add(from ?? 0);
  }
  assert.is(seen.size, old.size);
  assert.is(fuelled.originalOffset(0), null);
  assert.is(fuelled.originalOffset(fuelled.wasm.length + 5), null);
});

test.run();
