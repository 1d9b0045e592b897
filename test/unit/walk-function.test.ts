/** What a verifier goes through: counts of code whose walk is known. */
import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION_HOOK, REQUEST_HOOK, REQUEST_HOOK_BASE } from '../../compiler/check-verified.js';
import type { Type } from '../../compiler/ir/types.js';
import {
  add,
  address,
  alu,
  branch,
  type Code,
  call,
  exit,
  type Insn,
  type InsnIndex,
  type JumpKind,
  jump,
  type Label,
  load,
  mayGoto,
  mov,
  R0,
  R1,
  R2,
  R3,
  R6,
  R7,
  R8,
  type Reg,
} from '../../compiler/lower/asm/index.js';
import { walkFunction } from '../../compiler/lower/walk/walk-function.js';
import { parseCounts } from '../kernels/counts.js';

const test = suite('a walk of a verifier');

/** Code with labels where numbers stand between the instructions. */
function codeOf(parts: readonly (Insn | number)[]): Code {
  const insns: Insn[] = [];
  const labels = new Map<Label, InsnIndex>();
  for (const part of parts) {
    if (typeof part === 'number') labels.set(part as Label, insns.length as InsnIndex);
    else insns.push(part);
  }
  return { insns, labels };
}
const IMAGE = new Map([['image', new Uint8Array(4096).fill(7, 16)]]);
function walk(
  parts: readonly (Insn | number)[],
  params: readonly Type[] = ['i64', 'i64'],
  isOld = false,
): ReturnType<typeof walkFunction> {
  return walkFunction({ code: codeOf(parts), params, images: IMAGE, isOld, limit: 100_000 });
}
/** As verifiers count before 6.9, and since. */
const oldAndNew = (parts: readonly (Insn | number)[]): readonly number[] =>
  [true, false].map((isOld) => walk(parts, ['i64', 'i64'], isOld).instructions);
const count = (...input: Parameters<typeof walk>): number => walk(...input).instructions;
const when = (kind: JumpKind, left: Reg, imm: number, to: number): Insn =>
  branch({ kind, width: 64, left, right: { imm } }, to as Label);

/** R0 gets a bit for each of the first bits of R1. */
const flags = (bits: number): (Insn | number)[] => [
  mov.imm(R0, 0),
  ...Array.from({ length: bits }, (_, i) => [
    when('set', R1, 1 << i, i + 1),
    alu('or', 64, R0, { imm: 1 << i }),
    i + 1,
  ]).flat(),
];
const indexed = [address(R3, 'image', 0), add.reg(R3, R0), load(1, R0, R3, 0)];

test('each instruction once', () => {
  assert.is(count([mov.imm(R0, 1), add.imm(R0, 2), exit()]), 3);
});

test('ways that know differently what nothing needs meet', () => {
  assert.ok(count([...flags(10), exit()]) < 100, `${count([...flags(10), exit()])}`);
});

test('ways that know differently where a load goes do not', () => {
  const walked = count([...flags(10), ...indexed, exit()]);
  assert.ok(walked > 1024 * 4, `${walked}`);
  assert.ok(walked < 1024 * 8, `${walked}`);
});

/** So many choices that nothing depends on. */
const idle = (bits: number): (Insn | number)[] => [
  mov.imm(R6, 0),
  ...Array.from({ length: bits }, (_, i) => [
    when('set', R2, 1 << i, 50 + i),
    add.imm(R6, 1),
    50 + i,
  ]).flat(),
];
const still = Array.from({ length: 10 }, () => mov.imm(R6, 1));

test('what a met state had to know, the ways that meet it have to know too', () => {
  const walked = count([...flags(6), ...idle(6), ...indexed, exit()]);
  assert.ok(walked > 64 * 16, `${walked}`);
  const met = count([...flags(6), ...idle(6), exit()]);
  assert.ok(met < 100, `${met}`);
});

test('what a number was made of has to be known where the number has to be', () => {
  const doubled = alu('lsh', 64, R0, { imm: 1 });
  const walked = count([...flags(6), ...still, doubled, ...still, ...indexed, exit()]);
  assert.ok(walked > 64 * 25, `${walked}`);
  const other = mov.imm(R0, 2);
  const met = count([...flags(6), ...still, other, ...still, ...indexed, exit()]);
  assert.ok(met < 200, `${met}`);
});

test('nor those that know differently what a later branch depends on', () => {
  const walked = count([...flags(8), when('gt', R0, 100, 99), mov.imm(R0, 1), 99, exit()]);
  assert.ok(walked > 256 * 3, `${walked}`);
});

test('a test that is decided has one way', () => {
  const code = [
    mov.imm(R2, 3),
    when('gt', R2, 5, 1),
    mov.imm(R0, 0),
    exit(),
    1,
    mov.imm(R0, 1),
    exit(),
  ];
  assert.is(count(code), 4);
  const left = [
    mov.imm(R0, 0),
    when('gt', R1, 9, 1),
    when('gt', R1, 20, 1),
    add.imm(R0, 1),
    1,
    exit(),
  ];
  // The second test is decided where the first one failed.
  assert.is(count(left), 5 + 1);
});

test('what an image holds at a known place is known', () => {
  const read = (at: number): number =>
    count([
      address(R3, 'image', at),
      load(1, R2, R3, 0),
      mov.imm(R0, 0),
      when('eq', R2, 7, 1),
      ...Array.from({ length: 20 }, () => add.imm(R0, 1)),
      1,
      exit(),
    ]);
  assert.is(read(16), 5);
  assert.is(read(0), 25);
});

test('a loop whose end only constants tell is walked turn by turn', () => {
  const loop = (turns: number): number =>
    count([mov.imm(R6, 0), 1, add.imm(R6, 1), mov.imm(R0, 0), when('lt', R6, turns, 1), exit()]);
  assert.is(loop(64), 1 + 3 * 64 + 1);
  assert.is(loop(1024), 1 + 3 * 1024 + 1);
});

test('one that may_goto ends is walked until nothing is new', () => {
  const walked = count([
    mov.imm(R0, 0),
    1,
    mayGoto(2 as Label),
    add.reg(R0, R1),
    jump(1 as Label),
    2,
    exit(),
  ]);
  assert.ok(walked < 20, `${walked}`);
});

test('a parameter that points may be null once', () => {
  const code = [
    mov.imm(R0, 0),
    when('eq', R1, 0, 1),
    load(8, R0, R1, 0),
    when('eq', R1, 0, 1),
    1,
    exit(),
  ];
  assert.is(count(code, ['ptr']), 5 + 1);
});

test('the place that is walked most, and the ways that are kept', () => {
  const { most, kept } = walk([...flags(10), ...indexed, exit()]);
  assert.ok(most > 15, `${most}`);
  assert.is(kept, 10);
});

/** R6 of 0 to 31 against R1 of 0 to 63, twice a turn. */
const counted = (test: Insn): (Insn | number)[] => [
  alu('and', 64, R1, { imm: 63 }),
  mov.imm(R6, 0),
  mov.imm(R0, 0),
  1,
  test,
  test,
  add.imm(R0, 1),
  2,
  add.imm(R6, 1),
  when('lt', R6, 32, 1),
  exit(),
];

test('a counter on the left of a test tells verifiers before 6.9 nothing, on the right it does', () => {
  const [left, right] = [
    branch({ kind: 'ge', width: 64, left: R6, right: { reg: R1 } }, 2 as Label),
    branch({ kind: 'le', width: 64, left: R1, right: { reg: R6 } }, 2 as Label),
  ].map((test) => oldAndNew(counted(test)));
  assert.is(right?.[0], right?.[1]);
  assert.is(left?.[1], right?.[1]);
  assert.ok(Number(left?.[0]) > Number(left?.[1]), `${left}`);
});

const END = 9;
/** Twenty instructions that are walked where a way goes on. */
const behind = (...parts: (Insn | number)[]): (Insn | number)[] => [
  mov.imm(R0, 0),
  ...parts,
  ...Array.from({ length: 20 }, () => add.imm(R0, 1)),
  END,
  exit(),
];

test('what a number of a range cannot equal is asked again by verifiers before 6.9', () => {
  const code = behind(alu('and', 64, R1, { imm: 7 }), when('ne', R1, 100, END));
  assert.equal(oldAndNew(code), [24 + 1, 4]);
});

test('what they are told by a test that cannot hold is what the test says', () => {
  const cannot = behind(
    alu('and', 64, R1, { imm: 7 }),
    when('eq', R1, 100, 1),
    exit(),
    1,
    when('eq', R1, 100, END),
  );
  assert.equal(oldAndNew(cannot), [6, 4]);
  const above = behind(
    when('gt', R1, 7, END),
    branch({ kind: 'gt', width: 64, left: R1, right: { reg: R2 } }, 1 as Label),
    exit(),
    1,
    when('le', R1, 7, END),
  );
  assert.equal(oldAndNew(above), [6 + 1, 6 + 1]);
});

test('of two numbers that are not known they make anything, but of sums, differences and masks', () => {
  const made = (kind: 'or' | 'and' | 'add'): (Insn | number)[] =>
    behind(
      alu('and', 64, R1, { imm: 7 }),
      alu('and', 64, R2, { imm: 7 }),
      alu(kind, 64, R1, { reg: R2 }),
      when('le', R1, 14, END),
    );
  assert.equal(oldAndNew(made('or')), [26 + 1, 6]);
  assert.equal(oldAndNew(made('and')), [6, 6]);
  assert.equal(oldAndNew(made('add')), [6, 6]);
});

test('a copy of the half that a number has is a number of its own for them', () => {
  const code = behind(
    alu('and', 64, R1, { imm: 255 }),
    alu('mov', 32, R2, { reg: R1 }),
    when('gt', R2, 9, END),
    when('le', R1, 9, END),
  );
  assert.equal(oldAndNew(code), [28, 7]);
  const whole = behind(
    alu('and', 64, R1, { imm: 255 }),
    mov.reg(R2, R1),
    when('gt', R2, 9, END),
    when('le', R1, 9, END),
  );
  assert.equal(oldAndNew(whole), [6 + 1, 6 + 1]);
});

test('on their way back from what has to be known they give up at a call, and need all', () => {
  // R6 and R0 differ on both ways; what is loaded needs R6, and nothing R7.
  const code = (...between: Insn[]): (Insn | number)[] => [
    mov.reg(R8, R2),
    alu('and', 64, R1, { imm: 3 }),
    mov.reg(R6, R1),
    mov.imm(R7, 0),
    when('eq', R8, 1, 1),
    mov.imm(R7, 5),
    1,
    ...still,
    when('eq', R8, 2, 2),
    2,
    ...between,
    address(R3, 'image', 0),
    add.reg(R3, R6),
    load(1, R0, R3, 0),
    ...Array.from({ length: 20 }, () => add.imm(R7, 1)),
    exit(),
  ];
  const [called, plain] = [code(call('other', 0)), code(mov.imm(R0, 0))].map(oldAndNew);
  assert.is(plain?.[0], plain?.[1]);
  assert.is(called?.[1], plain?.[1]);
  assert.ok(Number(called?.[0]) > Number(called?.[1]) + 20, `${called}`);
});

test('hooks take no more of a program than is left for them', () => {
  const folder = 'test/kernels';
  for (const file of readdirSync(folder).filter((name) => /^\d.*\.txt$/.test(name))) {
    const { counts, maker } = parseCounts(readFileSync(`${folder}/${file}`, 'utf8'));
    const most = maker.mayGoto ? REQUEST_HOOK : REQUEST_HOOK_BASE;
    for (const [key, whole] of counts) {
      const [object = '', program] = key.split(' ');
      // Kernels that have may_goto do not load the other form.
      if (maker.mayGoto && object.endsWith(':base')) continue;
      const of = (harness: string): number => counts.get(`${object}:${harness}`) ?? 0;
      if (program === 'weft_request') {
        const hook = whole - of('request-harness weft_test_request');
        assert.ok(hook <= most, `${file}: ${key}: ${hook}`);
      } else if (/^weft_(connect|sendmsg)[46]$|^weft_ingress$/.test(program ?? '')) {
        const hook = whole - of('harness weft_test_policy');
        assert.ok(hook <= CONNECTION_HOOK, `${file}: ${key}: ${hook}`);
      }
    }
  }
});

test.run();
