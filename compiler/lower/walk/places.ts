/**
 * Where a verifier looks at what it has seen before, and what is alive there: registers, and slots of the
 * frame behind them (kernel/bpf/liveness.c; kernels before 6.18 find out the same as they walk).
 */
import { BugError } from '../../diagnostic/index.js';
import { type Code, defsOf, FP, type Insn, type Label, type Reg, usesOf } from '../asm/index.js';

const SLOT_BYTES = 8;
/** R0 to R9. */
const REGISTERS = 10;

/** A register, or a slot of the frame behind them. */
export type Place = number;

/** Where an offset of the frame pointer is; null where that is no whole slot. */
export function slotAt(offset: number): Place | null {
  return offset < 0 && offset % SLOT_BYTES === 0 ? REGISTERS - offset / SLOT_BYTES - 1 : null;
}

export interface Places {
  /** How many there are. */
  readonly count: number;
  /** What may be read from an instruction on before it is written. */
  readonly alive: readonly (readonly Place[])[];
  /** Where states are compared. */
  readonly isLook: readonly boolean[];
  /** Where each jump goes. */
  readonly targets: readonly number[];
}

/** Index of the instruction that a jump goes to; -1 for others. */
function targetsOf({ insns, labels }: Code): number[] {
  return insns.map((insn) => ('to' in insn ? indexOf(labels, insn.to) : -1));
}

function indexOf(labels: Code['labels'], label: Label): number {
  const index = labels.get(label);
  if (index === undefined) throw new BugError(`no label ${label}`);
  return index;
}

function slotOf(insn: Insn, op: 'load' | 'store'): Place | null {
  return insn.op === op && insn.base === FP ? slotAt(insn.offset) : null;
}

function readsOf(insn: Insn): readonly Place[] {
  const slot = slotOf(insn, 'load');
  const regs = usesOf(insn).filter((reg: Reg) => reg !== FP);
  return slot === null ? regs : [...regs, slot];
}

function writesOf(insn: Insn): readonly Place[] {
  const slot = slotOf(insn, 'store');
  return slot === null ? defsOf(insn) : [...defsOf(insn), slot];
}

/** Looks at code once, for any number of walks. */
export function placesOf(code: Code): Places {
  const { insns } = code;
  const targets = targetsOf(code);
  const reads = insns.map(readsOf);
  const writes = insns.map(writesOf);
  const count = Math.max(REGISTERS, ...[...reads, ...writes].flat().map((place) => place + 1));
  const isLook = insns.map(() => false);
  const look = (at: number): void => {
    if (at < insns.length) isLook[at] = true;
  };
  for (const [i, insn] of insns.entries()) {
    if (insn.op === 'branch' || insn.op === 'may_goto') look(i);
    if (insn.op === 'call' || insn.op === 'helper') look(i + 1);
    const to = targets[i] ?? -1;
    if (to >= 0) look(to);
  }
  return { count, alive: aliveAt(code, { targets, reads, writes }), isLook, targets };
}

function aliveAt(
  { insns }: Code,
  of: {
    readonly targets: readonly number[];
    readonly reads: readonly (readonly Place[])[];
    readonly writes: readonly (readonly Place[])[];
  },
): (readonly Place[])[] {
  const alive = insns.map((): bigint => 0n);
  const mask = (places: readonly Place[]): bigint =>
    places.reduce((all, place) => all | (1n << BigInt(place)), 0n);
  const reads = of.reads.map(mask);
  const writes = of.writes.map(mask);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = insns.length - 1; i >= 0; i--) {
      const insn = insns[i];
      const falls = insn?.op !== 'jump' && insn?.op !== 'exit';
      const next = falls ? (alive[i + 1] ?? 0n) : 0n;
      const out = next | (alive[of.targets[i] ?? -1] ?? 0n);
      const now = (reads[i] ?? 0n) | (out & ~(writes[i] ?? 0n));
      changed ||= now !== alive[i];
      alive[i] = now;
    }
  }
  const lists = new Map<bigint, readonly Place[]>();
  return alive.map((set) => {
    const known = lists.get(set);
    if (known !== undefined) return known;
    const list = [...set.toString(2)].reverse().flatMap((bit, i) => (bit === '1' ? [i] : []));
    lists.set(set, list);
    return list;
  });
}
