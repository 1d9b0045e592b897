/**
 * Which values a verifier that walks every turn knows as one number: what is made of constants alone, as the counters of
 * loops are. Kernels before 6.8 decide a test only where its right side is such a number (kernel/bpf/verifier.c,
 * check_cond_jmp_op), so selection puts it there.
 */
import { targetsOf } from '../../ir/operands.js';
import type { Func, Instr, ValueId } from '../../ir/types.js';

/** Operations whose result is one number where their operands are. */
const KEEPS: ReadonlySet<Instr['op']> = new Set([
  'const',
  'binary',
  'unary',
  'extend_u',
  'extend_s',
  'wrap',
  'select',
  // 0 or 1, each on its way.
  'compare',
]);

/** What is in a result; what decides between ways is not. */
function madeOf(instr: Instr): readonly ValueId[] {
  if (!('args' in instr) || instr.op === 'compare') return [];
  return instr.op === 'select' ? instr.args.slice(1) : instr.args;
}

/** The values of a function that are made of constants alone, whichever way comes to them. */
export function countedValues(func: Func): ReadonlySet<ValueId> {
  const counted = new Set<ValueId>();
  const users = new Map<ValueId, ValueId[]>();
  const lost: ValueId[] = func.params.map(({ id }) => id);
  const use = (arg: ValueId, user: ValueId): void => {
    users.set(arg, [...(users.get(arg) ?? []), user]);
  };
  const params = new Map(func.blocks.map((block) => [block.id, block.params]));
  for (const { params: own, instrs, term } of func.blocks) {
    for (const { id } of own) counted.add(id);
    for (const instr of instrs) {
      if (KEEPS.has(instr.op)) counted.add(instr.id);
      else lost.push(instr.id);
      for (const arg of madeOf(instr)) use(arg, instr.id);
    }
    for (const { block, args } of targetsOf(term)) {
      for (const [i, arg] of args.entries()) {
        const param = params.get(block)?.[i];
        if (param !== undefined) use(arg, param.id);
      }
    }
  }
  for (const value of lost) {
    for (const user of users.get(value) ?? []) if (counted.delete(user)) lost.push(user);
  }
  return counted;
}
