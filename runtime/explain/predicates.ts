/** All predicates of a policy, asked or not: what coverage is a part of. */
import type { PolicyIr, Term } from '../../compiler/index.js';
import type { Naming } from './name-term.js';
import { ABSENT } from './read-value.js';
import { type Place, stepOf } from './steps.js';

/** Nothing was decided, so no value is told. */
const NO_VALUES = {
  ...{ symbol: () => ABSENT, view: () => ABSENT, address: () => ABSENT },
  ...{ part: () => ABSENT, rule: () => -1 },
};

export interface Predicate {
  readonly operation: string;
  readonly at: Place;
  readonly text: string;
}

/** A text that was cut out by a loop has no name before it ran; two of them are the loop itself. */
function isSearch(text: string): boolean {
  return text.split('…').length > 2;
}

/** Predicates by place, as `stepOf` would tell them. */
export function predicatesOf(ir: PolicyIr): readonly Predicate[] {
  const naming: Naming = { ir, read: NO_VALUES };
  return ir.module.functions.flatMap((func) => {
    const terms = new Map<number, Term>();
    return func.blocks.flatMap((block) =>
      block.instrs.flatMap((instr) => {
        const operands: readonly number[] = 'args' in instr ? instr.args : [];
        const args = operands.map((arg) => terms.get(arg) ?? null);
        const value = instr.op === 'const' ? instr.value : 0n;
        const term = { func, instr, value, args };
        terms.set(instr.id, term);
        const step = stepOf(term, 0, naming);
        return step === null || step.at === null || step.holds === null || isSearch(step.text)
          ? []
          : [{ operation: step.operation, at: step.at, text: step.text }];
      }),
    );
  });
}
