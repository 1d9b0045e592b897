/**
 * How many instructions a kernel's verifier goes through in one function: a walk by its own rules
 * (kernel/bpf/verifier.c, do_check and is_state_visited), over numbers and addresses as lowering makes them.
 * A function is walked by itself, since all are global; what it calls may answer anything. Nothing is
 * checked: lowering keeps the rules, and kernels have the last word.
 */
import type { Type } from '../../ir/types.js';
import { type Code, FP, type Insn, type InsnIndex, R0, R5, type Reg } from '../asm/index.js';
import { isAncestor, noteEntry, outer, outermost } from './loop-entry.js';
import { MadeValues } from './made-values.js';
import { type Places, placesOf, slotAt } from './places.js';
import { Results } from './results.js';
import { ANY, exactly, isExact, lowHalf } from './scalar.js';
import {
  Checkpoint,
  covers,
  type Event,
  type Likeness,
  learn,
  need,
  type Value,
  type Values,
  type Way,
} from './state.js';

export interface WalkInput {
  readonly code: Code;
  /** What the parameters are, in order. */
  readonly params: readonly Type[];
  /** Bytes of read-only images: a verifier reads them where it knows the place. */
  readonly images: ReadonlyMap<string, Uint8Array>;
  /** Whether verifiers of kernels before 6.9 are meant, as the one of 6.1: see old-rules.ts. */
  readonly isOld: boolean;
  /** The walk ends behind so many instructions, and where more than MOST_KEPT ways are kept for later. */
  readonly limit: number;
}
export interface Walked {
  readonly instructions: number;
  /** Where most of them are. */
  readonly most: InsnIndex;
  /** The most ways that were kept for later at a time. */
  readonly kept: number;
  /** How often the call of each function of a turn was come to. */
  readonly turns: ReadonlyMap<string, number>;
}

/** BPF_COMPLEXITY_LIMIT_JMP_SEQ: a verifier gives up where more ways are kept for later. */
export const MOST_KEPT = 8192;
/** kernel/bpf/verifier.c, is_state_visited: when a state is worth keeping, and when one is given up. */
const KEEP_AFTER = { jumps: 2, instructions: 8 } as const;
const KEEP_IN_LOOP_AFTER = { jumps: 20, instructions: 100 } as const;
const MOST_JUMPS = 40;
const MISSES = 3;
const MISSES_OF_LOOP = 64;

/** Walks a function. */
export function walkFunction(input: WalkInput): Walked {
  return new Walk(input).run();
}

class Walk {
  readonly #insns: readonly Insn[];
  readonly #places: Places;
  readonly #results: Results;
  readonly #made: MadeValues;
  readonly #input: WalkInput;
  readonly #kept: Way[] = [];
  readonly #seen = new Map<number, Checkpoint[]>();
  readonly #visits: Uint32Array;
  #walked = 0;
  #jumps = 0;
  #before = { walked: 0, jumps: 0 };
  #mostKept = 0;

  constructor(input: WalkInput) {
    this.#input = input;
    this.#insns = input.code.insns;
    this.#places = placesOf(input.code);
    this.#results = new Results(this.#insns.length, input.isOld);
    this.#made = new MadeValues(input, this.#results);
    this.#visits = new Uint32Array(this.#insns.length);
  }

  run(): Walked {
    const values: Values = new Array<Value | null>(this.#places.count).fill(null);
    for (const [i, type] of this.#input.params.entries()) {
      const to = `parameter ${i}`;
      values[i + 1] =
        type === 'ptr'
          ? { kind: 'pointer', to, offset: 0n, index: null, mayBeNull: true }
          : this.#made.scalar(ANY);
    }
    const first: Way = {
      at: 0,
      values,
      parent: null,
      turns: 0,
      jumps: 0,
      entry: null,
      events: null,
    };
    this.#kept.push(first);
    for (let way = this.#kept.pop(); way !== undefined; way = this.#kept.pop()) {
      this.#follow(way);
      if (this.#walked > this.#input.limit || this.#mostKept > MOST_KEPT) break;
    }
    const most = this.#visits.indexOf(this.#visits.reduce((a, b) => Math.max(a, b), 0));
    return {
      instructions: this.#walked,
      most: most as InsnIndex,
      kept: this.#mostKept,
      turns: this.#turns(),
    };
  }

  #turns(): Map<string, number> {
    const turns = new Map<string, number>();
    for (const [i, insn] of this.#insns.entries())
      if (insn.op === 'function') turns.set(insn.symbol, this.#visits[i] ?? 0);
    return turns;
  }

  /** Goes on with one way to its end. */
  #follow(way: Way): void {
    while (this.#walked <= this.#input.limit && this.#mostKept <= MOST_KEPT) {
      this.#walked += 1;
      this.#visits[way.at] = (this.#visits[way.at] ?? 0) + 1;
      if (this.#places.isLook[way.at] && this.#isKnown(way)) break;
      const insn = this.#insns[way.at];
      if (insn === undefined || !this.#step(way, insn)) break;
    }
    this.#end(way);
  }

  /** One instruction; false where the way ends. */
  #step(way: Way, insn: Insn): boolean {
    const { values } = way;
    switch (insn.op) {
      case 'alu':
        values[insn.dst] = this.#made.alu(way, insn);
        break;
      case 'neg':
      case 'swap': {
        const old = values[insn.dst];
        const range = insn.op === 'swap' || insn.width === 64 ? ANY : lowHalf(ANY);
        values[insn.dst] = this.#made.scalar(range, old?.kind === 'scalar' ? [old.origin] : []);
        break;
      }
      case 'load':
        values[insn.dst] = this.#made.load(way, insn);
        break;
      case 'store': {
        const slot = insn.base === FP ? slotAt(insn.offset) : null;
        if (slot !== null) values[slot] = this.#made.operand(way, insn.src, 64);
        break;
      }
      case 'xchg':
        values[insn.reg] = this.#made.scalar(ANY);
        break;
      case 'lddw':
        values[insn.dst] = this.#made.scalar(exactly(insn.value));
        break;
      case 'address': {
        const offset = BigInt(insn.addend);
        values[insn.dst] = {
          kind: 'pointer',
          to: insn.symbol,
          offset,
          index: null,
          mayBeNull: false,
        };
        break;
      }
      case 'function':
        values[insn.dst] = this.#made.scalar(ANY);
        break;
      case 'call':
      case 'helper':
        this.#jumps += 1;
        way.jumps += 1;
        this.#note(way, null);
        for (let reg = 0; reg <= R5; reg++) values[reg] = null;
        values[R0] = this.#made.scalar(ANY);
        break;
      case 'jump':
        this.#jumps += 1;
        way.jumps += 1;
        way.at = this.#places.targets[way.at] ?? 0;
        return true;
      case 'branch':
        this.#jumps += 1;
        this.#branch(way, insn);
        return true;
      case 'may_goto':
        this.#jumps += 1;
        this.#mayGoto(way);
        return true;
      case 'exit':
        this.#jumps += 1;
        return false;
    }
    way.at += 1;
    return true;
  }

  #branch(way: Way, { test }: Extract<Insn, { op: 'branch' }>): void {
    const left = way.values[test.left] ?? this.#made.scalar(ANY);
    const right = this.#made.operand(way, test.right, test.width);
    const target = this.#places.targets[way.at] ?? 0;
    if (left.kind === 'pointer' || right.kind === 'pointer') {
      this.#branchOnPointer(way, test.left, target);
      return;
    }
    const { decided, yes, no } = this.#results.test(way.at, test, [left.range, right.range]);
    way.jumps += 1;
    if (decided !== null) {
      need(way, [left.origin, right.origin]);
      way.at = decided ? target : way.at + 1;
      return;
    }
    // Of tests that are decided both sides are needed already.
    if ('reg' in test.right) this.#note(way, [left.origin, right.origin]);
    const values = way.values.slice();
    learn(values, [left, right], yes);
    this.#keep({ ...way, at: target, values });
    learn(way.values, [left, right], no);
    way.at += 1;
  }

  /** A parameter that may be null is compared with it once. */
  #branchOnPointer(way: Way, reg: Reg, target: number): void {
    const pointer = way.values[reg];
    way.jumps += 1;
    if (pointer?.kind === 'pointer' && pointer.mayBeNull) {
      const values = way.values.slice();
      values[reg] = this.#made.scalar(exactly(0n));
      this.#keep({ ...way, at: target, values });
      way.values[reg] = { ...pointer, mayBeNull: false };
    }
    way.at += 1;
  }

  /** What comes behind it is kept for later, as another turn. */
  #mayGoto(way: Way): void {
    const values = way.values.slice();
    const before = this.#beforeAt(way);
    if (before !== null) this.#widen(before, values);
    this.#keep({ ...way, at: way.at + 1, values, turns: way.turns + 1 });
    way.at = this.#places.targets[way.at] ?? 0;
  }

  /** The last state on this way at the same place. */
  #beforeAt({ at, parent }: Way): Checkpoint | null {
    // The nearest is the one that was just kept for this very visit.
    for (let state = parent?.parent ?? null; state !== null; state = state.parent) {
      if (state.at === at) return state;
    }
    return null;
  }

  /** widen_imprecise_scalars: what changed from turn to turn and never mattered may be anything. */
  #widen(before: Checkpoint, values: Values): void {
    for (const [place, value] of values.entries()) {
      const old = before.values[place];
      if (old?.kind !== 'scalar' || value?.kind !== 'scalar') continue;
      if (before.needed.has(place) || old === value) continue;
      if (isExact(old.range) && isExact(value.range) && old.range.value === value.range.value)
        continue;
      values[place] = this.#made.scalar(ANY);
    }
  }

  #note(way: Way, pair: Event['pair']): void {
    if (this.#input.isOld) way.events = { time: this.#made.time, pair, before: way.events };
  }

  #keep(way: Way): void {
    this.#kept.push(way);
    if (way.parent !== null) way.parent.open += 1;
    this.#mostKept = Math.max(this.#mostKept, this.#kept.length);
  }

  /** True where a state that was seen makes this one superfluous; keeps it where that pays. */
  #isKnown(way: Way): boolean {
    const isForced = this.#insns[way.at]?.op === 'may_goto';
    const alive = this.#places.alive[way.at] ?? [];
    const jumps = this.#jumps - this.#before.jumps;
    const walked = this.#walked - this.#before.walked;
    const isPast = jumps >= KEEP_AFTER.jumps && walked >= KEEP_AFTER.instructions;
    const isLong = way.jumps > MOST_JUMPS && !this.#input.isOld;
    let keeps = isForced || isLong || isPast;
    const states = this.#seen.get(way.at) ?? [];
    const left: Checkpoint[] = [];
    let hit: Checkpoint | null = null;
    for (const [i, state] of states.entries()) {
      if (this.#isCovered(state, way, alive)) {
        hit = state;
        left.push(...states.slice(i));
        break;
      }
      const isOpen = state.open > 0;
      const isSoon = jumps < KEEP_IN_LOOP_AFTER.jumps && walked < KEEP_IN_LOOP_AFTER.instructions;
      if (isOpen && !isForced && !isLong && isSoon) keeps = false;
      if (keeps) state.misses += 1;
      const most = isForced && isOpen ? MISSES_OF_LOOP : MISSES;
      if (state.misses <= state.hits * most + most) left.push(state);
    }
    if (left.length < states.length) this.#seen.set(way.at, left);
    if (hit !== null) {
      this.#meet(way, hit);
      return true;
    }
    if (keeps) this.#checkpoint(way, left);
    return false;
  }

  #isCovered(state: Checkpoint, way: Way, alive: Places['alive'][number]): boolean {
    if (state.open > 0) {
      const isTurn = this.#insns[way.at]?.op === 'may_goto' && state.turns !== way.turns;
      return isTurn && isAncestor(state, way) && covers(state, way.values, alive, 'within');
    }
    const entry = outermost(state.entry);
    const likeness: Likeness = entry !== null && entry.open > 0 ? 'within' : 'needed';
    return covers(state, way.values, alive, likeness);
  }

  /** Goes on as a state that was seen did: what it had to know, this way has to. */
  #meet(way: Way, state: Checkpoint): void {
    state.hits += 1;
    if (state.open > 0) way.entry = outer(way.entry, state);
    const origins = [...state.needed].flatMap((place) => {
      const value = way.values[place];
      return value?.kind === 'scalar' ? [value.origin] : [];
    });
    if (origins.length > 0) need(way, origins);
  }

  #checkpoint(way: Way, states: readonly Checkpoint[]): void {
    const state = new Checkpoint(way, this.#made.time);
    this.#before = { walked: this.#walked, jumps: this.#jumps };
    this.#seen.set(way.at, [state, ...states]);
    way.parent = state;
    way.events = null;
    way.jumps = 0;
  }

  /** A way is at its end, and with the last of a state the state. */
  #end(way: Way): void {
    if (way.entry !== null && way.parent !== null) noteEntry(way.parent, way.entry);
    for (let state = way.parent; state !== null; state = state.parent) {
      state.open -= 1;
      if (state.open > 0) break;
      if (state.entry !== null && state.parent !== null) noteEntry(state.parent, state.entry);
    }
  }
}
