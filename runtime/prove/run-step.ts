/** One instruction, for all inputs that reach it: what it may come to, and where it stops the decision. */
import {
  bitsOf,
  type Instr,
  type IntType,
  MEMORY_IMAGE,
  type PolicyIr,
  readBytes,
  type Type,
  type ValueId,
} from '../../compiler/index.js';
import { AbiAsker, type Answer, type Subject } from './ask-abi.js';
import { changeLeaf, combineLeaves } from './combine-leaves.js';
import { type Asking, compareLeaves, truthOf } from './compare-leaves.js';
import { NONE } from './diagram.js';
import type { Guard } from './guards.js';
import { constant, type Leaf, type Value } from './leaf.js';
import { always, mapPairs, mapValue, NOTHING, ofTruth, ValueBuilder } from './value.js';

export interface StepContext extends Asking {
  readonly ir: PolicyIr;
  readonly subject: Subject;
  /** Name of the function. */
  readonly func: string;
  readonly types: ReadonlyMap<ValueId, Type>;
  readonly read: (id: ValueId) => Value;
  readonly call: (callee: string, args: readonly Value[]) => Value;
  /** What is not looked into, of this bundle alone. */
  readonly opaque: (expression: string) => Leaf;
}

/** Where a value is not zero. */
export function truthOfValue(asking: Asking, value: Value): Guard {
  const { guards } = asking;
  return value.reduce<Guard>(
    (holds, [leaf, guard]) => guards.or(holds, guards.and(guard, truthOf(asking, leaf))),
    NONE,
  );
}

export function runStep(instr: Instr, on: StepContext): Answer {
  const { guards, opaques, at, ir, subject, func, types, read, call } = on;
  const asking = { guards, opaques, at };
  const done = (value: Value): Answer => ({ value, traps: NONE });
  const unknown = (why: string): Value => always(on.opaque(`${why} ${func} ${instr.id}`));
  const pairs = (a: ValueId, b: ValueId, make: (a: Leaf, b: Leaf) => Value): Value =>
    mapPairs(guards, read(a), read(b), make) ?? unknown('pairs');
  switch (instr.op) {
    case 'const':
      return done(always(constant(instr.value)));
    case 'binary': {
      const type = intType(instr.type);
      return done(
        pairs(instr.args[0], instr.args[1], (a, b) =>
          always(combineLeaves({ opaques, at }, instr.kind, type, a, b)),
        ),
      );
    }
    case 'unary':
    case 'extend_u':
    case 'extend_s':
    case 'wrap': {
      const kind = instr.op === 'unary' ? instr.kind : instr.op;
      const type = intType(instr.type);
      return done(
        mapValue(guards, read(instr.args[0]), (leaf) =>
          always(changeLeaf({ opaques, at }, kind, type, leaf)),
        ),
      );
    }
    case 'compare': {
      const type = intType(types.get(instr.args[0]) ?? 'i32');
      return done(
        pairs(instr.args[0], instr.args[1], (a, b) =>
          ofTruth(guards, compareLeaves(asking, instr.kind, type, a, b)),
        ),
      );
    }
    case 'select': {
      const condition = truthOfValue(asking, read(instr.args[0]));
      const built = new ValueBuilder(guards);
      built.addAll(read(instr.args[1]), condition);
      built.addAll(read(instr.args[2]), guards.not(condition));
      return done(built.value);
    }
    case 'load.memory':
      return done(mapValue(guards, read(instr.args[0]), (leaf) => always(load(leaf, instr, on))));
    case 'call':
      return done(call(instr.callee, instr.args.slice(1).map(read)));
    case 'abi': {
      const asked = ir.resolved.calls.get(func)?.get(instr.id);
      if (asked === undefined) return done(unknown('call'));
      return new AbiAsker(asking, subject).ask(asked, instr.args.map(read));
    }
    case 'launder':
      return done(read(instr.args[0]));
    case 'may_goto':
      return done(NOTHING);
    default:
      return done(unknown(instr.op));
  }
}

/** Memory as the configure phase left it; what a decision writes is not followed. */
function load(leaf: Leaf, instr: Extract<Instr, { op: 'load.memory' }>, on: StepContext): Leaf {
  const { module } = on.ir;
  const bytes = module.images.find(({ name }) => name === MEMORY_IMAGE)?.bytes;
  const address = leaf.kind === 'const' ? Number(leaf.value) + instr.offset : null;
  const limit = Math.min(bytes?.length ?? 0, module.scratchFrom ?? Number.POSITIVE_INFINITY);
  if (address === null || bytes === undefined || address + instr.size > limit) {
    return on.opaque(`load ${leaf.key} ${instr.offset} ${instr.size}`);
  }
  return constant(
    readBytes(bytes, address, instr.size, instr.signed, instr.type) &
      ((1n << BigInt(bitsOf(instr.type))) - 1n),
  );
}

function intType(type: Type): IntType {
  return type === 'i64' ? 'i64' : 'i32';
}
