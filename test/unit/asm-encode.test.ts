/** Instructions as raw bytes (as llvm-objdump prints them), jumps, and what is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  add,
  address,
  alu,
  arsh,
  branch,
  call,
  decode,
  encode,
  exit,
  FP,
  type Insn,
  type InsnIndex,
  jump,
  type Label,
  lddw,
  load,
  lsh,
  mayGoto,
  mov,
  mov32,
  printCode,
  printInsn,
  R0,
  R1,
  R2,
  R6,
  R9,
  type Reg,
  store,
  toBigEndian,
  xchg,
} from '../../compiler/lower/asm/index.js';

const test = suite('asm');
const END = 7 as Label;

const ROWS: readonly { text: string; have: Insn; want: string }[] = [
  { text: 'r1 += 22', have: add.imm(R1, 22), want: '07 01 00 00 16 00 00 00' },
  { text: 'r2 = xchg_64(r1 + 8)', have: xchg(R1, 8, R2), want: 'db 21 08 00 e1 00 00 00' },
  { text: 'r1 += r2', have: add.reg(R1, R2), want: '0f 21 00 00 00 00 00 00' },
  { text: 'r9 = r6', have: mov.reg(R9, R6), want: 'bf 69 00 00 00 00 00 00' },
  { text: 'w9 = w6', have: mov32.reg(R9, R6), want: 'bc 69 00 00 00 00 00 00' },
  { text: 'w1 = -1', have: mov32.imm(R1, -1), want: 'b4 01 00 00 ff ff ff ff' },
  { text: 'r1 <<= 63', have: lsh.imm(R1, 63), want: '67 01 00 00 3f 00 00 00' },
  { text: 'r1 s>>= 8', have: arsh.imm(R1, 8), want: 'c7 01 00 00 08 00 00 00' },
  { text: 'w1 -= w2', have: alu('sub', 32, R1, { reg: R2 }), want: '1c 21 00 00 00 00 00 00' },
  { text: 'r1 *= 3', have: alu('mul', 64, R1, { imm: 3 }), want: '27 01 00 00 03 00 00 00' },
  { text: 'r1 /= r2', have: alu('div', 64, R1, { reg: R2 }), want: '3f 21 00 00 00 00 00 00' },
  { text: 'w1 %= w2', have: alu('mod', 32, R1, { reg: R2 }), want: '9c 21 00 00 00 00 00 00' },
  { text: 'r1 |= r2', have: alu('or', 64, R1, { reg: R2 }), want: '4f 21 00 00 00 00 00 00' },
  { text: 'r1 &= 15', have: alu('and', 64, R1, { imm: 15 }), want: '57 01 00 00 0f 00 00 00' },
  { text: 'r1 ^= r2', have: alu('xor', 64, R1, { reg: R2 }), want: 'af 21 00 00 00 00 00 00' },
  { text: 'r1 >>= r2', have: alu('rsh', 64, R1, { reg: R2 }), want: '7f 21 00 00 00 00 00 00' },
  { text: 'r1 = -r1', have: { op: 'neg', width: 64, dst: R1 }, want: '87 01 00 00 00 00 00 00' },
  { text: 'r1 = be16 r1', have: toBigEndian(R1, 16), want: 'dc 01 00 00 10 00 00 00' },
  { text: 'r1 = be64 r1', have: toBigEndian(R1, 64), want: 'dc 01 00 00 40 00 00 00' },
  { text: 'r2 = *(u8 *)(r1 + 206)', have: load(1, R2, R1, 206), want: '71 12 ce 00 00 00 00 00' },
  { text: 'r2 = *(u16 *)(r1 + 4)', have: load(2, R2, R1, 4), want: '69 12 04 00 00 00 00 00' },
  { text: 'r2 = *(u32 *)(r1 + 4)', have: load(4, R2, R1, 4), want: '61 12 04 00 00 00 00 00' },
  { text: 'r1 = *(u64 *)(r10 - 8)', have: load(8, R1, FP, -8), want: '79 a1 f8 ff 00 00 00 00' },
  {
    text: '*(u32 *)(r10 - 4) = r1',
    have: store(4, FP, -4, { reg: R1 }),
    want: '63 1a fc ff 00 00 00 00',
  },
  {
    text: '*(u64 *)(r6 + 16) = -2',
    have: store(8, R6, 16, { imm: -2 }),
    want: '7a 06 10 00 fe ff ff ff',
  },
  {
    text: 'r1 = 0x123456789abcdef0 ll',
    have: lddw(R1, 0x123456789abcdef0n),
    want: '18 01 00 00 f0 de bc 9a 00 00 00 00 78 56 34 12',
  },
  { text: 'exit', have: exit(), want: '95 00 00 00 00 00 00 00' },
];

function bytesOf(insns: readonly Insn[]): string {
  const encoded = encode({ insns, labels: new Map([[END, insns.length as InsnIndex]]) });
  if (!encoded.ok) return `refused at ${encoded.at}`;
  return [...encoded.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

for (const { text, have, want } of ROWS) {
  test(text, () => {
    assert.is(bytesOf([have]), want);
    assert.is(printInsn(have), text);
  });
}

const JUMPS: readonly { have: Insn; want: string }[] = [
  {
    have: branch({ kind: 'eq', width: 64, left: R1, right: { imm: 443 } }, END),
    want: '15 01 02 00 bb 01 00 00',
  },
  {
    have: branch({ kind: 'ne', width: 64, left: R1, right: { reg: R2 } }, END),
    want: '5d 21 02 00 00 00 00 00',
  },
  {
    have: branch({ kind: 'slt', width: 32, left: R1, right: { imm: -1 } }, END),
    want: 'c6 01 02 00 ff ff ff ff',
  },
  {
    have: branch({ kind: 'set', width: 64, left: R1, right: { imm: 1 } }, END),
    want: '45 01 02 00 01 00 00 00',
  },
  { have: jump(END), want: '05 00 02 00 00 00 00 00' },
  { have: mayGoto(END), want: 'e5 00 02 00 00 00 00 00' },
];
for (const { have, want } of JUMPS) {
  test(`${printInsn(have)} counts a lddw as two slots`, () => {
    assert.is(bytesOf([have, lddw(R0, 0n)]).slice(0, want.length), want);
  });
}

test('calls and addresses become relocations in the form that clang leaves', () => {
  const encoded = encode({ insns: [address(R1, 't', 5), call('f', 1)], labels: new Map() });
  assert.ok(encoded.ok);
  assert.equal(encoded.relocations, [
    { slot: 0, kind: 'address', symbol: 't' },
    { slot: 2, kind: 'call', symbol: 'f' },
  ]);
  assert.is(bytesOf([call('f', 1)]), '85 10 00 00 ff ff ff ff');
  assert.is(bytesOf([address(R1, 't', 5)]).slice(0, 23), '18 01 00 00 05 00 00 00');
});

test('a jump that fits 16 bits is kept, one slot more is refused', () => {
  const filler = (count: number): Insn[] => [
    jump(END),
    ...Array.from({ length: count }, () => mov.imm(R0, 0)),
  ];
  assert.ok(encode({ insns: filler(32767), labels: new Map([[END, 32768 as InsnIndex]]) }).ok);
  const refused = encode({ insns: filler(32768), labels: new Map([[END, 32769 as InsnIndex]]) });
  assert.equal(refused, { ok: false, at: 0, distance: 32768 });
});

test('values that do not fit are our own fault', () => {
  assert.throws(() => bytesOf([add.imm(R1, 2 ** 31)]), /does not fit 32 bits/);
  assert.throws(() => bytesOf([load(1, R1, R2, 32768)]), /does not fit 16 bits/);
  assert.throws(() => bytesOf([mov.imm(16 as Reg, 0)]), /virtual register/);
  assert.throws(() => encode({ insns: [jump(1 as Label)], labels: new Map() }), /stands nowhere/);
});

test('decode undoes encode', () => {
  for (const { have } of ROWS) {
    const encoded = encode({ insns: [have], labels: new Map() });
    assert.ok(encoded.ok);
    const decoded = decode(encoded.bytes, encoded.relocations);
    assert.ok(decoded.ok);
    assert.equal(decoded.code.insns, [have]);
  }
  for (const { have } of JUMPS) {
    const labels = new Map([[END, 3 as InsnIndex]]);
    const encoded = encode({ insns: [have, lddw(R0, 9n), exit()], labels });
    assert.ok(encoded.ok);
    const decoded = decode(encoded.bytes);
    assert.ok(decoded.ok);
    const first = decoded.code.insns[0];
    assert.ok(first !== undefined && 'to' in first);
    // The label is called by its slot: behind a jump, a lddw of two, and an exit.
    assert.equal({ ...first, to: END }, have);
    assert.is(decoded.code.labels.get(first.to), 3);
  }
});

test('decode refuses what is no instruction of ours', () => {
  assert.equal(decode(Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0)), { ok: false, slot: 0 });
  const atomic = Uint8Array.of(0xdb, 0, 0, 0, 0, 0, 0, 0);
  assert.equal(decode(atomic), { ok: false, slot: 0 });
});

test('printed code names labels in order and shows comments', () => {
  const insns = [branch({ kind: 'gt', width: 64, left: R1, right: { imm: 60 } }, END), exit()];
  const code = { insns, labels: new Map([[END, 1 as InsnIndex]]) };
  const text = printCode(code, (index) => (index === 0 ? 'return x; @ p.ts:1:2' : null));
  assert.is(text, '; return x; @ p.ts:1:2\n     0: if r1 > 60 goto L1\nL1:\n     1: exit\n');
});

test.run();
