/**
 * Which conditions never become a 0 or 1 in a register: compares, and `and`/`or` trees of compares,
 * all of whose uses are branches, conditions of selects, or other such trees. They are lowered to
 * jumps where they are used; a tree short-circuits.
 */
import type { Func, Instr, ValueId } from '../../ir/types.js';

/** Deeper trees are cut: lowering walks them by recursion. */
const MAX_DEPTH = 64;

type Compare = Extract<Instr, { op: 'compare' }>;

/** The operand whose truth an `eq`/`ne` with 0 asks for; null for other compares. */
export function zeroTested(
  compare: Compare,
  constant: (value: ValueId) => bigint | null,
): ValueId | null {
  if (compare.kind !== 'eq' && compare.kind !== 'ne') return null;
  const [left, right] = compare.args;
  if (constant(right) === 0n) return left;
  return constant(left) === 0n ? right : null;
}

export interface Conditions {
  /** Compares and condition trees: always evaluated by jumping. */
  readonly trees: ReadonlySet<ValueId>;
  /** The trees that are lowered at each of their uses and nowhere else. */
  readonly fused: ReadonlySet<ValueId>;
  /** `and`s whose only use asks whether they are zero: BPF has a jump that tests bits. */
  readonly bitTests: ReadonlySet<ValueId>;
}

/** Classifies the conditions of a function. */
export function findConditions(func: Func, uses: ReadonlyMap<ValueId, number>): Conditions {
  const defs = new Map<ValueId, Instr>();
  for (const block of func.blocks) for (const instr of block.instrs) defs.set(instr.id, instr);
  const depths = treeDepths(func, defs, uses);
  const asJump = new Map<ValueId, number>();
  const jump = (value: ValueId): void => {
    asJump.set(value, (asJump.get(value) ?? 0) + 1);
  };
  for (const block of func.blocks) {
    for (const instr of block.instrs) {
      if (instr.op === 'select') jump(instr.args[0]);
      else if (depths.has(instr.id)) for (const operand of treeOperands(instr, defs)) jump(operand);
    }
    if (block.term.op === 'br_if') jump(block.term.condition);
  }
  const onlyJumps = [...asJump].filter(([value, count]) => count === uses.get(value));
  const fused = new Set(onlyJumps.map(([value]) => value).filter((value) => depths.has(value)));
  const bitTests = new Set<ValueId>();
  for (const [value, count] of onlyJumps) {
    const def = defs.get(value);
    const alone = count === 1 && !depths.has(value);
    if (alone && def?.op === 'binary' && def.kind === 'and') bitTests.add(value);
  }
  return { trees: new Set(depths.keys()), fused, bitTests };
}

/** Operands that a condition tree evaluates by jumping. */
function treeOperands(instr: Instr, defs: ReadonlyMap<ValueId, Instr>): readonly ValueId[] {
  if (instr.op === 'binary') return instr.args;
  if (instr.op !== 'compare') return [];
  const tested = zeroTested(instr, (value) => {
    const def = defs.get(value);
    return def?.op === 'const' ? def.value : null;
  });
  return tested === null ? [] : [tested];
}

function treeDepths(
  func: Func,
  defs: ReadonlyMap<ValueId, Instr>,
  uses: ReadonlyMap<ValueId, number>,
): ReadonlyMap<ValueId, number> {
  const depths = new Map<ValueId, number>();
  for (const block of func.blocks) {
    for (const instr of block.instrs) {
      const depth = depthOf(instr, defs, depths, uses);
      if (depth !== null && depth <= MAX_DEPTH) depths.set(instr.id, depth);
    }
  }
  return depths;
}

function depthOf(
  instr: Instr,
  defs: ReadonlyMap<ValueId, Instr>,
  depths: ReadonlyMap<ValueId, number>,
  uses: ReadonlyMap<ValueId, number>,
): number | null {
  const inner = treeOperands(instr, defs).map((value) => depths.get(value));
  const depth = 1 + Math.max(0, ...inner.map((d) => d ?? 0));
  if (instr.op === 'compare') return depth;
  if (instr.op !== 'binary' || (instr.kind !== 'and' && instr.kind !== 'or')) return null;
  // A tree used twice would be evaluated twice, and trees of such trees exponentially often.
  const once = uses.get(instr.id) === 1 && instr.type === 'i32';
  return once && inner.every((d) => d !== undefined) ? depth : null;
}
