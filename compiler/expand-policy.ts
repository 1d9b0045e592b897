/** A compiled policy's module with what the ABI's calls and the tables stand for, simplified: ready to lower. */
import type { CompiledPolicy } from './compile-policy.js';
import { BugError, hasErrors } from './diagnostic/index.js';
import { MEMORY_IMAGE, type Module } from './ir/index.js';
import { renameImage } from './join-modules.js';
import { expandAbi } from './passes/expand-abi.js';
import type { AbiNumbering } from './passes/expand-abi-numbering.js';
import { resolveAbi } from './passes/expand-abi-resolve.js';
import { splitAbi } from './passes/expand-abi-split.js';
import { expandTables } from './passes/expand-tables.js';
import { type OptimizeOptions, optimize } from './passes/index.js';
import { VIEW_EXTERNS } from './passes/view-functions.js';
import type { PolicyPlan } from './table-costs.js';

/** Names that are called. */
export function callees(modules: readonly Module[]): ReadonlySet<string> {
  const blocks = modules.flatMap((m) => m.functions.flatMap((f) => f.blocks));
  return new Set(
    blocks.flatMap((b) => b.instrs.flatMap((i) => (i.op === 'call' ? [i.callee] : []))),
  );
}

/** The module of a policy, ready to lower; the compiled policy stays as it is, for other variants. */
export function expandPolicy(
  { module: original, context, index }: CompiledPolicy,
  {
    plan,
    numbering,
    target,
  }: {
    readonly plan: PolicyPlan | undefined;
    readonly numbering: AbiNumbering;
    readonly target: Omit<OptimizeOptions, 'expand'>;
  },
): Module {
  if (plan === undefined) throw new BugError('a policy has no plan');
  const prefix = `p${index}_`;
  const module: Module = {
    ...original,
    functions: structuredClone(original.functions),
    images: [...original.images],
    externs: [...original.externs, ...VIEW_EXTERNS],
  };
  const expand = (simplified: Module): void => {
    // Simplifying again may renumber values, so calls are read anew; what they may say was checked.
    splitAbi(simplified);
    const resolved = resolveAbi(simplified, context);
    if (hasErrors(resolved.diagnostics)) throw new BugError('ABI calls changed their operands');
    expandAbi(simplified, resolved, numbering);
    expandTables(simplified, resolved, { plans: plan.plans, prefix, numbering });
  };
  optimize(module, { ...target, expand });
  renameImage(module, MEMORY_IMAGE, `${prefix}${MEMORY_IMAGE}`);
  const called = callees([module]);
  return { ...module, externs: module.externs.filter(({ name }) => called.has(name)) };
}
