/**
 * What an instruction makes of numbers and addresses, as a verifier knows them behind it
 * (kernel/bpf/verifier.c, check_alu_op and check_mem_access).
 */
import { FP, type Insn, type Operand, type Width } from '../asm/index.js';
import { slotAt } from './places.js';
import type { Results } from './results.js';
import { ANY, anyOf, compute, exactly, isExact, type Origin, type Range } from './scalar.js';
import { need, type Pointer, type Scalar, type Value, type Way } from './state.js';

const ANY_OF_BYTES: ReadonlyMap<number, Range> = new Map(
  [1, 2, 4, 8].map((n) => [n, anyOf(8 * n)]),
);

interface Known {
  /** Bytes of read-only images: a verifier reads them where it knows the place. */
  readonly images: ReadonlyMap<string, Uint8Array>;
  /** Whether verifiers of kernels before 6.9 are meant. */
  readonly isOld: boolean;
}

export class MadeValues {
  /** How many values were made: each is known by its number. */
  time = 0;
  readonly #input: Known;
  readonly #results: Results;

  constructor(input: Known, results: Results) {
    [this.#input, this.#results] = [input, results];
  }

  scalar(range: Range, from: readonly Origin[] = []): Scalar {
    this.time += 1;
    return { kind: 'scalar', range, origin: { time: this.time, from } };
  }

  operand(way: Way, operand: Operand, width: Width): Value {
    if ('reg' in operand) return way.values[operand.reg] ?? this.scalar(ANY);
    return this.scalar(this.#results.immediate(way.at, operand.imm, width));
  }

  alu(way: Way, insn: Extract<Insn, { op: 'alu' }>): Value {
    const { kind, width } = insn;
    const right = this.operand(way, insn.src, width);
    if (kind === 'mov') {
      if (right.kind === 'pointer') return right;
      const range = compute('mov', width, right.range, right.range);
      // Before 6.9 a copy of half a number is a number of its own (check_alu_op).
      const isLinked = width === 64 || !this.#input.isOld;
      if (range === right.range && isLinked) return right;
      return this.scalar(range, [right.origin]);
    }
    const left = way.values[insn.dst] ?? this.scalar(ANY);
    if (left.kind === 'pointer') return this.#moved(way, left, right, kind === 'add');
    if (right.kind === 'pointer') return this.#moved(way, right, left, kind === 'add');
    const range = this.#results.compute(way.at, insn, left.range, right.range);
    return this.scalar(range, [left.origin, right.origin]);
  }

  /** An address and a number: where it leads has to be known. */
  #moved(way: Way, pointer: Pointer, by: Value, isAdd: boolean): Value {
    if (by.kind === 'pointer' || !isAdd) return this.scalar(ANY);
    need(way, [by.origin]);
    const { range } = by;
    if (isExact(range))
      return { ...pointer, offset: BigInt.asIntN(64, pointer.offset + range.value) };
    const index = pointer.index === null ? range : compute('add', 64, pointer.index, range);
    return { ...pointer, index };
  }

  load(way: Way, { base, offset, size }: Extract<Insn, { op: 'load' }>): Value {
    const slot = base === FP ? slotAt(offset) : null;
    const held = slot === null ? null : way.values[slot];
    if (held) return held;
    return this.scalar(this.#read(way.values[base], offset, size) ?? ANY_OF_BYTES.get(size) ?? ANY);
  }

  /** What a read-only image holds at a place that is known. */
  #read(from: Value | null | undefined, offset: number, size: number): Range | null {
    if (from?.kind !== 'pointer' || from.index !== null) return null;
    const bytes = this.#input.images.get(from.to);
    const at = Number(from.offset) + offset;
    if (bytes === undefined || at < 0 || at + size > bytes.length) return null;
    const read = [...bytes.subarray(at, at + size)].reverse();
    return exactly(read.reduce((all, byte) => (all << 8n) | BigInt(byte), 0n));
  }
}
