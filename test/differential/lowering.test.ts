/**
 * Lowered code does what the IR says: random functions run by the IR evaluator and by the kernel.
 * A difference prints the seed and the function.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION } from '../../compiler/abi/index.js';
import { evaluate, type Func, type Image, type Module, print } from '../../compiler/ir/index.js';
import { allocateRegisters } from '../../compiler/lower/allocate/allocate-registers.js';
import { checkAllocation } from '../../compiler/lower/allocate/check-allocation.js';
import type { LowerOptions } from '../../compiler/lower/index.js';
import { mergeChains } from '../../compiler/lower/select/merge-chains.js';
import { selectInstructions } from '../../compiler/lower/select/select-instructions.js';
import { type Kernel, openKernel } from '../../runtime/kernel/index.js';
import { Prng } from '../support/prng.js';
import { compileHook, loadBatch, makeBatch, runEntry } from './kernel-batch.js';
import { randomFunction, type Subprogram } from './random-function.js';

const SEED = Number(process.env['WEFT_SEED'] ?? 20261121);
const BATCHES = Number(process.env['WEFT_BATCHES'] ?? 20);
const FUNCTIONS = 50;
const INPUTS = 4;

const test = suite('lowering');
let kernel: Kernel;
let hook: Uint8Array;
test.before(() => {
  kernel = openKernel();
  hook = compileHook();
});

function randomModule(random: Prng): Module {
  const images: Image[] = [96, 200].map((length, i) => ({
    name: `t_image${i}`,
    align: 8,
    bytes: random.bytes(length),
  }));
  const callees: Subprogram[] = [
    { name: 'sub0', params: ['i32'] },
    { name: 'sub1', params: ['i64', 'i32', 'i64'] },
  ];
  const subprograms = callees.map(({ name, params }) =>
    randomFunction(random, { name, kind: 'internal', params, images, callees: [], depth: 1 }),
  );
  const entries = Array.from({ length: FUNCTIONS }, (_, i) => {
    const depth = random.below(3);
    const name = `f${i}`;
    return randomFunction(random, { name, kind: 'entry', params: [], images, callees, depth });
  });
  return {
    name: 'random',
    functions: [...subprograms, ...entries],
    images,
    positions: [],
    externs: [],
  };
}

function randomConnection(random: Prng): Uint8Array {
  const bytes = random.chance(30)
    ? Uint8Array.from({ length: CONNECTION.size }, () => random.pick([0, 1, 255, 128, 127]))
    : random.bytes(CONNECTION.size);
  bytes.fill(0, CONNECTION.zero, CONNECTION.zero + 8);
  return bytes;
}

function expected(module: Module, func: Func, which: number, connection: Uint8Array): number {
  const bytes = connection.slice();
  new DataView(bytes.buffer).setUint32(CONNECTION.random, which, true);
  return Number(evaluate(module, func.name, { pointers: [bytes] }).value & 0xffffffffn);
}

function compareBatch(seed: number, options: LowerOptions): void {
  const random = new Prng(seed);
  const module = randomModule(random);
  const { entries, object } = makeBatch(module, options);
  assert.ok(entries.length > FUNCTIONS / 2, `seed ${seed} leaves ${entries.length} functions`);
  using loaded = loadBatch(kernel, hook, object);
  for (const [which, func] of entries.entries()) {
    for (let i = 0; i < INPUTS; i++) {
      const connection = randomConnection(random);
      const want = expected(module, func, which, connection);
      const have = runEntry(loaded, which, connection);
      if (have === want) continue;
      const text = print({ ...module, functions: [func] });
      assert.unreachable(`seed ${seed} ${func.name}: kernel ${have}, evaluator ${want}\n${text}`);
    }
  }
}

for (let batch = 0; batch < BATCHES; batch++) {
  const mayGoto = batch % 2 === 1;
  test(`batch ${batch}: ${FUNCTIONS} functions${mayGoto ? ' with may_goto' : ''}`, () => {
    compareBatch(SEED + batch, { mayGoto });
  });
}

// Where it is not needed, it is right as well.
for (let batch = 0; batch < BATCHES; batch += 5) {
  test(`batch ${batch}, fields read again wherever they are used`, () => {
    compareBatch(SEED + batch, { mayGoto: batch % 2 === 1, readAgainAbove: -1 });
  });
}

test('every allocation of a quarter of them is proven', () => {
  for (let batch = 0; batch < BATCHES; batch += 4) {
    const module = randomModule(new Prng(SEED + batch));
    for (const func of module.functions) {
      const lir = selectInstructions(func, { mayGoto: false });
      mergeChains(lir);
      const before = structuredClone(lir);
      allocateRegisters(lir);
      assert.equal(checkAllocation(before, lir), [], `seed ${SEED + batch} ${func.name}`);
    }
  }
});

test.run();
