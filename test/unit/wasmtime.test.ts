/** Wasmtime as the engine of the simulator: what V8 answers, and no answer at all where it is not there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION, type ExportName } from '../../compiler/abi/index.js';
import {
  type Ask,
  createEngine,
  createSimulator,
  type EngineAnswer,
  isSimulateError,
  readRecord,
  wasmtimePolicies,
} from '../../runtime/simulate/index.js';
import { findWasmtime, WasmtimeError } from '../../runtime/wasmtime/index.js';
import { WASMTIME } from '../support/engines.js';
import { fixtureWorld } from '../support/fixture-world.js';
import { manifestOf, policyEntry, wat, watString } from '../support/wat-bundle.js';

const test = suite('wasmtime');

const ANSWER = 'func (export "authorizeConnection") (param i32) (result i32)';
const TRAP = `(module (${ANSWER} (i32.div_u (i32.const 1) (local.get 0))))`;
const OUTSIDE = `(module (memory (export "memory") 1) (${ANSWER} (i32.load (i32.const 65534))))`;
const SPIN = `(module (${ANSWER} (loop $again (br $again)) (unreachable)))`;
const FUEL = `(module
  (import "weft" "out_of_fuel" (func $out))
  (global $fuel (export "fuel") (mut i32) (i32.const 0))
  (${ANSWER}
    (loop $again
      (if (i32.eqz (global.get $fuel)) (then (call $out)))
      (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
      (br $again))
    (unreachable)))`;
/** Every kind of operand and result; an answer is a site and a verdict. */
const FIELDS = `(module
  (import "weft" "destination_port" (func $port (result i32)))
  (import "weft" "now" (func $now (result i64)))
  (import "weft" "attribute" (func $attribute (param i32 i32) (result i32)))
  (import "weft" "symbol" (func $symbol (param i32) (result i32)))
  (import "weft" "table_get" (func $get (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  ${watString(1028, 'prod')}
  (${ANSWER}
    (i32.or (i32.const 1)
      (i32.shl
        (i32.add (call $port)
          (i32.add (i32.wrap_i64 (i64.shr_u (call $now) (i64.const 32)))
            (i32.add (i32.eq (call $attribute (i32.const 0) (i32.const 0)) (call $symbol (i32.const 1028)))
              (call $get (i32.const 0) (i64.const -9) (i32.const 4)))))
        (i32.const 8)))))`;
/** Counts its decisions in memory and in a global, and must be set back behind each. */
const COUNTS = `(module
  (memory (export "memory") 1)
  (global $n (export "state:0") (mut i32) (i32.const 0))
  (global $long (export "state:1") (mut i64) (i64.const 5))
  (${ANSWER}
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (global.set $long (i64.add (global.get $long) (i64.const 1)))
    (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1)))
    (i32.or (i32.const 1) (i32.shl
      (i32.add (i32.add (global.get $n) (i32.load (i32.const 8))) (i32.wrap_i64 (global.get $long)))
      (i32.const 8)))))`;

const TABLE = { name: 't', keyKind: 'integer', entries: [['-9', 70]] } as const;

function connections(count: number): Uint8Array {
  const bytes = new Uint8Array(count * CONNECTION.size);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i += 1) {
    const at = i * CONNECTION.size;
    view.setUint16(at + CONNECTION.destinationPort, 80 + i, true);
    view.setBigUint64(at + CONNECTION.now, BigInt(i) << 33n, true);
    view.setBigUint64(at + CONNECTION.policies, 1n, true);
  }
  return bytes;
}

/** The answers of V8 and of Wasmtime. */
function both(
  text: string,
  { exports = ['authorizeConnection'] as readonly ExportName[], ask = 'authorize' as Ask } = {},
): readonly EngineAnswer[] {
  const policies = [policyEntry(0, 'p', { exports, tables: [TABLE] })];
  const attributes = [{ side: 'source', attribute: 'namespace', key: null, slot: 0 }] as const;
  const manifest = manifestOf({ policies, symbols: ['prod'], attributes: [...attributes] });
  const setup = { manifest, wasm: [['p', wat(text)]] as const, symbols: [] };
  using policiesInWasmtime = wasmtimePolicies(WASMTIME);
  return [createEngine(setup), createEngine(setup, policiesInWasmtime.start)].map((engine) =>
    engine.decide(connections(3), ask),
  );
}
const words = ({ records }: EngineAnswer): unknown =>
  [0, 1, 2].map((i) => readRecord(new DataView(records.buffer), i));

for (const [name, text] of Object.entries({ FIELDS, COUNTS, TRAP, OUTSIDE, FUEL })) {
  test(`${name.toLowerCase()}: the records of V8`, () => {
    const [v8, wasmtime] = both(text);
    if (v8 === undefined || wasmtime === undefined) throw new Error('an answer is missing');
    assert.equal(words(wasmtime), words(v8));
    const seen = (a: EngineAnswer): unknown => a.stops.map((s) => [s.index, s.policy, s.export]);
    assert.equal(seen(wasmtime), seen(v8));
  });
}

test('fields reach the policy, and what it keeps does not reach the next decision', () => {
  const sites = (text: string): unknown =>
    [0, 1, 2].map(
      (i) => readRecord(new DataView(both(text)[1]?.records.buffer as ArrayBuffer), i).site,
    );
  assert.equal(sites(FIELDS), [150, 153, 156]);
  assert.equal(sites(COUNTS), [8, 8, 8]);
});

test('stops are told in its own words, fuel in ours', () => {
  assert.match(both(TRAP)[1]?.stops[0]?.message ?? '', 'integer divide by zero');
  assert.match(both(OUTSIDE)[1]?.stops[0]?.message ?? '', 'out of bounds');
  assert.is(both(FUEL)[1]?.stops[0]?.message, 'out of fuel');
});

test('a module without fuel that never ends is a trap', () => {
  using policies = wasmtimePolicies(WASMTIME);
  const manifest = manifestOf({ policies: [policyEntry(0, 'p', {})] });
  const engine = createEngine({ manifest, wasm: [['p', wat(SPIN)]], symbols: [] }, policies.start);
  const { records, stops } = engine.decide(connections(1), 'authorize');
  assert.is(readRecord(new DataView(records.buffer), 0).verdict, 2);
  assert.match(stops[0]?.message ?? '', 'all fuel consumed');
});

test('the simulator runs it in its thread, and a bad module is S001', async () => {
  const manifest = manifestOf({ policies: [policyEntry(0, 'p', {})] });
  const options = { world: fixtureWorld(), wasmtime: WASMTIME };
  {
    await using simulator = await createSimulator(
      { manifest, wasm: new Map([['p', wat(TRAP)]]) },
      options,
    );
    const { stops } = await simulator.decidePolicy(connections(2), 'authorize');
    assert.match(stops[1]?.message ?? '', 'integer divide by zero');
  }
  try {
    await createSimulator({ manifest, wasm: new Map([['p', Uint8Array.of(1)]]) }, options);
    assert.unreachable();
  } catch (error) {
    assert.ok(isSimulateError(error) && error.code === 'SIMULATE_MODULE');
  }
});

const refusal = async (step: () => unknown): Promise<WasmtimeError> => {
  try {
    await step();
  } catch (error) {
    if (error instanceof WasmtimeError) return error;
    throw error;
  }
  throw new Error('it was not refused');
};

test('the library is what is named, else the variable, else nothing (S003)', async () => {
  const env = { WEFT_WASMTIME: WASMTIME, PATH: '' };
  assert.is(findWasmtime(null, env), WASMTIME);
  assert.is(findWasmtime(WASMTIME, { WEFT_WASMTIME: '/nowhere', PATH: '' }), WASMTIME);
  const missing = await refusal(() => findWasmtime('/nowhere/lib.so', env));
  assert.is(missing.code, 'S003');
  assert.match(missing.message, '/nowhere/lib.so');
  assert.match(missing.remedy, 'pip install wasmtime');
  assert.match((await refusal(() => findWasmtime(null, { PATH: '' }))).message, 'not installed');
});

test('the library of the Python package is found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-python-'));
  try {
    const script = `#!/bin/sh\necho ${folder}\n`;
    writeFileSync(join(folder, 'python3'), script, { mode: 0o755 });
    const path = `${folder}:/usr/bin:/bin`;
    // What Python names is believed, and then must be there.
    assert.throws(() => findWasmtime(null, { PATH: path }), new RegExp(`${folder}/linux-`));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('another library is refused as none, and nothing else takes its place', async () => {
  const options = { world: fixtureWorld(), wasmtime: 'libc.so.6' };
  const manifest = manifestOf({ policies: [policyEntry(0, 'p', {})] });
  const bundle = { manifest, wasm: new Map([['p', wat(TRAP)]]) };
  const other = await refusal(() => createSimulator(bundle, options));
  assert.match(other.message, '`libc.so.6` is not a libwasmtime that can be used');
});

test.run();
