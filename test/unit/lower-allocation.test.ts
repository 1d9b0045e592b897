/** The allocation checker: right allocations pass it, and every kind of mistake is found. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from '../../compiler/ir/index.js';
import { allocateRegisters } from '../../compiler/lower/allocate/allocate-registers.js';
import { checkAllocation } from '../../compiler/lower/allocate/check-allocation.js';
import { defsOf, mov, R0, R3, R9, type Reg, renameInsn } from '../../compiler/lower/asm/index.js';
import type { LirFunc } from '../../compiler/lower/lir.js';
import { sequence } from '../../compiler/lower/select/parallel-copies.js';
import { selectInstructions } from '../../compiler/lower/select/select-instructions.js';
import { randomFunction } from '../differential/random-function.js';
import { Prng } from '../support/prng.js';

const test = suite('lower-allocation');

const SOURCE = `module "m"
extern g(ptr, i32) -> i64
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 1 v0 + 206
  v2 = load.pointer i32 4 v0 + 0
  v3 = call i64 g(v0, v2)
  v4 = wrap v3
  v5 = add i32 v4, v1
  v6 = sub i32 v5, v2
  return v6
}
`;

function allocated(): { before: LirFunc; after: LirFunc } {
  const [func] = parse(SOURCE).functions;
  if (func === undefined) throw new Error('no function');
  const after = selectInstructions(func, { mayGoto: false });
  const before = structuredClone(after);
  allocateRegisters(after);
  return { before, after };
}

test('a right allocation has no problems', () => {
  const { before, after } = allocated();
  assert.equal(checkAllocation(before, after), []);
});

test('every single renamed definition is found', () => {
  const { after: sample } = allocated();
  let tried = 0;
  for (const [b, block] of sample.blocks.entries()) {
    for (const [s, { insn }] of block.steps.entries()) {
      const [def] = defsOf(insn);
      // The result of a call is in R0 whatever the allocator says.
      if (def === undefined || insn.op === 'call') continue;
      const { before, after } = allocated();
      const steps = after.blocks[b]?.steps ?? [];
      const step = steps[s];
      if (step === undefined) continue;
      const other: Reg = def === R9 ? R3 : R9;
      steps[s] = { ...step, insn: renameInsn(insn, (reg) => (reg === def ? other : reg)) };
      tried++;
      assert.ok(checkAllocation(before, after).length > 0, `block ${b} step ${s}`);
    }
  }
  assert.ok(tried >= 6);
});

test('a lost instruction, a new one, and a value in a clobbered register are found', () => {
  const lost = allocated();
  lost.after.blocks.at(-1)?.steps.pop();
  for (const block of lost.after.blocks)
    block.steps = block.steps.filter((s) => s.insn.op !== 'call');
  assert.match(checkAllocation(lost.before, lost.after).join(), /became/);

  const added = allocated();
  for (const block of added.after.blocks) {
    block.steps = [...block.steps, { insn: mov.imm(R0, 5), loc: null }];
  }
  assert.match(checkAllocation(added.before, added.after).join(), /is new/);

  const clobbered = allocated();
  for (const block of clobbered.after.blocks) {
    const rename = (reg: Reg): Reg => (reg >= 6 && reg <= 9 ? R3 : reg);
    block.steps = block.steps.map((step) => ({ ...step, insn: renameInsn(step.insn, rename) }));
  }
  assert.ok(checkAllocation(clobbered.before, clobbered.after).length > 0);
});

test('swapped stack slots are found', () => {
  const random = new Prng(3);
  let found = 0;
  for (let i = 0; i < 20; i++) {
    const shape = {
      name: 'f',
      kind: 'entry',
      params: [],
      images: [],
      callees: [],
      depth: 2,
    } as const;
    const after = selectInstructions(randomFunction(random, shape), { mayGoto: false });
    const before = structuredClone(after);
    if (allocateRegisters(after).bytes < 16) continue;
    assert.equal(checkAllocation(before, after), []);
    for (const block of after.blocks) {
      block.steps = block.steps.map((step) =>
        'slot' in step && step.insn.op === 'load' ? { ...step, slot: 0 } : step,
      );
    }
    if (checkAllocation(before, after).length > 0) found++;
  }
  assert.ok(found > 0);
});

test('parallel copies keep every value, cycles too', () => {
  const random = new Prng(1);
  for (let i = 0; i < 200; i++) {
    const copies = Array.from({ length: 6 }, (_, n) => ({
      dst: (n + 16) as Reg,
      src: (random.below(8) + 16) as Reg,
    }));
    let fresh = 100;
    const state = new Map<number, number>();
    const read = (reg: number): number => state.get(reg) ?? reg;
    for (const { dst, src } of sequence(copies, () => fresh++ as Reg)) state.set(dst, read(src));
    for (const { dst, src } of copies) assert.is(read(dst), src);
  }
});

test.run();
