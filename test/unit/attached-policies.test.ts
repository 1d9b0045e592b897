/** Policies are asked by their bit, also by the bits above the 31st. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION, MAX_POLICIES, putPolicies } from '../../compiler/abi/index.js';
import { createEngine, readRecord } from '../../runtime/simulate/index.js';
import { manifestOf, policyEntry, wat } from '../support/wat-bundle.js';

const COUNT = MAX_POLICIES;
/** Allows at a site of its own. */
const answer = (index: number): Uint8Array =>
  wat(`(module (func (export "authorizeConnection") (param i32) (result i32)
    (i32.const ${((index + 1) << 8) | 1})))`);

const policies = Array.from({ length: COUNT }, (_, i) => policyEntry(i, `p${i}`, {}));
const wasm = policies.map(({ index, name }) => [name, answer(index)] as const);
const engine = createEngine({ manifest: manifestOf({ policies }), wasm, symbols: [] });

const test = suite('attached policies');
for (const bits of [
  [0],
  [31],
  [32],
  [33, 63],
  [63],
  [64],
  [65, 127],
  [127],
  [0, 32],
  [63, 64],
  [],
]) {
  test(`of policies ${bits.join(' and ') || 'none'}, the first decides`, () => {
    const bytes = new Uint8Array(CONNECTION.size);
    const mask = bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
    putPolicies(new DataView(bytes.buffer), CONNECTION.policies, mask);
    const { records } = engine.decide(bytes, 'authorize');
    const { site, verdict } = readRecord(new DataView(records.buffer), 0);
    assert.equal([site, verdict], bits[0] === undefined ? [0, 2] : [bits[0] + 1, 1]);
  });
}

test.run();
