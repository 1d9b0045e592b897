/**
 * How often a loop can turn: from a counter that every way round moves by a constant, and a test that
 * every round makes and that ends the loop.
 */
import {
  type BlockId,
  bitsOf,
  blockMap,
  type CompareOp,
  definitions,
  dominators,
  type Func,
  foldBinary,
  foldCompare,
  type Instr,
  type IntType,
  inverse,
  type Loop,
  maskOf,
  type Param,
  swapped,
  targetsOf,
  type ValueId,
} from '../ir/index.js';
import { addressLimits } from './address-limits.js';

/** A longer loop counts as one whose end is not known. */
export const LONG = 4096;

export interface TripBound {
  /** The loop's header is entered at most so often. */
  readonly trips: number;
  /** The counter, where constants alone say so: the verifier can count it itself. */
  readonly counter: Param | null;
}

type Step = Instr & { op: 'binary' };
/** A parameter of a header, where it begins and what each round does to it. */
interface Course {
  readonly param: Param;
  readonly type: IntType;
  readonly step: Step;
  readonly by: bigint;
  /** The value that it begins with; null where it is no constant. */
  readonly start: bigint | null;
  readonly most: bigint;
}
/** The loop goes on while this holds. */
interface Test {
  readonly kind: CompareOp;
  readonly tested: ValueId;
  readonly bound: ValueId | null;
  readonly at: BlockId;
}

/** A function that bounds the loops of `func`; null where no counter does. */
export function tripBounds(func: Func): (loop: Loop) => TripBound | null {
  const defs = definitions(func);
  const blocks = blockMap(func);
  const doms = dominators(func);
  const limit = addressLimits(func);
  const constant = (value: ValueId | null | undefined): bigint | null => {
    const def = value === null || value === undefined ? undefined : defs.get(value);
    return def?.op === 'const' ? def.value : null;
  };

  const courseOf = (loop: Loop, index: number, param: Param): Course | null => {
    if (param.type === 'ptr') return null;
    let step: Step | null = null;
    const starts: (bigint | null)[] = [];
    let most = 0n;
    for (const block of func.blocks) {
      for (const target of targetsOf(block.term)) {
        const arg = target.args[index];
        if (target.block !== loop.header || arg === undefined) continue;
        if (!loop.blocks.has(block.id)) {
          const greatest = limit(block.id, arg);
          if (greatest > most) most = greatest;
          starts.push(constant(arg));
          continue;
        }
        const def = defs.get(arg);
        if (def?.op !== 'binary' || def.args[0] !== param.id) return null;
        if (step !== null && step.id !== def.id) return null;
        step = def;
      }
    }
    const by = step === null ? null : constant(step.args[1]);
    if (step === null || by === null) return null;
    const [first = null] = starts;
    const start = starts.every((value) => value === first) ? first : null;
    return { param, type: param.type, step, by, start, most };
  };

  const testsOf = (loop: Loop): Test[] =>
    [...loop.blocks].flatMap((id): Test[] => {
      const term = blocks.get(id)?.term;
      if (term?.op !== 'br_if') return [];
      if (!loop.latches.every((latch) => doms.dominates(id, latch))) return [];
      const staysThen = loop.blocks.has(term.then.block);
      if (staysThen === loop.blocks.has(term.else.block)) return [];
      return conjuncts(term.condition, staysThen).flatMap((value): Test[] => {
        const def = defs.get(value);
        if (def?.op !== 'compare') {
          return [{ kind: staysThen ? 'ne' : 'eq', tested: value, bound: null, at: id }];
        }
        const kind = staysThen ? def.kind : inverse(def.kind);
        const [a, b] = def.args;
        return [
          { kind, tested: a, bound: b, at: id },
          { kind: swapped(kind), tested: b, bound: a, at: id },
        ];
      });
    });

  /** Values that are all yes where `value` is yes, or all no where it is no: two exits as one test. */
  const conjuncts = (value: ValueId, isYes: boolean): readonly ValueId[] => {
    const def = defs.get(value);
    if (def?.op === 'binary' && def.kind === (isYes ? 'and' : 'or')) {
      return def.args.flatMap((arg) => conjuncts(arg, isYes));
    }
    if (def?.op !== 'select') return [value];
    const [condition, then, other] = def.args;
    const rest = isYes ? other : then;
    const isJoin = isYes ? constant(rest) === 0n : (constant(rest) ?? 0n) !== 0n;
    if (!isJoin) return [value];
    return [condition, isYes ? then : other].flatMap((arg) => conjuncts(arg, isYes));
  };

  const trips = (course: Course, test: Test): TripBound | null => {
    const { param, step } = course;
    if (test.tested !== param.id && test.tested !== step.id) return null;
    const bound = test.bound === null ? 0n : constant(test.bound);
    if (bound !== null && course.start !== null) {
      const counted = count(course, course.start, test, bound);
      if (counted !== null) return { trips: counted, counter: param };
    }
    const most = test.bound === null ? 0n : limit(test.at, test.bound);
    const rounds = bound === 0n ? shrinking(course, test.kind) : rising(course, test.kind, most);
    return rounds === null || rounds > LONG ? null : { trips: rounds, counter: null };
  };

  return (loop) => {
    const tests = testsOf(loop);
    const found = (blocks.get(loop.header)?.params ?? []).flatMap((param, index) => {
      const course = courseOf(loop, index, param);
      return course === null ? [] : tests.flatMap((test) => trips(course, test) ?? []);
    });
    return found.sort((a, b) => a.trips - b.trips)[0] ?? null;
  };
}

/** Walks a counter from constant to constant. */
function count(course: Course, start: bigint, test: Test, bound: bigint): number | null {
  let value = start;
  for (let round = 1; round <= LONG; round++) {
    const next = foldBinary(course.step.kind, course.type, value, course.by);
    if (next === null) return null;
    const now = test.tested === course.param.id ? value : next;
    if (foldCompare(test.kind, course.type, now, bound) === false) return round;
    value = next;
  }
  return null;
}

/** Rounds of a counter that rises to what is at most `most`. */
function rising({ type, step, by, start }: Course, kind: CompareOp, most: bigint): number | null {
  const signed = kind === 'lt_s' || kind === 'le_s';
  if (!signed && kind !== 'lt_u' && kind !== 'le_u') return null;
  const all = signed ? maskOf(type) >> 1n : maskOf(type);
  // Nothing may wrap on the way, neither the counter's last value nor the step behind it.
  if (step.kind !== 'add' || by === 0n || most + by + by > all) return null;
  if (start === null || start > all) return null;
  return start > most ? 2 : Number((most - start) / by) + 2;
}

/** Rounds of a counter that shrinks to nothing, or to less (`i >= 0`). */
function shrinking({ type, step, by, most }: Course, kind: CompareOp): number | null {
  const signed = kind === 'gt_s' || kind === 'ge_s';
  // Below the sign bit, signed and unsigned comparisons are one.
  if (signed ? most > maskOf(type) >> 1n : kind !== 'ne' && kind !== 'gt_u') return null;
  const down = (step.kind === 'add' && by === maskOf(type)) || (step.kind === 'sub' && by === 1n);
  if (down) return Number(most) + 3;
  const bits = most.toString(2).length;
  if (kind === 'ge_s') return null;
  if (step.kind === 'shr_u' && by % BigInt(bitsOf(type)) > 0n) return bits + 2;
  return step.kind === 'div_u' && by > 1n ? bits + 2 : null;
}
